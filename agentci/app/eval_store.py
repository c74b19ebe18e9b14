"""Results of trials on this machine, by the key of everything that can change them.

One file a suite and kind, a line an entry, only ever appended to: a thousand entries are one read.
Several processes may write; half a line of a killed one is passed over. It is a cache: without it
everything is computed again from the recordings.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from agentci.app.eval_cassettes import flat_name
from agentci.app.state_folder import STATE_FOLDER
from agentci.core.digest import Digest, digest_json, hex_of
from agentci.evals.results_json import compact, read_trial, trial_json

if TYPE_CHECKING:
    from pathlib import Path

    from agentci.core.effects import AppendFile, Files
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.evals.keys import EvalKey
    from agentci.evals.results import TrialResult

EVALS_FOLDER: Final = "cache/evals"
"""Below the folder that git ignores; beside the cache of steps."""
_HEADER: Final = b'{"format":"agentci/eval-cache","version":1}\n'
_HEX: Final = 64
_BODY: Final = _HEX + 10
"""A line is the key, the body's checksum and the body, with spaces between."""
_KEPT_AT_LEAST: Final = 2_000
_GROWTH: Final = 8
"""A file is tidied when it has this many times the entries that are in use."""


class PackedLog:
    """A persistent map from digests to JSON in one file. Later entries win."""

    def __init__(self, files: Files, path: Path) -> None:
        """Use the file at `path`; it is read when something is first asked for."""
        self._files = files
        self._path = path
        self._lines: dict[bytes, bytes] | None = None
        self._append: AppendFile | None = None

    def get(self, key: Digest) -> Any | None:
        """Return the value of `key`, or None where there is none or it is damaged."""
        line = self._index().get(hex_of(key).encode())
        if line is None or line[_HEX + 1 : _BODY - 1] != _checksum(line[_BODY:]):
            return None
        try:
            return json.loads(line[_BODY:])
        except ValueError:
            return None

    def __contains__(self, key: Digest) -> bool:
        return hex_of(key).encode() in self._index()

    def put(self, key: Digest, value: JsonValue) -> None:
        """Store `value`: in the file when this returns, so that no killed process loses it."""
        body = compact(value)
        line = b" ".join((hex_of(key).encode(), _checksum(body), body))
        index = self._index()
        if self._append is None:
            self._append = self._opened()
        self._append.append(line + b"\n")
        index[line[:_HEX]] = line

    def tidy(self, used: Collection[Digest]) -> None:
        """Drop the oldest entries when far more are there than are `used`."""
        limit = max(_KEPT_AT_LEAST, _GROWTH * len(used))
        index = self._index()
        if len(index) <= limit:
            return
        wanted = {hex_of(key).encode() for key in used}
        newest = set(list(index)[-limit // 2 :])

        def kept(data: bytes) -> bytes:
            lines = _parse(data).items()
            return _HEADER + b"".join(
                line + b"\n" for key, line in lines if key in wanted or key in newest
            )

        self._files.update(self._path, kept)
        self._lines = None

    def close(self) -> None:
        """Close the file."""
        if self._append is not None:
            self._append.close()
            self._append = None

    def _index(self) -> dict[bytes, bytes]:
        if self._lines is None:
            exists = self._files.exists(self._path)
            self._lines = _parse(self._files.read(self._path)) if exists else {}
        return self._lines

    def _opened(self) -> AppendFile:
        """Open the file; one that another release wrote starts anew."""
        file = self._files.open_append(self._path)
        data = self._files.read(self._path)
        if not data:
            # two processes may both see it empty; a second header is no entry
            file.append(_HEADER)
        elif not data.startswith(_HEADER):
            self._files.update(self._path, lambda now: now if now.startswith(_HEADER) else _HEADER)
        return file


def _parse(data: bytes) -> dict[bytes, bytes]:
    if not data.startswith(_HEADER):
        return {}
    return {line[:_HEX]: line for line in data.split(b"\n") if line[_HEX : _HEX + 1] == b" "}


def _checksum(body: bytes) -> bytes:
    return b"%08x" % zlib.crc32(body)


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """Under what a trial is kept."""

    case: str
    number: int
    key: Digest
    scores_key: Digest


@dataclass(frozen=True, slots=True)
class SuiteStore:
    """What is kept of one suite."""

    results: PackedLog
    """Judged trials, by the key of their scores."""
    executions: PackedLog
    """What targets did, by the key of the trial."""
    keys: PackedLog
    """The parts of the key that each trial was last judged with, for explanations."""
    base: dict[str, Digest] = field(default_factory=dict)
    """What parts of keys are stored as a difference to."""

    @classmethod
    def open(cls, files: Files, project: Path, suite: str) -> SuiteStore:
        """Open what the project at `project` keeps of the suite with that path."""
        folder = project / STATE_FOLDER / EVALS_FOLDER / flat_name(suite)
        names = ("results", "executions", "keys")
        results, executions, keys = (PackedLog(files, folder / f"{name}.jsonl") for name in names)
        return cls(results, executions, keys)

    def result(self, key: EvalKey) -> TrialResult | None:
        """Return the result with the key `key`, or None."""
        found = self.results.get(key.digest)
        return None if found is None else read_trial(found)

    def keep(self, case: str, result: TrialResult, key: EvalKey) -> None:
        """Keep a judged trial and the parts of its key."""
        self.results.put(key.digest, trial_json(result))
        fields = dict(key.fields)
        if not self.base:
            # what most trials have in common is stored once
            self.base.update(fields)
            self.keys.put(digest_json(fields), fields)
        own: JsonObject = {
            name: fields.get(name)
            for name in sorted({*fields, *self.base})
            if fields.get(name) != self.base.get(name)
        }
        kept: JsonObject = {"base": digest_json(dict(self.base)), "own": own}
        self.keys.put(_place(case, result.trial), kept)

    def last_key(self, case: str, trial: int) -> Mapping[str, Digest] | None:
        """Return the parts of the key with which a trial was last judged, or None."""
        kept = self.keys.get(_place(case, trial))
        base = self.keys.get(kept["base"]) if kept is not None else None
        if kept is None or base is None:
            return None
        both: dict[str, Digest | None] = {**base, **kept["own"]}
        return {name: digest for name, digest in both.items() if digest is not None}

    def tidy(self, trials: Collection[StoredTrial]) -> None:
        """Drop what is long out of use; `trials` are those that are in use."""
        self.results.tidy([trial.scores_key for trial in trials])
        self.executions.tidy([trial.key for trial in trials])
        places = [_place(trial.case, trial.number) for trial in trials]
        bases = {kept["base"] for kept in map(self.keys.get, places) if kept is not None}
        self.keys.tidy([*places, *sorted(bases)])

    def close(self) -> None:
        """Close all files."""
        for log in (self.results, self.executions, self.keys):
            log.close()


def _place(case: str, trial: int) -> Digest:
    return digest_json([case, trial])
