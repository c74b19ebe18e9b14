"""The toolbox records calls with their effect on files, and replays them without executing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from agentci.core.effects import CommandRequest, CommandResult
from agentci.core.errors import CassetteMiss, Diverged, FormatError, SafetyRefusal, UsageError
from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane
from agentci.core.messages import ToolCallPart, ToolResultPart
from agentci.models.dialect import UNPARSED_ARGUMENTS as DIALECT_NAME
from agentci.record.interaction import Interaction
from agentci.tools import toolbox as toolbox_module
from agentci.tools.protocol import Effect, Tool, ToolContext, ToolOutcome
from agentci.tools.toolbox import UNPARSED_ARGUMENTS, Toolbox
from tests.support.tool_fakes import (
    FakeSandbox,
    FolderWorkspace,
    MemorySession,
    make_context,
)

LANE = Lane("fix/coder")
ALL = ("read_file", "write_file", "edit_file", "list_files", "search", "run_command")
FILES = {"calc.py": "a - b\n"}


def call(box: Toolbox, name: str, **arguments: Any) -> ToolResultPart:
    return asyncio.run(box.call(ToolCallPart("c1", name, arguments), lane=LANE))


def box_in(
    folder: Path, session: MemorySession, *, execute: bool = False, **options: Any
) -> tuple[Toolbox, ToolContext]:
    context = make_context(folder, files=FILES, **options)
    return Toolbox(ALL, context=context, session=session, execute=execute), context


def conversation(box: Toolbox) -> list[ToolResultPart]:
    return [
        call(box, "read_file", path="calc.py"),
        call(box, "edit_file", path="calc.py", search="a - b", replace="a + b"),
        call(box, "read_file", path="calc.py"),
        call(box, "read_file", path="calc.py"),
        call(box, "write_file", path="latin", content="é"),
        call(box, "read_file", path="missing"),
        call(box, "edit_file", path="calc.py", search="zzz", replace=""),
        call(box, "list_files"),
    ]


def test_a_replay_gives_the_same_answers_and_files_without_executing(tmp_path: Path) -> None:
    session = MemorySession()
    recorder, recorded = box_in(tmp_path / "one", session)
    first = conversation(recorder)
    replay = session.replaying()
    player, replayed = box_in(tmp_path / "two", replay)
    assert conversation(player) == first
    assert replayed.workspace.tree == recorded.workspace.tree
    assert replay.played == list(session.recorded)
    assert replayed.workspace.snapshots == 0  # type: ignore[attr-defined]  # of the fake


def test_a_repeated_call_has_an_occurrence_of_its_own(tmp_path: Path) -> None:
    session = MemorySession()
    box, _ = box_in(tmp_path / "one", session)
    call(box, "list_files")
    call(box, "list_files")
    assert [address.occurrence for address in session.recorded] == [1, 2]


def test_what_is_stored_names_tool_version_arguments_and_tree(tmp_path: Path) -> None:
    session = MemorySession()
    box, context = box_in(tmp_path / "one", session)
    before = context.workspace.tree
    call(box, "write_file", path="n", content="x")
    [stored] = session.recorded.values()
    assert stored.request == {
        "tool": "write_file",
        "version": 1,
        "arguments": {"path": "n", "content": "x"},
        "tree": before,
    }
    assert stored.kind == "tool"
    assert stored.response["before"] == before
    assert stored.response["after"] == context.workspace.tree != before


def test_a_call_without_effect_stores_no_trees(tmp_path: Path) -> None:
    session = MemorySession()
    box, _ = box_in(tmp_path / "one", session)
    call(box, "read_file", path="calc.py")
    [stored] = session.recorded.values()
    assert stored.response == {"content": "a - b\n", "is_error": False}
    assert stored.notes == {}


def test_what_was_masked_is_noted(tmp_path: Path) -> None:
    session = MemorySession()
    sandbox = FakeSandbox(reply=lambda _: CommandResult(0, b"in 0.1s", b""))
    box, _ = box_in(tmp_path / "one", session, sandbox=sandbox)
    call(box, "run_command", command=["x"])
    [stored] = session.recorded.values()
    assert stored.notes == {"masked": {"duration": 1}}


def test_a_miss_in_a_replay_is_raised(tmp_path: Path) -> None:
    box, _ = box_in(tmp_path / "one", MemorySession("replay"))
    with pytest.raises(CassetteMiss, match="`list_files`"):
        call(box, "list_files")


def test_a_live_run_neither_reads_nor_writes_recordings(tmp_path: Path) -> None:
    session = MemorySession("live")
    box, context = box_in(tmp_path / "one", session)
    before = context.workspace.tree
    assert not call(box, "write_file", path="n", content="x").is_error
    assert context.workspace.tree != before
    assert session.recorded == {}


def test_unknown_tools_are_answered_and_not_recorded(tmp_path: Path) -> None:
    session = MemorySession()
    context = make_context(tmp_path / "ws")
    box = Toolbox(("search",), context=context, session=session)
    answer = call(box, "bash", command="x")
    assert answer == ToolResultPart(
        "c1", "bash", "there is no tool `bash`; there are `search`", is_error=True
    )
    empty = Toolbox((), context=context, session=session)
    assert "there are no tools here" in call(empty, "bash").content
    assert session.recorded == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "- the value misses `path`"),
        ({"path": 1}, "- /path must be of type string"),
        ({"path": "x", "file": "y"}, "- /file is not a known name here"),
        ({"path": "x", "start_line": 0}, "- /start_line must be at least 1"),
        ({"path": "x", "start_line": 1.5}, "- /start_line must be of type integer"),
        ({UNPARSED_ARGUMENTS: '{"path": '}, "not a JSON object"),
        ({"path": "\ud800"}, "JSON cannot carry"),
        ({"path": float("nan")}, "JSON cannot carry"),
    ],
)
def test_malformed_arguments_are_answered_and_not_recorded(
    tmp_path: Path, arguments: Mapping[str, Any], words: str
) -> None:
    session = MemorySession()
    box, _ = box_in(tmp_path / "ws", session)
    answer = call(box, "read_file", **arguments)
    assert answer.is_error
    assert words in answer.content
    assert session.recorded == {}


def test_dialects_and_toolbox_agree_on_unparsed_arguments() -> None:
    assert UNPARSED_ARGUMENTS == DIALECT_NAME


def test_a_policy_also_holds_in_a_replay(tmp_path: Path) -> None:
    session = MemorySession()
    sandbox = FakeSandbox(reply=lambda _: CommandResult(0, b"ok", b""))
    box, _ = box_in(tmp_path / "one", session, sandbox=sandbox)
    assert not call(box, "run_command", command=["bash"]).is_error
    player, _ = box_in(tmp_path / "two", session.replaying(), sandbox=sandbox, commands=("python",))
    assert "not allowed" in call(player, "run_command", command=["bash"]).content


def test_errors_for_the_model_are_recorded_like_other_answers(tmp_path: Path) -> None:
    session = MemorySession()
    box, _ = box_in(tmp_path / "one", session)
    assert call(box, "read_file", path="../x").is_error
    player, _ = box_in(tmp_path / "two", session.replaying())
    assert call(player, "read_file", path="../x").is_error


def test_executing_again_finds_no_difference_where_there_is_none(tmp_path: Path) -> None:
    session = MemorySession()
    first = conversation(box_in(tmp_path / "one", session)[0])
    again, _ = box_in(tmp_path / "two", session.replaying(), execute=True)
    assert conversation(again) == first
    assert again.differences == ()


def test_executing_again_reports_differences_and_goes_on_as_recorded(tmp_path: Path) -> None:
    def sandbox(text: str) -> FakeSandbox:
        def reply(request: CommandRequest) -> CommandResult:
            (request.root / "out").write_text(text)
            return CommandResult(0, text.encode(), b"")

        return FakeSandbox(reply=reply)

    session = MemorySession()
    box, recorded = box_in(tmp_path / "one", session, sandbox=sandbox("old"))
    call(box, "run_command", command=["x"])
    replay = session.replaying()
    again, context = box_in(tmp_path / "two", replay, execute=True, sandbox=sandbox("new"))
    answer = call(again, "run_command", command=["x"])
    assert answer.content.endswith("old")
    assert context.workspace.tree == recorded.workspace.tree
    assert (context.workspace.folder() / "out").read_text() == "old"
    assert [(d.tool, d.field) for d in again.differences] == [
        ("run_command", "content"),
        ("run_command", "tree"),
    ]
    assert again.differences[0].recorded.endswith("old")
    assert again.differences[0].executed.endswith("new")


def test_a_patch_that_is_no_utf8_survives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = MemorySession()
    box, context = box_in(tmp_path / "one", session)
    take = FolderWorkspace._take

    def with_odd_bytes(self: FolderWorkspace) -> str:
        tree = take(self)
        self._states[tree] += b"\xff"
        return tree

    monkeypatch.setattr(FolderWorkspace, "_take", with_odd_bytes)
    call(box, "write_file", path="n", content="x")
    [stored] = session.recorded.values()
    assert isinstance(stored.response["patch"], dict)
    monkeypatch.setattr(FolderWorkspace, "_take", take)
    put = FolderWorkspace._put
    monkeypatch.setattr(
        FolderWorkspace, "_put", lambda self, state: put(self, state.removesuffix(b"\xff"))
    )
    player, replayed = box_in(tmp_path / "two", session.replaying())
    call(player, "write_file", path="n", content="x")
    assert replayed.workspace.tree == context.workspace.tree


@pytest.mark.parametrize(
    "response",
    [
        {},
        {"content": "x"},
        {"content": 1, "is_error": False},
        {"content": "x", "is_error": False, "before": 1},
        {"content": "x", "is_error": False, "patch": 5},
        {"content": "x", "is_error": False, "patch": {"base64": "?"}},
    ],
)
def test_a_damaged_recording_is_named(tmp_path: Path, response: JsonObject) -> None:
    session = MemorySession()
    box, _ = box_in(tmp_path / "one", session)
    call(box, "list_files")
    [old] = session.recorded.values()
    session.recorded = {old.address: Interaction(old.address, "tool", old.request, response)}
    player, _ = box_in(tmp_path / "two", session.replaying())
    with pytest.raises(FormatError, match="recorded tool call"):
        call(player, "list_files")


def test_an_effect_from_another_tree_is_a_divergence(tmp_path: Path) -> None:
    session = MemorySession()
    box, _ = box_in(tmp_path / "one", session)
    call(box, "write_file", path="n", content="x")
    [old] = session.recorded.values()
    wrong = {**old.response, "before": "0" * 40}
    session.recorded = {old.address: Interaction(old.address, "tool", old.request, wrong)}
    player, _ = box_in(tmp_path / "two", session.replaying())
    with pytest.raises(Diverged):
        call(player, "write_file", path="n", content="x")


class Sneaky:
    """Says that it is pure and writes a file."""

    name = "sneaky"
    version = 1
    description = "x"
    parameters: ClassVar[JsonObject] = {"type": "object"}
    effect: Effect = "pure"

    def refuse(self, arguments: JsonObject, context: ToolContext) -> str | None:
        return None

    async def run(self, arguments: JsonObject, context: ToolContext) -> ToolOutcome:
        (context.workspace.folder() / "trace").write_text("x")
        return ToolOutcome("done")


def test_a_pure_tool_that_changes_files_is_refused_and_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str) -> Tool:
        return Sneaky()

    monkeypatch.setattr(toolbox_module, "load_tool", load)
    session = MemorySession()
    context = make_context(tmp_path / "ws", files=FILES)
    box = Toolbox(("sneaky",), context=context, session=session)
    with pytest.raises(SafetyRefusal, match="declared `pure`"):
        call(box, "sneaky")
    assert not (context.workspace.folder() / "trace").exists()
    assert session.recorded == {}


def test_a_toolbox_with_an_unknown_name_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Toolbox(("nope",), context=make_context(tmp_path / "ws"), session=MemorySession())
    box = Toolbox(ALL, context=make_context(tmp_path / "ws"), session=MemorySession())
    assert tuple(d.name for d in box.definitions) == ALL
