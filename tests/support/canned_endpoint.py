"""An HTTP endpoint on loopback that gives one prepared answer and keeps what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from agentci.core.wire import WireResponse


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class CannedEndpoint:
    """Set `answer`, send requests to `url`, look at `received`."""

    url: str
    answer: WireResponse
    received: list[Received] = field(default_factory=list)


@contextmanager
def canned_endpoint() -> Iterator[CannedEndpoint]:
    """Serve on a free port of loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            endpoint.received.append(Received("POST", self.path, headers, json.loads(data)))
            self.send_response(endpoint.answer.status)
            for name, value in endpoint.answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(endpoint.answer.body)))
            self.end_headers()
            self.wfile.write(endpoint.answer.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base's name
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    endpoint = CannedEndpoint(
        f"http://127.0.0.1:{server.server_address[1]}", WireResponse(500, {}, ())
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
