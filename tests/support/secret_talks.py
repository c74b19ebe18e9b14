"""A conversation with secrets in it, recorded and replayed the way the gateway does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentci.adapters.files import LocalFiles
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane
from agentci.record.interaction import Interaction
from agentci.record.keys import interaction_key
from agentci.record.redact import OnSecret
from agentci.record.session import Mode, RecordingSession
from tests.support.recordings import request_of, response_of, user

FILES = LocalFiles()
PLAN = Lane("plan")
ALLOW_ALL = """\
format: agentci/secret-allow
version: 1
allow:
  - path: "*"
    reason: only to have such recordings for a test
"""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a run knows that its recordings must not."""

    given: str
    """In the prompt; the model repeats it."""
    made: str
    """The model comes up with it."""
    read: str
    """In the output of a tool."""


def open_talk(folder: Path, mode: Mode, on_secret: OnSecret = OnSecret.REFUSE) -> RecordingSession:
    return RecordingSession(FILES, folder, mode=mode, on_secret=on_secret)


def ask(
    session: RecordingSession, request: JsonObject, answer: JsonObject, lane: Lane
) -> JsonObject:
    """Return the answer as a run sees it."""
    request = session.as_recorded(request, lane)
    address = session.reserve(lane, interaction_key(request))
    found = session.lookup(address)
    if found is not None:
        return found.response
    if not session.can_record:
        raise session.miss(address, request, "model")
    return session.append(Interaction(address, "model", request, answer)).response


def talk(session: RecordingSession, secrets: Secrets, lane: Lane = PLAN) -> list[str]:
    """Hold the conversation and return what the model said."""
    answers = (
        f"You gave me {secrets.given}; I have made {secrets.made} for you.",
        f"The tool says {secrets.read}, not {secrets.made}.",
        f"So keep {secrets.given} and {secrets.read}.",
    )
    results = (f"KEY={secrets.read}\nother text", f"again {secrets.read} and {secrets.given}")
    messages: list[JsonValue] = [user(f"Use {secrets.given} for the deployment. " + "Text. " * 60)]
    said: list[str] = []
    for turn, text in enumerate(answers):
        answer = response_of({"role": "assistant", "content": text}, turn)
        response: Any = ask(session, request_of(*messages), answer, lane)
        content = response["body"]["choices"][0]["message"]["content"]
        said.append(content)
        messages.append({"role": "assistant", "content": content})
        messages.append(user(results[turn] if turn < len(results) else "done"))
    return said


def record_unguarded(folder: Path, secrets: Mapping[Lane, Secrets]) -> None:
    """Record with the secrets in it, as releases with fewer rules did."""
    allow = folder.parent / "secrets.allow.yaml"
    allow.parent.mkdir(parents=True, exist_ok=True)
    allow.write_text(ALLOW_ALL)
    session = open_talk(folder, Mode.RECORD)
    for lane, known in secrets.items():
        talk(session, known, lane)
    session.seal()
    session.close()
    allow.unlink()


def content_of(folder: Path) -> bytes:
    """Return all bytes below a folder."""
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
