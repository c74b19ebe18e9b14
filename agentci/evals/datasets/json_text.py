"""Strict JSON: no key twice, no NaN, no number that would become infinity. Knows no dataset."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from agentci.evals.datasets.rows import finite, refuse

if TYPE_CHECKING:
    from agentci.core.json_types import JsonValue

_MAX_DIGITS = 1000


def decoder() -> json.JSONDecoder:
    """Return a decoder that raises ValueError, in our words, for what JSON does not have."""
    return json.JSONDecoder(
        object_pairs_hook=_mapping, parse_constant=_constant, parse_float=finite, parse_int=_integer
    )


def decode_text(data: bytes, *, file: str, line: int = 1) -> str:
    """Return `data` as text, without a byte order mark.

    Raises:
        SpecError: when it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        at = line + data.count(b"\n", 0, error.start)
        message = f"not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}"
        refuse("ACI-F165", message, file, line=at, hint="save the file as UTF-8")


def refuse_json(error: ValueError, text: str, *, file: str, line: int, offset: int = 0) -> NoReturn:
    """Raise what the decoder found wrong; `text` begins in `line`, the value at `offset`."""
    if isinstance(error, json.JSONDecodeError):
        at = line + text.count("\n", 0, error.pos)
        column = error.pos - text.rfind("\n", 0, error.pos)
        reason = error.msg[:1].lower() + error.msg[1:]
        refuse("ACI-F165", f"not valid JSON: {reason}", file, line=at, column=column)
    at = line + text.count("\n", 0, offset)
    refuse("ACI-F167", str(error), file, line=at)


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"the key `{twice[:80]}` is written twice in one object"
        raise ValueError(msg)
    return found


def _constant(text: str) -> NoReturn:
    msg = f"`{text}` is no JSON number"
    raise ValueError(msg)


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        msg = f"a number of {len(text):,} digits is too large"
        raise ValueError(msg)
    return int(text)
