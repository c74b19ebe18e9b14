"""Remembers that a check found nothing, so that a hook on an unchanged project costs little.

A stamp holds everything that the check saw of the file system: which files were there, what they
contained, what folders listed. It counts only while all of that is still so, for the same agentci
and the same installed packages. Only checks without problems are remembered. This module decides
before pydantic is imported, so it must import nothing that does.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import agentci
from agentci.app.check_result import CheckedPipeline, CheckedSuite, CheckResult
from agentci.app.state_folder import STATE_FOLDER, state_folder
from agentci.core.digest import digest_bytes
from agentci.core.errors import AgentciError

if TYPE_CHECKING:
    from agentci.app.check_result import CheckRequest
    from agentci.core.effects import Files
    from agentci.core.tree_file import TreeFile

_FILE: Final = "check-v1.json"
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
"""Folders whose time of change says that a package, and so perhaps a tool, came or went."""
_FORMAT: Final = "agentci/check-stamp"


class Watch:
    """Files for reading that note what was seen of them."""

    def __init__(self, files: Files) -> None:
        """See through `files`."""
        self.files = files
        self.seen: dict[str, list[Any]] = {}

    def read(self, path: Path) -> bytes:
        """Return the whole content."""
        data = self.files.read(path)
        self._note("read", path, digest_bytes(data))
        return data

    def exists(self, path: Path) -> bool:
        """Say whether `path` is there."""
        found = self.files.exists(path)
        self._note("exists", path, found)
        return found

    def list(self, folder: Path) -> tuple[Path, ...]:
        """Return all files below `folder`."""
        found = self.files.list(folder)
        self._note("list", folder, _names(found, folder))
        return found

    def tree(self, folder: Path) -> tuple[TreeFile, ...]:
        """Return what git would keep of `folder`."""
        found = self.files.tree(folder)
        self._note("tree", folder, _forms(found, folder))
        return found

    def _note(self, what: str, path: Path, value: object) -> None:
        place = str(path.absolute())
        self.seen[f"{what} {place}"] = [what, place, value]


def recall(request: CheckRequest, files: Files) -> CheckResult | None:
    """Return the result of an earlier check where nothing that it saw has changed."""
    here = request.start.resolve()
    for folder in (here, *here.parents):
        place = folder / STATE_FOLDER / _FILE
        if files.exists(place):
            return _recall(place, request, files)
    return None


def remember(request: CheckRequest, result: CheckResult, *, root: Path, watch: Watch) -> None:
    """Keep a result without problems in the project at `root`, where that can be written."""
    files = watch.files
    if result.problems:
        return
    content = {
        "format": _FORMAT,
        "version": 1,
        "program": program_digest(),
        "request": _request(request),
        "seen": list(watch.seen.values()),
        "pipelines": [asdict(pipeline) for pipeline in result.pipelines],
        "suites": [asdict(suite) for suite in result.suites],
    }
    try:
        files.write_atomic(state_folder(root, files) / _FILE, json.dumps(content).encode())
    except AgentciError:
        return  # a read-only checkout is checked anew each time


def _recall(place: Path, request: CheckRequest, files: Files) -> CheckResult | None:
    try:
        content = json.loads(files.read(place))
        asked = content["format"] == _FORMAT and content["request"] == _request(request)
        if not asked or content["program"] != program_digest():
            return None
        if not all(_unchanged(*seen, files=files) for seen in content["seen"]):
            return None
        pipelines, suites = content["pipelines"], content["suites"]
        return CheckResult(
            tuple(CheckedPipeline(**{**each, "problems": ()}) for each in pipelines),
            tuple(CheckedSuite(**{**each, "problems": ()}) for each in suites),
        )
    except (AgentciError, ValueError, TypeError, KeyError):
        return None  # damaged: checked anew


def _unchanged(what: str, place: str, value: object, *, files: Files) -> bool:
    path = Path(place)
    looks: dict[str, Callable[[], object]] = {
        "exists": lambda: files.exists(path),
        "read": lambda: files.exists(path) and digest_bytes(files.read(path)),
        "list": lambda: _names(files.list(path), path),
        "tree": lambda: _forms(files.tree(path), path),
    }
    return looks[what]() == value


def _names(found: tuple[Path, ...], folder: Path) -> str:
    text = "\0".join(path.relative_to(folder).as_posix() for path in found)
    return digest_bytes(text.encode("utf-8", "surrogateescape"))


def _forms(found: tuple[TreeFile, ...], folder: Path) -> str:
    forms = (
        f"{each.path.relative_to(folder).as_posix()}\0{each.executable}\0{each.link or ''}"
        for each in found
    )
    return digest_bytes("\0".join(forms).encode("utf-8", "surrogateescape"))


def _request(request: CheckRequest) -> list[str]:
    return [str(request.start), str(request.start.resolve()), *request.pipelines]


def program_digest() -> str:
    """Return what identifies the code that checks: agentci's files, Python, what is installed."""
    package = Path(agentci.__file__).parent
    parts = [agentci.__version__, sys.version, *_sources(str(package))]
    installed = (entry for entry in map(Path, sys.path) if entry.name in _INSTALLED)
    parts.extend(f"{entry} {entry.stat().st_mtime_ns}" for entry in installed if entry.is_dir())
    return digest_bytes("\n".join(parts).encode("utf-8", "surrogateescape"))


def _sources(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if entry.is_dir():
                yield from _sources(entry.path)
            elif entry.name.endswith(".py"):
                state = entry.stat()
                yield f"{entry.path} {state.st_size} {state.st_mtime_ns}"
