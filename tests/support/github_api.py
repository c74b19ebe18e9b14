"""GitHub's REST API, as far as comments on pull requests go, on loopback."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

_COMMENTS = re.compile(r"/repos/([^/]+/[^/]+)/issues/(\d+)/comments")
_COMMENT = re.compile(r"/repos/([^/]+/[^/]+)/issues/comments/(\d+)")


@dataclass(slots=True)
class GitHubApi:
    """The API; a context manager. `comments` are those of the one pull request."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=lambda: {"job-token": "write"})
    """What each token may do: `write` or `read`."""
    users: dict[str, str] = field(default_factory=dict)
    """Whose a token is, where it is somebody's; others are a bot's."""
    broken: int | None = None
    """A status with which everything is answered."""
    requests: list[str] = field(default_factory=list)
    """`METHOD path`, in order."""
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def do_PATCH(self) -> None:
                self._answer()

            def _answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
                status, content = api.answer(self.command, self.path, body, token=token)
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(self, body: str, *, login: str = "github-actions[bot]", kind: str = "Bot") -> None:
        """Write a comment as somebody."""
        number = 1000 + len(self.comments)
        self.comments.append(
            {
                "id": number,
                "body": body,
                "user": {"login": login, "type": kind},
                "html_url": f"https://github.test/pull/7#issuecomment-{number}",
            }
        )

    def answer(self, method: str, path: str, body: bytes, *, token: str) -> tuple[int, Any]:
        """Return status and content."""
        self.requests.append(f"{method} {path}")
        may = self.tokens.get(token)
        if self.broken is not None or may is None:
            return self.broken or 401, {"message": "not answered"}
        place = urlsplit(path)
        if method == "GET":
            return self._read(place.path, parse_qs(place.query), token)
        if may != "write":
            return 403, {"message": "Resource not accessible by integration"}
        return self._written(method, place.path, json.loads(body)["body"], token)

    def _read(self, path: str, query: dict[str, list[str]], token: str) -> tuple[int, Any]:
        if path == "/user":
            login = self.users.get(token)
            known = {"login": login, "type": "User"}
            return (200, known) if login else (403, {"message": "not accessible by integration"})
        if not _COMMENTS.fullmatch(path):
            return 404, {"message": "Not Found"}
        size, page = int(query["per_page"][0]), int(query["page"][0])
        return 200, self.comments[size * (page - 1) : size * page]

    def _written(self, method: str, path: str, text: str, token: str) -> tuple[int, Any]:
        one = _COMMENT.fullmatch(path)
        if len(text) > 65_536:
            return 422, {"message": "Body is too long"}
        if method == "PATCH" and one:
            found = next(each for each in self.comments if each["id"] == int(one[2]))
            found["body"] = text
            return 200, found
        if method != "POST" or not _COMMENTS.fullmatch(path):
            return 404, {"message": "Not Found"}
        login = self.users.get(token)
        self.add(text, login=login or "github-actions[bot]", kind="User" if login else "Bot")
        return 201, self.comments[-1]
