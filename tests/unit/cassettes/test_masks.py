"""What does not count in requests of a Python program: as for any program behind the proxy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from agentci.cassettes import use
from agentci.core.errors import CassetteMiss, UsageError
from agentci.core.serving import ServedRequest
from agentci.models.proxy_address import parse_target
from agentci.models.proxy_requests import read_request
from agentci.models.registry import find_provider
from agentci.record.keys import interaction_key
from agentci.record.surroundings import surroundings

Move = Callable[[str], Path]


@pytest.fixture
def move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Move:
    """Go to a directory and HOME of another machine."""

    def go(name: str) -> Path:
        folder = tmp_path / name / "work"
        folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("HOME", str(tmp_path / name))
        return folder

    return go


def _chat(request: httpx2.Request) -> httpx2.Response:
    """Answer with the paths that the question names, in the pieces of a stream if asked so."""
    body = json.loads(request.content)
    text = f"I look at {re.findall(r'/[^ ]*', body['messages'][-1]['content'])[0]}/out.txt"
    if body.get("stream"):
        pieces = [text[n : n + 7] for n in range(0, len(text), 7)]
        events = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
        lines = [
            f"data: {json.dumps({'object': 'chat.completion.chunk', **e})}\n\n" for e in events
        ]
        return httpx2.Response(
            200,
            content="".join([*lines, "data: [DONE]\n\n"]).encode(),
            headers={"content-type": "text/event-stream"},
        )
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
    return httpx2.Response(200, json={**answer, "choices": [choice]})


def _ask(text: str, *, stream: bool = False) -> str:
    http = httpx2.Client(transport=httpx2.MockTransport(_chat))
    with openai.OpenAI(api_key="none", http_client=http) as client:
        messages: Any = [{"role": "user", "content": text}]
        if stream:
            chunks = client.chat.completions.create(model="m", messages=messages, stream=True)
            return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        answer = client.chat.completions.create(model="m", messages=messages)
        return answer.choices[0].message.content or ""


@pytest.mark.parametrize("stream", [False, True])
def test_a_known_client_may_name_its_folders_in_another_directory_and_home(
    tmp_path: Path, move: Move, stream: bool
) -> None:
    for name, mode in (("one", "record"), ("two", "replay")):
        here = move(name)
        with use(tmp_path / "kept/c", mode=mode):
            assert _ask(f"work in {here} please", stream=stream) == f"I look at {here}/out.txt"
            assert _ask(f"HOME is {here.parent} now", stream=stream).startswith(
                f"I look at {here.parent}"
            )
    text = (tmp_path / "kept/c/main.yaml").read_text()
    assert "work in /workspace please" in text
    assert "openai-sdk/1:\n" in text
    assert "folder: 1" in text
    assert "marks:\n" in text
    assert str(tmp_path) not in text


def test_a_program_that_changes_its_directory_is_where_it_is_then(
    tmp_path: Path, move: Move
) -> None:
    for name, mode in (("one", "record"), ("two", "replay")):
        move("start")
        with use(tmp_path / "kept/c", mode=mode):
            here = move(name)
            assert _ask(f"work in {here} please") == f"I look at {here}/out.txt"


def test_declared_patterns_do_not_count_and_are_shown(tmp_path: Path) -> None:
    def ask(mode: str, run: int, mask: list[str]) -> str:
        with use(tmp_path / "kept/c", mode=mode, mask=mask):
            return _ask(f"run-{run} in /x")

    patterns = [r"run-(?P<value>\d+)"]
    first = ask("record", 1, patterns)
    assert ask("replay", 2, patterns) == first
    text = (tmp_path / "kept/c/main.yaml").read_text()
    assert "run-<masked> in /x" in text
    assert re.search(r"masked:\n +own:\n .*run-.*: 1\n", text)
    with pytest.raises(CassetteMiss):
        ask("replay", 2, [])


def test_a_pattern_that_is_none_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a regular expression"):
        use(tmp_path / "a/b", mask=["("])


def test_other_calls_count_whole_but_for_declared_patterns(tmp_path: Path, move: Move) -> None:
    def post(mode: str, mask: list[str]) -> Any:
        transport = httpx2.MockTransport(
            lambda request: httpx2.Response(200, json={"seen": json.loads(request.content)})
        )
        with (
            use(tmp_path / "kept/c", mode=mode, mask=mask),
            httpx2.Client(transport=transport) as client,
        ):
            return client.post("https://a.test/x", json={"path": str(Path.cwd())}).json()

    here = move("one")
    assert post("record", []) == {"seen": {"path": str(here)}}
    assert str(here) in (tmp_path / "kept/c/main.yaml").read_text()
    move("two")
    with pytest.raises(CassetteMiss):
        post("replay", [])
    any_folder = [re.escape(str(tmp_path)) + r"/\w+/work"]
    move("one")
    recorded = post("record", any_folder)
    move("two")
    assert post("replay", any_folder) == recorded


def test_the_proxy_replays_what_a_program_recorded_in_process(tmp_path: Path, move: Move) -> None:
    here = move("one")
    with use(tmp_path / "kept/c", mode="record"):
        _ask(f"work in {here} please")
    there = move("two")
    messages = [{"role": "user", "content": f"work in {there} please"}]
    target = "/token/lane/openai/v1/chat/completions"
    address = parse_target(target)
    assert address is not None
    body = json.dumps({"messages": messages, "model": "m"}).encode()
    served = ServedRequest("POST", target, {"user-agent": "OpenAI/Python 3.1"}, body)
    around = surroundings(there, there.parent)
    provider = find_provider("openai")
    read = read_request(served, address, provider, around=around, rules=())
    key = interaction_key(read.read.canonical)
    assert f"key: {key}\n" in (tmp_path / "kept/c/main.yaml").read_text()


def test_what_another_recorder_left_is_found_unmasked(tmp_path: Path, move: Move) -> None:
    here = move("one")
    question = {"messages": [{"role": "user", "content": f"in {here}"}], "model": "m"}
    answer = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "kept"}}]}
    interaction = {
        "request": {
            "method": "POST",
            "uri": "https://api.openai.com/v1/chat/completions",
            "body": json.dumps(question),
            "headers": {},
        },
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"X-Total": ["7"], "Content-Type": ["application/json"]},
            "body": {"string": json.dumps(answer)},
        },
    }
    file = tmp_path / "old.json"
    file.write_text(json.dumps({"version": 1, "interactions": [interaction]}))
    with use(file, mode="replay", keep_headers=["X-Total"]), httpx2.Client() as client:
        url = "https://api.openai.com/v1/chat/completions"
        response = client.post(url, json=question)
    assert response.json() == answer
    assert response.headers["x-total"] == "7"  # kept of what is taken over, too
