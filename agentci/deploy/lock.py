"""`agentci.deploy.lock.json`: what the deploy specs of a folder were rendered to, and from what.

JSON in one fixed form, written by agentci alone. Each entry carries a seal over its content, as in
`agentci.lock`: no signature, but an edit by hand is noticed, and review does the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NoReturn

from agentci.core.digest import Digest, digest_json, parse_digest
from agentci.core.errors import FormatError, Location
from agentci.core.json_types import JsonObject, JsonValue
from agentci.deploy.artifact import Generator, RenderedProject
from agentci.deploy.writers.json import json_text
from agentci.spec.lock_json import MergeConflict, parse_lock

LOCK_FILE: Final = "agentci.deploy.lock.json"
LOCK_FORMAT: Final = "agentci/deploy-lock"
LOCK_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict of the gate said, and of what."""

    decision: Digest
    """Of the bytes of the decision's file."""
    suite: str
    """The suite's folder in the project."""
    verdict: str
    blocks: bool
    score: float
    """Share of the judged cases at head that pass, 0 to 1."""
    judged: int
    """Number of judged cases."""
    commit: str
    """Commit id that was judged."""
    cassettes: Digest
    """Of all recordings of the suite."""
    images: Mapping[str, str]
    """By service: what it runs, by digest."""
    recorded: int
    """When it was taken down, in seconds since the Unix epoch; its age counts from here."""

    def fields(self) -> JsonObject:
        """Return the JSON form."""
        return {
            "decision": self.decision,
            "suite": self.suite,
            "verdict": self.verdict,
            "blocks": self.blocks,
            "score": self.score,
            "judged": self.judged,
            "commit": self.commit,
            "cassettes": self.cassettes,
            "images": dict(sorted(self.images.items())),
            "recorded": self.recorded,
        }


@dataclass(frozen=True, slots=True)
class LockEntry:
    """One spec, as it was rendered last."""

    spec: Digest
    """Of the spec's content."""
    generators: Mapping[str, Generator]
    """By target."""
    files: Mapping[str, Digest]
    """By path relative to the lock's folder."""
    images: Mapping[str, Digest] = field(default_factory=dict)
    """By service: the images that were built here and are to run."""
    evidence: Evidence | None = None

    def fields(self) -> JsonObject:
        """Return the JSON form without the seal."""
        return {
            "spec": self.spec,
            "generators": {
                name: {"version": each.version, "code": each.code}
                for name, each in sorted(self.generators.items())
            },
            "images": dict(sorted(self.images.items())),
            "files": dict(sorted(self.files.items())),
            "evidence": None if self.evidence is None else self.evidence.fields(),
        }


@dataclass(frozen=True, slots=True)
class DeployLock:
    """The content of the file."""

    specs: Mapping[str, LockEntry] = field(default_factory=dict)
    """By the spec's path relative to the lock's folder."""
    edited: frozenset[str] = frozenset()
    """Entries whose seal does not fit; empty for what is written."""
    reformatted: bool = False
    """Whether the bytes are not those that agentci writes for this content."""

    def with_entry(self, spec: str, entry: LockEntry) -> DeployLock:
        """Return a copy in which `spec` has `entry`, sealed anew."""
        return replace(self, specs={**self.specs, spec: entry}, edited=self.edited - {spec})


def entry_of(project: RenderedProject, *, evidence: Evidence | None) -> LockEntry:
    """Return the entry of what was just rendered."""
    return LockEntry(
        spec=project.deployment.digest,
        generators=project.generators,
        files={artifact.path: artifact.digest for artifact in project.artifacts},
        images=project.deployment.images,
        evidence=evidence,
    )


def dump_deploy_lock(lock: DeployLock) -> bytes:
    """Return the bytes of the file: equal locks have equal bytes."""
    specs: dict[str, JsonValue] = {
        name: {**entry.fields(), "seal": _seal(name, entry)}
        for name, entry in sorted(lock.specs.items())
    }
    return json_text({"format": LOCK_FORMAT, "version": LOCK_VERSION, "specs": specs})


def read_deploy_lock(data: bytes, name: str) -> DeployLock:
    """Read the bytes of a lock file; what was edited is in `edited` and `reformatted`.

    Raises:
        FormatError: when it is no lock file at all, or of a version that this release cannot read.
    """
    content = _parse(data, name)
    if content.get("format") != LOCK_FORMAT:
        _malformed("ACI-F601", f"this is not a file of format `{LOCK_FORMAT}`", name)
    version = content.get("version")
    if type(version) is not int or version != LOCK_VERSION:
        message = f"version {json.dumps(version)[:40]} of `{LOCK_FORMAT}` is not one that this "
        _malformed("ACI-F602", f"{message}release reads", name, hint="upgrade agentci")
    specs: Any = content.get("specs")
    if not isinstance(specs, Mapping):
        _malformed("ACI-F603", "`specs` has to be a mapping", name)
    entries: dict[str, LockEntry] = {}
    edited: set[str] = set()
    for spec, value in specs.items():
        try:
            entries[spec] = _entry(value)
            if value["seal"] != _seal(spec, entries[spec]):
                edited.add(spec)
        except (ValueError, TypeError, KeyError, AttributeError):
            _malformed("ACI-F603", f"the entry `{spec[:80]}` is not valid", name)
    lock = DeployLock(entries, frozenset(edited))
    return replace(lock, reformatted=not edited and dump_deploy_lock(lock) != data)


def _entry(value: Any) -> LockEntry:
    evidence = value["evidence"]
    return LockEntry(
        spec=parse_digest(value["spec"]),
        generators={
            name: Generator(int(each["version"]), parse_digest(each["code"]))
            for name, each in value["generators"].items()
        },
        files={_inside(path): parse_digest(each) for path, each in value["files"].items()},
        images={name: parse_digest(each) for name, each in value["images"].items()},
        evidence=None if evidence is None else _evidence(evidence),
    )


def _inside(path: str) -> str:
    """Return a path that cannot lead out of the lock's folder: files in it are read and removed."""
    if path.startswith("/") or "\\" in path or {"", ".", ".."} & set(path.split("/")):
        raise ValueError(path)
    return path


def _evidence(value: Any) -> Evidence:
    return Evidence(
        decision=parse_digest(value["decision"]),
        suite=str(value["suite"]),
        verdict=str(value["verdict"]),
        blocks=bool(value["blocks"]),
        score=float(value["score"]),
        judged=int(value["judged"]),
        commit=str(value["commit"]),
        cassettes=parse_digest(value["cassettes"]),
        images={str(name): str(each) for name, each in value["images"].items()},
        recorded=int(value["recorded"]),
    )


def _seal(name: str, entry: LockEntry) -> Digest:
    return digest_json({"spec file": name, **entry.fields()})


def _parse(data: bytes, name: str) -> JsonObject:
    try:
        return parse_lock(data)
    except MergeConflict as error:
        hint = "take one side, then `agentci deploy render`"
        _malformed("ACI-F603", str(error), name, hint=hint)
    except ValueError as error:
        _malformed("ACI-F603", str(error), name)


def _malformed(code: str, message: str, name: str, *, hint: str | None = None) -> NoReturn:
    hint = hint or f"`git checkout -- {name}`, or `agentci deploy render`"
    raise FormatError(message, code=code, hint=hint, location=Location(name))
