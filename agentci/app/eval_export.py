"""Writes what evaluations found for other tools: a log of Inspect, or JSON Lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.eval_request import EvalRequest, SilentEvalListener
from agentci.app.evaluate import evaluate_suites
from agentci.app.project import open_project
from agentci.core.errors import UsageError

if TYPE_CHECKING:
    from agentci.app.eval_request import EvalListener
    from agentci.evals.exporters.inspect import CaseSource
    from agentci.evals.results import SuiteResult


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalExportRequest:
    """What to write, of which suites."""

    start: Path
    """Where the call was made."""
    suites: tuple[str, ...] = ()
    """Names or folders; empty for all."""
    inspect: Path | None = None
    """`.eval` or `.json`: of exactly one suite."""
    jsonl: Path | None = None
    results: Path | None = None
    """A file of results to take instead of evaluating."""
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class EvalExportResult:
    """What was written."""

    files: tuple[str, ...]
    suites: tuple[str, ...]
    cases: int
    trials: int


def export_evaluation(
    request: EvalExportRequest, listener: EvalListener | None = None
) -> EvalExportResult:
    """Write results; those that are known are only read, the others replayed first.

    Raises:
        UsageError: when no file is asked for, or a log of several suites.
        FormatError, NothingMatched, SpecError: as `evaluate_suites` and `read_results`.
    """
    if request.inspect is None and request.jsonl is None:
        raise UsageError(
            "it is not said what to write",
            code="ACI-U590",
            hint="give `--inspect FILE`, `--jsonl FILE` or both",
        )
    if request.inspect is not None and request.inspect.suffix not in {".eval", ".json"}:
        raise UsageError(
            f"`{request.inspect.as_posix()}` is neither `.eval` nor `.json`",
            code="ACI-U591",
            hint="the name's end says which form of Inspect's log is written",
        )
    results = _results(request, listener or SilentEvalListener())
    files = wiring.files()
    written = []
    if request.inspect is not None:
        if len(results) != 1:
            raise UsageError(
                f"a log holds one suite, and these are {len(results)}",
                code="ACI-U592",
                hint=f"name one of {', '.join(f'`{each.suite}`' for each in results[:5])}",
            )
        from agentci.evals.exporters.inspect import inspect_log  # noqa: PLC0415 - one of two

        sources = _sources(request, results[0])
        archive = request.inspect.suffix == ".eval"
        log = inspect_log(results[0], sources, form="eval" if archive else "json")
        files.write_atomic(request.inspect, log)
        written.append(request.inspect)
    if request.jsonl is not None:
        from agentci.evals.exporters.jsonl import trials_jsonl  # noqa: PLC0415 - one of two

        files.write_atomic(request.jsonl, trials_jsonl(results))
        written.append(request.jsonl)
    return EvalExportResult(
        files=tuple(path.as_posix() for path in written),
        suites=tuple(each.suite for each in results),
        cases=sum(len(each.cases) for each in results),
        trials=sum(len(case.trials) for each in results for case in each.cases),
    )


def _results(request: EvalExportRequest, listener: EvalListener) -> tuple[SuiteResult, ...]:
    if request.results is None:
        found = evaluate_suites(
            EvalRequest(start=request.start, suites=request.suites, mode=request.mode), listener
        )
        return tuple(each.result for each in found)
    from agentci.app.eval_results_file import read_results  # noqa: PLC0415 - the other way

    suites = [each.result for each in read_results(wiring.files(), request.results).suites]
    wanted = [
        each
        for each in suites
        if not request.suites or {each.suite, each.name} & set(request.suites)
    ]
    if not wanted:
        raise UsageError(
            "the file of results has no such suite",
            code="ACI-U593",
            hint=f"it has {', '.join(f'`{each.suite}`' for each in suites[:5]) or 'none'}",
        )
    return tuple(wanted)


def _sources(request: EvalExportRequest, result: SuiteResult) -> Mapping[str, CaseSource]:
    """Return inputs and expected answers of a suite that lies in the project."""
    from agentci.app.suites import load_suite, read_cases  # noqa: PLC0415 - for Inspect alone
    from agentci.evals.exporters.inspect import CaseSource  # noqa: PLC0415 - as above

    files = wiring.files()
    project = open_project(request.start, files)
    folder = project.root / result.suite
    if folder not in project.suite_folders():
        return {}
    cases = read_cases(load_suite(folder, files, root=project.root), files, root=project.root)
    return {case.id: CaseSource(case.input, case.expected) for case in cases}
