"""New recordings take the place of old ones as a whole, wherever the process is killed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from agentci.app.eval_redraw import RedrawnTrials
from agentci.core.errors import FormatError
from tests.support.memory_files import MemoryFiles

ROOT = Path("/p")
TOP = ROOT / "cassettes"
TRIAL = TOP / "pipelines.ask/sky/1"
NEW = Path("/scratch/new")
OLD = {"target/a.yaml": b"old a", "target/b.yaml": b"old b", "objects/x": b"old x"}
FRESH = {"target/a.yaml": b"new a", "target/c.yaml": b"\xff new c"}
KEPT = ROOT / ".agentci/redrawn"


class Killed(BaseException):
    """The process is gone."""


class DyingFiles(MemoryFiles):
    """Files of a process that is killed before its n-th change."""

    left: int | None = None

    def write_atomic(self, path: Path, data: bytes) -> None:
        self._live()
        super().write_atomic(path, data)

    def remove(self, path: Path) -> None:
        self._live()
        super().remove(path)

    def _live(self) -> None:
        if self.left == 0:
            raise Killed
        if self.left is not None:
            self.left -= 1


def world() -> DyingFiles:
    old = {(TRIAL / name).as_posix(): data for name, data in OLD.items()}
    new = {(NEW / name).as_posix(): data for name, data in FRESH.items()}
    return DyingFiles({**old, **new})


def recorded(files: MemoryFiles) -> Mapping[str, bytes]:
    return {path.relative_to(TRIAL).as_posix(): files.read(path) for path in files.list(TRIAL)}


def test_what_is_left_over_goes() -> None:
    files = world()
    RedrawnTrials(files, ROOT, TOP).replace(TRIAL, NEW)
    assert recorded(files) == FRESH
    assert files.list(KEPT) == ()


@pytest.mark.parametrize("changes", range(9))
def test_a_killed_process_leaves_the_old_or_what_the_next_one_completes(changes: int) -> None:
    files = world()
    files.left = changes
    trials = RedrawnTrials(files, ROOT, TOP)
    try:
        trials.replace(TRIAL, NEW)
    except Killed:
        if not files.list(KEPT):
            assert recorded(files) == OLD, "nothing is touched before all of the new is kept"
            return
    files.left = None
    del files.content[NEW / "target/a.yaml"]  # the scratch folder is gone
    trials.finish()
    assert recorded(files) == FRESH
    assert files.list(KEPT) == ()


def test_it_is_killed_at_every_change() -> None:
    files = world()
    files.left = 8
    RedrawnTrials(files, ROOT, TOP).replace(TRIAL, NEW)
    assert files.left == 1, "7 changes: ignored folder, kept file, 2 written, 2 removed, kept file"


@pytest.mark.parametrize(
    "content",
    [
        {"trial": "../../etc/sky/1", "files": {}},
        {"trial": "pipelines.ask/sky/../../..", "files": {}},
        {"trial": "pipelines.ask/sky/1", "files": {"../../../../x": "AAAA"}},
        {"trial": "pipelines.ask/sky/1", "files": {"/etc/x": "AAAA"}},
        {"trial": "pipelines.ask/sky", "files": {}},
        {"trial": "pipelines.ask/sky/1", "files": {"a": 1}},
        {"trial": 1, "files": {}},
        {"format": "other", "trial": "pipelines.ask/sky/1", "files": {}},
        {"version": 2, "trial": "pipelines.ask/sky/1", "files": {}},
        [],
    ],
)
def test_a_file_that_somebody_has_written_leads_nowhere(content: object) -> None:
    files = world()
    head = {"format": "agentci/redrawn", "version": 1}
    data = {**head, **content} if isinstance(content, dict) else content
    files.content[KEPT / "x.json"] = json.dumps(data).encode()
    before = dict(files.content)
    with pytest.raises(FormatError, match="drawn again"):
        RedrawnTrials(files, ROOT, TOP).finish()
    assert files.content == before
