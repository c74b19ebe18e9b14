"""Folders of tasks: agentci's own, Terminal-Bench's and Harbor's."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from agentci.core.digest import Digest, digest_bytes
from agentci.core.errors import SpecError
from agentci.evals.datasets import task_folder
from agentci.evals.datasets.cases import Fields, case_of
from agentci.evals.datasets.rows import Row

OWN = "input: Fix it.\nexpected: done\ntags: [bug]\n"
FIELDS = Fields("id", "input", "expected", "group", "tags")


class MemoryTasks:
    """The port `TaskSource`; None is a link that leads to nothing."""

    def __init__(self, content: Mapping[str, str | None]) -> None:
        self.content = content
        self.paths = sorted(content)

    def read(self, path: str) -> bytes:
        found = self.content[path]
        assert found is not None
        return found.encode()

    def digest(self, path: str) -> Digest | None:
        found = self.content[path]
        return None if found is None else digest_bytes(found.encode())

    def shown(self, path: str) -> str:
        return f"tasks/{path}"


def tasks(content: Mapping[str, str | None]) -> dict[str, Row]:
    return {row.name or "": row for row in task_folder.read(MemoryTasks(content))}


def test_each_folder_is_a_task_and_has_its_fields_and_files() -> None:
    found = tasks({"b/task.yaml": OWN, "a/task.yaml": OWN, "a/repository/x.py": "1", "README": ""})
    assert list(found) == ["a", "b"]
    assert found["a"].repository == "a/repository"
    assert found["b"].repository is None
    case = case_of(found["a"], FIELDS, file="f")
    assert (case.id, case.input, case.expected, case.tags) == ("a", "Fix it.", "done", ("bug",))
    assert case.row["task_folder"] == "a"


@pytest.mark.parametrize("path", ["repository/x.py", "tests/test_a.py", "solution.sh"])
def test_every_file_of_a_task_is_in_its_digest(path: str) -> None:
    before = tasks({"a/task.yaml": OWN, f"a/{path}": "1"})["a"].digest
    assert before != tasks({"a/task.yaml": OWN, f"a/{path}": "2"})["a"].digest
    assert before != tasks({"a/task.yaml": OWN, f"a/other-{path}": "1"})["a"].digest
    assert before != tasks({"a/task.yaml": OWN, f"a/{path}": None})["a"].digest
    assert before == tasks({"a/task.yaml": OWN, f"a/{path}": "1", "b/task.yaml": OWN})["a"].digest


def test_a_task_has_the_same_digest_whatever_its_folder_is_called() -> None:
    found = tasks({"a/task.yaml": OWN, "b/task.yaml": OWN})
    assert found["a"].digest == found["b"].digest


def test_what_tools_leave_behind_is_no_part_of_a_task() -> None:
    clean = tasks({"a/task.yaml": OWN})
    litter = {"a/tests/__pycache__/x.pyc": "1", "a/.git/HEAD": "1", "a/.DS_Store": "1"}
    assert tasks({"a/task.yaml": OWN, **litter}) == clean


def test_folders_that_begin_with_an_underscore_or_dot_are_no_tasks() -> None:
    assert list(tasks({"_shared/x": "1", ".cache/y": "2", "a/task.yaml": OWN})) == ["a"]


def test_terminal_bench_tasks_are_read() -> None:
    text = (
        "instruction: |\n  Make it work.\nauthor_name: a\ndifficulty: hard\ncategory: bug_fix\n"
        "tags:\n  - python\nparser_name: long_cli\nmax_agent_timeout_sec: 600.0\n"
    )
    case = case_of(tasks({"a/task.yaml": text})["a"], FIELDS, file="f")
    assert case.input == "Make it work.\n"
    assert case.tags == ("bug_fix", "hard", "python")
    assert case.row["max_agent_timeout_sec"] == 600.0


def test_an_instruction_may_stand_in_a_file_of_its_own() -> None:
    content = {"a/task.yaml": "difficulty: easy\n", "a/INSTRUCTION.md": "Do it.\n"}
    assert case_of(tasks(content)["a"], FIELDS, file="f").input == "Do it.\n"


def test_harbor_tasks_are_read() -> None:
    text = (
        'schema_version = "1.4"\n[task]\nname = "x"\nkeywords = ["git"]\n[metadata]\n'
        'difficulty = "easy"\ncategory = "setup"\ntags = ["shell"]\ncreated = 2026-01-02\n'
        "[agent]\ntimeout_sec = 900.0\n"
    )
    row = tasks({"a/task.toml": text, "a/instruction.md": "Set it up."})["a"]
    case = case_of(row, FIELDS, file="f")
    assert case.input == "Set it up."
    assert case.tags == ("easy", "git", "setup", "shell")
    assert case.row["metadata"] == {
        "difficulty": "easy", "category": "setup", "tags": ["shell"], "created": "2026-01-02"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "code", "file", "says"),
    [
        ({"a/x": "1"}, "ACI-F166", "tasks/a", "no `task.yaml`"),
        ({"a/task.yaml": "- x\n"}, "ACI-F166", "tasks/a/task.yaml", "mapping"),
        ({"a/task.yaml": "a: &x 1\nb: *y\n"}, "ACI-D109", "tasks/a/task.yaml", "alias"),
        ({"a/task.toml": "a = nan"}, "ACI-F167", "tasks/a/task.toml", "nan"),
        ({"a/task.toml": "a = 1e999"}, "ACI-F167", "tasks/a/task.toml", "inf"),
        ({"a/task.toml": "a = 1\na = 2"}, "ACI-F165", "tasks/a/task.toml", "TOML"),
        ({"a/task.toml": "a = " + "[" * 9000}, "ACI-F165", "tasks/a/task.toml", "TOML"),
        (
            {"a/task.yaml": "{}", "a/instruction.md": "\0"},
            "ACI-F167",
            "tasks/a/instruction.md",
            "U+0000",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_file(
    content: Mapping[str, str], code: str, file: str, says: str
) -> None:
    with pytest.raises(SpecError) as caught:
        tasks(content)
    problem = caught.value.problems[0]
    assert (problem.code, problem.location.file) == (code, file)
    assert says in problem.message


def test_a_mistake_in_toml_has_its_line() -> None:
    with pytest.raises(SpecError) as caught:
        tasks({"a/task.toml": "a = 1\nb = \n"})
    assert caught.value.problems[0].location.line == 2
