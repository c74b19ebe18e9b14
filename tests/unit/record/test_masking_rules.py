"""Masks: what is declared is masked, in every spelling, and nothing else is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.errors import SpecError, UsageError
from agentci.core.json_types import JsonObject
from agentci.record.keys import interaction_key
from agentci.record.mask_file import MaskFile, read_mask, shipped_masks
from agentci.record.masking_rules import ClientRequest, find_masks, mask_body
from agentci.record.surroundings import Surroundings, slug, surroundings

HERE = surroundings(Path("/srv/build-7/my_app"), Path("/srv/people/ann"))
THERE = surroundings(Path("/tmp/x/other.app"), Path("/home/bob"))
MASKS = {mask.name: mask for mask in shipped_masks()}
DATES = ("2026-11-22", "Sun Nov 22 2026", "Sunday, November 22, 2026", "November 2026")
LATER = ("2027-01-03", "Sun Jan 3 2027", "Sunday, January 3, 2027", "January 2027")


def masked(body: Any, name: str, around: Surroundings = HERE) -> Any:
    return mask_body(body, [MASKS[name]], around).body


def claude(cwd: str, home: str, run: int, date: str) -> dict[str, Any]:
    """Return what of a request of Claude Code varies."""
    memory = f"{home}/.claude/projects/{slug(cwd)}/memory/"
    return {
        "metadata": {"user_id": json.dumps({"device_id": f"{run}", "session_id": f"{run}"})},
        "system": [
            {"type": "text", "text": f"x-anthropic-billing-header: cc_version=2.1.{run}; a=b;"},
            {
                "type": "text",
                "text": f"Memory at `{memory}`.\n - Primary working directory: {cwd}\n"
                f" - OS Version: Linux 6.{run}\n\nRecent commits:\n{run:07x} first\n",
            },
        ],
        "messages": [{"role": "user", "content": [{"text": f"Today's date is {date}."}]}],
    }


def codex(cwd: str, home: str, run: int, date: str) -> dict[str, Any]:
    """Return what of a request of Codex CLI varies."""
    return {
        "prompt_cache_key": f"{run}",
        "client_metadata": {f"b{run}": "1", "a": "2"},
        "input": [
            {"id": f"msg_{run}", "content": [{"text": f"skills in {home}/.codex/skills"}]},
            {
                "id": f"msg_x{run}",
                "content": [{"text": f"<cwd>{cwd}</cwd><current_date>{date}</current_date>"}],
            },
            {"output": f"Chunk ID: {run:06x}\nWall time: 0.{run:04} seconds\nin {cwd}/a.txt"},
        ],
    }


def gemini(cwd: str, home: str, run: int, date: str) -> dict[str, Any]:
    """Return what of a request of Gemini CLI varies."""
    name = cwd.rpartition("/")[2]
    text = (
        f"Today's date is {date} (formatted).\nThe project's temporary directory is: "
        f"{home}/.gemini/tmp/{name}\n - {cwd}\n\n{cwd}/\n├───readme.txt"
    )
    call = {"name": "write_file", "args": {"file_path": f"{cwd}/out.txt"}}
    return {
        "systemInstruction": {"parts": [{"text": f"memory in {home}/.gemini/GEMINI.md"}]},
        "contents": [
            {"role": "user", "parts": [{"text": text}]},
            {"parts": [{"functionCall": {**call, "id": f"write_file_{run}_0"}}]},
            {"parts": [{"functionResponse": {"id": f"write_file_{run}_0", "name": "write_file"}}]},
        ],
    }


def opencode(cwd: str, _home: str, _run: int, date: str) -> dict[str, Any]:
    """Return what of a request of opencode varies."""
    text = f"  Working directory: {cwd}\n  Workspace root: {cwd}\n  Today's date: {date}\n"
    return {"messages": [{"role": "system", "content": text}]}


@pytest.mark.parametrize("date", range(4))
@pytest.mark.parametrize(
    ("name", "make"),
    [("claude-code", claude), ("codex", codex), ("gemini-cli", gemini), ("opencode", opencode)],
)
def test_another_place_run_and_day_give_the_same_request(name: str, make: Any, date: int) -> None:
    one = make("/srv/build-7/my_app", "/srv/people/ann", 1234, DATES[date])
    two = make("/tmp/x/other.app", "/home/bob", 98765, LATER[date])
    first, second = masked(one, name), masked(two, name, THERE)
    assert first == second
    assert interaction_key(first) == interaction_key(second)
    text = json.dumps(first)
    assert not re.search(r"ann|my_app|1234|2026", text)


@pytest.mark.parametrize("name", sorted(MASKS))
def test_what_is_asked_is_never_masked(name: str) -> None:
    one = {"messages": [{"role": "user", "content": "Fix the total on 2026-11-22, please."}]}
    two = {"messages": [{"role": "user", "content": "Fix the total on 2026-11-23, please."}]}
    assert masked(one, name) == one
    assert masked(one, name) != masked(two, name)


def test_folders_are_masked_whole_and_not_inside_other_words() -> None:
    def shown(text: str) -> str:
        found = masked({"text": text}, "unknown-client")["text"]
        assert isinstance(found, str)
        return found

    assert shown("in /srv/build-7/my_app.") == "in /workspace."
    assert shown("file:///srv/build-7/my_app/a.py") == "file:///workspace/a.py"
    assert shown("-I/srv/build-7/my_app/include") == "-I/workspace/include"
    assert shown("/srv/build-7/my_app2") == "/srv/build-7/my_app2"
    assert shown("/srv/build-7/my_app.old") == "/srv/build-7/my_app.old"
    assert shown("/mnt/srv/build-7/my_app") == "/mnt/srv/build-7/my_app"
    assert shown("/srv/people/ann/.x/-srv-build-7-my-app/y") == "/home/agent/.x/-workspace/y"
    assert shown("build-7") == "build-7"


def test_a_workspace_around_the_working_directory_is_the_workspace() -> None:
    around = surroundings(Path("/srv/app/sub"), Path("/srv/home"), root=Path("/srv/app"))
    found = masked({"t": "/srv/app/sub/a and /srv/app/b"}, "unknown-client", around)
    assert found == {"t": "/workspace/sub/a and /workspace/b"}


def test_the_root_folder_is_no_folder_to_mask() -> None:
    assert surroundings(Path("/"), Path("/")).pattern() is None
    body = {"t": "/usr/bin"}
    assert masked(body, "unknown-client", surroundings(Path("/"), Path("/"))) == body


def test_what_was_masked_is_counted_by_mask_and_rule() -> None:
    body = codex("/srv/build-7/my_app", "/srv/people/ann", 7, DATES[0])
    counts = mask_body(body, [MASKS["codex"]], HERE, rules=(r"skil+s",)).counts
    assert counts["codex/1"] == {
        "chunk-id": 1, "client_metadata": 1, "date": 1, "folder": 3, "input[*].id": 2,
        "prompt_cache_key": 1, "wall-time": 1,
    }  # fmt: skip
    assert counts["pipeline"] == {"skil+s": 2}


def test_a_rule_that_is_no_pattern_is_an_error() -> None:
    with pytest.raises(UsageError, match="not a regular expression"):
        mask_body({}, [], HERE, rules=("(",))


@given(st.recursive(st.text() | st.integers() | st.none(), lambda x: st.lists(x, max_size=3)))
def test_masking_twice_is_masking_once(value: Any) -> None:
    for name in MASKS:
        once = masked({"messages": value, "system": value}, name)
        assert masked(once, name) == once


@given(st.lists(st.sampled_from(["/srv/build-7/my_app", "/srv/people/ann", "/", " ", "a", "-"])))
def test_folders_masked_twice_are_masked_once(parts: list[str]) -> None:
    once = masked({"t": "".join(parts)}, "claude-code")
    assert masked(once, "claude-code") == once


@pytest.mark.parametrize(
    ("user_agent", "text", "expected"),
    [
        ("claude-cli/2.1.197 (external, sdk-cli)", "", ["claude-code"]),
        ("codex_exec/0.169.0 (Debian)", "", ["codex"]),
        ("GeminiCLI-tui/0.61.0/gemini-2.5-pro", "", ["gemini-cli"]),
        ("opencode/1.18.33 ai-sdk/x", "", ["opencode"]),
        ("OpenAI/Python 2.20.0", "use *SEARCH/REPLACE* blocks", ["aider", "openai-sdk"]),
        ("AsyncOpenAI/Python 3.54.0", "", ["openai-sdk"]),
        ("Anthropic/Python 2.12", "", ["anthropic-sdk"]),
        ("google-genai-sdk/3.4.0 gl-python/3.11", "", ["google-genai-sdk"]),
        ("curl/8", "", ["unknown-client"]),
    ],
)
def test_a_client_is_recognised(user_agent: str, text: str, expected: list[str]) -> None:
    found = find_masks(ClientRequest(user_agent, "/v1/x", text), shipped_masks())
    assert [mask.name for mask in found] == expected


def test_lists_without_order_are_sorted() -> None:
    mask = _mask("unordered: ['tools', 'a[*].b']")
    body: JsonObject = {
        "tools": [{"n": "b"}, {"n": "a"}],
        "a": [{"b": [2, 1]}, {"c": 1}],
        "x": [2, 1],
    }
    assert mask_body(body, [mask], Surroundings()).body == {
        "tools": [{"n": "a"}, {"n": "b"}], "a": [{"b": [1, 2]}, {"c": 1}], "x": [2, 1],
    }  # fmt: skip


def test_a_rule_may_hold_for_a_part_of_the_body() -> None:
    mask = _mask("replace: [{name: n, pattern: 'a+', with: b, at: 'x[*].y'}]")
    body: JsonObject = {"x": [{"y": "aa", "z": "aa"}], "y": "aa"}
    assert mask_body(body, [mask], HERE).body == {"x": [{"y": "b", "z": "aa"}], "y": "aa"}


@pytest.mark.parametrize(
    "line",
    [
        "replace: [{name: n, pattern: '(', with: b}]",
        "replace: [{name: n, pattern: '<<no>>', with: b}]",
        "drops: []",
        "revision: 0",
    ],
)
def test_a_mask_file_with_a_mistake_is_refused_with_its_place(line: str) -> None:
    with pytest.raises(SpecError) as caught:
        _mask(line)
    assert caught.value.location is not None
    assert str(caught.value.location).startswith("test.yaml:")


def _mask(line: str) -> MaskFile:
    head = "format: agentci/mask\nversion: 1\nname: test\ndescription: a test\n"
    revision = "" if line.startswith("revision") else "revision: 1\n"
    return read_mask(f"{head}{revision}{line}\n".encode(), "test.yaml")
