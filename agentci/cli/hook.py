"""`agentci hook`: what runs before a commit. Looks at what the commit touches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from agentci.app import hook_stamp, wiring
from agentci.cli.invocation import GROUP_SETTINGS, JsonOption, invocation_of
from agentci.cli.render.json import to_json
from agentci.cli.render.text import count

if TYPE_CHECKING:
    from agentci.app.hook_cassettes import HookResult
    from agentci.cli.invocation import Invocation
    from agentci.core.staging import Staging

app = typer.Typer(
    help="""Look at what a commit touches, before it is made.

    Example: agentci hook gate
    """,
    **GROUP_SETTINGS,
)

_NOT_STAGED = 3


@app.command("cassettes")
def cassettes(
    context: typer.Context,
    *,
    max_size: Annotated[
        int, typer.Option(min=1, metavar="BYTES", help="A larger file is too large.")
    ] = 1_000_000,
    json: JsonOption = False,
) -> int:
    """Look at the recordings that a commit touches: secrets, size, and whether they still fit.

    Where nothing is staged, at all of them. Exit code 8 means a secret, 4 that recordings are
    stale, unplayed, orphaned or too large.

    Example: agentci hook cassettes --max-size 2000000
    """
    invocation = invocation_of(context)
    staging = wiring.staging(invocation.directory)
    start = invocation.directory
    call = hook_stamp.HookCall.now("cassettes", staging, start=start, settings=str(max_size))
    if hook_stamp.passed_before(call, wiring.files(), start=start):
        return _say_nothing_changed(invocation, json=json)

    from agentci.app.hook_cassettes import HookRequest, look_at_recordings

    result = look_at_recordings(HookRequest(start, max_size), staging)
    _note_differing(invocation, staging)
    if json:
        invocation.print(to_json({"exit_code": result.exit_code, "findings": result.findings}))
    else:
        _show(invocation, result)
    if result.exit_code == 0:
        hook_stamp.remember(call, wiring.files(), root=result.root)
    return result.exit_code


@app.command("gate")
def gate(context: typer.Context, *, json: JsonOption = False) -> int:
    """Judge the suites that a commit touches, replayed, against HEAD.

    Where nothing is staged, all suites. Exit codes are those of `agentci gate`.

    Example: agentci hook gate
    """
    invocation = invocation_of(context)
    staging = wiring.staging(invocation.directory)
    start = invocation.directory
    call = hook_stamp.HookCall.now("gate", staging, start=start)
    if hook_stamp.passed_before(call, wiring.files(), start=start):
        return _say_nothing_changed(invocation, json=json)

    from agentci.app.hook_gate import judge_commit
    from agentci.cli.gate_progress import GateProgress
    from agentci.cli.render.decision_text import decision_text
    from agentci.cli.render.style import color_wanted
    from agentci.report.decision_json import decision_json

    with GateProgress(invocation) as listener:
        judged = judge_commit(start, staging, listener)
    _note_differing(invocation, staging)
    decision = None if judged.gate is None else judged.gate.decision
    code = 0 if decision is None else decision.exit_code
    if json:
        shown = None if decision is None else decision_json(decision)
        invocation.print(to_json({"exit_code": code, "decision": shown}))
    elif decision is None:
        invocation.print("ok: the commit touches no suite")
    else:
        color = color_wanted(sys.stdout)
        invocation.print(decision_text(decision, color=color, everything=False))
    if code == 0:
        hook_stamp.remember(call, wiring.files(), root=judged.root)
    return code


def _say_nothing_changed(invocation: Invocation, *, json: bool) -> int:
    if json:
        invocation.print(to_json({"exit_code": 0, "unchanged": True}))
    else:
        invocation.print("ok: nothing has changed since it passed")
    return 0


def _note_differing(invocation: Invocation, staging: Staging) -> None:
    """Say that files were looked at which are not what is staged; pre-commit puts those away."""
    differing = staging.differing() if staging.paths() else ()
    if differing:
        shown = ", ".join(f"`{path}`" for path in differing[:_NOT_STAGED])
        more = len(differing) - _NOT_STAGED
        rest = f" and {more} more" if more > 0 else ""
        invocation.note(f"note: looked at files that are not as they are staged: {shown}{rest}")


def _show(invocation: Invocation, result: HookResult) -> None:
    for each in result.findings:
        invocation.print(f"{each.kind}: {each.place}\n  {each.message}")
    for hint in dict.fromkeys(each.hint for each in result.findings if each.hint):
        invocation.note(f"hint: {hint}")
    for note in result.notes:
        invocation.note(f"note: {note}")
    if not result.findings:
        looked_at = ", ".join(
            (count(result.pipelines, "pipeline"), count(result.suites, "suite"),
             count(result.files, "file"))
        )  # fmt: skip
        invocation.print(f"ok: {looked_at} looked at")
