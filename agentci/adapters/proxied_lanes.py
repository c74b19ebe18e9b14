"""Lanes for the concurrent calls of a `python` step: each call is addressed to its task or job.

Loaded in the child process of such a step, before its function. Its clients know one address, that
of the step's lane; a call from a task or a job goes to the lane below it, numbered as spawned, so
which one is faster does not matter. Must not know recordings: the proxy answers.
"""

from __future__ import annotations

import http.client
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any, Final
from urllib.parse import quote, urlsplit

from agentci.adapters.spawn_lanes import process_lanes, still
from agentci.core.lane import ROOT, LaneScope, current_scope

_kept = ExitStack()
"""What stays until the process ends."""


def follow(url: str) -> None:
    """Send each call to the lane of its task or job below the lane at `url`, from now on."""
    lanes = _Lanes(url, urlsplit(url).path, LaneScope(ROOT))
    _kept.enter_context(process_lanes(lanes.scope))
    _patch_http_client(lanes)
    clients = {"httpx": _patch_httpx, "httpx2": _patch_httpx, "aiohttp": _patch_aiohttp}
    for name, patch in clients.items():
        if name in sys.modules:
            patch(sys.modules[name], lanes)
    sys.meta_path.insert(0, _Watch(lanes, clients))


@dataclass(frozen=True, slots=True)
class _Lanes:
    url: str
    path: str
    main: LaneScope

    def scope(self) -> LaneScope:
        """Return the scope of the running task or thread; where it has none, the step's own."""
        return current_scope() or self.main

    def address(self, text: str) -> str:
        """Return an address below the step's with the lane of the caller, or any other as it is."""
        lane = self.scope().lane
        for base in (self.url, self.path):
            if lane and text.startswith(f"{base}/"):
                return base + quote(f"/{lane}", safe="") + text[len(base) :]
        return text


_Patch = Callable[[Any, _Lanes], None]


class _Watch(MetaPathFinder):
    """Patches clients that are imported later."""

    def __init__(self, lanes: _Lanes, clients: Mapping[str, _Patch]) -> None:
        self._lanes = lanes
        self._clients: Final = clients

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Find a client as Python does, and have it patched once it is loaded."""
        patch = self._clients.get(name)
        spec = PathFinder.find_spec(name, path, target) if patch is not None else None
        if patch is None or spec is None or spec.loader is None:
            return None
        loader: Any = spec.loader
        load = loader.exec_module

        def exec_module(module: Any) -> None:
            load(module)
            patch(module, self._lanes)

        loader.exec_module = exec_module
        return spec


def _patch_http_client(lanes: _Lanes) -> None:
    """Patch what requests, urllib3, urllib and botocore are built on."""
    real: Any = http.client.HTTPConnection.putrequest

    def address_first(connection: Any, method: str, url: str, *args: Any, **options: Any) -> None:
        real(connection, method, lanes.address(url), *args, **options)

    putrequest: Any = address_first
    http.client.HTTPConnection.putrequest = putrequest  # type: ignore[method-assign]  # what this is for


def _patch_httpx(module: Any, lanes: _Lanes) -> None:
    send, send_async = (
        module.HTTPTransport.handle_request,
        module.AsyncHTTPTransport.handle_async_request,
    )

    def handle_request(transport: Any, request: Any) -> Any:
        request.url = module.URL(lanes.address(str(request.url)))
        with still(lanes.scope):
            return send(transport, request)

    async def handle_async_request(transport: Any, request: Any) -> Any:
        request.url = module.URL(lanes.address(str(request.url)))
        with still(lanes.scope):
            return await send_async(transport, request)

    module.HTTPTransport.handle_request = handle_request
    module.AsyncHTTPTransport.handle_async_request = handle_async_request


def _patch_aiohttp(module: Any, lanes: _Lanes) -> None:
    send = module.ClientSession._request  # noqa: SLF001 - all its calls go through it

    async def request(session: Any, method: str, url: Any, **options: Any) -> Any:
        whole = str(session._build_url(url))  # noqa: SLF001 - with the session's base
        named = lanes.address(whole)
        if named != whole:
            from yarl import URL  # noqa: PLC0415 - comes with aiohttp

            url = URL(named, encoded=True)
        with still(lanes.scope):
            return await send(session, method, url, **options)

    module.ClientSession._request = request  # noqa: SLF001 - as above
