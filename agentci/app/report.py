"""Writes what a decision looks like: to files, and to what GitHub gives a step to write to."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.core.digest import digest_json
from agentci.core.errors import UsageError
from agentci.report.decision_json import read_report, report_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentci.core.digest import Digest
    from agentci.evals.results import SuiteResult
    from agentci.gate.decision import Decision
    from agentci.report.transcripts import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """Where each format goes; None for nowhere."""

    html: Path | None = None
    markdown: Path | None = None
    junit: Path | None = None
    sarif: Path | None = None
    out: Path | None = None
    """The decision itself, for `agentci report`."""

    @property
    def given(self) -> tuple[Path, ...]:
        """The files that are asked for, the one for people first."""
        found = (getattr(self, each.name) for each in fields(self))
        return tuple(path for path in found if path is not None)


def check_files(wanted: ReportFiles) -> None:
    """Refuse two formats in one file, before any work is done.

    Raises:
        UsageError: when a file is named twice.
    """
    seen: set[Path] = set()
    for path in wanted.given:
        place = path.resolve()
        if place in seen:
            raise UsageError(
                f"`{path.as_posix()}` is named twice",
                code="ACI-U490",
                hint="give each format a file of its own",
            )
        seen.add(place)


def kept_report(path: Path) -> Report:
    """Return the report that `agentci gate --out` left at `path`.

    Raises:
        StorageError: when there is no such file.
        FormatError: when it is damaged, or of a newer version.
    """
    return read_report(wiring.files().read(path), name=path.as_posix())


def write_files(report: Report, wanted: ReportFiles) -> None:
    """Write each format that is asked for.

    Raises:
        StorageError: when a file cannot be written.
    """
    decision = report.decision
    texts: list[tuple[Path | None, str]] = []
    if wanted.html is not None:
        from agentci.report.html import decision_html  # noqa: PLC0415 - each format when asked for

        texts.append((wanted.html, decision_html(report, templates=_templates())))
    if wanted.markdown is not None:
        from agentci.report.markdown import decision_markdown  # noqa: PLC0415

        texts.append((wanted.markdown, decision_markdown(decision)))
    if wanted.junit is not None:
        from agentci.report.junit import decision_junit  # noqa: PLC0415

        texts.append((wanted.junit, decision_junit(decision)))
    if wanted.sarif is not None:
        from agentci.report.sarif import decision_sarif  # noqa: PLC0415

        texts.append((wanted.sarif, decision_sarif(decision)))
    if wanted.out is not None:
        texts.append((wanted.out, report_json(report)))
    for path, text in texts:
        if path is not None:
            wiring.files().write_atomic(path, text.encode())


def tell_github(decision: Decision, *, report: Path | None, run_digest: Digest | None) -> str:
    """Append the summary and the outputs of the step, and return the annotations to be printed.

    Where GitHub has given no file for one of them, it is left out.

    Raises:
        StorageError: when a file cannot be written.
    """
    from agentci.report.github import (  # noqa: PLC0415 - each format when asked for
        decision_annotations,
        output_file,
        step_outputs,
    )
    from agentci.report.markdown import SUMMARY_LIMIT, decision_markdown  # noqa: PLC0415

    path = None if report is None else report.absolute().as_posix()
    outputs = step_outputs(decision, report_path=path, run_digest=run_digest)
    _append("GITHUB_STEP_SUMMARY", decision_markdown(decision, limit=SUMMARY_LIMIT))
    _append("GITHUB_OUTPUT", output_file(outputs))
    return decision_annotations(decision)


def answers_digest(head: Mapping[str, SuiteResult]) -> Digest:
    """Return one digest for what was asked and answered in all trials of head.

    It is the same for every replay of a commit, whether a result was computed now or read from
    the cache or from `agentci.lock`.
    """
    return digest_json(
        {
            path: {
                case.case: [[each.key, each.output_digest, each.passed] for each in case.trials]
                for case in result.cases
            }
            for path, result in head.items()
        }
    )


def _append(variable: str, text: str) -> None:
    target = wiring.env().get(variable)
    if not target:
        return
    file = wiring.files().open_append(Path(target))
    try:
        file.append(text.encode())
    finally:
        file.close()


def _templates() -> Mapping[str, str]:
    from agentci.app.init import template_folder  # noqa: PLC0415 - it loads jinja2
    from agentci.report.html import TEMPLATES  # noqa: PLC0415

    folder = template_folder() / "report"
    return {name: wiring.files().read(folder / name).decode() for name in TEMPLATES}
