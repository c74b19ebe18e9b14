"""The hooks that pytest finds by the entry point: options, markers, and who gets a cassette.

Imports pytest alone; everything else when a test asks for it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from agentci.cassettes.handle import Cassette

FIXTURE: Final = "agentci_cassette"
MARKER: Final = "agentci"
MODES: Final = ("replay", "record", "record-all", "auto", "live")

_MARKER_HELP = (
    "agentci(path=None, *, mode=None, lane='main', unplayed='fail', **options): "
    "answer the HTTP calls of the test from recordings."
)
_RECORDING = "recording"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what may stand on the command line and in the settings."""
    group = parser.getgroup("agentci", "agentci: recorded HTTP calls")
    group.addoption(
        "--agentci-mode",
        choices=MODES,
        help="Where answers come from: recordings alone (the default), or the network for what is "
        "not recorded.",
    )
    group.addoption(
        "--agentci-record",
        dest="agentci_mode",
        action="store_const",
        const="record",
        help="Record what is missing and remove what is not played: --agentci-mode=record.",
    )
    group.addoption(
        "--agentci-record-all",
        dest="agentci_mode",
        action="store_const",
        const="record-all",
        help="Record everything anew: --agentci-mode=record-all.",
    )
    group.addoption(
        "--agentci-block-network",
        action="store_true",
        help="Refuse connections of this process and of Python programs that it starts, except to "
        "this machine and where a cassette records.",
    )
    group.addoption(
        "--agentci-isolate-network",
        action="store_true",
        help="Run in a network of its own, in which there is only this process and what it starts "
        "(Linux).",
    )
    group.addoption(
        "--agentci-allow-host",
        action="append",
        default=[],
        metavar="HOST",
        help="A host that --agentci-block-network lets through; may be repeated.",
    )
    group.addoption(
        "--agentci-suites",
        action="store_true",
        help="Collect suites of agentci: a test for each case, replayed.",
    )
    _add_settings(parser)


def _add_settings(parser: pytest.Parser) -> None:
    parser.addini("agentci_mode", "Default of --agentci-mode.", default="replay")
    parser.addini("agentci_unplayed", "`fail` or `ignore` unplayed recordings.", default="fail")
    parser.addini(
        "agentci_mask",
        "Regular expressions, one a line, of what does not count in requests.",
        type="linelist",
        default=[],
    )
    parser.addini(
        "agentci_redact",
        "Replace secrets in recordings, in place of refusing them.",
        type="bool",
        default=False,
    )
    parser.addini("agentci_suites", "As --agentci-suites, always.", type="bool", default=False)
    parser.addini(
        "agentci_vcr_marker",
        "Serve the marker `vcr` of pytest-recording, whose files are taken over on first use.",
        type="bool",
        default=False,
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register markers, and close the network where that is asked for."""
    config.addinivalue_line("markers", _MARKER_HELP)
    if config.getini("agentci_vcr_marker"):
        from agentci.pytest_plugin import vcr_marker  # noqa: PLC0415 - only where it is wanted

        other = config.pluginmanager.get_plugin(_RECORDING)
        if other is not None:
            config.pluginmanager.unregister(other)
        config.pluginmanager.register(vcr_marker, "agentci-vcr-marker")
    if config.getoption("agentci_suites") or config.getini("agentci_suites"):
        from agentci.pytest_plugin import suite_items  # noqa: PLC0415 - as above

        config.pluginmanager.register(suite_items, "agentci-suite-items")
    if config.getoption("agentci_block_network") or config.getoption("agentci_isolate_network"):
        from agentci.pytest_plugin.closed_network import close_network  # noqa: PLC0415 - as above

        close_network(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give marked tests the cassette, before their other fixtures for one test."""
    markers = [MARKER, *(["vcr"] if config.getini("agentci_vcr_marker") else [])]
    for item in items:
        if any(item.get_closest_marker(name) is not None for name in markers):
            names = getattr(item, "fixturenames", None)
            if names is not None and FIXTURE not in names:
                names.insert(_first_of_one_test(item, names), FIXTURE)


def _first_of_one_test(item: pytest.Item, names: list[str]) -> int:
    """Return where the fixtures of wider scope end: they are set up without the cassette."""
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    for index, name in enumerate(names):
        definitions = known.get(name)
        if not definitions or definitions[-1].scope == "function":
            return index
    return len(names)


@pytest.fixture
def agentci_cassette(request: pytest.FixtureRequest) -> Generator[Cassette | None, None, None]:
    """The cassette of a test; its HTTP calls are answered from it."""
    from agentci.pytest_plugin.taped_test import taped  # noqa: PLC0415 - only for who asks

    yield from taped(request)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test whose program hid that a recording is missing."""
    if FIXTURE not in getattr(item, "fixturenames", ()):
        return (yield)
    from agentci.pytest_plugin.taped_test import passed  # noqa: PLC0415 - as above

    result = yield
    passed(item)
    return result
