"""`agentci github`: the steps of the GitHub Action, `action.yml`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agentci.app import wiring
from agentci.cli.invocation import GROUP_SETTINGS, JsonOption, invocation_of
from agentci.cli.render.json import to_json
from agentci.core.errors import AgentciError

if TYPE_CHECKING:
    from agentci.app.github_action import ActionInputs
    from agentci.app.github_comment import CommentResult
    from agentci.cli.invocation import Invocation

app = typer.Typer(
    help="""Do what the steps of the GitHub Action do: judge a change, comment on it.

    Example: agentci github comment report.md
    """,
    **GROUP_SETTINGS,
)

_JUDGED_LATER: Final = frozenset({0, 1, 4})
"""Exit codes of a shard's evaluation that are for the job to say that judges all shards."""


@app.command("action")
def action(context: typer.Context) -> int:
    """Check, replay and judge as the inputs of the Action say, which are environment variables.

    `AGENTCI_INPUT_SUITES` is the input `suites`, and so on. What a clone lacks of the base is
    fetched. The verdict goes to `$GITHUB_OUTPUT`, the report to `$GITHUB_STEP_SUMMARY`.

    Example: AGENTCI_INPUT_SUITES=triage agentci github action
    """
    from agentci.app.github_action import read_inputs

    invocation = invocation_of(context)
    _output({"verdict": "error"})  # of several values the last one counts
    try:
        inputs = read_inputs(wiring.env(), wiring.files(), start=invocation.directory)
    except AgentciError as error:
        _summarize_error(error)
        raise
    code = _run(invocation, ("check",))
    if code:
        return code
    codes = [_run(invocation, arguments) for arguments in inputs.replays()]
    if inputs.judges:
        codes.insert(0, (_evaluate if inputs.shard else _judge)(inputs, invocation))
    elif not any(codes):
        _output({"verdict": ""})
    return next((each for each in codes if each), 0)


@app.command("comment")
def comment(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The comment, in Markdown.")],
    *,
    key: Annotated[str, typer.Option(metavar="NAME", help="Tells several comments apart.")] = "",
    json: JsonOption = False,
) -> int:
    """Write a comment on the pull request of this job, or bring the one up to date that is there.

    Uses `GITHUB_TOKEN`, `GITHUB_REPOSITORY`, `GITHUB_EVENT_PATH` and `GITHUB_API_URL`. A token
    that may not write, as that of a fork, and a job that is about no pull request, are no failure.

    Example: agentci github comment report.md --key backend
    """
    import asyncio

    from agentci.app.github_comment import comment as use_case

    invocation = invocation_of(context)
    text = wiring.files().read(invocation.path(file)).decode("utf-8", "replace")

    async def written() -> CommentResult:
        http = wiring.http()
        try:
            return await use_case(text, http, key=key)
        finally:
            await http.close()

    result = asyncio.run(written())
    if json:
        invocation.print(to_json(result))
    elif result.done == "skipped":
        invocation.note(f"note: no comment was written: {result.reason}")
    else:
        invocation.print(f"{result.done}: {result.url}")
    return 0


def _judge(inputs: ActionInputs, invocation: Invocation) -> int:
    """Judge, with what is missing of the base fetched before."""
    from agentci.app.gate_fetch import fetch_base
    from agentci.app.github_action import COMMENT_FILE

    note = None
    with suppress(AgentciError):  # the gate says what is wrong, and where it is told
        note = fetch_base(inputs.base or None, invocation.directory)
    if note is not None:
        sys.stdout.flush()
        invocation.note(f"note: {note}")
    folder = _empty_folder(invocation)
    code = _run(invocation, inputs.gate(folder))
    if wiring.files().exists(folder / COMMENT_FILE):
        _output({**_kept(inputs, folder), "comment-path": str(folder / COMMENT_FILE)})
    return code


def _evaluate(inputs: ActionInputs, invocation: Invocation) -> int:
    """Evaluate a shard. What its cases came to is for the job to say that judges all shards."""
    from agentci.app.github_action import shard_summary

    folder = _empty_folder(invocation)
    out = folder / f"results-{inputs.part}.json"
    code = _run(invocation, inputs.evaluation(out))
    written = wiring.files().exists(out)
    _append("GITHUB_STEP_SUMMARY", shard_summary(inputs, written=written))
    if not written or code not in _JUDGED_LATER:
        return code
    _output({"verdict": "", **_kept(inputs, folder)})
    return 0


def _empty_folder(invocation: Invocation) -> Path:
    """Return the folder of reports, without those of an earlier call on the same machine."""
    from agentci.app.github_action import REPORT_FOLDER

    folder = invocation.directory.resolve() / REPORT_FOLDER
    wiring.files().remove(folder)
    return folder


def _kept(inputs: ActionInputs, folder: Path) -> dict[str, str]:
    return {"report-folder": str(folder), "artifact": inputs.artifact_name}


def _run(invocation: Invocation, arguments: Sequence[str]) -> int:
    """Run one command line of ours, with its errors told, and return its exit code."""
    from agentci.cli import boundary
    from agentci.cli.lazy_group import ParserError, build_group, invoke

    sys.stdout.flush()
    invocation.note(f"$ agentci {' '.join(arguments)}")
    whole = ["-C", str(invocation.directory), *arguments]
    try:
        return invoke(build_group(), whole)
    except ParserError as error:
        told: AgentciError = boundary.usage_error(error)
    except AgentciError as error:
        told = error
    sys.stdout.flush()
    _summarize_error(told)
    return boundary.report(told, whole)


def _summarize_error(error: AgentciError) -> None:
    from agentci.app.github_action import error_summary

    _append("GITHUB_STEP_SUMMARY", error_summary(error))


def _output(values: Mapping[str, str]) -> None:
    from agentci.report.github import output_file

    _append("GITHUB_OUTPUT", output_file(values))


def _append(variable: str, text: str) -> None:
    """Add to the file that a variable of GitHub's names, where there is one."""
    place = wiring.env().get(variable)
    if not place:
        return
    file = wiring.files().open_append(Path(place))
    try:
        file.append(text.encode())
    finally:
        file.close()
