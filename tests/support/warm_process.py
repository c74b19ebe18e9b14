"""Answers calls of the command line by forking a process that has imported it already.

    python -m tests.support.warm_process SOCKET

To start an interpreter and to import is most of what a call costs, so the tests of a worker share
one that did. Every call is a process of its own still, with its own folder, environment, streams
and end, and runs `__main__` from its first line. What a fork cannot show is left to tests that
start Python themselves: what is imported when, and what an interpreter reads as it starts.

A message on the socket brings four descriptors: the call as JSON, its stdout, its stderr, and a
socket that gets the process id at once, and the exit code, negative for a signal, in the end.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import agentci

_NOT_ALONE = ("__main__", "pytest_plugin", "sitecustomize")
"""Modules that do something when they are imported, or need pytest."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a forked process is to become."""

    module: str
    arguments: Sequence[str]
    folder: str
    env: dict[str, str]

    def begin(self) -> None:
        """Run the module as `python -m MODULE ARGUMENT...` does."""
        os.chdir(self.folder)
        kept = {name: os.environ[name] for name in ("LC_CTYPE",) if name in os.environ}
        os.environ.clear()
        os.environ.update({**kept, **self.env})  # an interpreter sets that one as it starts
        sys.path[0] = self.folder
        sys.argv = [self.module, *self.arguments]
        runpy.run_module(self.module, run_name="__main__", alter_sys=True)


def _import_everything() -> None:
    for found in pkgutil.walk_packages(agentci.__path__, "agentci."):
        if not any(part in _NOT_ALONE for part in found.name.split(".")):
            with suppress(Exception):  # a call that needs it will say so
                __import__(found.name)
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page


def _serve(control: socket.socket) -> Call | None:
    """Fork for each call; return what to run in the child, and None when nobody is left to ask."""
    woken, wake = socket.socketpair()
    woken.setblocking(False)
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(wake.fileno())
    waiting: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                woken.recv(4096)
                _tell_ends(waiting)
            if control not in ready:
                continue
            message, descriptors, _, _ = socket.recv_fds(control, 1, 4)
            if not message:
                return None
            request, out, err, answer = descriptors
            pid = os.fork()
            if pid == 0:
                break
            for descriptor in (request, out, err):
                os.close(descriptor)
            waiting[pid] = socket.socket(fileno=answer)
            _tell(waiting[pid], pid)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with os.fdopen(request, encoding="utf-8") as file:
        call = Call(**json.load(file))
    os.dup2(out, 1)
    os.dup2(err, 2)
    for descriptor in (out, err, answer):
        os.close(descriptor)
    for each in (control, woken, wake, *waiting.values()):
        each.close()
    return call


def _tell_ends(waiting: dict[int, socket.socket]) -> None:
    while waiting:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with waiting.pop(pid) as answer:
            _tell(answer, os.waitstatus_to_exitcode(status))


def _tell(answer: socket.socket, number: int) -> None:
    with suppress(BrokenPipeError):  # whoever asked may not have waited
        answer.sendall(b"%d\n" % number)


if __name__ == "__main__":
    _import_everything()
    with socket.socket(fileno=int(sys.argv[1])) as inherited:
        asked = _serve(inherited)
    if asked is not None:
        asked.begin()
