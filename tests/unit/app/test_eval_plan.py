"""Keys of trials: whatever can change a result changes its key, by name; nothing else does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agentci.app import wiring
from agentci.app.eval_plan import PlanSettings, SuitePlan, plan_suite
from agentci.core.errors import UsageError
from agentci.evals.keys import key_changes
from tests.support.eval_project import AGENT, SUITE, SUITE_PATH, eval_project, write_cases
from tests.support.projects import Project

PLACE = "pipelines/ask"
SCORERS = """\
scorers:
  - {kind: exact}
  - {kind: python, name: own, gates: false, with: {function: "check.py:check"}}
trials: 2
"""
MODEL = "{provider: scripted, id: m, script: script.yaml, parameters: {temperature: 0.5}}"
CASES = [{"id": f"c{n}", "input": {"input": n, "of": "x"}, "expected": "42"} for n in range(3)]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = eval_project(tmp_path / "p", AGENT + SCORERS, cases=CASES)
    _edit(
        project, f"{PLACE}/pipeline.yaml", "{provider: scripted, id: m, script: script.yaml}", MODEL
    )
    _edit(project, f"{PLACE}/pipeline.yaml", "system: system.md}", "system: system.md, tools: []}")
    project.write(f"{PLACE}/check.py", "import helper\n\n\ndef check(subject):\n    return True\n")
    project.write(f"{PLACE}/helper.py", "A = 1\n")
    for trial in (1, 2):
        lane = f"cassettes/pipelines.ask/c1/{trial}/target/a.yaml"
        project.write(lane, f"# a recording\nprovenance: {trial}\n")
        project.write(f"cassettes/pipelines.ask/c1/{trial}/judge/own.yaml", "# a verdict\n")
    return project


def _plan(project: Project, settings: PlanSettings | None = None) -> SuitePlan:
    root = project.folder
    return plan_suite(
        root / PLACE,
        wiring.files(),
        root=root,
        cassettes_root=root / "cassettes",
        settings=settings or PlanSettings(),
    )


def _edit(project: Project, name: str, old: str, new: str) -> None:
    path = project.folder / name
    text = path.read_text()
    assert old in text, text
    path.write_text(text.replace(old, new))


def _editing(name: str, old: str, new: str) -> Callable[[Project], None]:
    return lambda project: _edit(project, name, old, new)


PIPELINE = f"{PLACE}/pipeline.yaml"
CHANGES: dict[str, tuple[Callable[[Project], None], str]] = {
    "prompt": (_editing(f"{PLACE}/ask.md", "What", "Which"), "prompts.ask.md"),
    "instructions": (_editing(f"{PLACE}/system.md", "one", "two"), "prompts.system.md"),
    "model": (_editing(PIPELINE, "id: m,", "id: n,"), "models.m.id"),
    "parameter": (_editing(PIPELINE, "0.5", "0.7"), "models.m.parameters.temperature"),
    "tools": (_editing(PIPELINE, "tools: []", "tools: [read_file]"), "tools.read_file"),
    "limits": (_editing(PIPELINE, "tools: []", "limits: {turns: 3}"), "agents.a.limits"),
    "replies": (_editing(f"{PLACE}/script.yaml", "blue", "grey"), "scripts.script.yaml"),
    "seed": (lambda p: _append(p, SUITE_PATH, "seed: 9\n"), "seed"),
    "scorer's threshold": (
        _editing(SUITE_PATH, "{kind: exact}", "{kind: exact, threshold: 0.5}"),
        "scorers.exact.threshold",
    ),
    "scorer's option": (
        _editing(SUITE_PATH, "{kind: exact}", "{kind: exact, with: {strip: true}}"),
        "scorers.exact.with.strip",
    ),
    "scorer's code": (_editing(f"{PLACE}/check.py", "True", "False"), "scorers.own.files.check.py"),
    "scorer's import": (_editing(f"{PLACE}/helper.py", "1", "2"), "scorers.own.files.helper.py"),
    "row": (lambda p: write_cases(p, [{**case, "note": 1} for case in CASES]), "case"),
    "input": (
        lambda p: write_cases(p, [{**case, "input": {"input": 7, "of": "y"}} for case in CASES]),
        "inputs",
    ),
    "recording": (
        _editing("cassettes/pipelines.ask/c1/1/target/a.yaml", "a rec", "another rec"),
        "recordings",
    ),
    "verdict": (
        _editing("cassettes/pipelines.ask/c1/1/judge/own.yaml", "verdict", "other verdict"),
        "judges",
    ),
    "sandbox": (lambda p: _append(p, SUITE_PATH, "sandbox: bwrap\n"), "sandbox"),
}


def _append(project: Project, name: str, text: str) -> None:
    path = project.folder / name
    path.write_text(path.read_text() + text)


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_can_change_a_result_changes_its_key_by_name(what: str, project: Project) -> None:
    change, field = CHANGES[what]
    before = _plan(project).cases[1].trials[0].scores_key
    change(project)
    after = _plan(project).cases[1].trials[0].scores_key
    assert after.digest != before.digest
    assert field in [each.field for each in key_changes(before.fields, after.fields)]


def _touch(project: Project) -> None:
    for path in project.folder.rglob("*"):
        os.utime(path, (1, 1))


def _reorder_keys(project: Project) -> None:
    write_cases(project, [dict(reversed(list(case.items()))) for case in CASES])


def _other_cases(project: Project) -> None:
    write_cases(project, [*CASES, {"id": "d", "input": {"input": 1, "of": "x"}}])


NO_CHANGES: dict[str, Callable[[Project], None]] = {
    "times of files": _touch,
    "order of keys": _reorder_keys,
    "another case": _other_cases,
    "environment": lambda _p: os.environ.update(LANG="tlh", SOME_KEY="x"),
    "working directory": lambda _p: os.chdir("/"),
    "compiled code": lambda p: _append_new(p, f"{PLACE}/__pycache__/helper.pyc"),
    "comments": lambda p: _append(p, PIPELINE, "# the end\n"),
    "the suite's words": lambda p: _append(p, SUITE_PATH, "description: other words\n"),
    "provenance": _editing(
        "cassettes/pipelines.ask/c1/1/target/a.yaml", "provenance: 1", "provenance: 9"
    ),
    "another trial's recording": _editing(
        "cassettes/pipelines.ask/c1/2/target/a.yaml", "a rec", "another rec"
    ),
}


def _append_new(project: Project, name: str) -> None:
    project.write(name, "bytes")


@pytest.mark.parametrize("what", NO_CHANGES)
def test_nothing_else_changes_a_key(
    what: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.chdir(project.folder)
    before = _plan(project).cases[1].trials[0].scores_key
    NO_CHANGES[what](project)
    after = _plan(project).cases[1].trials[0].scores_key
    assert key_changes(before.fields, after.fields) == ()
    assert after.digest == before.digest


def test_what_only_scorers_see_leaves_the_targets_key_alone(project: Project) -> None:
    before = _plan(project).cases[1].trials[0]
    _edit(project, f"{PLACE}/helper.py", "1", "2")
    after = _plan(project).cases[1].trials[0]
    assert after.key.digest == before.key.digest
    assert after.scores_key.digest != before.scores_key.digest


def test_trials_and_cases_have_keys_and_seeds_of_their_own(project: Project) -> None:
    trials = [trial for case in _plan(project).cases for trial in case.trials]
    assert len({trial.key.digest for trial in trials}) == len(trials)
    assert len({trial.seed for trial in trials}) == len(trials)


def test_the_project_is_found_wherever_it_is(project: Project, tmp_path: Path) -> None:
    before = _plan(project)
    moved = project.folder.rename(tmp_path / "elsewhere")
    after = _plan(Project(moved))
    assert after.digests == before.digests
    assert [each.trials[0].scores_key.digest for each in after.cases] == [
        each.trials[0].scores_key.digest for each in before.cases
    ]


def test_a_fixture_and_what_git_ignores_there(project: Project) -> None:
    _edit(project, PIPELINE, "tools: []", "tools: [read_file]")
    _edit(project, PIPELINE, "sandbox: process", "sandbox: process\nrepository: files")
    project.write(f"{PLACE}/files/.gitignore", "*.log\nbuild/\n!kept.log\n")
    project.write(f"{PLACE}/files/code.py", "A = 1\n")
    before = _plan(project).cases[0].trials[0].key.digest
    project.write(f"{PLACE}/files/out.log", "x")
    project.write(f"{PLACE}/files/build/deep/kept.log", "x")
    project.write(f"{PLACE}/files/__pycache__/code.pyc", "x")
    assert _plan(project).cases[0].trials[0].key.digest == before
    project.write(f"{PLACE}/files/kept.log", "x")
    assert _plan(project).cases[0].trials[0].key.digest != before


def test_a_trial_that_was_recorded_belongs_to_the_case(project: Project) -> None:
    project.write("cassettes/pipelines.ask/c2/5/target/a.yaml", "# more\n")
    counts = {each.case.id: len(each.trials) for each in _plan(project).cases}
    assert counts == {"c0": 2, "c1": 2, "c2": 5}
    asked = {
        each.case.id: len(each.trials) for each in _plan(project, PlanSettings(trials=1)).cases
    }
    assert asked == {"c0": 1, "c1": 1, "c2": 1}
    more = _plan(project, PlanSettings(add_trials=1))
    assert {each.case.id: len(each.trials) for each in more.cases} == {"c0": 3, "c1": 3, "c2": 6}


def test_a_step_may_not_have_the_lane_of_the_judges(project: Project) -> None:
    scorers = "scorers: [{kind: exact, with: {value: 1}}]\n"
    suite = "dataset: {cases: [{id: a, input: {}}]}\ntarget: {}\n"
    project.write(SUITE_PATH, SUITE + suite + scorers)
    _edit(project, PIPELINE, "id: s,", "id: judge,")
    with pytest.raises(UsageError) as caught:
        _plan(project)
    assert caught.value.code == "ACI-U475"


def test_digests_of_a_plan_are_by_part(project: Project) -> None:
    before = _plan(project).digests
    _edit(project, f"{PLACE}/ask.md", "What", "Which")
    after = _plan(project).digests
    assert {name for name in before if before[name] != after[name]} == {"prompts"}
    assert json.dumps(sorted(before)) == json.dumps(
        ["cassettes", "dataset", "models", "prompts", "scorers", "suite", "target", "tools"]
    )
