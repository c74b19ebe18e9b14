"""How often a run writes: two journal writes a step, each one system call, and no forced ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentci.adapters.files import LocalFiles
from agentci.record.journal import Journal
from tests.support.engine_world import JOURNAL, world_of


def test_a_step_writes_two_events(tmp_path: Path) -> None:
    steps = "steps:\n" + "".join(f"  - {{id: s{n}, run: [say]}}\n" for n in range(20))
    world = world_of(tmp_path, steps)
    world.run()
    lines = world.files.content[JOURNAL].splitlines()
    assert len(lines) == 1 + 1 + 2 * 20 + 1


def test_an_event_is_one_write_and_forces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.create(LocalFiles(), tmp_path / "journal.jsonl", {})
    calls: list[str] = []
    write, fsync = os.write, os.fsync

    def counted_write(file: int, data: bytes) -> int:
        calls.append("write")
        return write(file, data)

    def counted_fsync(file: int) -> None:
        calls.append("fsync")
        fsync(file)

    monkeypatch.setattr(os, "write", counted_write)
    monkeypatch.setattr(os, "fsync", counted_fsync)
    for number in range(10):
        journal.write({"type": "step.started", "n": number})
    assert calls == ["write"] * 10
    journal.write({"type": "step.dispatched"}, sync=True)
    assert calls[10:] == ["write", "fsync"]
    journal.close()
