"""Canonical JSON bytes: equal values have equal bytes, whatever the key order or the machine.

The form is RFC 8785 (JSON Canonicalization Scheme): keys sorted by UTF-16 code units, no white
space, ECMAScript number formatting, UTF-8. One rule differs: an integer outside the I-JSON range
(beyond 2**53 - 1) is written exactly instead of being rounded to a double, because two different
integers must never share a key.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from json.encoder import JSONEncoder, encode_basestring
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from agentci.core.json_types import JsonValue

_EXPONENT_MIN, _EXPONENT_MAX = -7, 21  # ECMAScript switches to exponents outside this range

_FIRST_WHOLE, _LAST_WHOLE = 2, 5
"""Depths at which a list or object is first given to the standard library's encoder, in one go.

It is three times as fast, but writes doubles in Python's way. Requests have single numbers near the
top and long lists of messages below, so the top is written here, and what looks as if it held a
double; and it is tried at few depths, so that no nesting makes the work grow with its square.
"""
_POINT = re.compile(r"\.(?<=[0-9]\.)[0-9]")
_EXPONENT = re.compile(r"e(?<=[0-9]e)[+-]")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def canonical_bytes(value: JsonValue) -> bytes:
    """Return the canonical UTF-8 bytes of `value`.

    Raises:
        ValueError: for NaN, infinities and strings with lone surrogates, which JSON cannot carry.
        TypeError: for values that are not JSON.
    """
    pieces: list[str] = []
    _write(value, pieces, 0)
    return "".join(pieces).encode("utf-8")


def _write(value: JsonValue, out: list[str], depth: int) -> None:
    if isinstance(value, str):
        out.append(encode_basestring(value))
    elif value is None or isinstance(value, bool):
        out.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, int):
        out.append(int.__repr__(value))
    elif isinstance(value, float):
        out.append(_number(value))
    else:
        whole = _write_whole(value) if _FIRST_WHOLE <= depth <= _LAST_WHOLE else None
        if whole is not None:
            out.append(whole)
        elif isinstance(value, Mapping):
            _write_object(value, out, depth + 1)
        else:
            _write_array(_items(value), out, depth + 1)


def _write_whole(value: JsonValue) -> str | None:
    """Return the text of a list or object, or None where it may have to be written otherwise."""
    try:
        text = _ENCODER.encode(value)
    except ValueError:
        return None  # raised again, in our words, where the number stands
    has_double = _POINT.search(text) or (("e-" in text or "e+" in text) and _EXPONENT.search(text))
    # Only with characters outside the basic plane do UTF-16 and code points sort differently.
    return None if has_double or (not text.isascii() and _ASTRAL.search(text)) else text


def _plain(value: object) -> object:
    """Return a mapping or sequence of another type as the encoder knows it."""
    return dict(value) if isinstance(value, Mapping) else list(_items(value))


_ENCODER = JSONEncoder(
    ensure_ascii=False,
    allow_nan=False,
    sort_keys=True,
    check_circular=False,
    separators=(",", ":"),
    default=_plain,
)


def _items(value: object) -> Sequence[JsonValue]:
    if not isinstance(value, Sequence) or isinstance(value, bytes | bytearray | memoryview):
        _refuse(value)
    return value


def _refuse(value: object) -> NoReturn:
    msg = f"`{type(value).__name__}` is not a JSON type"
    raise TypeError(msg)


def _write_array(value: Sequence[JsonValue], out: list[str], depth: int) -> None:
    out.append("[")
    for index, item in enumerate(value):
        if index:
            out.append(",")
        _write(item, out, depth)
    out.append("]")


def _write_object(value: Mapping[str, JsonValue], out: list[str], depth: int) -> None:
    keys = list(value)
    ascii_only = "".join(keys).isascii()
    keys.sort(key=None if ascii_only else _utf16)
    out.append("{")
    for index, key in enumerate(keys):
        out.append("," if index else "")
        out.append(encode_basestring(key))
        out.append(":")
        _write(value[key], out, depth)
    out.append("}")


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def _number(value: float) -> str:
    """Format a double as ECMAScript's `Number::toString` does (ECMA-262, 6.1.6.1.20)."""
    if not math.isfinite(value):
        msg = f"`{value}` cannot be written as JSON"
        raise ValueError(msg)
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent_text = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent_text or 0)
    if whole == "0":
        point -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    return sign + _place_point(digits, point)


def _place_point(digits: str, point: int) -> str:
    count = len(digits)
    if count <= point <= _EXPONENT_MAX:
        return digits + "0" * (point - count)
    if 0 < point <= _EXPONENT_MAX:
        return f"{digits[:point]}.{digits[point:]}"
    if _EXPONENT_MIN < point - 1 < 0:
        return f"0.{'0' * -point}{digits}"
    head = digits[0] + (f".{digits[1:]}" if count > 1 else "")
    return f"{head}e{point - 1:+d}"
