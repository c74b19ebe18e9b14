"""The child process of a `python` step: call one function, answer with one JSON object.

Run as a file, so it imports nothing of agentci, except what gives the calls of a step with a proxy
their lanes. Standard input has `{"file", "function", "arguments"}`; the answer goes to the original
standard output; what the function prints goes to standard error.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import traceback
from pathlib import Path


def main() -> None:
    """Read the call, make it, and write `{"value"}` or `{"error"}`."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    call = json.load(sys.stdin)
    reply: dict[str, object]
    if "lanes" in call:
        _follow_lanes(call["lanes"], call["agentci"])
    try:
        reply = {"value": _call(call)}
    except Exception as error:  # noqa: BLE001  whatever the user's function raises is its answer
        traceback.print_exc()
        reply = {"error": f"{type(error).__name__}: {error}"}
    with answer:
        json.dump(reply, answer, allow_nan=False, sort_keys=True)


def _follow_lanes(module: str, folder: str) -> None:
    """Give concurrent calls lanes of their own; agentci is in `folder`, maybe not installed."""
    sys.path.append(folder)
    url = os.environ["AGENTCI_PROXY_URL"]  # noqa: TID251 - there is no port here
    importlib.import_module(module).follow(url)


def _call(call: dict[str, object]) -> object:
    file = Path(str(call["file"]))
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"`{file.name}` is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    function = getattr(module, str(call["function"]))
    value = function(**call["arguments"])  # type: ignore[arg-type]  # JSON object by contract
    json.dumps(value, allow_nan=False)
    return value


if __name__ == "__main__":
    main()
