"""`agentci eval`: evaluates suites; `agentci eval merge` puts shards together."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer
from typer.core import TyperCommand, TyperGroup

from agentci.app.eval_request import EvalRequest
from agentci.cli.eval_export import export
from agentci.cli.eval_import import import_
from agentci.cli.eval_merge import merge
from agentci.cli.eval_outcome import OutOption, show_evaluation
from agentci.cli.eval_progress import EvalProgress
from agentci.cli.invocation import GROUP_SETTINGS, JsonOption, invocation_of
from agentci.cli.report_options import JunitOption
from agentci.cli.run_settings import RedactOption
from agentci.cli.suite_options import JobsOption, SandboxOption, SuitesArgument
from agentci.core.errors import UsageError

_DEFAULT = "suites"
_WIDEST = 200
"""Characters of a summary; lines are broken, not cut."""


class _SuitesByDefault(TyperGroup):
    """A group whose command `suites` need not be typed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command in front of what names none."""
        if not args or args[0] not in self.commands:
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


class _NotTyped(typer.Context):
    """Of a command that is called by the name of its group."""

    @property
    def command_path(self) -> str:
        """The words that a user types."""
        return self.parent.command_path if self.parent is not None else super().command_path


class _Evaluate(TyperCommand):
    """The command that need not be typed, whose help is that of the whole group."""

    context_class = _NotTyped

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the other commands of the group."""
        others = ctx.parent.command.commands
        rows = [
            (name, others[name].get_short_help_str(_WIDEST)) for name in others if name != _DEFAULT
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


app = typer.Typer(cls=_SuitesByDefault, **GROUP_SETTINGS)
app.command("merge")(merge)
app.command("import")(import_)
app.command("export")(export)


@app.command(_DEFAULT, cls=_Evaluate, hidden=True)
def suites(
    context: typer.Context,
    suites: SuitesArgument = None,
    *,
    mode: Annotated[
        Literal["auto", "replay", "record", "live"] | None,
        typer.Option(help="Default: `replay` where CI=true, else `auto`.", show_default=False),
    ] = None,
    case: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="Case; `*` for any characters; repeatable.", show_default=False
        ),
    ] = None,
    redraw: Annotated[
        bool, typer.Option("--redraw", help="With `--mode record`: ask for every answer again.")
    ] = False,
    only_changed: Annotated[
        bool, typer.Option("--only-changed", help="Leave out cases whose results are known.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="One of N parts of the cases.", show_default=False),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Instead of the suite's.", show_default=False),
    ] = None,
    add_trials: Annotated[
        int, typer.Option(min=0, max=1000, help="On top of what is recorded.")
    ] = 0,
    jobs: JobsOption = None,
    sandbox: SandboxOption = None,
    max_cost: Annotated[
        float | None,
        typer.Option(min=0, help="Limit on what live calls cost.", show_default=False),
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Limit on the tokens of live calls.", show_default=False),
    ] = None,
    note: Annotated[
        str, typer.Option(metavar="TEXT", help="Goes into the header of new cassettes.")
    ] = "",
    redact: RedactOption = False,
    everything: Annotated[
        bool, typer.Option("--all/--failures-only", help="List cases that passed, too.")
    ] = False,
    out: OutOption = None,
    junit: JunitOption = None,
    json: JsonOption = False,
) -> int:
    """Evaluate suites: replay what is recorded, score the answers, list what failed.

    Results that are known are only read. `agentci eval merge FILE...` puts the shards together
    that `--shard 1/2 --out FILE` left.

    Example: agentci eval triage --case 'crash-*'
    """
    from agentci.app.eval_results_file import ResultsFile
    from agentci.app.evaluate import evaluate_suites
    from agentci.evals.shards import parse_shard

    invocation = invocation_of(context)
    part = None if shard is None else parse_shard(shard)
    if redraw and mode != "record":
        message = "`--redraw` is for recording"
        raise UsageError(message, code="ACI-U489", hint="add `--mode record`")
    request = EvalRequest(
        start=invocation.directory,
        suites=tuple(suites or ()),
        mode=mode,
        cases=tuple(case or ()),
        only_changed=only_changed,
        redraw=redraw,
        shard=part,
        trials=trials,
        add_trials=add_trials,
        jobs=jobs,
        sandbox=sandbox,
        max_cost=max_cost,
        max_tokens=max_tokens,
        note=note,
        redact=redact,
    )
    with EvalProgress(invocation) as listener:
        evaluated = evaluate_suites(request, listener)
    content = ResultsFile(evaluated, part)
    return show_evaluation(
        content, invocation, json=json, everything=everything, out=out, junit=junit
    )
