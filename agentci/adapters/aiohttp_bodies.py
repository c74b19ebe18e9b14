"""Requests of aiohttp with the bytes that go out, around vcrpy's stub, which sees Python values.

vcrpy cannot tell `json={"a": "b"}` from `data={"a": "b"}`. What aiohttp does to connect and to
read does not count in the caller's lane. Must not know tapes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from agentci.adapters.reels import still


@contextmanager
def patched() -> Iterator[None]:
    """Put the wrapper around what stands there, until the block is left; without aiohttp, none."""
    module: Any = sys.modules.get("aiohttp")
    if module is None:
        yield
        return
    inner = module.ClientSession._request  # noqa: SLF001 - where vcrpy's stub stands

    async def request(session: Any, method: str, url: Any, **options: Any) -> Any:
        options = await _with_bytes(session, module, options)
        with still():
            return await inner(session, method, url, **options)

    with mock.patch.object(module.ClientSession, "_request", request):
        yield


async def _with_bytes(session: Any, module: Any, options: dict[str, Any]) -> dict[str, Any]:
    given, data = options.get("json"), options.get("data")
    if given is not None and data is None:
        payload = module.JsonPayload(given, dumps=session._json_serialize)  # noqa: SLF001 - its own
    elif isinstance(data, dict | list | tuple | module.FormData):
        form = data if isinstance(data, module.FormData) else module.FormData(data)
        payload = form()
    else:
        return options
    if not hasattr(payload, "as_bytes"):  # before aiohttp 3.12
        return options
    from multidict import CIMultiDict  # noqa: PLC0415 - comes with aiohttp

    headers = CIMultiDict(options.get("headers") or {})
    headers.setdefault("Content-Type", payload.headers["Content-Type"])
    rest = {name: value for name, value in options.items() if name != "json"}
    return {**rest, "data": await payload.as_bytes(), "headers": headers}
