"""Closing the network for a whole pytest run. What is refused, and how, is an adapter."""

from __future__ import annotations

import pytest

from agentci.app import wiring
from agentci.core.errors import AgentciError


def close_network(config: pytest.Config) -> None:
    """Do what the options ask for.

    Raises:
        pytest.UsageError: when it cannot be done, or contradicts the mode.
    """
    network = wiring.network_block()
    if config.getoption("agentci_isolate_network"):
        mode = config.getoption("agentci_mode") or config.getini("agentci_mode")
        if mode != "replay":
            message = f"--agentci-isolate-network leaves nothing to record from in mode `{mode}`"
            raise pytest.UsageError(message)
        try:
            network.isolate()
        except AgentciError as error:
            hint = f"; {error.hint}" if error.hint else ""
            raise pytest.UsageError(f"{error.code}: {error.message}{hint}") from None
    if config.getoption("agentci_block_network"):
        stop = network.start(tuple(config.getoption("agentci_allow_host")), children=True)
        config.add_cleanup(stop)
