"""Each tool, called directly."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.effects import CommandRequest, CommandResult
from agentci.tools import text_search as search_module
from agentci.tools.kinds.edit_file import EditFile
from agentci.tools.kinds.list_files import MAX_ENTRIES, ListFiles
from agentci.tools.kinds.read_file import MAX_CHARACTERS, ReadFile
from agentci.tools.kinds.run_command import MAX_CHARACTERS as MAX_OUTPUT
from agentci.tools.kinds.run_command import RunCommand, shorten
from agentci.tools.kinds.search import Search
from agentci.tools.kinds.write_file import WriteFile
from agentci.tools.protocol import Tool, ToolContext, ToolOutcome, ToolProblem
from agentci.tools.text_search import MAX_MATCHES
from tests.support.tool_fakes import FakeSandbox, make_context

FILES: Mapping[str, str | bytes] = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "src/a-b.txt": "x\n",
    "src/a/z.txt": "needle one\nother\nNeedle two",
    "src/a.txt": "one\r\ntwo\r\n",
    "data.bin": b"\0\1needle",
    "latin.txt": b"caf\xe9 needle",
    "empty": "",
}


@pytest.fixture
def context(tmp_path: Path) -> ToolContext:
    return make_context(tmp_path / "ws", files=FILES)


def use(tool: Tool, context: ToolContext, **arguments: object) -> ToolOutcome:
    return asyncio.run(tool.run(arguments, context))  # type: ignore[arg-type]  # JSON by hand


def problem(tool: Tool, context: ToolContext, **arguments: object) -> str:
    with pytest.raises(ToolProblem) as caught:
        use(tool, context, **arguments)
    return str(caught.value)


# read_file


def test_a_file_is_read_exactly_as_it_is(context: ToolContext) -> None:
    assert use(ReadFile(), context, path="src/a.txt").content == "one\r\ntwo\r\n"
    assert use(ReadFile(), context, path="empty").content == ""


def test_some_lines_are_read_with_their_numbers(context: ToolContext) -> None:
    part = use(ReadFile(), context, path="src/a/z.txt", start_line=2, max_lines=1)
    assert part.content == "[lines 2 to 2 of 3]\nother\n"
    rest = use(ReadFile(), context, path="src/a/z.txt", start_line=2, max_lines=99)
    assert rest.content == "[lines 2 to 3 of 3]\nother\nNeedle two"
    last = use(ReadFile(), context, path="calc.py", start_line=2)
    assert last.content == "[lines 2 to 2 of 2]\n    return a - b\n"
    assert "there is no line 4" in problem(ReadFile(), context, path="src/a/z.txt", start_line=4)


def test_what_is_no_text_is_said(context: ToolContext) -> None:
    assert "binary file of 8 bytes" in problem(ReadFile(), context, path="data.bin")
    assert "not UTF-8" in problem(ReadFile(), context, path="latin.txt")


def test_a_long_file_is_read_in_pieces(context: ToolContext) -> None:
    text = "x" * 99 + "\n"
    (context.workspace.folder() / "long").write_text(text * 3000)
    assert "give `start_line`" in problem(ReadFile(), context, path="long")
    assert use(ReadFile(), context, path="long", max_lines=10).content.count("\n") == 11
    exact = "y" * MAX_CHARACTERS
    (context.workspace.folder() / "exact").write_text(exact)
    assert use(ReadFile(), context, path="exact").content == exact


# write_file


def test_a_file_is_written_exactly_as_given(context: ToolContext) -> None:
    done = use(WriteFile(), context, path="new/deep.txt", content="a\r\nb")
    assert done.content == "created `new/deep.txt`: 2 lines, 4 bytes"
    assert (context.workspace.folder() / "new/deep.txt").read_bytes() == b"a\r\nb"
    again = use(WriteFile(), context, path="new/deep.txt", content="é\n")
    assert again.content == "replaced `new/deep.txt`: 1 lines, 3 bytes"


def test_writing_the_same_content_writes_nothing(context: ToolContext) -> None:
    path = context.workspace.folder() / "calc.py"
    before = path.stat().st_mtime_ns, path.stat().st_ino
    done = use(WriteFile(), context, path="calc.py", content=str(FILES["calc.py"]))
    assert "already has this content" in done.content
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_a_new_file_that_git_ignores_is_not_part_of_the_result(context: ToolContext) -> None:
    use(WriteFile(), context, path=".gitignore", content="*.log\n/out/\n")
    for path in ("a.log", "src/b.log", "out/x/y"):
        assert "no part of the result" in use(WriteFile(), context, path=path, content="x").content
    assert "no part" not in use(WriteFile(), context, path="src/out/x", content="x").content


def test_a_binary_file_may_be_replaced_and_a_huge_content_not(context: ToolContext) -> None:
    assert use(WriteFile(), context, path="data.bin", content="x").content.startswith("replaced")
    assert "at most" in problem(WriteFile(), context, path="x", content="x" * 1_000_001)


# edit_file


def test_the_one_occurrence_is_replaced(context: ToolContext) -> None:
    done = use(EditFile(), context, path="calc.py", search="a - b", replace="a + b")
    assert done.content == "edited `calc.py`: replaced 1 occurrence, at line 2"
    assert (context.workspace.folder() / "calc.py").read_text().endswith("return a + b\n")


def test_an_ambiguous_edit_says_how_often_and_where(context: ToolContext) -> None:
    text = problem(EditFile(), context, path="calc.py", search="a", replace="x")
    assert "occurs 3 times" in text
    assert "at lines 1, 1, 2" in text
    assert (context.workspace.folder() / "calc.py").read_text() == FILES["calc.py"]


def test_overlapping_occurrences_are_ambiguous(context: ToolContext) -> None:
    use(WriteFile(), context, path="o", content="aaa")
    assert "occurs 2 times" in problem(EditFile(), context, path="o", search="aa", replace="b")


def test_all_occurrences_are_replaced_when_asked(context: ToolContext) -> None:
    use(WriteFile(), context, path="o", content="x\nx\n")
    done = use(EditFile(), context, path="o", search="x", replace="y", all=True)
    assert done.content == "edited `o`: replaced 2 occurrences, at lines 1, 2"


def test_an_edit_that_changes_nothing_is_refused(context: ToolContext) -> None:
    assert "change nothing" in problem(EditFile(), context, path="calc.py", search="a", replace="a")


def test_a_missing_text_is_explained(context: ToolContext) -> None:
    edit = EditFile()
    assert "copy the text exactly" in problem(
        edit, context, path="calc.py", search="nope", replace="x"
    )
    assert "white space only" in problem(
        edit, context, path="calc.py", search="def add(a, b):\n  return a - b", replace="x"
    )
    assert "lines end with" in problem(
        edit, context, path="src/a.txt", search="one\ntwo", replace="x"
    )


def test_line_ends_of_an_edited_file_stay(context: ToolContext) -> None:
    use(EditFile(), context, path="src/a.txt", search="one\r\n", replace="1\r\n")
    assert (context.workspace.folder() / "src/a.txt").read_bytes() == b"1\r\ntwo\r\n"


@given(st.text("ab\n", max_size=30), st.text("ab\n", min_size=1, max_size=3))
def test_an_edit_happens_exactly_when_the_text_is_there_once(text: str, search: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        context = make_context(Path(folder) / "ws", files={"f": text})
        count = sum(text.startswith(search, i) for i in range(len(text)))
        if count == 1:
            use(EditFile(), context, path="f", search=search, replace="Z")
            assert (Path(folder) / "ws/f").read_text() == text.replace(search, "Z")
        else:
            problem(EditFile(), context, path="f", search=search, replace="Z")
            assert (Path(folder) / "ws/f").read_text() == text


# list_files


def test_paths_are_sorted_as_text_whatever_the_folders(context: ToolContext) -> None:
    listed = use(ListFiles(), context).content.split("\n")
    assert listed == sorted(listed) == sorted(FILES)


def test_a_folder_a_glob_and_nothing(context: ToolContext) -> None:
    tool = ListFiles()
    assert use(tool, context, path="src/a").content == "src/a/z.txt"
    assert use(tool, context, pattern="*.py").content == "calc.py"
    assert use(tool, context, pattern="src/**/z.*").content == "src/a/z.txt"
    assert use(tool, context, pattern="src/*.txt").content == "src/a-b.txt\nsrc/a.txt"
    assert use(tool, context, pattern="*.rs").content == "[no files]"
    assert "folder" in problem(tool, context, path="calc.py")
    assert "no such" in problem(tool, context, path="nope")
    assert "not a valid glob" in problem(tool, context, pattern="[z-a]")


def test_ignored_and_reserved_files_are_not_listed(context: ToolContext) -> None:
    root = context.workspace.folder()
    for name in (".git/config", ".agentci/x", "build/o", "src/gen/x", "src/keep.log", "a.log"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("needle")
    (root / ".gitignore").write_text("/build/\n*.log\n")
    (root / "src/.gitignore").write_text("gen\n!keep.log\n")
    listed = use(ListFiles(), context).content.split("\n")
    assert "src/keep.log" in listed
    assert not {".git/config", ".agentci/x", "build/o", "src/gen/x", "a.log"} & set(listed)
    assert use(ListFiles(), context, path="src").content.count(".log") == 1


def test_links_are_named_and_not_followed(context: ToolContext) -> None:
    root = context.workspace.folder()
    (root / "loop").symlink_to(".")
    (root / "out").symlink_to("/etc")
    listed = use(ListFiles(), context).content.split("\n")
    assert "loop -> ." in listed
    assert "out -> /etc" in listed
    assert not any(line.startswith(("loop/", "out/")) for line in listed)


def test_names_that_are_no_utf8_are_shown_replaced(context: ToolContext) -> None:
    (Path(os.fsdecode(os.fsencode(context.workspace.folder()) + b"/n\xe9"))).write_text("x")
    assert "n\ufffd" in use(ListFiles(), context).content.split("\n")


def test_a_long_listing_says_how_much_is_left_out(context: ToolContext) -> None:
    folder = context.workspace.folder() / "many"
    folder.mkdir()
    for index in range(MAX_ENTRIES + 2):
        (folder / f"{index:05}").touch()
    listed = use(ListFiles(), context, path="many").content.split("\n")
    assert len(listed) == MAX_ENTRIES + 1
    assert listed[-1].startswith("[2 more")


# search


def test_literal_matches_have_path_and_line(context: ToolContext) -> None:
    assert use(Search(), context, query="needle").content == "src/a/z.txt:1: needle one"
    both = use(Search(), context, query="needle", ignore_case=True).content
    assert both == "src/a/z.txt:1: needle one\nsrc/a/z.txt:3: Needle two"
    assert use(Search(), context, query="a.b").content == "[no matches]"
    assert use(Search(), context, query="one", path="src/a.txt").content == "src/a.txt:1: one"
    assert use(Search(), context, query="one", pattern="z.*").content.startswith("src/a/z.txt")


def test_regular_expressions_match_line_by_line(context: ToolContext) -> None:
    found = use(Search(), context, query=r"^n\w+ (one|two)$", regex=True, ignore_case=True)
    assert found.content == "src/a/z.txt:1: needle one\nsrc/a/z.txt:3: Needle two"
    assert "not a valid" in problem(Search(), context, query="(", regex=True)


def test_a_catastrophic_expression_is_given_up(
    context: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "REGEX_SECONDS", 0.5)
    use(WriteFile(), context, path="evil", content="a" * 60 + "!\n")
    text = problem(Search(), context, query="(a+)+$", regex=True)
    assert "took more than 0.5 seconds" in text


def test_matches_are_bounded_and_long_lines_cut(context: ToolContext) -> None:
    use(WriteFile(), context, path="many", content="hit\n" * (MAX_MATCHES + 5))
    for regex in (False, True):
        lines = use(Search(), context, query="hit", path="many", regex=regex).content.split("\n")
        assert len(lines) == MAX_MATCHES + 1
        assert lines[-1].startswith("[more than")
    use(WriteFile(), context, path="long", content="z" * 1000)
    assert len(use(Search(), context, query="zz", path="long").content) < 400


def test_files_that_are_too_large_are_counted(context: ToolContext) -> None:
    (context.workspace.folder() / "huge").write_bytes(b"needle\n" * 200_000)
    assert "[1 files not searched" in use(Search(), context, query="needle").content


# run_command


def test_a_command_shows_exit_code_and_both_outputs(context: ToolContext) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    done = use(RunCommand(), context, command=[sys.executable, "-c", code])
    assert done.content == "exit code: 3\nstdout:\nout\n\nstderr:\nerr\n"
    assert not done.is_error


def test_a_command_gets_the_fixed_environment_folder_and_input(tmp_path: Path) -> None:
    sandbox = FakeSandbox("docker", lambda _: CommandResult(0, b"", b""))
    context = make_context(tmp_path / "ws", files=FILES, sandbox=sandbox, timeout=7)
    done = use(RunCommand(), context, command=["cat", "/workspace/x"], folder="src", stdin="in")
    assert done.content == "exit code: 0"
    assert sandbox.requests == [
        CommandRequest(
            ("cat", "/workspace/x"),
            context.workspace.folder(),
            7,
            env=context.env,
            folder="src",
            stdin=b"in",
        )
    ]


def test_output_is_masked_and_counted(tmp_path: Path) -> None:
    root = tmp_path / "ws"
    sandbox = FakeSandbox(reply=lambda _: CommandResult(0, f"{root}/a in 0.1s".encode(), b""))
    done = use(RunCommand(), make_context(root, sandbox=sandbox), command=["x"])
    assert done.content == "exit code: 0\nstdout:\n/workspace/a in <duration>"
    assert done.masked == {"duration": 1, "path": 1}


def test_the_shown_name_of_the_workspace_works_in_a_plain_process(tmp_path: Path) -> None:
    sandbox = FakeSandbox(reply=lambda _: CommandResult(0, b"", b""))
    context = make_context(tmp_path / "ws", sandbox=sandbox)
    words = ["cat", "/workspace/calc.py", "--in=/workspace", "/workspaces", "/x/workspace"]
    use(RunCommand(), context, command=words)
    root = str(tmp_path / "ws")
    assert sandbox.requests[0].argv == (
        "cat",
        f"{root}/calc.py",
        f"--in={root}",
        "/workspaces",
        "/x/workspace",
    )


def test_a_command_that_was_killed_is_an_error(tmp_path: Path) -> None:
    sandbox = FakeSandbox(reply=lambda _: CommandResult(137, b"part", b"", timed_out=True))
    context = make_context(tmp_path / "ws", sandbox=sandbox, timeout=1.5)
    done = use(RunCommand(), context, command=["sleep", "9"])
    assert done.is_error
    assert done.content == "exit code: 137 (killed after 1.5 seconds)\nstdout:\npart"


def test_only_allowed_programs_start(tmp_path: Path) -> None:
    context = make_context(tmp_path / "ws", commands=("pytest", "python"))
    tool = RunCommand()
    assert tool.refuse({"command": ["python", "x"]}, context) is None
    for program in ("bash", "./python", "/usr/bin/python", "python3"):
        refusal = tool.refuse({"command": [program]}, context)
        assert refusal == f"`{program}` is not allowed here; allowed are `pytest`, `python`"
    free = make_context(tmp_path / "ws2")
    assert tool.refuse({"command": ["bash"]}, free) is None
    assert tool.refuse({"command": [""]}, free)
    assert tool.refuse({"command": ["a\0b"]}, free)


def test_a_folder_outside_is_refused(context: ToolContext) -> None:
    (context.workspace.folder() / "up").symlink_to("..")
    for folder in ("..", "/", "up", "nope", "calc.py"):
        problem(RunCommand(), context, command=["true"], folder=folder)


@given(st.integers(0, 3 * MAX_OUTPUT), st.integers(1, 200))
def test_a_shortened_text_is_bounded_and_keeps_both_ends(size: int, width: int) -> None:
    text = "".join(f"{i:06}"[: width - 1] + "\n" for i in range(size // width + 1))
    short = shorten(text)
    assert len(short) <= MAX_OUTPUT + 60
    assert short.startswith(text[:width])
    assert short.endswith(text[-width:])
    assert (short == text) == (len(text) <= MAX_OUTPUT)
