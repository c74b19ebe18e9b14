"""Suites as tests, in projects that pytest collects in a process of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.projects import Project, shipped
from tests.support.pytest_suite import SuiteOutput, run_suite

SUITE = "pipelines/triage/suite.yaml"
DATASET = "pipelines/triage/issues.jsonl"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the shipped suite; every test that changes it makes its own."""
    return _project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return _project(tmp_path)


def _project(folder: Path) -> Project:
    """Return a copy of what ships, whose quarantine does not end while this test is in use."""
    project = shipped(folder)
    _edit(project, SUITE, "2027-06-30", "9999-12-31")
    return project


def _run(project: Project, *arguments: str) -> SuiteOutput:
    return run_suite(project.folder, "--agentci-suites", "pipelines/triage", *arguments)


def _edit(project: Project, name: str, old: str, new: str) -> None:
    path = project.folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_suite_is_collected_only_where_that_is_asked_for(template: Project) -> None:
    done = run_suite(template.folder, "pipelines/triage")
    assert done.code == 5
    assert "no tests ran" in done.text


def test_each_case_is_an_item_with_the_path_of_its_suite(template: Project) -> None:
    done = _run(template, "--collect-only")
    assert done.code == 0
    items = [line for line in done.text.splitlines() if line.startswith(SUITE)]
    assert len(items) == 10
    assert f"{SUITE}::crash-large-file" in items


def test_cases_pass_and_those_in_quarantine_fail_as_expected(template: Project) -> None:
    done = _run(template)
    assert done.code == 0, done.text
    assert done.counts == {"passed": 9, "xfailed": 1}


def test_cases_are_chosen_by_name_and_id(template: Project) -> None:
    chosen = _run(template, "-k", "crash")
    assert chosen.counts == {"passed": 2, "deselected": 8}
    single = run_suite(template.folder, "--agentci-suites", f"{SUITE}::vim-keys")
    assert single.counts == {"passed": 1}


def test_workers_share_the_cases(template: Project) -> None:
    done = _run(template, "-p", "xdist", "-n", "2")
    assert done.code == 0, done.text
    assert done.counts == {"passed": 9, "xfailed": 1}


def test_a_setting_collects_suites_always(project: Project) -> None:
    project.write("pytest.ini", "[pytest]\nagentci_suites = true\n")
    assert run_suite(project.folder, SUITE).counts == {"passed": 9, "xfailed": 1}


def test_a_case_that_fails_says_which_scorer_and_where_it_stands(project: Project) -> None:
    _edit(project, DATASET, '{"kind": "bug"', '{"kind": "question"')
    done = _run(project)
    assert done.code == 1
    assert done.counts == {"failed": 1, "passed": 8, "xfailed": 1}
    assert re.search(r'kind: expected "question", got "bug"', done.text), done.text
    assert f"{DATASET}:1" in done.text
    assert "Traceback" not in done.text


def test_a_case_without_a_recording_fails_with_the_reason(project: Project) -> None:
    _edit(project, "pipelines/triage/prompts/sort.md", "", "Be quick. ")
    done = _run(project, "-x")
    assert done.code == 1
    assert done.counts["failed"] == 1
    assert "not judged: no recording of model request" in done.text
    assert "cause: prompt edited" in done.text


def test_only_cases_that_are_to_run_are_evaluated(project: Project) -> None:
    _run(project, "-k", "crash-large-file or how-to-undo")
    report = project.report("eval", "triage", "--mode", "replay", "--only-changed")
    assert len(report["suites"][0]["cases"]) == 8


def test_an_invalid_suite_is_an_error_of_its_collection(project: Project) -> None:
    _edit(project, SUITE, "scorers:", "scorer:")
    done = _run(project)
    assert done.code == 2
    assert "scorer" in done.text
    assert f"{SUITE}:" in done.text
    assert "Traceback" not in done.text


def test_a_suite_of_another_program_is_left_alone(project: Project) -> None:
    project.write("other/suite.yaml", "format: somebody/else\n")
    done = run_suite(project.folder, "--agentci-suites", "other")
    assert done.code == 5


def test_recording_everything_anew_is_not_for_suites(template: Project) -> None:
    done = _run(template, "--agentci-record-all", "-k", "vim-keys")
    assert done.code != 0
    assert "`--agentci-mode=record-all` is not for suites" in done.text
