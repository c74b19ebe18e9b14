"""A test with a cassette: which one, in which mode, and what makes the test fail.

Must not know how calls are intercepted.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from agentci.app import wiring
from agentci.cassettes.arguments import UseArguments, resolve_mode
from agentci.cassettes.using import CassetteUse
from agentci.core.digest import digest_bytes, hex_of
from agentci.core.errors import AgentciError
from agentci.core.lane import Lane
from agentci.record.session import Mode

if TYPE_CHECKING:
    from agentci.cassettes.handle import Cassette

_OWN = frozenset({"path", "mode", "lane", "unplayed", "keep_headers", "mask", "redact"})
_SPECIAL = re.compile(r"[^A-Za-z0-9_.,+=\[\]-]")
_LONGEST: Final = 150
_PASSED = pytest.StashKey[bool]()
_CASSETTE = pytest.StashKey["Cassette"]()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What markers and fixtures say of a test's cassette."""

    path: Path | None
    options: dict[str, Any]
    foreign: tuple[Path, ...] = ()


def taped(request: pytest.FixtureRequest) -> Generator[Cassette, None, None]:
    """Yield the cassette of a test, and say in the end what is wrong."""
    item = request.node
    arguments = _arguments(request)
    use = CassetteUse(arguments)
    mode = resolve_mode(arguments.mode, arguments.options).mode
    try:
        cassette = use.__enter__()
    except AgentciError as error:
        pytest.fail(_text(error), pytrace=False)
    item.stash[_CASSETTE] = cassette
    open_again = None if mode is Mode.REPLAY else wiring.network_block().suspend()
    try:
        yield cassette
    finally:
        if open_again is not None:
            open_again()
        failed = not item.stash.get(_PASSED, False)
        stand_in = _Failed() if failed else None
        try:
            use.__exit__(None if stand_in is None else _Failed, stand_in, None)
        except AgentciError as problem:
            if not failed:
                pytest.fail(_text(problem), pytrace=False)


def passed(item: pytest.Item) -> None:
    """Take note that a test's function has returned.

    Raises:
        AgentciError: a failure of a call that the program hid.
    """
    cassette = item.stash.get(_CASSETTE, None)
    if cassette is not None and cassette.failures:
        raise cassette.failures[0]
    item.stash[_PASSED] = True


class _Failed(Exception):
    """Stands for the failure of the test, which pytest has."""


def folder_name(text: str) -> str:
    """Return a name for a folder; two tests of a module never have the same."""
    name = _SPECIAL.sub(lambda match: "".join(f"%{b:02x}" for b in match[0].encode()), text)
    if len(name) > _LONGEST:
        name = f"{name[:100]},,{hex_of(digest_bytes(text.encode()))[:32]}"
    return name


def _arguments(request: pytest.FixtureRequest) -> UseArguments:
    item, config = request.node, request.config
    asked = _asked(request)
    options = asked.options
    mode = config.getoption("agentci_mode") or options.get("mode") or _foreign_mode(config)
    if mode is None and "record_mode" not in options:
        mode = config.getini("agentci_mode")
    return UseArguments(
        path=asked.path or _beside(item),
        mode=mode,
        lane=Lane(str(options.get("lane", "main"))),
        unplayed=str(options.get("unplayed", config.getini("agentci_unplayed"))),
        keep_headers=tuple(name.lower() for name in options.get("keep_headers", ())),
        mask=(*config.getini("agentci_mask"), *options.get("mask", ())),
        redact=bool(options.get("redact", config.getini("agentci_redact"))),
        root=config.rootpath,
        options={name: value for name, value in options.items() if name not in _OWN},
        rerecord=f"pytest --agentci-record '{item.nodeid}'",
        foreign=asked.foreign,
    )


def _asked(request: pytest.FixtureRequest) -> _Asked:
    item = request.node
    marker = item.get_closest_marker("agentci")
    if marker is None and request.config.getini("agentci_vcr_marker"):
        from agentci.pytest_plugin.vcr_marker import asked_by_vcr  # noqa: PLC0415 - only then

        folder, foreign, options = asked_by_vcr(request)
        return _Asked(folder / folder_name(_name(item)), options, foreign)
    if marker is None:
        return _Asked(None, {})
    if len(marker.args) > 1:
        pytest.fail("the marker `agentci` takes one path", pytrace=False)
    options = dict(marker.kwargs)
    path = marker.args[0] if marker.args else options.pop("path", None)
    return _Asked(None if path is None else item.path.parent / path, options)


def _beside(item: pytest.Item) -> Path:
    return item.path.parent / "cassettes" / item.path.stem / folder_name(_name(item))


def _name(item: pytest.Item) -> str:
    owner = getattr(item, "cls", None)
    return f"{owner.__qualname__}.{item.name}" if owner is not None else item.name


def _foreign_mode(config: pytest.Config) -> str | None:
    """Return the mode of pytest-recording's own option, where the package is still installed."""
    if not config.getini("agentci_vcr_marker"):
        return None
    given = config.getoption("--record-mode", None)
    if given is None:
        return None
    resolved = resolve_mode(None, {"record_mode": given})
    return "record-all" if resolved.record_all else resolved.mode.value


def _text(error: AgentciError) -> str:
    hint = f"\nhint: {error.hint}" if error.hint else ""
    return f"{error.code}: {error.message}{hint}"
