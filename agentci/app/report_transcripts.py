"""What the agents of changed cases said at both sides, from the recordings that were replayed."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING, Final

from agentci.app import wiring
from agentci.app.eval_cassettes import flat_name, trial_folder
from agentci.app.project import open_project
from agentci.core.errors import AgentciError
from agentci.gate.decision import CaseChange
from agentci.record.folder import CassetteFolder
from agentci.record.object_store import ObjectStore
from agentci.report.transcripts import Transcript
from agentci.spec.config import load_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from agentci.app.gate import GateResult
    from agentci.core.effects import Files
    from agentci.evals.results import CaseResult, SuiteResult
    from agentci.gate.decision import CaseComparison, SuiteDecision
    from agentci.report.transcripts import Transcripts

_CHANGED: Final = (
    CaseChange.NEWLY_BROKEN,
    CaseChange.LESS_OFTEN,
    CaseChange.NEWLY_FIXED,
    CaseChange.MORE_OFTEN,
    CaseChange.TEXT_CHANGED,
)
_MOST: Final = 100
"""Cases of a suite."""
_LONGEST: Final = 200_000
"""Characters of one side."""
_BOOKKEEPING: Final = re.compile(
    r"^(?:(?:key|continues): sha256:\S+\n|provenance:\n(?:[ ].*\n)*)", re.MULTILINE
)
"""Addresses, and when something was recorded: no part of what was said."""


def transcripts_of(result: GateResult, start: Path) -> Transcripts:
    """Return the transcripts of cases that changed, as far as their recordings are at hand.

    Answers that were drawn anew are not recorded, so a live comparison has none.
    """
    files = wiring.files()
    project = open_project(start, files)
    wanted = [
        (suite, case)
        for suite in result.decision.suites
        if not suite.live
        for case in _changed(suite)
    ]
    base = result.decision.base
    if not wanted or base is None:
        return {}
    after = project.root / project.config.cassettes
    found: dict[tuple[str, str], Transcript] = {}
    with closing(wiring.history(project.root).files_at(base)) as old_files:
        before = project.root / load_config(project.root, old_files).cassettes
        for suite, case in wanted:
            path = suite.suite
            old = _said(old_files, before, path, _result(result.base, path, case.case))
            new = _said(files, after, path, _result(result.head, path, case.case))
            if old is not None or new is not None:
                found[path, case.case] = Transcript(old, new)
    return found


def _changed(suite: SuiteDecision) -> list[CaseComparison]:
    found = [case for change in _CHANGED for case in suite.cases if case.change is change]
    return found[:_MOST]


def _result(results: Mapping[str, SuiteResult], suite: str, case: str) -> CaseResult | None:
    cases = results[suite].cases if suite in results else ()
    return next((each for each in cases if each.case == case), None)


def _said(files: Files, top: Path, suite: str, case: CaseResult | None) -> str | None:
    """Return the recordings of the trial that a reader wants to see: the first that failed."""
    if case is None or not case.trials:
        return None
    trial = next((each for each in case.trials if not each.passed), case.trials[0])
    folder = trial_folder(top / flat_name(suite), case.case, trial.trial)
    try:
        text = "".join(_lanes(files, folder))
    except AgentciError:  # a damaged recording has been told of where it was replayed
        return None
    return text[:_LONGEST] or None


def _lanes(files: Files, folder: Path) -> Iterator[str]:
    recorded = CassetteFolder(files, folder, ObjectStore(files, folder))
    for lane in recorded.lanes():
        text = recorded.load(lane).data.decode("utf-8", "replace")
        header, mark, interactions = text.partition("---\n")
        yield f"lane: {lane}\n{mark}{_BOOKKEEPING.sub('', interactions) if mark else header}"
