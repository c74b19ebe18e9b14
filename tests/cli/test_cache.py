"""`agentci cache`: counts, checks, tidies and clears."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentci.app import wiring
from agentci.core.digest import digest_bytes
from agentci.record.action_cache import ActionCache, ActionResult
from agentci.record.object_store import ObjectStore
from tests.support.command_line import agentci


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two cached results, one of them with an object, and a stray object."""
    (tmp_path / "pipelines").mkdir()
    folder = tmp_path / ".agentci" / "cache"
    objects = ObjectStore(wiring.files(), folder)
    store = wiring.byte_store(folder)
    cache = ActionCache(store, objects)
    cache.put(digest_bytes(b"1"), ActionResult({"output": 1}))
    cache.put(digest_bytes(b"2"), ActionResult({"output": 2}, (objects.put(b"patch"),)))
    objects.put(b"stray")
    store.close()
    return tmp_path


def _numbers(project: Path, command: str) -> tuple[int, int]:
    stats = json.loads(agentci("cache", command, "--json", folder=project).out)["stats"]
    return stats["results"], stats["objects"]


def test_stats_count(project: Path) -> None:
    assert _numbers(project, "stats") == (2, 2)
    assert "2 results" in agentci("cache", "stats", folder=project).out


def test_gc_removes_what_nothing_refers_to(project: Path) -> None:
    assert _numbers(project, "gc") == (0, 1)
    assert _numbers(project, "stats") == (2, 1)


def test_clear_removes_everything(project: Path) -> None:
    assert _numbers(project, "clear") == (2, 2)
    assert _numbers(project, "stats") == (0, 0)


def test_verify_finds_damage_and_gc_mends_it(project: Path) -> None:
    assert agentci("cache", "verify", folder=project).out.startswith("ok: ")
    for path in (project / ".agentci" / "cache").rglob("objects-v1/*/*"):
        if path.read_bytes() == b"patch":
            path.chmod(0o644)
            path.write_bytes(b"other")
    done = agentci("cache", "verify", folder=project)
    assert (done.code, "agentci cache gc" in done.err) == (4, True)
    agentci("cache", "gc", folder=project)
    assert agentci("cache", "verify", folder=project).code == 0


def test_an_empty_cache_is_fine(tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    for command in ("stats", "verify", "gc", "clear"):
        assert agentci("cache", command, folder=tmp_path).code == 0
