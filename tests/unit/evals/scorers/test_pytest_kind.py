"""The scorer of tests, with a real pytest in real processes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agentci.core.errors import EnvironmentProblem, UsageError
from agentci.evals.results import Score
from agentci.evals.scorers.junit import NotJunit, TestKey, key_of, read_junit
from tests.support.scorer_services import changed, names, score, services_for

CODE = {"calc.py": "def add(a, b):\n    return a - b\n"}
FIXED = {"calc.py": "def add(a, b):\n    return a + b\n"}
TESTS = """\
import pytest
from calc import add


@pytest.mark.parametrize(("a", "b"), [(1, 2), (3, 0)])
def test_add(a, b):
    assert add(a, b) == a + b


class TestOther:
    def test_zero(self):
        assert add(0, 0) == 0

    @pytest.mark.skip
    def test_later(self):
        pass
"""


def _run(
    tmp_path: Path,
    options: Mapping[str, Any],
    *,
    after: Mapping[str, str] | None = None,
    suite: Mapping[str, str] | None = None,
    before: Mapping[str, str] | None = None,
) -> Score:
    hidden = {"hidden/tests/test_calc.py": TESTS} if suite is None else suite
    services = services_for(tmp_path, suite=hidden, before=before or CODE, after=after)
    paths = {"PYTHONPATH": "."}
    options = {"overlay": "hidden", "env": paths, "timeout": 60.0, **options}
    return score("pytest", options, changed(services), services)


SETS = {
    "fail_to_pass": ["tests/test_calc.py::test_add"],
    "pass_to_pass": ["tests/test_calc.py::TestOther::test_zero"],
}


def test_hidden_tests_pass_when_the_work_is_done(tmp_path: Path) -> None:
    found = _run(tmp_path, SETS, after=FIXED)
    assert (found.value, found.passed) == (1, True), found
    assert found.details == {"tests": 2, "passed": 2, "exit_code": 0, "failing": []}


def test_the_value_is_the_share_of_tests_that_pass(tmp_path: Path) -> None:
    ids = {
        "fail_to_pass": ["tests/test_calc.py::test_add[1-2]", "tests/test_calc.py::test_add[3-0]"],
        "pass_to_pass": [
            "tests/test_calc.py::TestOther::test_zero",
            "tests/test_calc.py::TestOther::test_later",
            "tests/gone.py::test_x",
        ],
    }
    found = _run(tmp_path, ids)
    assert found.value == pytest.approx(2 / 5)
    assert found.explanation == (
        "3 of 5 tests do not pass: `tests/test_calc.py::test_add[1-2]`, "
        "`tests/test_calc.py::TestOther::test_later`, `tests/gone.py::test_x`: "
        "assert -1 == (1 + 2) + where -1 = add(1, 2)"
    )
    assert [each["message"] for each in names(found, "failing")][1:] == [
        "unconditional skip",
        "it did not run",
    ]


def test_a_node_id_without_parameters_needs_all_of_them(tmp_path: Path) -> None:
    found = _run(tmp_path, {"fail_to_pass": ["tests/test_calc.py::test_add"]})
    assert found.value == 0


def test_without_names_all_that_is_not_skipped_counts(tmp_path: Path) -> None:
    found = _run(tmp_path, {})
    assert found.value == pytest.approx(2 / 3)


def test_files_that_are_not_there_end_nothing(tmp_path: Path) -> None:
    found = _run(tmp_path, {"fail_to_pass": ["tests/gone.py::test_x"]})
    assert found.explanation.startswith("none of the files with the tests is there")


def test_a_broken_test_file_fails_its_own_tests_only(tmp_path: Path) -> None:
    suite = {
        "hidden/test_a.py": "import nothing_like_it\n",
        "hidden/test_b.py": "def test_b(): pass\n",
    }
    ids = {"pass_to_pass": ["test_a.py::test_a", "test_b.py::test_b"]}
    found = _run(tmp_path, ids, suite=suite)
    assert found.value == 0.5
    assert [each["test"] for each in names(found, "failing")] == ["test_a.py::test_a"]


def test_an_endless_test_is_killed(tmp_path: Path) -> None:
    suite = {
        "hidden/test_a.py": "import subprocess\n\ndef test_a():\n"
        "    subprocess.Popen(['sleep', '300'])\n    while True:\n        pass\n"
    }
    start = time.monotonic()
    found = _run(tmp_path, {"timeout": 3.0}, suite=suite)
    assert time.monotonic() - start < 20
    assert found == Score(0.0, False, "the tests did not end within 3 seconds", {"timed_out": True})


def test_a_run_that_ends_itself_or_plants_results_does_not_pass(tmp_path: Path) -> None:
    suite = {"hidden/test_a.py": "import os\n\ndef test_a():\n    os._exit(0)\n"}
    planted = "<testsuite><testcase classname='test_a' name='test_a'/></testsuite>"
    after = {".agentci-tests.xml": planted}
    found = _run(tmp_path, {"fail_to_pass": ["test_a.py::test_a"]}, suite=suite, after=after)
    assert not found.passed
    assert "pytest wrote no results and ended with 0" in found.explanation


def test_a_python_without_pytest_is_no_failed_case(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="has no pytest"):
        _run(tmp_path, {"command": ["python3", "-I", "-S", "-m", "pytest"]})


@pytest.mark.bwrap
def test_tests_run_in_a_sandbox_that_isolates(tmp_path: Path) -> None:
    looks = (
        "def test_net():\n    import socket\n    socket.create_connection(('127.0.0.1', 9), 1)\n"
    )
    loops = "def test_loop():\n    while True:\n        pass\n"
    suite = {"hidden/tests/test_calc.py": TESTS, "net/test_a.py": looks, "loop/test_a.py": loops}
    services = services_for(tmp_path, suite=suite, before=FIXED)
    services.sandbox_name = "bwrap"
    what = changed(services)
    assert score("pytest", {"overlay": "hidden", **SETS}, what, services).passed
    refused = score("pytest", {"overlay": "net", "timeout": 60.0}, what, services)
    assert "Error" in refused.explanation
    stopped = score("pytest", {"overlay": "loop", "timeout": 3.0}, what, services)
    assert stopped.details == {"timed_out": True}


@pytest.mark.parametrize("own", ["", "[tool.pytest.ini_options]\naddopts = '-p no:doctest'\n"])
def test_settings_of_the_project_around_do_not_count(own: str, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --not-an-option\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('of the project around')\n")
    before = {**FIXED, "pyproject.toml": f"[project]\nname = 'x'\n{own}"}
    assert _run(tmp_path, SETS, before=before).passed


def test_node_ids_have_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="test_x"):
        _run(tmp_path, {"fail_to_pass": ["test_x"]})


@pytest.mark.parametrize(
    ("node_id", "key"),
    [
        ("tests/test_a.py::test_b", TestKey("tests.test_a", "test_b")),
        ("test_a.py::C::D::test_b[x::y-a/b.py]", TestKey("test_a.C.D", "test_b[x::y-a/b.py]")),
        ("docs/a.md::a.md", TestKey("docs.a.md", "a.md")),
    ],
)
def test_node_ids_are_named_as_pytest_names_them(node_id: str, key: TestKey) -> None:
    assert key_of(node_id) == key


def test_of_several_reports_of_a_test_the_worst_counts() -> None:
    data = (
        b"<testsuites><testsuite><testcase classname='a' name='b'/>"
        b"<testcase classname='a' name='b'><error message='teardown'><x><failure/></x></error>"
        b"</testcase><testcase classname='a' name='b'><skipped message='s'/></testcase>"
        b"</testsuite></testsuites>"
    )
    found = read_junit(data)
    assert [(str(key), each.outcome, each.message) for key, each in found.items()] == [
        ("a::b", "failed", "teardown")
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<a>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a>" * 100_000,
    ],
)
def test_what_pytest_does_not_write_is_refused(data: bytes) -> None:
    with pytest.raises(NotJunit):
        read_junit(data)
