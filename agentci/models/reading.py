"""Reading answers that nobody here wrote: typed access to untrusted JSON, and what went wrong.

Knows JSON, events and the error shapes that endpoints share; no dialect's fields.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from agentci.core.digest import digest_json, short
from agentci.core.errors import ProviderError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.wire import WireResponse
from agentci.models.dialect import UNPARSED_ARGUMENTS
from agentci.models.sse import parse_sse

MALFORMED = "ACI-E111"
"""The answer is not what the wire format promises."""
FAILED = "ACI-E112"
"""The endpoint answered with an error, as the whole answer or in the middle of a stream."""
CUT_SHORT = "ACI-E113"
"""The stream ended before the answer did."""
UNREADABLE_CONTENT = "ACI-E114"
"""The answer carries content of a kind that agentci does not read."""

_LONGEST_TEXT = 500
_DEEPEST = 200
"""Levels of nesting. Deeper answers are no answers, and everything after this recurses."""
_SYNTHETIC = "agentci-"


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON value of an answer and the place where it stands.

    Missing and null are the same. A value of another type than asked for is a `ProviderError`
    that names the place, so that no shape of an answer ends in a traceback.
    """

    value: JsonValue
    path: str = "answer"

    @property
    def present(self) -> bool:
        """Whether there is a value other than null."""
        return self.value is not None

    def child(self, key: str) -> Node:
        """Return the member `key` of an object."""
        return Node(self.object().get(key), f"{self.path}.{key}")

    def object(self) -> JsonObject:
        """Return the object; empty where it is missing."""
        if self.value is None:
            return {}
        if not isinstance(self.value, (dict, Mapping)):  # the first is nearly all, and quick
            self.refuse("an object")
        return self.value

    def items(self) -> tuple[Node, ...]:
        """Return the members of a list; none where it is missing."""
        if self.value is None:
            return ()
        if isinstance(self.value, str) or not isinstance(self.value, (list, Sequence)):
            self.refuse("a list")
        return tuple(Node(item, f"{self.path}[{i}]") for i, item in enumerate(self.value))

    def text(self) -> str:
        """Return the text; empty where it is missing."""
        if self.value is None:
            return ""
        if not isinstance(self.value, str):
            self.refuse("a text")
        return self.value

    def count(self) -> int:
        """Return the number of tokens or an index; 0 where it is missing."""
        if self.value is None:
            return 0
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.refuse("a number")
        if not 0 <= self.value <= 2**53:
            self.refuse("a number of tokens")
        return int(self.value)

    def refuse(self, wanted: str) -> NoReturn:
        """Raise that the value is not what was wanted."""
        shown = json.dumps(self.value, default=str)
        raise malformed(f"`{self.path}` is `{shown[:80]}`, not {wanted}")


Assemble: TypeAlias = Callable[[Iterable[Node]], Node]
"""Builds from the events of a stream the answer that would have come without streaming."""


def malformed(what: str) -> ProviderError:
    """Return the error for an answer that is not of its format."""
    return ProviderError(
        f"the endpoint's answer is malformed: {what}",
        code=MALFORMED,
        hint="check that the endpoint's base URL is one for this provider",
    )


def cut_short(what: str) -> ProviderError:
    """Return the error for a stream that ended early."""
    return ProviderError(
        f"the endpoint's stream ended early: {what}",
        code=CUT_SHORT,
        hint="try again; nothing of this answer was kept",
    )


def unreadable(what: str) -> ProviderError:
    """Return the error for content of a kind that a neutral answer has no part for."""
    return ProviderError(
        f"the model answered with {what}, which agentci does not read",
        code=UNREADABLE_CONTENT,
        hint="ask for text answers only in the model's `parameters`",
    )


def failed(value: JsonValue) -> ProviderError:
    """Return the error for an error object that came with status 200 or inside a stream."""
    return ProviderError(f"the endpoint failed: {_describe(value)}", code=FAILED)


def read_answer(response: WireResponse, assemble: Assemble) -> Node:
    """Return the whole answer of a response; `assemble` joins the events of a stream.

    Raises:
        ProviderError: for a status other than 2xx, an error in the answer, and what is not JSON.
    """
    require_success(response)
    if is_stream(response):
        answer = assemble(read_events(response))
    else:
        body = _value_of(response)
        # A stream that its client did not ask to be one of events comes as a list.
        chunks = Node(body).items() if isinstance(body, list) else ()
        answer = assemble(_without_errors(chunks)) if chunks else Node(_without_error(Node(body)))
    # what a recording has as JSON was valid Unicode when it was written
    if response.value is None and b"\\ud" in response.body.lower():
        return Node(_repaired(answer.value), answer.path)
    return answer


def require_success(response: WireResponse) -> None:
    """Raise `ProviderError` for a status other than 2xx."""
    if not 200 <= response.status < 300:
        raise ProviderError(
            f"the endpoint answered with status {response.status}: {error_text(response)}",
            code=FAILED,
        )


def is_stream(response: WireResponse) -> bool:
    """Tell whether the body is a stream of events; some servers do not say so in the header."""
    if response.headers.get("content-type", "").lower().startswith("text/event-stream"):
        return True
    if response.value is not None:
        return False
    return response.body.lstrip().startswith((b"data:", b"event:", b": "))


def read_json(data: bytes) -> JsonValue:
    """Return the parsed JSON of a body.

    Raises:
        ProviderError: when it is not JSON in UTF-8, or nests too deep to be an answer.
    """
    try:
        return _parse(data)
    except (ValueError, RecursionError):
        start = one_line(data.decode("utf-8", "replace"))[:80]
        raise malformed(f"`{start}` is not JSON" if start else "the body is empty") from None


def _value_of(response: WireResponse) -> JsonValue:
    if response.value is None:
        return read_json(response.body)
    try:
        _refuse_depth(response.value)
    except ValueError as error:
        raise malformed(f"the recorded body has {error}") from None
    return response.value


def read_events(response: WireResponse) -> Iterator[Node]:
    """Yield the JSON object in each event's data, up to `[DONE]`; an error in one is raised."""
    for number, event in enumerate(parse_sse(response.chunks), start=1):
        if event.data.strip() == "[DONE]":
            return
        if event.data.strip():
            node = Node(read_json(event.data.encode()), f"event {number}")
            _without_error(node)
            yield node


def _without_errors(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        _without_error(node)
        yield node


def _without_error(node: Node) -> JsonObject:
    body = node.object()
    if body.get("error"):
        raise failed(body["error"])
    if body.get("object") == "error":  # some servers put the error's fields beside each other
        raise failed(body)
    return body


def read_arguments(text: str) -> JsonObject:
    """Return a tool call's arguments from their JSON text, see `UNPARSED_ARGUMENTS`."""
    if not text.strip():
        return {}
    try:
        value = _repaired(_parse(text))
    except (ValueError, RecursionError):
        return {UNPARSED_ARGUMENTS: text}
    if value is None:
        return {}
    return value if isinstance(value, Mapping) else {UNPARSED_ARGUMENTS: text}


def synthetic_call_id(answer_id: str, index: int, name: str, arguments: JsonObject) -> str:
    """Return an id for a tool call that the provider gave none; the same answer, the same id."""
    digest = digest_json([answer_id, index, name, arguments])
    return f"{_SYNTHETIC}{short(digest)}"


def is_synthetic(call_id: str) -> bool:
    """Tell whether `call_id` was made here and means nothing to the provider."""
    return call_id.startswith(_SYNTHETIC)


def error_text(response: WireResponse) -> str:
    """Return what the endpoint says went wrong, in one line of at most 500 characters."""
    body = b"".join(response.chunks)
    try:
        value = _parse(body)
    except (ValueError, RecursionError):
        for event in parse_sse(response.chunks):
            try:
                value = _parse(event.data)
            except (ValueError, RecursionError):
                continue
            return _describe(value)
        return one_line(body.decode("utf-8", "replace")) or "no explanation"
    return _describe(value)


def one_line(text: str) -> str:
    """Return `text` with white space collapsed and cut to what fits an error message."""
    line = _repaired_text(" ".join(text[: 4 * _LONGEST_TEXT].split()))
    return line if len(line) <= _LONGEST_TEXT else f"{line[: _LONGEST_TEXT - 1]}…"


def _describe(value: JsonValue) -> str:
    """Find the message in the error shapes of the providers: nested, flat, text or list."""
    if isinstance(value, str):
        return one_line(value) or "no explanation"
    if isinstance(value, Sequence) and value:
        return _describe(value[0])
    if not isinstance(value, Mapping):
        return "no explanation"
    for key in ("error", "message", "detail", "msg"):
        inner = value.get(key)
        if inner and not isinstance(inner, bool | int | float):
            kind = value.get("type") or value.get("status") or value.get("code")
            text = _describe(inner)
            shown = isinstance(kind, str) and key != "error" and kind not in text
            return f"{text} ({one_line(str(kind))})" if shown else text
    return one_line(json.dumps(value, ensure_ascii=False))


def _parse(data: str | bytes) -> JsonValue:
    """Parse JSON as the standard has it, without NaN and without numbers that overflow."""
    value: JsonValue = json.loads(data, parse_constant=_refuse_number, parse_float=_finite)
    _refuse_depth(value)
    return value


def _refuse_depth(value: JsonValue) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(_DEEPEST):
        if not level:
            return
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    msg = f"more than {_DEEPEST} levels"
    raise ValueError(msg)


def _refuse_number(name: str) -> NoReturn:
    msg = f"`{name}` is not a JSON number"
    raise ValueError(msg)


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse_number(text)


def _repaired(value: JsonValue) -> JsonValue:
    """Make every text valid Unicode, since requests and recordings can carry no other."""
    if isinstance(value, str):
        return _repaired_text(value)
    if isinstance(value, Mapping):
        return {_repaired_text(key): _repaired(inner) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [_repaired(inner) for inner in value]
    return value


def _repaired_text(text: str) -> str:
    """Join surrogates that a stream cut apart, and replace those that stand alone."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
