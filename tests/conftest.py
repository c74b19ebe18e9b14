"""Settings of all tests: how workers share them, and that a skip is a failure where CI says so.

Only what no machine can install is excepted: data of others that may not be copied here, and
rights that a user does not have.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from importlib import import_module
from typing import Any

import pytest

from tests.support.command_line import WarmProcess

_EXCEPTED = ("recordings of other projects", "only root can")
"""Words in the reason of a skip that stands everywhere."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A missing tool must not look like a passed check, so CI turns skips into failures."""
    report = yield
    if not report.skipped or hasattr(report, "wasxfail"):
        return report
    excepted = any(words in str(report.longrepr) for words in _EXCEPTED)
    if os.getenv("AGENTCI_TESTS_NO_SKIP") and not excepted:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {report.longrepr}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker is left with it alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let a worker that is done take over what others still have, unless another way is asked for.

    Tests here take between a millisecond and a minute, so equal numbers are no equal shares.
    """
    if config.getoption("dist") != "load":
        return None
    return import_module("xdist.scheduler").WorkStealingScheduling(config, log)


def pytest_sessionfinish() -> None:
    """End the process that calls of the command line were forked from."""
    WarmProcess.stop_shared()
