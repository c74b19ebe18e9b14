"""Interception of `http.client`, so that threads do not see each other's patches.

The module's HTTPS class names itself through the module, where vcrpy's stub stands; vcrpy takes
all patches of the process away for a moment to get around that. Here the real class gets a copy of
its constructor that has the module's names as they were. Must not know tapes.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from vcr.stubs import VCRHTTPConnection, VCRHTTPSConnection

_INIT: Any = http.client.HTTPSConnection.__init__


class _RealHttps(http.client.HTTPSConnection):
    """The real class, whatever stands under its name in its module."""


def _private_init() -> FunctionType:
    private = FunctionType(
        _INIT.__code__, dict(vars(http.client)), "__init__", _INIT.__defaults__, _INIT.__closure__
    )
    private.__kwdefaults__ = _INIT.__kwdefaults__
    return private


_RealHttps.__init__ = _private_init()  # type: ignore[method-assign]  # what this is for


@dataclass(frozen=True, slots=True)
class Patch:
    """One name to replace."""

    target: Any
    name: str
    replacement: Any


def private_patches(board: Any) -> Iterator[Patch]:
    """Yield what to replace in `http.client`; `board` is vcrpy's cassette."""
    plain = type("TapedHTTPConnection", (VCRHTTPConnection,), {"cassette": board})
    fields = {"cassette": board, "_baseclass": _RealHttps}
    yield Patch(http.client, "HTTPConnection", plain)
    yield Patch(
        http.client, "HTTPSConnection", type("TapedHTTPSConnection", (VCRHTTPSConnection,), fields)
    )
