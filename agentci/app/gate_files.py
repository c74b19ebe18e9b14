"""Judge two files of results, wherever they come from; no project or repository is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.eval_outcome import day
from agentci.app.eval_results_file import ResultsFile, merge, read_results
from agentci.app.gate import GateResult
from agentci.app.suites import read_policy
from agentci.core.digest import digest_bytes, digest_json, hex_of
from agentci.core.errors import UsageError
from agentci.gate.decide import Rules, decide, decide_suite
from agentci.gate.quarantine import quarantined
from agentci.plan.bundle import model_json
from agentci.spec.policy import PolicySpec

if TYPE_CHECKING:
    from agentci.core.effects import Files
    from agentci.gate.decision import SuiteDecision


@dataclass(frozen=True, slots=True)
class FilesRequest:
    """Two evaluations to be compared."""

    head: tuple[Path, ...]
    """One file, or those of all shards."""
    base: tuple[Path, ...]
    policy: Path | None = None
    """The defaults where there is none."""


def judge_files(request: FilesRequest) -> GateResult:
    """Compare the suites that are in both files, by their paths.

    Raises:
        UsageError: when no suite is in both, or shards are missing.
        FormatError: when a file is no file of results.
        StorageError: when a file cannot be read.
    """
    files = wiring.files()
    head, base = _read(request.head, files), _read(request.base, files)
    policy = PolicySpec()
    if request.policy is not None:
        policy = read_policy(request.policy, files, root=request.policy.parent)
    before = {each.result.suite: each.result for each in base.suites}
    if not any(each.result.suite in before for each in head.suites):
        raise UsageError(
            "the files have no suite in common",
            code="ACI-U487",
            hint="suites are paired by their paths; `agentci eval import --to PATH` gives one",
        )
    today = day(wiring.clock().now())
    decisions: list[SuiteDecision] = []
    for each in head.suites:
        rules = Rules(policy, quarantined(each.quarantine, today=today), seed=0)
        old = before.get(each.result.suite)
        source = "none" if old is None else request.base[0].name
        decisions.append(decide_suite(old, each.result, rules=rules, base_source=source))
    after = {each.result.suite: each.result for each in head.suites}
    gone = [path for path in sorted(before) if path not in after]
    return GateResult(
        decision=decide(
            decisions,
            base=_identity(request.base, files),
            head=_identity(request.head, files),
            policy=digest_json(model_json(policy)),
            notes=tuple(f"the suite `{path}` was removed" for path in gone),
        ),
        base_source="`--base-results`",
        head=after,
        base=before,
    )


def _read(paths: Sequence[Path], files: Files) -> ResultsFile:
    parts = [read_results(files, path) for path in paths]
    return parts[0] if len(parts) == 1 and parts[0].shard is None else merge(parts)


def _identity(paths: Sequence[Path], files: Files) -> str:
    """Return what stands for a commit: a digest of what was compared."""
    return hex_of(digest_json(sorted(digest_bytes(files.read(path)) for path in paths)))
