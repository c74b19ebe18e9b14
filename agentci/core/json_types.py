"""The types of parsed JSON, for values that cross a format boundary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

JsonScalar: TypeAlias = str | int | float | bool | None
JsonValue: TypeAlias = "JsonScalar | Sequence[JsonValue] | Mapping[str, JsonValue]"
"""Any JSON value; read-only, so that a parsed document can be shared without copying."""

JsonObject: TypeAlias = Mapping[str, JsonValue]
