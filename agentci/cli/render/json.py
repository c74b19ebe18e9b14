"""Results as JSON: one object, in the order of the fields, ASCII, so that any locale can carry it.

It knows dataclasses, enums and paths, and nothing of what they mean.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any


def to_json(value: object) -> str:
    """Return `value` as indented JSON with a line feed at the end."""
    return json.dumps(plain(value), indent=2) + "\n"


def plain(value: object) -> Any:
    """Return `value` with dataclasses as objects, paths and enums as text, sequences as lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
