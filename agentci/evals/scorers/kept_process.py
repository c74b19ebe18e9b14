"""Programs of ours that answer one request a line, in a process that can be killed.

What a regular expression does to a hostile text may take exponential time, and nothing in this
process could stop it. A process is started once and kept, since that takes longer than nearly every
answer.
"""

from __future__ import annotations

import atexit
import contextlib
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class KeptProcess:
    """A process of one program; may be asked from several threads, and answers one at a time."""

    program: Path
    """Reads a line, writes a line, and ends with its input."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _child: subprocess.Popen[bytes] | None = None

    def ask(self, request: bytes, *, seconds: float) -> bytes | None:
        """Return the line that answers the line `request`; None after `seconds`."""
        with self._lock:
            return self._ask(request + b"\n", seconds)

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
                [sys.executable, "-I", "-S", "-W", "ignore", str(self.program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._child


def kept_process(program: str) -> KeptProcess:
    """Return a process of the file `program` beside this one, ended when we end."""
    process = KeptProcess(Path(__file__).with_name(program))
    atexit.register(process.close)
    return process
