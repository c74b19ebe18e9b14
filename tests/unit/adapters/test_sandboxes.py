"""Sandboxes by name, their settings and their probes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.adapters.bounded_output import BoundedOutput
from agentci.adapters.sandbox_settings import read_settings
from agentci.adapters.sandboxes import NAMES, open_sandbox, probe
from agentci.core.errors import UsageError


@pytest.mark.parametrize("name", NAMES)
def test_a_sandbox_knows_its_name(name: str) -> None:
    assert open_sandbox(name).name == name


def test_an_unknown_sandbox_is_named() -> None:
    with pytest.raises(UsageError, match="`podman`"):
        open_sandbox("podman")
    with pytest.raises(UsageError, match="`podman`"):
        probe("podman")


def test_plain_processes_are_always_there() -> None:
    assert probe("process").available


def test_a_probe_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("docker", "bwrap"):
        found = probe(name)
        assert not found.available
        assert found.reason
        assert found.hint


def test_settings_are_read_from_texts() -> None:
    texts = {"image": "x:1", "memory": "512m", "pids": "64", "cpus": "0.5", "temporary": "1gb"}
    settings = read_settings({**texts, "readable": "/a:/b"})
    limits = settings.limits
    assert (limits.memory, limits.pids, limits.cpus) == (512 * 2**20, 64, 0.5)
    assert limits.temporary == 2**30
    assert settings.readable == (Path("/a"), Path("/b"))
    assert settings.image == "x:1"


@pytest.mark.parametrize(
    ("name", "text"),
    [("memory", "lots"), ("memory", "0"), ("pids", "-1"), ("cpus", "0"), ("imege", "x")],
)
def test_wrong_settings_are_named(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=name):
        read_settings({name: text})


@given(st.lists(st.binary(max_size=40)), st.integers(0, 100))
def test_bounded_output_keeps_both_ends(pieces: list[bytes], limit: int) -> None:
    output = BoundedOutput(limit)
    for piece in pieces:
        output.add(piece)
    whole, kept = b"".join(pieces), output.result()
    if len(whole) <= limit:
        assert kept == whole
    else:
        note = b"\n[agentci: %d bytes left out]\n" % (len(whole) - limit)
        head, tail = limit // 2, limit - limit // 2
        assert kept == whole[:head] + note + whole[len(whole) - tail :]
