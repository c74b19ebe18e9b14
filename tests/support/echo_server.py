"""A real HTTP server on loopback whose answers are all different, and which counts them."""

from __future__ import annotations

import json
import random
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], delay: float) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.delay = delay
        self.lock = threading.Lock()
        self.seen: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with self.server.lock:
            self.server.seen.append(f"{self.command} {self.path}")
            number = len(self.server.seen)
        time.sleep(random.random() * self.server.delay)
        if self.path == "/stream":
            with suppress(OSError):  # the client may go away
                self._stream(number)
        elif self.path == "/moved":
            self._send(302, b"", {"location": "/there"})
        elif self.path == "/broken":
            self.close_connection = True
        else:
            status = int(self.path[1:]) if self.path[1:].isdigit() else 200
            answer = {"number": number, "path": self.path, "body": body.decode()}
            self._send(status, json.dumps(answer).encode(), {"x-total": "7"})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        fields = {"content-type": "application/json", "content-length": str(len(data)), **headers}
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, number: int) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for part in range(4):
            # two events in one chunk, so that boundaries are not those of events
            data = f"data: {number}.{part}\n\ndata: more\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
            time.sleep(0.01)
        self.wfile.write(b"0\r\n\r\n")


class EchoServer:
    """The server, until the block is left."""

    def __init__(self, *, delay: float = 0.0) -> None:
        """Take up to `delay` seconds for each answer."""
        self._server = _Server(_Handler, delay)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def seen(self) -> list[str]:
        """The requests that came."""
        return list(self._server.seen)

    def __enter__(self) -> Self:
        """Start it."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()
