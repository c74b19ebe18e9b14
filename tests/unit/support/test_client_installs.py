"""How agent programs get onto a machine; the downloads themselves are tried with the programs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support import client_installs
from tests.support.client_installs import LOCKS, NotInstalled, install, names, platform_name, twice
from tests.support.client_programs import PROGRAMS


@pytest.mark.parametrize(
    ("system", "machine", "libc", "name"),
    [
        ("linux", "x86_64", "glibc", "linux-x64"),
        ("linux", "aarch64", "glibc", "linux-arm64"),
        ("linux", "x86_64", "", "linux-x64-musl"),
        ("darwin", "arm64", "", "darwin-arm64"),
        ("darwin", "x86_64", "", "darwin-x64"),
    ],
)
def test_a_platform_is_called_as_npm_packages_call_it(
    system: str, machine: str, libc: str, name: str
) -> None:
    assert platform_name(system, machine, libc) == name


def test_what_fails_once_is_tried_again() -> None:
    calls: list[str] = []

    def download() -> None:
        calls.append("download")
        if len(calls) == 1:
            raise NotInstalled("the line is busy")

    twice(download, pause=0)
    assert calls == ["download"] * 2


def test_what_fails_twice_has_failed() -> None:
    calls: list[str] = []

    def download() -> None:
        calls.append("download")
        raise NotInstalled("no such package")

    with pytest.raises(NotInstalled, match="no such package"):
        twice(download, pause=0)
    assert calls == ["download"] * 2


def test_an_installation_from_the_same_pins_is_taken_and_another_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def make(name: str, folder: Path) -> None:
        made.append(name)
        (folder / "program").touch(exist_ok=False)

    pins = tmp_path / "locks/small"
    pins.mkdir(parents=True)
    (pins / "requirements.txt").write_text("small==1\n")
    monkeypatch.setattr(client_installs, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(client_installs, "LOCKS", tmp_path / "locks")
    monkeypatch.setattr(client_installs, "_python", lambda: "python")
    monkeypatch.setattr(client_installs, "_install_pypi", make)
    folder = install("small")
    assert install("small") == folder
    assert made == ["small"]
    (pins / "requirements.txt").write_text("small==2\n")
    install("small")
    assert made == ["small"] * 2


@pytest.mark.parametrize("asked", ["true", "/nowhere/python3.12"])
def test_a_python_that_clients_do_not_support_is_named_with_what_to_do(
    asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_installs._python.cache_clear()
    monkeypatch.setenv("AGENTCI_CLIENTS_PYTHON", asked)
    with pytest.raises(
        NotInstalled, match=f"`{asked}` is no [^\0]*hint: set AGENTCI_CLIENTS_PYTHON to one of"
    ):
        client_installs._python()


@pytest.mark.parametrize("name", names())
def test_a_client_is_pinned_to_exact_versions(name: str) -> None:
    pins = LOCKS / name
    if (pins / "package.json").exists():
        asked = json.loads((pins / "package.json").read_text())["dependencies"].values()
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in asked)
    else:
        lines = (pins / "requirements.txt").read_text() + (pins / "constraints.txt").read_text()
        assert all(re.fullmatch(r"[\w.\[\]-]+==[\w.+]+", line) for line in lines.splitlines())


def test_every_pinned_client_is_tried() -> None:
    assert names() == sorted(program.name for program in PROGRAMS)
