"""The one comment on a pull request, against the API on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentci.app import wiring
from agentci.app.github_comment import LONGEST, CommentResult, comment
from agentci.core.errors import EnvironmentProblem, ProviderError
from tests.support.github_api import GitHubApi

TEXT = "<!-- agentci-gate -->\n## Verdict\n\nno regression\n"


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubApi]:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    with GitHubApi() as server:
        for name, value in {
            "GITHUB_API_URL": server.url,
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REPOSITORY": "owner/project",
            "GITHUB_TOKEN": "job-token",
        }.items():
            monkeypatch.setenv(name, value)
        yield server


def _write(text: str = TEXT, key: str = "") -> CommentResult:
    async def write() -> CommentResult:
        http = wiring.http()
        try:
            return await comment(text, http, key=key)
        finally:
            await http.close()

    return asyncio.run(write())


def test_the_first_call_writes_a_comment(api: GitHubApi) -> None:
    result = _write()
    assert (result.done, result.url) == ("created", api.comments[0]["html_url"])
    assert api.comments[0]["body"] == TEXT


def test_a_later_call_updates_it(api: GitHubApi) -> None:
    _write()
    assert _write(TEXT.replace("no regression", "regression")).done == "updated"
    assert len(api.comments) == 1
    assert "\nregression" in api.comments[0]["body"]


def test_the_same_text_is_not_written_again(api: GitHubApi) -> None:
    _write()
    api.comments[0]["body"] = TEXT.replace("\n", "\r\n")  # as GitHub gives it back
    api.requests.clear()
    assert _write().done == "unchanged"
    assert {request.split()[0] for request in api.requests} == {"GET"}


def test_it_is_found_behind_many_others(api: GitHubApi) -> None:
    for number in range(230):
        api.add(f"remark {number}", login="someone", kind="User")
    _write()
    api.add("a late remark", login="someone", kind="User")
    assert _write(TEXT + "more\n").done == "updated"
    assert len(api.comments) == 232


def test_a_persons_comment_with_our_marker_is_not_taken_for_ours(api: GitHubApi) -> None:
    api.add(TEXT, login="someone", kind="User")
    assert _write(TEXT + "more\n").done == "created"
    assert api.comments[0]["body"] == TEXT


def test_a_persons_token_finds_that_persons_comment(
    api: GitHubApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "own-token")
    api.tokens, api.users = {"own-token": "write"}, {"own-token": "someone"}
    api.add(TEXT)  # of a bot
    assert _write().done == "created"
    assert _write(TEXT + "more\n").done == "updated"
    assert [each["user"]["login"] for each in api.comments] == ["github-actions[bot]", "someone"]


def test_keys_tell_comments_apart(api: GitHubApi) -> None:
    assert _write(key="one").done == "created"
    assert _write(key="two --> <b>").done == "created"
    assert _write(TEXT + "more\n", key="one").done == "updated"
    first = [each["body"].partition("\n")[0] for each in api.comments]
    assert first == ["<!-- agentci one -->", "<!-- agentci two.b. -->"]


def test_a_text_that_is_too_long_is_cut_between_lines(api: GitHubApi) -> None:
    assert _write(TEXT + "a line of text\n" * 10_000).done == "created"
    body = api.comments[0]["body"]
    assert LONGEST - 200 < len(body) <= LONGEST
    assert "a line of text\n\nThe rest did not fit" in body


def test_a_token_that_may_only_read_is_no_failure(api: GitHubApi) -> None:
    api.tokens = {"job-token": "read"}
    result = _write()
    assert result.done == "skipped"
    assert "forks" in result.reason


@pytest.mark.parametrize("event", ["{}", "[]", "no json", '{"pull_request": {"number": "7/../x"}}'])
def test_a_job_without_a_pull_request_writes_nothing(
    api: GitHubApi, tmp_path: Path, event: str
) -> None:
    (tmp_path / "event.json").write_text(event)
    assert _write() == CommentResult("skipped", reason="this job is about no pull request")
    assert not api.requests


def test_without_a_token_nothing_is_asked(api: GitHubApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    assert _write().done == "skipped"
    assert not api.requests


def test_a_wrong_token_is_an_error_that_does_not_show_it(
    api: GitHubApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "hidden-value")
    with pytest.raises(ProviderError, match="status 401") as caught:
        _write()
    assert "hidden-value" not in str(caught.value)


def test_an_api_that_fails_is_an_error_of_the_environment(api: GitHubApi) -> None:
    api.broken = 500
    with pytest.raises(ProviderError, match="status 500") as caught:
        _write()
    assert caught.value.exit_code == 6


def test_a_repository_that_is_none_is_refused(
    api: GitHubApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "../../user")
    with pytest.raises(EnvironmentProblem, match="GITHUB_REPOSITORY"):
        _write()
