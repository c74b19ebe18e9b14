"""Suites as tests: `pytest --agentci-suites` collects each `suite.yaml`, an item for each case.

A suite is evaluated once, when its first case runs, and only with the cases that are to run. Cases
are replayed unless `--agentci-mode` says otherwise. Must not know how anything is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from agentci.app.project import SUITE_FILE, open_project
from agentci.core.errors import AgentciError, SpecError

if TYPE_CHECKING:
    from agentci.app.eval_plan import SuitePlan
    from agentci.app.project import Project
    from agentci.evals.case import Case
    from agentci.evals.results import CaseResult, TrialResult
    from agentci.gate.decision import Quarantine

_FORMAT: Final = b"agentci/suite"
_HEAD: Final = 4_096
"""Bytes of a file in which its format stands."""
_SHOWN_OUTPUT: Final = 2_000
_MODES: Final = ("replay", "record", "auto", "live")


class CaseFailed(Exception):
    """A case failed, or could not be judged; the message says all there is to say."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take files that are suites of ours."""
    if file_path.name != SUITE_FILE or _FORMAT not in file_path.read_bytes()[:_HEAD]:
        return None
    collector: pytest.Collector = SuiteFile.from_parent(parent, path=file_path)
    return collector


@dataclass(frozen=True, slots=True)
class _Planned:
    """A suite, ready to be evaluated."""

    project: Project
    plan: SuitePlan
    quarantine: Mapping[str, Quarantine]


class SuiteFile(pytest.File):
    """A `suite.yaml`."""

    def collect(self) -> Iterator[SuiteCase]:
        """Yield the cases, in order of their ids."""
        for planned in self.planned.plan.cases:
            case = planned.case
            item: SuiteCase = SuiteCase.from_parent(self, name=case.id, case=case)
            entry = self.planned.quarantine.get(case.id)
            if entry is not None and not entry.expired:
                reason = f"in quarantine until {entry.expires}: {entry.reason} ({entry.owner})"
                item.add_marker(pytest.mark.xfail(reason=reason, strict=False))
            yield item

    @cached_property
    def planned(self) -> _Planned:
        """The plan of the suite.

        Raises:
            CollectError: when the suite, or what it is about, is invalid.
        """
        from agentci.app import wiring  # noqa: PLC0415 - only where there are suites
        from agentci.app.eval_outcome import day  # noqa: PLC0415
        from agentci.app.eval_request import EvalRequest  # noqa: PLC0415
        from agentci.app.evaluate import plan_for  # noqa: PLC0415
        from agentci.gate.quarantine import quarantined  # noqa: PLC0415

        folder = self.path.parent
        try:
            project = open_project(folder, wiring.files())
            plan = plan_for(folder, project, EvalRequest(start=folder))
        except AgentciError as error:
            raise self.CollectError(_error_text(error)) from None
        held = quarantined(plan.suite.spec.quarantine, today=day(wiring.clock().now()))
        return _Planned(project, plan, held)

    def result(self, case: str) -> CaseResult:
        """Return what a case came to.

        Raises:
            AgentciError: what ends an evaluation.
        """
        if case not in self._results:
            self._results.update(self._evaluate(case))
        return self._results[case]

    @cached_property
    def _results(self) -> dict[str, CaseResult]:
        return {}

    def _evaluate(self, case: str) -> dict[str, CaseResult]:
        from agentci.app.eval_request import EvalRequest, SilentEvalListener  # noqa: PLC0415
        from agentci.app.evaluate import Surroundings, evaluate_plan  # noqa: PLC0415
        from agentci.record.session import Mode  # noqa: PLC0415

        mode = self._mode()
        project, plan = self.planned.project, self.planned.plan
        wanted = self._wanted(case)
        found = evaluate_plan(
            plan,
            EvalRequest(start=self.path.parent, mode=mode),
            SilentEvalListener(),
            around=Surroundings(project, Mode(mode)),
            cases=tuple(each for each in plan.cases if each.case.id in wanted),
        )
        return {each.case: each for each in found.result.cases}

    def _wanted(self, case: str) -> frozenset[str]:
        """Return the cases to evaluate: all that are to run here.

        Workers of xdist share out the items while they run, so that each knows only the next one.
        """
        if hasattr(self.config, "workerinput"):
            return frozenset({case})
        items = (item for item in self.session.items if isinstance(item, SuiteCase))
        return frozenset({case, *(item.name for item in items if item.parent is self)})

    def _mode(self) -> str:
        given = self.config.getoption("agentci_mode") or self.config.getini("agentci_mode")
        if given not in _MODES:
            message = f"`--agentci-mode={given}` is not for suites; `agentci eval` records them"
            raise pytest.UsageError(message)
        return str(given)


class SuiteCase(pytest.Item):
    """One case of a suite."""

    parent: SuiteFile

    def __init__(self, *, case: Case, **details: Any) -> None:
        """Take a case of the collector's suite."""
        super().__init__(**details)
        self.case = case
        self.extra_keyword_matches.update(case.tags)

    def runtest(self) -> None:
        """Evaluate the case, with the others of its suite.

        Raises:
            CaseFailed: when it failed, or could not be judged.
        """
        try:
            result = self.parent.result(self.name)
        except AgentciError as error:
            raise CaseFailed(_error_text(error)) from None
        for trial in result.trials:
            if trial.metrics:
                self.add_report_section("call", "agentci", _metrics(trial))
        bad = [trial for trial in result.trials if not trial.passed]
        if bad:
            text = "\n".join(_trial_text(trial, several=len(result.trials) > 1) for trial in bad)
            raise CaseFailed(text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_style: Any) -> Any:
        """Show what there is to say of a case, without a traceback of ours."""
        if isinstance(excinfo.value, CaseFailed):
            place, line, _ = self.reportinfo()
            return str(excinfo.value) if line is None else f"{excinfo.value}\n{place}:{line + 1}"
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the row of the dataset."""
        project = self.parent.planned.project
        file = None if self.case.file is None else project.root.resolve() / self.case.file
        line = None if self.case.line is None or file is None else self.case.line - 1
        return file or self.path, line, f"{self.parent.planned.plan.suite.spec.name}: {self.name}"


def _trial_text(trial: TrialResult, *, several: bool) -> str:
    name = f"trial {trial.trial}: " if several else ""
    if trial.status == "not_judged":
        return f"{name}not judged: {trial.reason}"
    if trial.status == "error":
        return f"{name}the harness failed: {trial.reason}"
    lines = [f"{name}{each}: {trial.scores[each].explanation}" for each in trial.failing]
    shown = trial.output if isinstance(trial.output, str) else repr(trial.output)
    return "\n".join([*lines, f"output: {shown[:_SHOWN_OUTPUT]}"])


def _metrics(trial: TrialResult) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in sorted(trial.metrics.items()))


def _error_text(error: AgentciError) -> str:
    if isinstance(error, SpecError):
        return "\n".join(f"{each.location}: {each.message}" for each in error.problems)
    hint = "" if error.hint is None else f"\nhint: {error.hint}"
    return f"{error.code}: {error.message}{hint}"
