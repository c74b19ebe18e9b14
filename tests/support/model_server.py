"""A scripted model server: a real HTTP server on loopback that speaks every wire format.

It decodes a request to the neutral conversation, asks the script (or a function) for the answer,
and writes it as the provider would, as one JSON body or as a stream of events. The same request
always gets the same bytes: ids come from the request's digest and there is no clock. What it can
do wrong is a `Fault`. The cassettes that ship with agentci are recorded against it:

    python -m tests.support.model_server --script FILE --port 8089
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

from agentci.core.errors import AgentciError
from agentci.core.messages import ModelRequest, ModelResponse
from agentci.models.registry import BUILT_IN, find_provider
from agentci.models.scripted import reply
from agentci.spec.script import Script, read_script
from tests.support.wire_anthropic import AnthropicServer
from tests.support.wire_common import (
    BadRequest,
    Reply,
    ServerSide,
    check_conversation,
    identity_of,
)
from tests.support.wire_gemini import GeminiServer, is_gemini_path
from tests.support.wire_openai_chat import OpenAiChatServer
from tests.support.wire_openai_responses import OpenAiResponsesServer

Responder: TypeAlias = Callable[[ModelRequest, int], ModelResponse]
"""Gives the answer to a request; the number counts answered requests from 1."""

_GEMINI = GeminiServer()
_SIDES: Mapping[str, ServerSide] = {
    "/v1/chat/completions": OpenAiChatServer(),
    "/v1/responses": OpenAiResponsesServer(),
    "/v1/messages": AnthropicServer(),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request."""

    status: int | None = None
    """Answer with this status and the provider's error body."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Added to the error, for example `retry-after`."""
    message: str = "scripted failure"
    delay: float = 0.0
    """Seconds before the answer starts."""
    pause: float = 0.0
    """Seconds between two events of a stream."""
    drop: Literal["before", "middle"] | None = None
    """Cut the connection, before any answer or in the middle of its body."""
    cut_short: bool = False
    """End a stream in good order after half of its events."""
    body: bytes | None = None
    """Send these bytes instead of the answer."""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Logged:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)


class ModelServer:
    """The server, running in threads between `with` and its end."""

    def __init__(
        self,
        answers: Script | Responder,
        *,
        port: int = 0,
        faults: Iterable[Fault | None] = (),
        api_key: str | None = None,
        adapt: Callable[[Any], Any] = lambda body: body,
    ) -> None:
        """Take the next of `faults` for each request; with `api_key`, refuse any other key.

        `adapt` takes out of a body what the neutral conversation does not know.
        """
        self.adapt = adapt
        self._responder = _from_script(answers) if isinstance(answers, Script) else answers
        self._lock = threading.Lock()
        self._answered = 0
        self.faults: deque[Fault | None] = deque(faults)
        self.api_key = api_key
        self.requests: list[Logged] = []
        self._http = _Server(("127.0.0.1", port), _Handler)
        self._http.model_server = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def origin(self) -> str:
        """The server's address; the base URL of `anthropic` and `gemini`."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point every provider here, keys included."""
        variables: dict[str, str] = {}
        for row in map(find_provider, BUILT_IN):
            if row.base_url_env is not None:
                bare = row.name in {"anthropic", "gemini"}
                variables[row.base_url_env] = self.origin if bare else f"{self.origin}/v1"
                variables[row.key_env[0]] = self.api_key or "test-key"
        return variables

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop and close all connections."""
        self._http.shutdown()
        self._thread.join()
        self._http.close_connections()
        self._http.server_close()

    def note(self, request: Logged) -> Fault | None:
        """Log a request and return what is to go wrong with it."""
        with self._lock:
            self.requests.append(request)
            return self.faults.popleft() if self.faults else None

    def respond(self, request: ModelRequest) -> ModelResponse:
        """Return the answer of the script or function."""
        with self._lock:
            self._answered += 1
            number = self._answered
        return self._responder(request, number)


def _from_script(script: Script) -> Responder:
    return lambda request, _number: reply(script, request, None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    model_server: ModelServer

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # clients may go away at any time
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Say nothing: requests are in `ModelServer.requests`."""

    def do_HEAD(self) -> None:
        self._send(200, b"", "text/plain")

    def do_GET(self) -> None:
        self.server.model_server.note(self._logged(b""))
        if self.path == "/v1/models":
            self._send_json(200, {"object": "list", "data": []})
        else:
            self._send_json(404, {"error": {"message": "unknown path"}})

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        logged = self._logged(content)
        fault = self.server.model_server.note(logged) or Fault()
        side = self._side()
        if fault.delay:
            time.sleep(fault.delay)
        if fault.drop == "before":
            self._drop()
        elif fault.status is not None:
            self._send_json(fault.status, side.error(fault.status, fault.message), fault.headers)
        elif fault.body is not None:
            self._send(200, fault.body, fault.content_type)
        else:
            self._answer(side, logged, fault)

    def _answer(self, side: ServerSide, logged: Logged, fault: Fault) -> None:
        if not self._has_key(logged.headers):
            self._send_json(401, side.error(401, "Incorrect API key provided."))
            return
        if self._is_unknown():
            self._send_json(404, side.error(404, f"Unknown request URL: {self.path}."))
            return
        try:
            body = self.server.model_server.adapt(logged.json)
            request = side.read(self.path, body)
            check_conversation(request)
            response = self.server.model_server.respond(request)
        except (BadRequest, AgentciError) as error:
            self._send_json(400, side.error(400, str(error)))
            return
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            shown = f"the body was not understood: {type(error).__name__} {error}"
            self._send_json(400, side.error(400, shown))
            return
        options = body.get("stream_options") or {}
        asked = bool(options.get("include_usage"))
        made = Reply(response, identity_of(self.path, body), stream_usage=asked)
        if request.stream:
            self._stream(side, made, fault)
        else:
            self._send_json(200, side.answer(made), half=fault.drop == "middle")

    def _side(self) -> ServerSide:
        path = self.path.partition("?")[0]
        return _GEMINI if is_gemini_path(path) else _SIDES.get(path, OpenAiChatServer())

    def _is_unknown(self) -> bool:
        path = self.path.partition("?")[0]
        return path not in _SIDES and not is_gemini_path(path)

    def _has_key(self, headers: Mapping[str, str]) -> bool:
        wanted = self.server.model_server.api_key
        given = (
            headers.get("authorization", "").removeprefix("Bearer "),
            headers.get("x-api-key"),
            headers.get("x-goog-api-key"),
        )
        return wanted is None or wanted in given

    def _logged(self, content: bytes) -> Logged:
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Logged(self.command, self.path, headers, content)

    def _stream(self, side: ServerSide, made: Reply, fault: Fault) -> None:
        events = list(side.events(made))
        if fault.cut_short or fault.drop == "middle":
            events = events[: max(1, len(events) // 2)]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for text in events:
            data = text.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            if fault.pause:
                time.sleep(fault.pause)
        if fault.drop == "middle":
            self._drop()
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _send_json(
        self,
        status: int,
        value: Any,
        headers: Mapping[str, str] | None = None,
        *,
        half: bool = False,
    ) -> None:
        data = json.dumps(value, ensure_ascii=False).encode()
        self._send(status, data, "application/json", headers, half=half)

    def _send(
        self,
        status: int,
        data: bytes,
        content_type: str,
        headers: Mapping[str, str] | None = None,
        *,
        half: bool = False,
    ) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if half:
            self.wfile.write(data[: len(data) // 2])
            self._drop()
        elif self.command != "HEAD":
            self.wfile.write(data)

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def main(arguments: list[str] | None = None) -> int:
    """Serve a script until interrupted.

    The first line of standard output is the address, the others are variables that point here.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.support.model_server")
    parser.add_argument("--script", type=Path, required=True, help="file with the replies")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--api-key", help="refuse any other key")
    options = parser.parse_args(arguments)
    try:
        script = read_script(options.script.read_bytes(), str(options.script))
    except AgentciError as error:
        sys.stderr.write(f"{error.location}: {error}\n")
        return error.exit_code
    with ModelServer(script, port=options.port, api_key=options.api_key) as server:
        lines = [server.origin, *(f"{k}={v}" for k, v in sorted(server.environment.items()))]
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
