"""Imported by Python at its start: closes the network, then does what it took the place of.

Runs in programs of others, perhaps without agentci: it reads the hook from its file.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import sys
from pathlib import Path


def _load(spec: importlib.machinery.ModuleSpec | None, name: str) -> object:
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _close() -> None:
    allowed = os.environ.get("AGENTCI_CLOSED_NETWORK")  # noqa: TID251 - there is no port here
    if allowed is None:
        return
    file = Path(__file__).parent.with_name("network_hook.py")
    hook = _load(
        importlib.util.spec_from_file_location("_agentci_network_hook", file),
        "_agentci_network_hook",
    )
    hook.close(tuple(json.loads(allowed)))  # type: ignore[attr-defined]  # loaded from its file


def _go_on() -> None:
    """Import the `sitecustomize` that would have been imported."""
    here = str(Path(__file__).parent)
    others = [path for path in sys.path if path != here]
    _load(importlib.machinery.PathFinder.find_spec("sitecustomize", others), "sitecustomize")


_close()
_go_on()
