"""Streams of answers for httpx and httpx2: one that keeps what passes, one that replays chunks.

The classes have the module's own for their bases, so they are made for each of the two. Must not
know requests or tapes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from agentci.adapters.reels import still


class Keeper(Protocol):
    """Who takes an answer, or hears that there is none."""

    def keep(self, response: dict[str, Any], chunks: tuple[bytes, ...], *, cut: bool) -> None:
        """Keep an answer in vcrpy's form."""

    def give_up(self) -> None:
        """Take note that there is none."""

    def taking_in(self, intake: Intake) -> None:
        """Take note that an answer is being read."""

    def taken_in(self, intake: Intake) -> None:
        """Take note that it has been."""


@dataclass(eq=False, slots=True)
class Intake:
    """What has been read of an answer so far."""

    response: Any
    keeper: Keeper
    chunks: list[bytes] = field(default_factory=list)
    is_over: bool = False

    def end(self, *, cut: bool) -> None:
        """Keep what has arrived, once."""
        if self.is_over:
            return
        self._over()
        response = self.response
        headers: dict[str, list[str]] = {}
        for name, value in response.headers.multi_items():
            headers.setdefault(name, []).append(value)
        chunks = tuple(chunk for chunk in self.chunks if chunk)
        self.keeper.keep(
            {
                "status": {"code": response.status_code, "message": response.reason_phrase},
                "headers": headers,
                "body": {"string": b"".join(chunks)},
            },
            chunks,
            cut=cut,
        )

    def fail(self) -> None:
        """Take note that the answer broke off."""
        if not self.is_over:
            self._over()
            self.keeper.give_up()

    def _over(self) -> None:
        self.is_over = True
        self.keeper.taken_in(self)


class _Tee:
    def __init__(self, stream: Any, intake: Intake) -> None:
        self._stream = stream
        self._intake = intake

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._stream:
                self._intake.chunks.append(chunk)
                yield chunk
        except GeneratorExit:
            raise
        except BaseException:
            self._intake.fail()
            raise
        self._intake.end(cut=False)

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self._intake.end(cut=True)


class _AsyncTee:
    def __init__(self, stream: Any, intake: Intake) -> None:
        self._stream = stream
        self._intake = intake

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            iterator = self._stream.__aiter__()
            while True:
                with still():
                    chunk = await anext(iterator, None)
                if chunk is None:
                    break
                self._intake.chunks.append(chunk)
                yield chunk
        except GeneratorExit:
            raise
        except BaseException:
            self._intake.fail()
            raise
        self._intake.end(cut=False)

    async def aclose(self) -> None:
        try:
            with still():
                await self._stream.aclose()
        finally:
            self._intake.end(cut=True)


class _Replayed:
    def __init__(self, chunks: tuple[bytes, ...]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


@dataclass(frozen=True, slots=True)
class Streams:
    """The classes of streams for one of the two modules."""

    tee_class: Any
    async_tee_class: Any
    replayed: Any

    def tee(self, response: Any, keeper: Keeper) -> Any:
        """Return `response`, which `keeper` gets while it is read."""
        return self._taken_in(response, keeper, self.tee_class)

    def async_tee(self, response: Any, keeper: Keeper) -> Any:
        """Return `response`, which `keeper` gets while it is read."""
        return self._taken_in(response, keeper, self.async_tee_class)

    def _taken_in(self, response: Any, keeper: Keeper, stream: Any) -> Any:
        intake = Intake(response, keeper)
        keeper.taking_in(intake)
        if hasattr(response, "_content"):  # made whole, by a transport that has no network
            intake.chunks.append(response.content)
            intake.end(cut=False)
            return response
        response.stream = stream(response.stream, intake)
        return response


def streams_of(module: Any) -> Streams:
    """Return the classes for `httpx` or `httpx2`."""
    sync, both = module.SyncByteStream, module.AsyncByteStream
    return Streams(
        tee_class=type("Tee", (_Tee, sync), {}),
        async_tee_class=type("AsyncTee", (_AsyncTee, both), {}),
        replayed=type("Replayed", (_Replayed, sync, both), {}),
    )
