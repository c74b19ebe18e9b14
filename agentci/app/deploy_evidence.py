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
from agentci.core.digest import Digest, digest_json
from agentci.core.errors import SafetyRefusal, StepFailed, UsageError
from agentci.deploy.drift import DriftKind, find_drift
from agentci.deploy.evidence import Situation, objections, read_decision, running_images
from agentci.record.cassette import content_digest
from agentci.record.lane_path import SUFFIX

if TYPE_CHECKING:
    from agentci.app.deploy_check import Compared
    from agentci.core.effects import Files
    from agentci.core.history import History
    from agentci.deploy.lock import Evidence, LockEntry


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
        StepFailed: when the files are not what the spec renders to.
        SafetyRefusal: when the verdict would not let it be deployed, with every reason.
    """
    files = wiring.files()
    data = files.read(decision)
    found: list[RecordedEvidence] = []
    for file in find_specs(start, spec, out=out, files=files):
        compared = compare(file, files)
        suite = compared.project.deployment.spec.gate.suite
        if suite is None:
            continue
        entry = refuse_drift(compared)
        history = wiring.history(file.project.root)
        present = situation(compared, None, history, files)
        evidence = read_decision(data, decision.as_posix(), suite=suite, situation=present)
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
            hint=f"agentci gate {gate.suite} --json > decision.json, outside of the repository, "
            "then `agentci deploy evidence FILE`",
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
