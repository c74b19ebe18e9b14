"""Regular expressions of a suite, matched in a process that can be killed.

Python's `re` may take exponential time, and nothing in this process could stop it. A process is
started once and kept, since starting one takes longer than nearly every match.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_CHILD: Final = Path(__file__).with_name("pattern_child.py")


@dataclass(slots=True)
class PatternProcess:
    """A process that matches; may be asked from several threads, and answers one at a time."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _child: subprocess.Popen[bytes] | None = None

    def find(
        self, pattern: str, texts: Sequence[str], *, flags: int, seconds: float
    ) -> frozenset[int] | None:
        """Return the indices of the texts in which `pattern` is found; None after `seconds`.

        `pattern` must be a valid regular expression.
        """
        request = json.dumps({"pattern": pattern, "texts": list(texts), "flags": flags})
        with self._lock:
            reply = self._ask(request.encode("ascii") + b"\n", seconds)
        return None if reply is None else frozenset(json.loads(reply))

    def close(self) -> None:
        """End the process, if there is one; the next question starts another."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not sent any more
                    pipe.close()
        child.wait()

    def _ask(self, request: bytes, seconds: float) -> bytes | None:
        child = self._started()
        assert child.stdin is not None
        assert child.stdout is not None
        expired = threading.Event()

        def end() -> None:
            expired.set()
            child.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        reply = b""
        try:
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(request)
                child.stdin.flush()
                reply = child.stdout.readline()
        finally:
            timer.cancel()
            timer.join()
            if expired.is_set() or not reply:
                self.close()
        return reply or None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is not None:
            self.close()  # somebody else has ended it
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-S", "-W", "ignore", str(_CHILD)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._child


PROCESS: Final = PatternProcess()
"""The one that all scorers of this process share."""

atexit.register(PROCESS.close)
