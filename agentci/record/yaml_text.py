"""JSON values as YAML text that people read: block scalars, few quotes, one fixed form.

The text is a subset of YAML 1.1 and 1.2 that every YAML reader understands alike. Characters that
a reviewer cannot see are written as escapes. Knows nothing of cassettes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence

from agentci.core.json_types import JsonObject, JsonScalar, JsonValue
from agentci.record.yaml_read import BLOB_FIELD, JSON_FIELD, BlobReference

_MAX_DEPTH = 48
_MAX_KEY = 200  # libyaml reads no simple key beyond 1024 bytes
_FLOW_WIDTH = 72

# What may stand unescaped: YAML's printable characters without its line breaks, the byte order
# mark, and what reorders or hides text on a reviewer's screen. Fixed ranges, because
# `str.isprintable` changes with the version of Python.
_INLINE = (
    "\x20-\x7e\xa1-\xac\xae-\u200a\u200c\u200d\u2010-\u2027\u202f-\u205f"
    "\u206a-\ud7ff\ue000-\ufefe\uff00-\ufff8\ufffc\ufffd"
    "\U00010000-\U000dffff\U000e0080-\U0010ffff"
)
_HIDDEN = re.compile(f"[^{_INLINE}]")
_HIDDEN_IN_BLOCK = re.compile(f"[^\t\n{_INLINE}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN = re.compile(
    r"[A-Za-z/](?:[\w ./,()'\"+=@;?!*&%$<>~^|\\`{}\[\]-]++|:(?=[^ ]))*+(?<! )", re.ASCII
)
_PLAIN_IN_FLOW = re.compile(r"[A-Za-z][\w ./-]*(?<! )", re.ASCII)
_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w./$-]*", re.ASCII)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def emit(value: JsonObject) -> str:
    """Return `value` as lines of a block mapping; empty text for an empty mapping."""
    out: list[str] = []
    _mapping(value, "", out)
    return "".join(out)


def emit_field(name: str, value: JsonValue) -> str:
    """Return the lines of one field of a mapping at the left margin."""
    out = [_key(name), ":"]
    _value(value, "", out)
    return "".join(out)


def _mapping(value: JsonObject, pad: str, out: list[str]) -> None:
    """Write the fields; the caller has written `pad` in front of the first one."""
    lead = ""
    for name, item in value.items():
        out += (lead, _key(name), ":")
        _value(item, pad, out)
        lead = pad


def _value(value: JsonValue, pad: str, out: list[str]) -> None:
    """Write what follows `key:`, the line's end included."""
    if isinstance(value, str):
        _string(value, pad, out)
    elif value is None or isinstance(value, bool | int | float):
        out += (" ", _number(value), "\n")
    elif not value:
        out.append(" {}\n" if isinstance(value, Mapping) else " []\n")
    elif not _fits(value, pad):
        _string_field(value, pad, out)
    elif isinstance(value, Mapping):
        inner = pad + "  "
        out += ("\n", inner)
        _mapping(value, inner, out)
    elif (flow := _flow(value)) is not None:
        out += (" ", flow, "\n")
    else:
        out.append("\n")
        for item in value:
            out += (pad, "-")
            _item(item, pad, out)


def _item(value: JsonValue, pad: str, out: list[str]) -> None:
    """Write what follows the dash of a sequence at `pad`."""
    inner = pad + "  "
    if not value or isinstance(value, str | bool | int | float):
        _value(value, pad, out)
    elif not _fits(value, pad):
        out += (" ", _key(JSON_FIELD), ":")
        _string(_as_json(value), inner, out)
    elif isinstance(value, Mapping):
        out.append(" ")
        _mapping(value, inner, out)
    elif (flow := _flow(value)) is not None:
        out += (" ", flow, "\n")
    else:
        lead = " "
        for item in value:
            out += (lead, "-")
            _item(item, inner, out)
            lead = inner


def _string_field(value: JsonValue, pad: str, out: list[str]) -> None:
    inner = pad + "  "
    out += ("\n", inner, _key(JSON_FIELD), ":")
    _string(_as_json(value), inner, out)


def _as_json(value: JsonValue) -> str:
    return json.dumps(value, separators=(",", ":"))


def _fits(value: JsonObject | Sequence[JsonValue], pad: str) -> bool:
    """Say whether YAML can carry the keys and texts of `value`, as far as this level goes."""
    if len(pad) >= 2 * _MAX_DEPTH:
        return False
    if not isinstance(value, Mapping):
        return True
    return all(
        len(key) <= _MAX_KEY
        and (key.isascii() or not _SURROGATE.search(key))
        and key not in {JSON_FIELD, BLOB_FIELD}
        for key in value
    ) or is_blob_reference(value)


def is_blob_reference(value: JsonValue) -> bool:
    """Say whether `value` is a reference that `record.blob_refs` has put in place of a text."""
    return isinstance(value, BlobReference)


def _flow(value: Sequence[JsonValue]) -> str | None:
    """Return a short list of simple scalars on one line, or None."""
    if len(value) > _FLOW_WIDTH // 3:
        return None
    texts: list[str] = []
    for item in value:
        if isinstance(item, str):
            if not _PLAIN_IN_FLOW.fullmatch(item) or item.lower() in _WORDS:
                return None
            texts.append(item)
        elif item is None or isinstance(item, bool | int | float):
            texts.append(_number(item))
        else:
            return None
    line = f"[{', '.join(texts)}]"
    return line if len(line) <= _FLOW_WIDTH else None


def _number(value: JsonScalar) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    return str(value)


def _float(value: float) -> str:
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else (".inf" if value > 0 else "-.inf")
    text = repr(value)
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}.0e{exponent}" if exponent and "." not in mantissa else text


def _key(name: str) -> str:
    if _PLAIN_KEY.fullmatch(name) and name.lower() not in _WORDS:
        return name
    return _quoted(name)


def _string(value: str, pad: str, out: list[str]) -> None:
    if not value.isascii() and _SURROGATE.search(value):
        _string_field(value, pad, out)
    elif "\n" not in value or value.isspace() or _HIDDEN_IN_BLOCK.search(value):
        out += (" ", _inline(value), "\n")
    else:
        _block(value, pad + "  ", out)


def _inline(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return _quoted(value)


def _quoted(value: str) -> str:
    if _HIDDEN.search(value) or ("'" in value and '"' not in value and "\\" not in value):
        return _HIDDEN.sub(_escape, json.dumps(value, ensure_ascii=False))
    return "'" + value.replace("'", "''") + "'"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _block(value: str, pad: str, out: list[str]) -> None:
    """Write a literal block scalar; the header says how indented it is where that is not plain."""
    body = value.rstrip("\n")
    ends = len(value) - len(body)
    indented = "2" if value[0] in " \t\n" else ""
    out += (" |", indented, ("-", "", "+")[min(ends, 2)], "\n")
    out += ("".join(f"{pad}{line}\n" if line else "\n" for line in body.split("\n")),)
    if ends > 1:
        out.append("\n" * (ends - 1))
