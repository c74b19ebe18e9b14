"""The program of the process that `patterns` keeps: matches one expression a line.

It imports nothing of agentci, so that it starts soon, and ends when its input does.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any


def _answer(request: dict[str, Any]) -> list[int]:
    search = re.compile(request["pattern"], request["flags"]).search
    return [index for index, text in enumerate(request["texts"]) if search(text)]


def _serve() -> None:
    for line in sys.stdin.buffer:
        found = _answer(json.loads(line))
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
