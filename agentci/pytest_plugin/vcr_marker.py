"""The marker `vcr` and the fixtures of pytest-recording, for suites that have moved over.

Registered only where the setting `agentci_vcr_marker` is on. Fixtures of the same names in a
`conftest.py` take their place, as they did.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

_MARKERS = (
    "vcr(*files, **options): answer the HTTP calls of the test from recordings.",
    "default_cassette(name): the name of the test's recordings.",
    "block_network(allowed_hosts=None): refuse connections of the test.",
    "allowed_hosts(hosts): hosts that `block_network` lets through.",
)
_SUFFIXES: Final = (".yaml", ".json")
_FORBIDDEN: Final = r"<>?%*:|\"'/\\"


class AskedByVcr(NamedTuple):
    """Where a test's recordings are, and what its markers say."""

    folder: Path
    foreign: tuple[Path, ...]
    options: dict[str, Any]


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for line in _MARKERS:
        config.addinivalue_line("markers", line)


@pytest.fixture(scope="session")
def record_mode(request: pytest.FixtureRequest) -> str:
    """The mode on the command line, in vcrpy's words."""
    mode = request.config.getoption("agentci_mode") or "replay"
    return {"replay": "none", "record-all": "rewrite"}.get(mode, "new_episodes")


@pytest.fixture
def vcr_config() -> dict[str, Any]:
    """Options for all tests below."""
    return {}


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """The folder of a module's recordings."""
    path = request.path
    return str(path.parent / "cassettes" / path.stem)


@pytest.fixture
def default_cassette_name(request: pytest.FixtureRequest) -> str:
    """The name that pytest-recording gives to a test's file."""
    marker = request.node.get_closest_marker("default_cassette")
    if marker is not None and marker.args:
        return str(marker.args[0])
    name = request.node.name
    if request.cls is not None:
        name = f"{request.cls.__name__}.{name}"
    for char in _FORBIDDEN:
        name = name.replace(char, "-")
    return str(name)


@pytest.fixture
def vcr_markers(request: pytest.FixtureRequest) -> list[pytest.Mark]:
    """The markers of a test."""
    return list(request.node.iter_markers("vcr"))


@pytest.fixture
def vcr(request: pytest.FixtureRequest) -> Any:
    """The test's cassette, for tests that look at it."""
    marked = request.node.get_closest_marker("vcr") is not None
    return request.getfixturevalue("agentci_cassette") if marked else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Close the network for tests with `block_network`."""
    marker = item.get_closest_marker("block_network")
    if marker is None:
        return (yield)
    from agentci.app import wiring  # noqa: PLC0415 - only for such tests

    network = wiring.network_block()
    stop = network.start(_hosts(marker.kwargs.get("allowed_hosts")))
    try:
        return (yield)
    finally:
        stop()


def asked_by_vcr(request: pytest.FixtureRequest) -> AskedByVcr:
    """Return what the markers and fixtures of a test say."""
    folder = Path(request.getfixturevalue("vcr_cassette_dir"))
    name = request.getfixturevalue("default_cassette_name")
    options = dict(request.getfixturevalue("vcr_config"))
    extra: list[Path] = []
    markers = list(request.node.iter_markers("vcr"))
    for marker in reversed(markers):
        options |= marker.kwargs
    for marker in markers:
        extra += [folder / argument for argument in marker.args]
    options.pop("allowed_hosts", None)
    suffixes = ("", *_SUFFIXES)
    own = [folder / f"{name}{suffix}" for suffix in suffixes if Path(name).suffix or suffix]
    return AskedByVcr(folder, (*own, *extra), options)


def _hosts(given: object) -> tuple[str, ...]:
    if isinstance(given, str):
        return tuple(given.split(","))
    return tuple(str(each) for each in given) if isinstance(given, list | tuple) else ()
