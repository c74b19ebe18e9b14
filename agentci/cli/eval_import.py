"""`agentci eval import`: take evaluations of other tools over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentci.cli.invocation import Invocation, JsonOption, invocation_of

if TYPE_CHECKING:
    from agentci.app.eval_import_request import EvalImportResult


def import_(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Configs, datasets or logs.")
    ],
    *,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="NAME", help="Name of the new folder.", show_default=False),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="PROVIDER:ID", help="Evaluate this model instead.", show_default=False
        ),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Of a log: write its results.", show_default=False),
    ] = None,
    dataset: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Of a log: write its samples, as JSON Lines.", show_default=False
        ),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(min=0, max=1, help="Of a log: the score from which on a sample passes."),
    ] = 1.0,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite what is there already.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and check everything, write nothing.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Take over promptfoo configs and pydantic-evals datasets as suites, Inspect logs as results.

    Nothing of them is executed. What cannot be taken over is listed, line by line, and written
    beside the suite.

    Example: agentci eval import promptfooconfig.yaml --to answers
    """
    from agentci.app.eval_import import import_evaluation
    from agentci.app.eval_import_request import EvalImportRequest
    from agentci.cli.render.json import to_json
    from agentci.core.errors import UsageError

    invocation = invocation_of(context)
    if len(paths) > 1 and (to, results, dataset) != (None, None, None):
        raise UsageError(
            "`--to`, `--results` and `--dataset` are for one file",
            code="ACI-U509",
            hint="import one file after the other",
        )
    found = [
        import_evaluation(
            EvalImportRequest(
                start=invocation.directory,
                path=invocation.path(path),
                to=to,
                model=model,
                results=None if results is None else invocation.path(results),
                dataset=None if dataset is None else invocation.path(dataset),
                threshold=threshold,
                replace=replace,
                dry_run=dry_run,
            )
        )
        for path in paths
    ]
    if json:
        invocation.print(to_json({"imports": found}))
        return 0
    for result in found:
        _print(result, invocation)
    return 0


def _print(result: EvalImportResult, invocation: Invocation) -> None:
    from agentci.cli.render.errors import printable
    from agentci.cli.render.text import count, table

    if result.notes:
        rows = [(note.place, note.what, note.why) for note in result.notes]
        invocation.print(table(("not taken over", "what", "why"), rows))
    verb = "would import" if result.dry_run else "imported"
    parts = [count(result.cases, "case")]
    if result.trials:
        parts.append(count(result.trials, "trial"))
    else:
        parts += [count(result.expectations, "expectation"), count(result.suites, "suite")]
    into = result.folder or ", ".join(result.files) or "nothing"
    told = f"{verb} {', '.join(parts)} from {result.format} into `{into}`"
    left = f"; {count(len(result.notes), 'note')}" if result.notes else ""
    invocation.print(printable(told + left))
    if result.folder:
        invocation.print(f"next: `agentci check {Path(result.folder).name}`")
