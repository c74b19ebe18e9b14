"""The hook that judges a commit before it is made: the suites that it touches, against HEAD."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.gate import GateRequest, judge
from agentci.app.hook_scope import HookScope
from agentci.app.project import open_project

if TYPE_CHECKING:
    from agentci.app.gate import GateListener, GateResult
    from agentci.core.staging import Staging


@dataclass(frozen=True, slots=True)
class JudgedCommit:
    """What the gate says of a commit."""

    root: Path
    gate: GateResult | None
    """None where the commit touches no suite, or there is no commit before it."""


def judge_commit(start: Path, staging: Staging, listener: GateListener) -> JudgedCommit:
    """Judge what the next commit touches. Raises what `judge` raises."""
    project = open_project(start, wiring.files())
    head = wiring.history(project.root).commit("HEAD")
    suites = HookScope.of(project, staging).suites() if head is not None else ()
    if not suites:
        return JudgedCommit(project.root, None)
    names = tuple(str(each.resolve()) for each in suites)
    # the id and not `HEAD`, which a branch of the remote is called, too
    request = GateRequest(start=start, suites=names, base=head, mode="replay")
    return JudgedCommit(project.root, judge(request, listener))
