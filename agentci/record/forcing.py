"""Forcing recordings to the disk behind the back of whoever makes them.

What was written survives a killed process as it is; only a power cut takes what was not forced
out. One fsync costs more than all the rest of a recording, so those of many calls are one.
"""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from agentci.core.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

    from agentci.core.effects import Files

DELAY: Final = 0.25
"""Seconds after a write at which it is forced out at the latest, together with all others."""

THREAD: Final = "agentci-forcing"
"""Name of the thread that does it, while there is something to do."""


class Forcing:
    """Forces files to the disk, at most once in `DELAY` seconds. Works the same from any thread."""

    __slots__ = ("_ends", "_failure", "_files", "_lock", "_thread", "_written")

    def __init__(self, files: Files) -> None:
        """Have nothing to do yet."""
        self._files = files
        self._lock = Lock()
        self._ends = Event()
        self._written: dict[Path, None] = {}
        self._thread: Thread | None = None
        """Is there while something is to be forced out."""
        self._failure: StorageError | None = None

    def wrote(self, path: Path) -> None:
        """Force `path`, to which something was appended, to the disk within `DELAY` seconds.

        Raises:
            StorageError: when an earlier file could not be forced out.
        """
        with self._lock:
            self._raise_failure()
            self._written[path] = None
            # A process that was forked has no thread, whatever its parent had.
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._run, name=THREAD, daemon=True)
                self._thread.start()

    def finish(self) -> None:
        """Return when everything is on the disk; a second call does nothing.

        Raises:
            StorageError: when something could not be forced out.
        """
        with self._lock:
            thread = self._thread
        if thread is not None:
            self._ends.set()
            thread.join()
            self._ends.clear()
        self._force()
        with self._lock:
            self._raise_failure()

    def _run(self) -> None:
        while True:
            self._ends.wait(DELAY)
            self._force()
            with self._lock:
                if not self._written or self._ends.is_set():
                    self._thread = None
                    return

    def _force(self) -> None:
        with self._lock:
            written, self._written = self._written, {}
        for path in written:
            try:
                self._files.force(path)
            except StorageError as error:
                with self._lock:
                    self._failure = self._failure or error

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
