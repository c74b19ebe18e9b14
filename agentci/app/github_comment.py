"""One comment on a pull request that is kept up to date, through GitHub's REST API.

Ours is found by its first line, which nobody sees, and by being a machine's. Who may not write is
told so and nothing fails: pull requests from forks have a token that can only read.
API: https://docs.github.com/en/rest/issues/comments
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from agentci.app import wiring
from agentci.core.errors import AgentciError, EnvironmentProblem, ProviderError
from agentci.core.wire import HttpRequest

if TYPE_CHECKING:
    from agentci.core.effects import Http
    from agentci.core.wire import WireResponse

LONGEST: Final = 65_536
"""Characters that GitHub takes in a comment."""
_MARKER: Final = re.compile(r"<!-- agentci[^\n]*-->")
_CUT: Final = "\n\nThe rest did not fit into a comment; the summary of the job has all of it.\n"
_PAGE: Final = 100
_MOST_PAGES: Final = 50
_TIMEOUT: Final = 30.0
_READ_ONLY: Final = frozenset({403, 404})
_KEY: Final = re.compile(r"[^\w.]+")
_REPOSITORY: Final = re.compile(r"[\w.-]+/[\w.-]+")

Done = Literal["created", "updated", "unchanged", "skipped"]


@dataclass(frozen=True, slots=True)
class CommentResult:
    """What came of it."""

    done: Done
    url: str = ""
    """Of the comment."""
    reason: str = ""
    """Why nothing was written."""


@dataclass(frozen=True, slots=True)
class _PullRequest:
    """Where the comment belongs, and who writes it."""

    api: str
    repository: str
    number: int
    token: str

    def request(self, method: str, path: str, body: object = None) -> HttpRequest:
        headers = {
            "accept": "application/vnd.github+json",
            "authorization": f"Bearer {self.token}",
            "content-type": "application/json",
            "x-github-api-version": "2022-11-28",
        }
        content = b"" if body is None else json.dumps(body).encode()
        return HttpRequest(method, f"{self.api}{path}", headers, content, _TIMEOUT)


async def comment(text: str, http: Http, *, key: str = "") -> CommentResult:
    """Write `text` as the comment of the pull request that this job is about.

    `key` tells several comments on one pull request apart.

    Raises:
        ProviderError: when the API does not answer, or answers with another error than that
            the token may not write.
    """
    place = _place()
    if isinstance(place, CommentResult):
        return place
    body = _body(text, key)
    marker = body.partition("\n")[0]
    own = await _own_comment(place, marker, http)
    if own is None:
        path = f"/repos/{place.repository}/issues/{place.number}/comments"
        request = place.request("POST", path, {"body": body})
    elif _lines(str(own.get("body", ""))) == _lines(body):
        return CommentResult("unchanged", str(own.get("html_url", "")))
    else:
        path = f"/repos/{place.repository}/issues/comments/{int(own['id'])}"
        request = place.request("PATCH", path, {"body": body})
    answer = await http.send(request)
    if answer.status in _READ_ONLY:
        return _read_only()
    written = _json(answer, request)
    url = str(written.get("html_url", "")) if isinstance(written, dict) else ""
    return CommentResult("created" if own is None else "updated", url)


def _read_only() -> CommentResult:
    return CommentResult(
        "skipped",
        reason="the token may not write comments: it needs `pull-requests: write`, which pull "
        "requests from forks never have; the summary of the job says the same",
    )


def _place() -> _PullRequest | CommentResult:
    """Return the pull request that the job's variables name, or why there is none."""
    env = wiring.env()
    token, repository = env.get("GITHUB_TOKEN"), env.get("GITHUB_REPOSITORY") or ""
    number = _number()
    if number is None:
        return CommentResult("skipped", reason="this job is about no pull request")
    if not token:
        return CommentResult("skipped", reason="there is no token in `GITHUB_TOKEN`")
    if not _REPOSITORY.fullmatch(repository):
        raise EnvironmentProblem(
            "`GITHUB_REPOSITORY` does not name a repository",
            code="ACI-E510",
            hint="run it in a job of GitHub Actions, which sets it",
        )
    api = (env.get("GITHUB_API_URL") or "https://api.github.com").rstrip("/")
    return _PullRequest(api, repository, number, token)


def _number() -> int | None:
    path = wiring.env().get("GITHUB_EVENT_PATH")
    try:
        event = json.loads(wiring.files().read(Path(path))) if path else {}
    except (AgentciError, ValueError):
        return None
    request = event.get("pull_request") if isinstance(event, dict) else None
    number = request.get("number") if isinstance(request, dict) else None
    return number if isinstance(number, int) else None


def _body(text: str, key: str) -> str:
    """Return the comment, with a marker in its first line and as long as GitHub takes it."""
    first, _, rest = text.partition("\n")
    marked = _MARKER.fullmatch(first) is not None
    marker = f"<!-- agentci {_KEY.sub('.', key)} -->" if key or not marked else first
    body = f"{marker}\n{rest if marked else text}"
    if len(body) <= LONGEST:
        return body
    kept = body[: LONGEST - len(_CUT)]
    return kept[: kept.rindex("\n")] + _CUT


async def _own_comment(place: _PullRequest, marker: str, http: Http) -> dict[str, Any] | None:
    """Return the comment that an earlier run has written.

    Somebody else's with the same first line is not taken for it: ours is of the token's user, or,
    where the token is no user's, of a bot.
    """
    me = await _login(place, http)
    for page in range(1, _MOST_PAGES + 1):
        path = f"/repos/{place.repository}/issues/{place.number}/comments"
        request = place.request("GET", f"{path}?per_page={_PAGE}&page={page}")
        found = _json(await http.send(request), request)
        if not isinstance(found, list):
            raise _unexpected(request, "with something that is no list")
        for each in found:
            user = each.get("user") or {}
            ours = user.get("login") == me if me else user.get("type") == "Bot"
            if ours and str(each.get("body", "")).startswith(marker):
                return dict(each)
        if len(found) < _PAGE:
            return None
    return None


async def _login(place: _PullRequest, http: Http) -> str | None:
    """Return whose token it is; a job's own token is nobody's and may not ask."""
    answer = await http.send(place.request("GET", "/user"))
    if answer.status != 200:
        return None
    user = _json(answer, place.request("GET", "/user"))
    return str(user["login"]) if isinstance(user, dict) and "login" in user else None


def _json(answer: WireResponse, request: HttpRequest) -> object:
    if not 200 <= answer.status < 300:
        raise _unexpected(request, f"with status {answer.status}")
    try:
        return json.loads(answer.body)
    except ValueError:
        raise _unexpected(request, "with something that is no JSON") from None


def _unexpected(request: HttpRequest, how: str) -> ProviderError:
    path = request.url.partition("?")[0]
    return ProviderError(
        f"`{request.method} {path}` was answered {how}",
        code="ACI-E511",
        hint="the verdict is not touched by this; look at the token and at GitHub's status",
    )


def _lines(text: str) -> str:
    """Return a text as it is compared: GitHub changes line ends."""
    return text.replace("\r\n", "\n").strip()
