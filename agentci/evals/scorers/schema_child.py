"""The program of the process that `schema_process` keeps: checks one value a line.

It is told where to import from, since it starts isolated.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def _check(request: dict[str, Any]) -> dict[str, Any]:
    from agentci.core.errors import UsageError  # noqa: PLC0415 - found by the request's path
    from agentci.tools.json_schema import violations  # noqa: PLC0415 - as above

    try:
        found = violations(request["schema"], request["value"])
    except UsageError as error:
        return {"problem": {"message": error.message, "code": error.code, "hint": error.hint}}
    except RecursionError:
        return {"recursion": True}
    return {"violations": [[item.path, item.text] for item in found]}


def _serve() -> None:
    for line in sys.stdin.buffer:
        request = json.loads(line)
        sys.path[:] = request["path"]
        sys.stdout.write(json.dumps(_check(request)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
