"""`agentci.lock`: what was accepted of each pipeline and suite: what made it, what came out.

JSON in one fixed form, written by agentci alone. Each entry carries a seal over its content, so an
edit by hand is noticed; a seal per entry lets git merge changes of different pipelines. The seal is
no signature: it stops accidents, and review stops the rest. Fields of later revisions are kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

from agentci.core.digest import Digest, digest_json, parse_digest
from agentci.core.errors import FormatError, Location, SafetyRefusal
from agentci.core.json_types import JsonObject, JsonValue
from agentci.spec.lock_json import MergeConflict, parse_lock
from agentci.spec.suite_lock import SuiteLock, read_suite_lock

if TYPE_CHECKING:
    from pathlib import Path

    from agentci.core.effects import Files

LOCK_FILE = "agentci.lock"
LOCK_FORMAT = "agentci/lock"
LOCK_VERSION = 1

_DIGESTS = ("definition", "prompts", "models", "tools", "cassettes", "inputs", "run_digest")
_ORDER = (*_DIGESTS[:-1], "asked", "base", "run_digest", "commit")


@dataclass(frozen=True, slots=True)
class PipelineLock:
    """The last accepted run of one pipeline."""

    definition: Digest
    prompts: Digest
    models: Digest
    tools: Digest
    cassettes: Digest
    inputs: Digest
    base: str
    """Git commit id that the run started from."""
    run_digest: Digest
    asked: JsonObject = field(default_factory=dict)
    """How the run was asked for, so that it can be replayed by the pipeline's name alone: `inputs`,
    `seed`, and `cassettes`, the folder of its recordings."""
    commit: str | None = None
    """Git commit id that the run made, or None."""
    extra: JsonObject = field(default_factory=dict)
    """Fields of later revisions, kept as they are."""

    def fields(self) -> JsonObject:
        """Return the fields in the order of the file, without the seal."""
        known: dict[str, JsonValue] = {name: getattr(self, name) for name in _ORDER}
        return known | {key: self.extra[key] for key in sorted(self.extra)}


@dataclass(frozen=True, slots=True)
class Lock:
    """The content of `agentci.lock`."""

    pipelines: Mapping[str, PipelineLock] = field(default_factory=dict)
    """By the pipeline's path in the project, with `/`."""
    suites: Mapping[str, SuiteLock] = field(default_factory=dict)
    """By the suite's path in the project, with `/`."""
    extra: JsonObject = field(default_factory=dict)

    def with_pipeline(self, name: str, entry: PipelineLock) -> Lock:
        """Return a copy in which `name` has `entry`; unknown fields of the old one stay."""
        old = self.pipelines.get(name)
        kept = entry if old is None or entry.extra else replace(entry, extra=old.extra)
        return replace(self, pipelines={**self.pipelines, name: kept})

    def with_suite(self, name: str, entry: SuiteLock) -> Lock:
        """Return a copy in which the suite `name` has `entry`; unknown fields of it stay."""
        old = self.suites.get(name)
        kept = entry if old is None or entry.extra else replace(entry, extra=old.extra)
        return replace(self, suites={**self.suites, name: kept})


def differences(old: PipelineLock, new: PipelineLock) -> tuple[str, ...]:
    """Return the names of the fields that differ, in the order of the file."""
    return tuple(name for name in _ORDER if getattr(old, name) != getattr(new, name))


def dump_lock(lock: Lock) -> bytes:
    """Return the bytes of the file: equal locks have equal bytes."""
    pipelines: dict[str, JsonValue] = {
        name: {**entry.fields(), "seal": _seal("pipeline", name, entry)}
        for name, entry in sorted(lock.pipelines.items())
    }
    suites: dict[str, JsonValue] = {
        name: {**suite.fields(), "seal": _seal("suite", name, suite)}
        for name, suite in sorted(lock.suites.items())
    }
    content: dict[str, JsonValue] = {
        "format": LOCK_FORMAT,
        "version": LOCK_VERSION,
        "pipelines": pipelines,
    }
    if suites:
        content["suites"] = suites
    content |= {key: lock.extra[key] for key in sorted(lock.extra)}
    return (_text(content, ()) + "\n").encode()


def _text(value: JsonValue, path: tuple[str, ...]) -> str:
    """Return indented JSON in which each case of a suite has one line, for readers of diffs."""
    is_case = len(path) == 4 and path[0] == "suites" and path[2] == "cases"
    if not isinstance(value, Mapping) or not value or is_case:
        flat = is_case or not isinstance(value, Mapping | list)
        text = json.dumps(value, ensure_ascii=False, indent=None if flat else 2)
        return text.replace("\n", "\n" + "  " * len(path))
    inner = "  " * (len(path) + 1)
    rows = (
        f"{inner}{json.dumps(key, ensure_ascii=False)}: {_text(item, (*path, key))}"
        for key, item in value.items()
    )
    return "{\n" + ",\n".join(rows) + "\n" + "  " * len(path) + "}"


def load_lock(path: Path, files: Files) -> Lock:
    """Read the lock file at `path`; empty where there is none. Raises what `read_lock` raises."""
    return read_lock(files.read(path), path.as_posix()) if files.exists(path) else Lock()


def read_lock(data: bytes, name: str) -> Lock:
    """Read the bytes of a lock file; `name` is the file's name in messages.

    Raises:
        FormatError: when it is not a lock file, or of a version that this release cannot read.
        SafetyRefusal: when an entry was changed by hand.
    """
    content = _parse(data, name)
    if content.get("format") != LOCK_FORMAT:
        _malformed("ACI-F101", f"this is not a file of format `{LOCK_FORMAT}`", name)
    version = content.get("version")
    if type(version) is not int or version != LOCK_VERSION:
        message = f"version {json.dumps(version)} of `{LOCK_FORMAT}` is not one that this release "
        _malformed("ACI-F102", message + "reads", name, hint="upgrade agentci")
    entries = content.get("pipelines")
    if not isinstance(entries, Mapping):
        _malformed("ACI-F103", "`pipelines` has to be a mapping", name)
    pipelines = {key: _entry(key, value, name) for key, value in sorted(entries.items())}
    listed = content.get("suites", {})
    if not isinstance(listed, Mapping):
        _malformed("ACI-F103", "`suites` has to be a mapping", name)
    suites = {key: _suite(key, value, name) for key, value in sorted(listed.items())}
    known = {"format", "version", "pipelines", "suites"}
    extra = {key: value for key, value in content.items() if key not in known}
    return Lock(pipelines, suites, extra)


def _suite(suite: str, value: JsonValue, name: str) -> SuiteLock:
    if not isinstance(value, Mapping):
        _malformed("ACI-F103", f"the entry `{suite}` has to be a mapping", name)
    try:
        entry = read_suite_lock(value)
        seal = _seal("suite", suite, entry)
    except ValueError as error:
        _malformed("ACI-F103", f"the entry `{suite}` is not valid: {error}", name)
    if value.get("seal") != seal or value.get("passed") != entry.fields()["passed"]:
        raise _edited(suite, name)
    return entry


def _entry(pipeline: str, value: JsonValue, name: str) -> PipelineLock:
    if not isinstance(value, Mapping):
        _malformed("ACI-F103", f"the entry `{pipeline}` has to be a mapping", name)
    fields: dict[str, Any] = {key: value.get(key) for key in _ORDER}
    for key in _DIGESTS:
        try:
            parse_digest(str(fields[key]))
        except ValueError:
            _malformed("ACI-F103", f"`{key}` of `{pipeline}` is not a digest", name)
    fields["asked"] = fields["asked"] or {}
    if not isinstance(fields["asked"], Mapping):
        _malformed("ACI-F103", f"`asked` of `{pipeline}` has to be a mapping", name)
    if not isinstance(fields["base"], str) or not isinstance(fields["commit"], str | None):
        _malformed("ACI-F103", f"`base` and `commit` of `{pipeline}` have to be commit ids", name)
    known = {*_ORDER, "seal"}
    entry = PipelineLock(
        **fields, extra={key: item for key, item in value.items() if key not in known}
    )
    try:
        seal = _seal("pipeline", pipeline, entry)
    except ValueError as error:
        _malformed("ACI-F103", f"the entry `{pipeline}` is not valid: {error}", name)
    if value.get("seal") != seal:
        raise _edited(pipeline, name)
    return entry


def _edited(entry: str, name: str) -> SafetyRefusal:
    return SafetyRefusal(
        f"the entry `{entry}` does not match its seal: it was changed by hand",
        code="ACI-P132",
        hint=f"take the committed file back with `git checkout -- {name}`, then `agentci accept` "
        "what should be in it",
        location=Location(name),
    )


def _seal(kind: str, name: str, entry: PipelineLock | SuiteLock) -> Digest:
    return digest_json({kind: name, **entry.fields()})


def _parse(data: bytes, name: str) -> JsonObject:
    try:
        return parse_lock(data)
    except MergeConflict as error:
        hint = "take one side with `git checkout --ours` or `--theirs`, then `agentci accept`"
        _malformed("ACI-F103", str(error), name, hint=hint)
    except ValueError as error:
        _malformed("ACI-F103", str(error), name)


def _malformed(code: str, message: str, name: str, *, hint: str | None = None) -> NoReturn:
    raise FormatError(message, code=code, hint=hint, location=Location(name))
