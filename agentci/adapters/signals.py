"""Signals that ask a process to end, taken as if the user had pressed Ctrl-C.

A CI job that is cancelled gets SIGTERM, a closed terminal SIGHUP. Must not know what is stopped.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_interrupts() -> Iterator[None]:
    """Treat requests to end like Ctrl-C inside the block; one that is ignored stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [number for number in _ENDING if signal.getsignal(number) == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        raise KeyboardInterrupt  # as in the background of a shell, where nobody presses Ctrl-C
    signal.raise_signal(signal.SIGINT)
