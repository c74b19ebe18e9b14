"""How errors and results look."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from agentci.cli.render import errors, github
from agentci.cli.render.json import to_json
from agentci.cli.render.style import color_wanted, paint
from agentci.core.errors import AgentciError, Location, Problem, SpecError


def _problem(file: Path, line: int, column: int, message: str = "unknown key `agnets`") -> Problem:
    place = Location(file=str(file), line=line, column=column)
    return Problem("ACI-D101", message, place, hint="did you mean `agents`?")


def test_a_problem_shows_its_line_with_a_caret(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text("format: x\n  agnets: {}\n")
    shown = errors.as_text(SpecError((_problem(file, 2, 3),)), color=False)
    assert shown == (
        "error[ACI-D101]: unknown key `agnets`\n"
        f"  --> {file}:2:3\n"
        "   |\n"
        " 2 |   agnets: {}\n"
        "   |   ^\n"
        "hint: did you mean `agents`?\n"
    )


def test_all_problems_of_a_definition_are_shown(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text("one\ntwo\n")
    error = SpecError((_problem(file, 1, 1), _problem(file, 2, 1, "another")))
    assert errors.as_text(error, color=False).count("error[ACI-D101]") == 2
    assert len(json.loads(errors.as_json(error))["error"]["problems"]) == 2


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"short\n"])
def test_a_place_that_cannot_be_shown_is_only_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "x.yaml"
    if content is not None:
        file.write_bytes(content)
    shown = errors.as_text(SpecError((_problem(file, 7, 1),)), color=False)
    assert shown.splitlines()[1:] == [f"  --> {file}:7:1", "hint: did you mean `agents`?"]


def test_a_lane_is_a_place_too() -> None:
    error = AgentciError("no", location=Location(lane="fix[2]/code"))
    assert "  --> lane fix[2]/code\n" in errors.as_text(error, color=False)


def test_control_characters_do_not_reach_the_terminal() -> None:
    shown = errors.as_text(AgentciError("\x1b[2Jgone\x07"), color=False)
    assert "\x1b" not in shown
    assert "\\x1b[2Jgone\\x07" in shown


def test_json_is_ascii_and_keeps_the_order_of_fields() -> None:
    @dataclass(frozen=True)
    class Result:
        zebra: str
        apple: tuple[Path, ...]

    text = to_json(Result("ä\ud800", (Path("a") / "b",)))
    assert text.isascii()
    assert list(json.loads(text).items()) == [("zebra", "ä\ud800"), ("apple", ["a/b"])]


def test_annotations_escape_what_github_would_read() -> None:
    place = Location(file="a,b:c.yaml", line=3, column=2)
    command = github.error_commands([Problem("ACI-D1", "x\ny", place)])
    assert command == "::error file=a%2Cb%3Ac.yaml,line=3,col=2,title=ACI-D1::x%0Ay\n"


def test_markdown_cells_cannot_break_the_table() -> None:
    assert "a\\|b<br>c" in github.table(("x",), [("a|b\nc",)])


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_follows_the_terminal_and_the_user(
    variables: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert color_wanted(_Terminal()) is expected
    assert not color_wanted(io.StringIO())


def test_without_colour_text_stays_as_it_is() -> None:
    assert paint("x", "red", color=False) == "x"
