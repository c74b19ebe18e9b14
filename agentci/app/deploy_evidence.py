"""Evidence for a deployment: a decision of the gate, taken down and held against what is here."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.deploy_check import compare
from agentci.app.deploy_project import find_specs, write_entry
from agentci.app.eval_cassettes import flat_name
from agentci.core.digest import Digest, digest_bytes, digest_json
from agentci.core.errors import NothingMatched, SafetyRefusal, StepFailed, UsageError
from agentci.deploy.drift import DriftKind, find_drift
from agentci.deploy.evidence import Situation, objections, running_images
from agentci.deploy.lock import Evidence
from agentci.record.cassette import content_digest
from agentci.record.lane_path import SUFFIX
from agentci.report.decision_json import read_decision

if TYPE_CHECKING:
    from agentci.app.deploy_check import Compared
    from agentci.core.effects import Files
    from agentci.core.history import History
    from agentci.deploy.lock import LockEntry
    from agentci.gate.decision import Decision


@dataclass(frozen=True, slots=True)
class RecordedEvidence:
    """A verdict, taken down for one spec."""

    spec: str
    lock: str
    evidence: Evidence


def record_evidence(
    start: Path, decision: Path, spec: str | None, *, out: Path | None = None
) -> tuple[RecordedEvidence, ...]:
    """Take a decision down in the lock of each spec that is gated by a suite.

    Raises:
        UsageError: when no spec asks for evidence.
        FormatError: when the file is no decision.
        NothingMatched: when it is about other suites.
        StepFailed: when the files are not what the spec renders to.
        SafetyRefusal: when the verdict would not let it be deployed, with every reason.
    """
    files = wiring.files()
    data = files.read(decision)
    judged = read_decision(data, name=decision.as_posix())
    found: list[RecordedEvidence] = []
    for file in find_specs(start, spec, out=out, files=files):
        compared = compare(file, files)
        suite = compared.project.deployment.spec.gate.suite
        if suite is None:
            continue
        entry = refuse_drift(compared)
        history = wiring.history(file.project.root)
        present = situation(compared, None, history, files)
        evidence = _evidence(judged, digest_bytes(data), suite=suite, present=present)
        refuse_objections(compared, evidence, situation(compared, evidence, history, files))
        write_entry(file, replace(entry, evidence=evidence), files)
        found.append(RecordedEvidence(file.path.as_posix(), file.lock_path.as_posix(), evidence))
    if not found:
        raise UsageError(
            "no spec asks for evidence: all of them are `ungated`",
            code="ACI-U606",
            hint="name a suite in `gate` of the spec",
        )
    return tuple(found)


def _evidence(decision: Decision, digest: Digest, *, suite: str, present: Situation) -> Evidence:
    found = next((each for each in decision.suites if each.suite == suite), None)
    if found is None:
        listed = ", ".join(f"`{each.suite}`" for each in decision.suites) or "none"
        raise NothingMatched(
            f"the decision is not about the suite `{suite}`",
            code="ACI-N603",
            hint=f"it is about {listed}",
        )
    heads = [each.head for each in found.cases if each.head is not None]
    judged = [each for each in heads if each.status == "judged"]
    passed = sum(each.passes == each.trials > 0 for each in judged)
    return Evidence(
        decision=digest,
        suite=suite,
        verdict=str(found.verdict),
        blocks=decision.blocks or found.exit_code != 0,
        score=round(passed / len(judged), 6) if judged else 0.0,
        judged=len(judged),
        commit=decision.head,
        cassettes=present.cassettes,
        images=dict(present.images),
        recorded=int(present.now),
    )


def refuse_drift(compared: Compared) -> LockEntry:
    """Return the entry of what is on the disk, which has to be what the spec renders to.

    Raises:
        StepFailed: when it is not.
        SafetyRefusal: when the lock was edited.
    """
    result = find_drift(compared.project, on_disk=compared.on_disk, lock=compared.lock)
    for drift in result.drifts:
        raised = SafetyRefusal if drift.kind is DriftKind.LOCK_EDITED else StepFailed
        raise raised(drift.message, code=drift.code, hint=drift.hint)
    assert compared.lock is not None
    return compared.lock.specs[compared.file.key]


def refuse_objections(compared: Compared, evidence: Evidence | None, present: Situation) -> None:
    """Refuse to deploy without evidence that is good, and about exactly what is here.

    Raises:
        SafetyRefusal: with every reason.
    """
    gate = compared.project.deployment.spec.gate
    if gate.suite is None:
        return
    found = objections(evidence, gate, present)
    if found:
        file = compared.file.path.as_posix()
        raise SafetyRefusal(
            f"`{file}` may not be deployed: {'; '.join(each.message for each in found)}",
            code=found[0].code,
            hint=f"`agentci gate {gate.suite} --out FILE`, FILE outside of the repository, then "
            "`agentci deploy evidence FILE`",
        )


def situation(
    compared: Compared, evidence: Evidence | None, history: History, files: Files
) -> Situation:
    """Return what is there now; what changed is counted from the commit that was judged."""
    deployment = compared.project.deployment
    head = history.commit("HEAD")
    if head is None:
        raise UsageError(
            "the repository has no commit yet",
            code="ACI-U607",
            hint='run `git add --all && git commit -m "first"`',
        )
    changed: tuple[str, ...] = ()
    if evidence is not None:
        judged = history.commit(evidence.commit.removesuffix("+"))
        if judged is None:
            changed = ("all, for this clone does not have it",)
        else:
            own = _own_paths(compared, history)
            changed = tuple(path for path in history.changed_since(judged) if path not in own)
    return Situation(
        commit=head,
        changed=changed,
        cassettes=_recordings(compared, files),
        images=running_images(deployment.spec, deployment.images),
        now=wiring.clock().now(),
    )


def _own_paths(compared: Compared, history: History) -> frozenset[str]:
    """Return what deploying writes, relative to the checkout: the drift check covers it."""
    paths = [compared.file.lock_path, *map(compared.file.place, compared.on_disk)]
    top = history.work_tree.resolve()
    return frozenset(Path(os.path.relpath(path.resolve(), top)).as_posix() for path in paths)


def _recordings(compared: Compared, files: Files) -> Digest:
    """Return the digest of all recordings of the gate's suite."""
    project = compared.file.project
    suite = compared.project.deployment.spec.gate.suite or ""
    top = project.root / project.config.cassettes / flat_name(suite)
    return digest_json(
        {
            path.relative_to(top).as_posix(): content_digest(files.read(path))
            for path in files.list(top)
            if path.suffix == SUFFIX
        }
    )
