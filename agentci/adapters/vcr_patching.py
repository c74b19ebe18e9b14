"""Interception of the HTTP clients of this process: vcrpy patches them, our tapes answer.

One switchboard, a `vcr.cassette.Cassette`, is patched in while any tape is in use and sends each
call to the tape of its task or thread. httpx and httpx2 get handlers of our own that let streams
pass; requests, urllib3, http.client, botocore, aiohttp, httplib2 and tornado have vcrpy's, which
read an answer whole. Must not decide what is recorded.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from copy import deepcopy
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType
from typing import Any, Final
from unittest import mock

from vcr import VCR, patch
from vcr.cassette import Cassette
from vcr.request import Request

from agentci.adapters import aiohttp_bodies, httpx_taping
from agentci.adapters.httpx_streams import Intake
from agentci.adapters.private_http_client import private_patches
from agentci.adapters.reels import REELS, Reel
from agentci.adapters.spawn_lanes import process_lanes
from agentci.adapters.vcr_messages import http_answer, sent_request, vcr_response
from agentci.core.errors import AgentciError
from agentci.core.lane import current_scope, enter_scope
from agentci.record.tape import Call, SentRequest, Tape

_CALL: Final = "_agentci_call"
_installed = ExitStack()


@contextmanager
def intercepted(tape: Tape, options: Mapping[str, Any]) -> Iterator[None]:
    """Answer the HTTP calls of this process from `tape`, until the block is left.

    `options` are those of vcrpy's `use_cassette` that change requests and answers. Blocks may
    nest, and run side by side in tasks and threads.
    """
    config = VCR().get_merged_config(path="agentci", **options)
    filters = any(name.startswith(("filter_", "ignore_", "before_record")) for name in options)
    reel = Reel(
        tape,
        before_request=config["before_record_request"] if filters else None,
        before_response=config["before_record_response"],
    )
    before = current_scope()
    with REELS.lock:
        if REELS.put_in(reel):
            _install()
    enter_scope(reel.scope)
    try:
        yield
    finally:
        enter_scope(before)
        for intake in list(reel.intakes):
            with suppress(AgentciError):  # the tape remembers it
                intake.end(cut=True)
        with REELS.lock:
            if REELS.take_out(reel):
                _installed.close()


@dataclass(frozen=True, slots=True)
class _Place:
    """A request and who sends it: what comes twice from one place is a second try."""

    caller: tuple[int, int]
    method: str
    url: str
    body: bytes


@dataclass(eq=False, slots=True)
class Started:
    """A call that has been issued, with the reel that it belongs to."""

    reel: Reel
    call: Call

    def keep(
        self, response: dict[str, Any], chunks: tuple[bytes, ...] = (), *, cut: bool = False
    ) -> None:
        """Keep an answer in vcrpy's form."""
        kept = (
            self.reel.before_response(deepcopy(response)) if self.reel.before_response else response
        )
        if kept is None:
            self.give_up()
            return
        answer = http_answer(kept, chunks)
        self.reel.tape.keep(self.call, answer, cut=cut, bounded=answer.chunks == chunks)

    def give_up(self) -> None:
        """Take note that there is no answer, or none to keep."""
        self.reel.tape.give_up(self.call)

    def taking_in(self, intake: Intake) -> None:
        """Note that an answer is being read; what there is of it at the end is kept."""
        self.reel.intakes.append(intake)

    def taken_in(self, intake: Intake) -> None:
        """Note that an answer has been read."""
        self.reel.intakes.remove(intake)


class Switchboard(Cassette):  # type: ignore[misc]  # vcrpy has no types
    """What vcrpy takes for a cassette. Finds nothing by itself and stores nothing."""

    def __init__(self) -> None:
        """Take part in no file."""
        super().__init__("agentci")
        self._sent: dict[_Place, Started] = {}
        self._lock = threading.RLock()

    @property
    def write_protected(self) -> bool:
        """Never: what may not be recorded is a miss already."""
        return False

    def begin(self, sent: SentRequest) -> Started | None:
        """Issue a call; None where it is not taped."""
        __tracebackhide__ = True
        reel = REELS.current()
        if reel is None:
            return None
        if reel.before_request is not None:
            filtered = reel.before_request(
                Request(sent.method, sent.url, sent.body, dict(sent.headers))
            )
            if not filtered:
                return None
            sent = sent_request(filtered)
        return Started(reel, reel.issue(sent))

    def can_play_response_for(self, request: Any) -> bool:
        """Say whether there is a recording; the first question for a request issues it."""
        started = self._started(request)
        return started is not None and started.call.answer is not None

    def play_response(self, request: Any) -> dict[str, Any]:
        """Return the recording of a request."""
        started = self._started(request)
        if started is None or started.call.answer is None:
            message = "vcrpy asks for a recording that there is not"
            raise LookupError(message)
        return vcr_response(started.call.answer)

    def append(self, request: Any, response: dict[str, Any]) -> None:
        """Keep the answer to a request, or to one that a client has followed by itself."""
        sent = sent_request(request)
        place = _Place(_caller(), sent.method, sent.url, sent.body)
        with self._lock:
            started = self._sent.pop(place, None)
        if started is None:
            started = getattr(request, _CALL, None) or self.begin(sent)
        if started is not None and started.call.answer is None:
            started.keep(response)

    def filter_request(self, request: Any) -> Any:
        """Return the request; what is left out has been already."""
        return request

    def find_requests_with_most_matches(self, request: Any) -> list[Any]:  # noqa: ARG002 - vcrpy's
        """Return nothing: a request is what it is."""
        return []

    def __contains__(self, request: Any) -> bool:
        return self.can_play_response_for(request)

    def _load(self) -> None:
        """Do nothing: tapes read their own files."""

    def _save(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - vcrpy's signature
        """Do nothing: tapes write as they go."""

    def _started(self, request: Any) -> Started | None:
        """Return the call that `request` is; issue it if it is none yet."""
        if not hasattr(request, _CALL):
            sent = sent_request(request)
            place = _Place(_caller(), sent.method, sent.url, sent.body)
            with self._lock:
                before = self._sent.pop(place, None)
            if before is not None:  # it has failed, and its caller tries again
                before.give_up()
            started = self.begin(sent)
            setattr(request, _CALL, started)
            if started is not None and started.call.answer is None:
                with self._lock:
                    self._sent[place] = started
        known: Started | None = getattr(request, _CALL)
        return known


def check_version() -> str | None:
    """Say why the installed vcrpy does not do, or return None."""
    version = metadata.version("vcrpy")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if not (8, 3) <= numbers < (10,) or not hasattr(patch.CassettePatcherBuilder, "_httpx2"):
        return f"vcrpy {version} is installed; it takes one from 8.3 to below 10"
    return None


class _Builder(patch.CassettePatcherBuilder):  # type: ignore[misc]  # vcrpy has no types
    """vcrpy's patches, without those that have replacements here."""

    def _httplib(self) -> tuple[()]:
        return ()

    def _httpx(self) -> tuple[()]:
        return ()

    def _httpx2(self) -> tuple[()]:
        return ()


def _install() -> None:
    board = Switchboard()
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(patch, "force_reset", _reset_for(patch.force_reset)))
        for patcher in _Builder(board).build():
            stack.enter_context(patcher)
        for each in private_patches(board):
            stack.enter_context(mock.patch.object(each.target, each.name, each.replacement))
        for module in _loaded("httpx", "httpx2"):
            for one in httpx_taping.patches(module, board):
                stack.enter_context(mock.patch.object(one.target, one.name, one.replacement))
        stack.enter_context(aiohttp_bodies.patched())
        stack.enter_context(process_lanes(REELS.scope))
        _installed.push(stack.pop_all())


def _loaded(*names: str) -> Iterator[ModuleType]:
    for name in names:
        if name in vars(patch):  # vcrpy has found it
            yield sys.modules[name]


def _reset_for(original: Callable[[], AbstractContextManager[None]]) -> Callable[[], Any]:
    """Return what vcrpy's stubs call to have the real classes for a moment.

    The original takes all patches away for all threads, so that another thread's call goes to the
    network. Only httplib2's classes need it; the others do without.
    """

    def force_reset() -> AbstractContextManager[None]:
        stub = sys._getframe(1).f_locals.get("self")  # noqa: SLF001 - there is no argument
        base = getattr(type(stub), "_baseclass", None)
        if base is not None and base.__module__.startswith("httplib2"):
            return original()
        return nullcontext()

    return force_reset


def _caller() -> tuple[int, int]:
    """Return what tells callers apart: the thread, and the task in it."""
    task = 0
    if "asyncio" in sys.modules:
        asyncio: Any = sys.modules["asyncio"]
        if asyncio._get_running_loop() is not None:  # noqa: SLF001 - the public one raises
            task = id(asyncio.current_task())
    return threading.get_ident(), task
