"""Who works in a folder at the same time, by advisory locks on the folder itself.

Everybody in a folder holds a shared lock on it. Whoever finds others there, on coming or on going,
leaves a mark, so that those who stay longer know; the last one takes the mark away. So a folder in
which one works alone holds no file of ours, and a killed process is in nobody's way. Knows nothing
of what the folder is for.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

MARK: Final = "shared"
"""How the mark's name ends."""


class LocalPresence:
    """Implements `agentci.core.presence.Presence`."""

    def __init__(self, folder: Path, mark: Path) -> None:
        """Enter `folder`. Waits while one who is alone there keeps others out.

        Raises:
            OSError: when there is no such folder, or it cannot be opened.
        """
        self._folder = folder
        self._mark = mark
        self._process = os.getpid()
        self._descriptor: int | None = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        self._was_alone = self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB)
        if self._was_alone:
            self._take_mark_away()  # of somebody who was killed
        self._lock(fcntl.LOCK_SH)
        if not self._was_alone:
            self._leave_mark()

    def is_alone(self) -> bool:
        """Say whether nobody else has been there since; if so, all others wait until `leave`."""
        if self._descriptor is None or not self._was_alone:
            return False
        if not self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
            self._lock(fcntl.LOCK_SH)  # the attempt has given up what was held
            return False
        return not self._mark.exists() and self._is_same_folder()

    def leave(self) -> None:
        """End the stay; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        if os.getpid() == self._process:  # a forked child shares the lock, and must not drop it
            alone = fcntl.LOCK_EX | fcntl.LOCK_NB
            if not self._locked(descriptor, alone):
                # the attempt has given up what was held, and a mark that is left without a lock
                # could come after the last one has looked for it
                self._locked(descriptor, fcntl.LOCK_SH)
                self._leave_mark()
            if self._locked(descriptor, alone):
                self._take_mark_away()
            self._locked(descriptor, fcntl.LOCK_UN)  # also where such a child is still there
        os.close(descriptor)

    def __del__(self) -> None:
        """Leave, where somebody who failed has not."""
        if getattr(self, "_descriptor", None) is not None:
            self.leave()

    def _is_same_folder(self) -> bool:
        assert self._descriptor is not None
        held = os.fstat(self._descriptor)
        try:
            named = self._folder.stat()
        except OSError:
            return False
        return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)

    def _leave_mark(self) -> None:
        # who cannot write here records nothing that others have to know of
        with suppress(OSError):
            self._mark.touch()

    def _take_mark_away(self) -> None:
        with suppress(OSError):
            self._mark.unlink()

    def _lock(self, operation: int) -> bool:
        assert self._descriptor is not None
        return self._locked(self._descriptor, operation)

    @staticmethod
    def _locked(descriptor: int, operation: int) -> bool:
        """Lock; False where others are in the way and waiting was not asked for."""
        try:
            fcntl.flock(descriptor, operation)
        except BlockingIOError:
            return False
        except OSError:
            return True  # some network and shared folders have no locks, or none on folders
        return True
