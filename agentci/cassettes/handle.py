"""What a program can ask a cassette while it is in use. Must not know how calls are intercepted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.core.errors import UsageError
from agentci.record.tape import ROOM_FOR_BODIES

if TYPE_CHECKING:
    from agentci.app.in_process import TapeInUse
    from agentci.core.errors import AgentciError


@dataclass(frozen=True, slots=True)
class TapedRequest:
    """A request that the program has made."""

    method: str
    uri: str
    _body: bytes | None

    @property
    def body(self) -> bytes:
        """What was sent.

        Raises:
            UsageError: when so much was sent since that it is not remembered.
        """
        if self._body is None:
            raise UsageError(
                f"the body of this request to `{self.uri}` is not remembered any more",
                code="ACI-U194",
                hint=f"the last {ROOM_FOR_BODIES // 1024 // 1024} MB of bodies are; look earlier",
            )
        return self._body


class Cassette:
    """A cassette in use."""

    def __init__(self, in_use: TapeInUse) -> None:
        """Show what goes on in `in_use`."""
        self._in_use = in_use

    @property
    def folder(self) -> Path:
        """Where the recordings are."""
        return self._in_use.request.folder

    @property
    def requests(self) -> tuple[TapedRequest, ...]:
        """What the program has asked for, as issued."""
        calls = self._in_use.tape.calls
        return tuple(TapedRequest(each.method, each.url, each.body) for each in calls)

    @property
    def play_count(self) -> int:
        """How many answers came from recordings."""
        return sum(call.is_played for call in self._in_use.tape.calls)

    @property
    def recorded(self) -> int:
        """How many answers are new."""
        return self._in_use.tape.recorded

    @property
    def all_played(self) -> bool:
        """Whether every recording has been asked for."""
        return not self._in_use.tape.unplayed()

    @property
    def failures(self) -> tuple[AgentciError, ...]:
        """What went wrong so far, whatever the program made of it."""
        return tuple(self._in_use.tape.failures)

    def __len__(self) -> int:
        return len(self._in_use.tape.calls)
