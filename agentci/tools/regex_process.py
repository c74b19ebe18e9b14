"""Regular expressions of a model, matched in a process that can be killed.

Python's `re` may take exponential time, and nothing in this process could stop it. The same file
is the program of the child process, so it imports nothing of agentci.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A line that matches."""

    text: int
    """Index of the text."""
    line: int
    """Index of the line in it."""


def find_matching_lines(
    pattern: str,
    texts: Sequence[Sequence[str]],
    *,
    ignore_case: bool,
    limit: int,
    timeout: float,
) -> tuple[Place, ...] | None:
    """Return the first `limit` lines that match, in order; None after `timeout` seconds.

    `pattern` must be a valid regular expression.
    """
    request = {
        "pattern": pattern,
        "texts": texts,
        "flags": int(re.IGNORECASE if ignore_case else 0),
        "limit": limit,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-W", "ignore", __file__],
            input=json.dumps(request).encode("ascii"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout,
            check=True,
        )
    except subprocess.TimeoutExpired:
        return None
    return tuple(Place(text, line) for text, line in json.loads(done.stdout))


def _serve() -> None:
    request = json.loads(sys.stdin.buffer.read())
    search = re.compile(request["pattern"], request["flags"]).search
    found: list[list[int]] = []
    for index, lines in enumerate(request["texts"]):
        found.extend([index, number] for number, line in enumerate(lines) if search(line))
        if len(found) >= request["limit"]:
            break
    sys.stdout.write(json.dumps(found[: request["limit"]]))


if __name__ == "__main__":
    _serve()
