"""The hook for recordings: secrets in them, their size, and whether they still fit.

It looks at what a commit touches. Replays touch nothing and ask nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.app import wiring
from agentci.app.eval_request import EvalRequest, SilentEvalListener
from agentci.app.evaluate import evaluate_suites
from agentci.app.hook_scope import HookScope
from agentci.app.project import open_project
from agentci.core.errors import SpecError, UsageError
from agentci.record.session import Mode

if TYPE_CHECKING:
    from agentci.app.project import Project
    from agentci.core.staging import Staging

_REPLACE_HINT: Final = (
    "replace each secret with a new one where it is in use, then `agentci cassette redact`; what "
    "is none goes into `secrets.allow.yaml`"
)
_STALE_HINT: Final = "`agentci record --changed` asks again for what changed only"
_EVAL_HINT: Final = "`agentci eval --mode record` asks for what is missing"
_SIZE_HINT: Final = "shorten what is recorded, or raise `--max-size`"


@dataclass(frozen=True, slots=True)
class HookRequest:
    """Recordings to look at."""

    start: Path
    limit: int
    """Bytes above which a file is too large."""


@dataclass(frozen=True, slots=True)
class HookFinding:
    """One thing that a commit should not bring."""

    kind: str
    """`secret`, `size`, `damaged`, or the state of a lane: `stale`, `unplayed` and so on."""
    place: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class HookResult:
    """What was found, and how much was looked at."""

    root: Path
    findings: tuple[HookFinding, ...]
    pipelines: int
    suites: int
    files: int
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """Return 8 for a secret, 4 for recordings that do not fit, else 0."""
        if any(each.kind == "secret" for each in self.findings):
            return 8
        return 4 if self.findings else 0


def look_at_recordings(request: HookRequest, staging: Staging) -> HookResult:
    """Look at the recordings that the next commit touches.

    Raises:
        SpecError: when a definition is wrong.
        AgentciError: what else keeps a replay from being tried.
    """
    project = open_project(request.start, wiring.files())
    scope = HookScope.of(project, staging)
    files = tuple(scope.staged_recordings())
    suites = scope.suites()
    notes: list[str] = []
    findings = [*_secrets(scope, project), *_sizes(files, project, request.limit)]
    pipelines = 0
    for folder in scope.pipelines():
        found = _of_pipeline(folder, project, notes)
        if found is not None:
            pipelines += 1
            findings += found
    findings += _of_suites(suites, project)
    return HookResult(
        project.root, tuple(findings), pipelines, len(suites), len(files), tuple(notes)
    )


def _secrets(scope: HookScope, project: Project) -> Iterator[HookFinding]:
    names = scope.recordings()
    if not names:
        return
    from agentci.app.cassette_scan import ScanRequest, scan  # noqa: PLC0415 - only for recordings

    top = project.root / project.config.cassettes
    targets = tuple((top / name).resolve().as_posix() for name in names)
    result = scan(ScanRequest(project.start, _as_scanned(targets, names)))
    for each in result.findings:
        message = f"this looks like a secret: `{each.kind}` in `{each.path}`"
        yield HookFinding("secret", f"{each.file}:{each.line}", message, _REPLACE_HINT)
    for problem in result.problems:
        yield HookFinding("damaged", str(problem.location.file), problem.message, "")


def _as_scanned(targets: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return how the scan is told of folders: those at the top by name, others by path."""
    return tuple(
        name if "/" not in name else target for target, name in zip(targets, names, strict=True)
    )


def _sizes(files: tuple[Path, ...], project: Project, limit: int) -> Iterator[HookFinding]:
    for path in files:
        size = len(project.files.read(path))
        if size > limit:
            message = f"has {size:,} bytes, more than {limit:,}"
            yield HookFinding("size", path.as_posix(), message, _SIZE_HINT)


def _of_pipeline(folder: Path, project: Project, notes: list[str]) -> list[HookFinding] | None:
    """Return what does not fit, or None where there is nothing to replay."""
    # an engine takes long to load, and most commits touch no pipeline
    from agentci.app.cassette_status import StatusRequest, judge  # noqa: PLC0415

    try:
        (judged,) = judge(StatusRequest(project.start, (_typed(folder, project),)), project)
    except SpecError:
        raise
    except UsageError as error:
        notes.append(f"`{folder.name}` is not replayed: {error.message}")
        return None
    status = judged.status
    if not judged.replay.recorded:
        notes.append(f"`{status.pipeline}` has no recordings yet")
        return None
    findings = [
        HookFinding(lane.state, lane.file, f"{lane.lane}: {lane.reason}", _STALE_HINT)
        for lane in status.lanes
        if lane.state != "fresh"
    ]
    if status.problem is not None and not findings:
        where = folder.as_posix()
        findings.append(HookFinding("stale", where, status.problem, status.hint or ""))
    return findings


def _of_suites(suites: tuple[Path, ...], project: Project) -> Iterator[HookFinding]:
    if not suites:
        return
    names = tuple(_typed(each, project) for each in suites)
    request = EvalRequest(start=project.start, suites=names, mode=Mode.REPLAY.value)
    for evaluated in evaluate_suites(request, SilentEvalListener()):
        for case in evaluated.result.cases:
            reasons = [each.reason for each in case.trials if each.status == "not_judged"]
            if reasons:
                place = f"{case.file}:{case.line}" if case.file else evaluated.result.suite
                why = ", ".join(line.strip() for line in reasons[0].splitlines()[:2])
                message = f"{evaluated.result.suite}, case `{case.case}`: {why}"
                yield HookFinding("stale", place, message, _EVAL_HINT)


def _typed(folder: Path, project: Project) -> str:
    """Return a folder as somebody at the start would type it, wherever that is."""
    return str(project.start.resolve() / folder.resolve())
