"""Changes in real repositories, and what the gate says of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import agentci
from tests.support.gate_project import SUITE, GateProject, git


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recorded project to be copied."""
    return GateProject.create(tmp_path_factory.mktemp("gate") / "project").root


@pytest.fixture
def project(template: Path, tmp_path: Path) -> GateProject:
    """Return a project of one's own, on the branch `change`."""
    shutil.copytree(template, tmp_path / "project", symlinks=True)
    git(tmp_path / "project", "switch", "-qc", "change")
    return GateProject(tmp_path / "project")


def changes(decision: dict[str, Any]) -> dict[str, str]:
    """Return how each case has changed."""
    return {case["case"]: case["change"] for case in decision["suites"][0]["cases"]}


def kinds(decision: dict[str, Any]) -> set[str]:
    return {reason["kind"] for reason in decision["suites"][0]["reasons"]}


def test_an_unchanged_suite_passes_whatever_else_the_change_does(project: GateProject) -> None:
    (project.root / "README.md").write_text("new\n")
    project.commit("readme")
    decision = project.gate()
    assert (decision["code"], decision["verdict"]) == (0, "no regression")
    assert set(changes(decision).values()) == {"still passing"}
    assert decision["base"] == git(project.root, "rev-parse", "main")


def test_a_broken_case_blocks_and_is_named_with_its_line(project: GateProject) -> None:
    project.answer(bugs="crash 3", otherwise="question")
    project.record_anew()
    project.commit("worse")
    decision = project.gate("--base", "main")
    assert decision["code"] == 1
    broken = [name for name, change in changes(decision).items() if change == "newly broken"]
    assert broken == ["c01", "c05"]
    text = project.agentci("gate", "--base", "main").out
    assert "newly broken  c01  pipelines/triage/cases.jsonl:2" in text
    assert "blocks  2 cases newly broken" in text


def test_the_base_is_replayed_beside_the_checkout_where_nothing_is_known(
    project: GateProject,
) -> None:
    project.answer(bugs="nothing")
    project.record_anew()
    project.commit("worse")
    project.forget()
    decision = project.gate()
    assert decision["suites"][0]["base_source"] == "replayed"
    assert decision["code"] == 1
    assert project.gate()["suites"][0]["base_source"] == "cache"
    assert git(project.root, "status", "--porcelain", "--ignored") == "!! .agentci/"
    assert git(project.root, "worktree", "list").count("\n") == 0


def test_accepted_results_of_the_base_are_taken_from_its_lock(project: GateProject) -> None:
    assert project.agentci("accept", "--suite", "triage").code == 0
    project.commit("accepted")
    git(project.root, "switch", "-qc", "next")
    project.answer(bugs="nothing")
    project.record_anew()
    project.commit("worse")
    project.forget()
    decision = project.gate("--base", "change")
    assert decision["suites"][0]["base_source"] == "agentci.lock"
    assert decision["code"] == 1
    assert list(changes(decision).values()).count("newly broken") == 3


def test_a_changed_prompt_without_recordings_is_not_judged(project: GateProject) -> None:
    project.append("prompts/sort.md", "Be brief.\n")
    project.commit("prompt")
    decision = project.gate()
    assert (decision["code"], decision["verdict"]) == (4, "not enough evidence")
    assert set(changes(decision).values()) == {"not judged"}
    assert kinds(decision) == {"nothing_judged", "not_judged"}


def test_a_lock_that_was_edited_by_hand_is_refused_at_head_and_left_out_at_the_base(
    project: GateProject,
) -> None:
    project.agentci("accept", "--suites")
    lock = project.root / "agentci.lock"
    edited = lock.read_text().replace('"exact": 1', '"exact": 0.5')
    assert edited != lock.read_text()
    good = lock.read_text()
    lock.write_text(edited)
    project.commit("by hand")
    done = project.agentci("gate", "--base", "main")
    assert done.code == 8
    assert "ACI-P132" in done.err
    git(project.root, "switch", "-qc", "repair")
    lock.write_text(good)
    project.commit("mended")
    decision = project.gate("--base", "change")
    assert decision["code"] == 0
    assert any("agentci.lock" in note for note in decision["notes"])


def test_a_changed_policy_and_a_removed_suite_are_told(project: GateProject) -> None:
    project.write("policy.yaml", "format: agentci/policy\nversion: 1\ncases: {newly_broken: 9}\n")
    project.commit("lenient")
    assert any("policy" in note for note in project.gate()["notes"])
    other = project.folder / "suites/other"
    other.mkdir(parents=True)
    text = (project.folder / "suite.yaml").read_text()
    (other / "suite.yaml").write_text(text.replace("name: triage", "name: other"))
    (other / "cases.jsonl").write_text((project.folder / "cases.jsonl").read_text())
    project.agentci("eval", "--mode", "record")
    project.commit("two suites")
    git(project.root, "switch", "-qc", "fewer")
    shutil.rmtree(other)
    project.commit("one suite")
    decision = project.gate("--base", "change")
    assert f"the suite `{SUITE}/suites/other` was removed" in decision["notes"]


def test_a_new_suite_has_nothing_to_be_compared_with(project: GateProject) -> None:
    git(project.root, "switch", "-q", "--orphan", "empty")
    project.commit_nothing()
    git(project.root, "switch", "-qc", "filled")
    git(project.root, "checkout", "main", "--", ".")
    project.commit("suite")
    decision = project.gate("--base", "empty")
    assert decision["code"] == 0
    assert set(changes(decision).values()) == {"new"}
    assert decision["suites"][0]["base_source"] == "none"


def test_shards_are_judged_like_one_evaluation_and_another_state_is_refused(
    project: GateProject,
) -> None:
    for part in ("1/2", "2/2"):
        out = f"shard-{part[0]}.json"
        assert project.agentci("eval", "--shard", part, "--out", out).code == 0
    files = ("--results", "shard-1.json", "--results", "shard-2.json")
    assert project.gate(*files)["suites"] == project.gate()["suites"]
    missing = project.agentci("gate", "--results", "shard-1.json")
    assert missing.code == 2
    assert "missing: 2/2" in missing.err
    project.append("suite.yaml", "    threshold: 0.5\n")
    stale = project.agentci("gate", *files)
    assert stale.code == 2
    assert "ACI-U483" in stale.err


def test_the_base_comes_from_ci(project: GateProject, tmp_path: Path) -> None:
    main = git(project.root, "rev-parse", "main")
    project.write("script.yaml", (project.folder / "script.yaml").read_text() + "\n")
    project.commit("more")
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"base": {"sha": main}}}))
    assert project.gate(GITHUB_EVENT_PATH=str(event))["base_from"] == "GitHub's event"
    event.write_text(json.dumps({"merge_group": {"base_sha": main}}))
    assert project.gate(GITHUB_EVENT_PATH=str(event))["base"] == main
    event.write_text(json.dumps({"before": "1" * 40}))
    assert project.gate(GITHUB_EVENT_PATH=str(event))["base_from"] == "the branch main"
    assert project.gate(GITHUB_BASE_REF="main")["base_from"] == "GitHub"
    assert project.gate(CI_MERGE_REQUEST_DIFF_BASE_SHA=main)["base_from"] == "GitLab"
    absent = project.agentci("gate", GITHUB_BASE_REF="release")
    assert absent.code == 6
    assert "git fetch origin release" in absent.err


def test_a_base_that_the_clone_does_not_have_is_told_with_what_to_do(
    project: GateProject, tmp_path: Path
) -> None:
    (project.root / "README.md").write_text("new\n")
    project.commit("readme")
    main = git(project.root, "rev-parse", "main")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{project.root}", "shallow")
    shallow = tmp_path / "shallow"
    done = agentci("gate", folder=shallow, env={"CI_MERGE_REQUEST_DIFF_BASE_SHA": main})
    assert done.code == 6
    assert "the clone is shallow" in done.err
    assert "fetch-depth: 0" in done.err
    unknown = agentci("gate", "--base", "no-such", folder=project.root)
    assert (unknown.code, unknown.out) == (2, "")
    assert agentci("gate", "--policy", "no-such.yaml", folder=project.root).code == 2
    assert "no commit, branch or tag" in unknown.err


def test_live_comparisons_draw_both_sides(project: GateProject) -> None:
    project.append("suite.yaml", "trials: 3\n")
    project.answer(bugs="nothing")
    project.commit("worse")
    told = project.agentci("gate", "--mode", "live", "--base", "main").err
    assert "6 cases x 3 trials show a drop of the pass rate from" in told
    decision = project.gate("--mode", "live", "--base", "main")
    suite = decision["suites"][0]
    assert (suite["live"], suite["base_source"]) == (True, "live")
    assert {case["base"]["trials"] for case in suite["cases"]} == {3}  # one, for replays there
    assert list(changes(decision).values()).count("newly broken") == 3


def test_a_policy_without_power_is_refused_before_anything_runs(project: GateProject) -> None:
    project.write(
        "policy.yaml",
        "format: agentci/policy\nversion: 1\nstatistics: {margin: 0.02, without_power: refuse}\n",
    )
    done = project.agentci("gate")
    assert done.code == 2
    assert "ACI-U482" in done.err


def test_decisions_of_the_same_change_are_the_same_bytes(project: GateProject) -> None:
    project.answer(bugs="crash 3")
    project.record_anew()
    project.commit("worse")
    first = project.agentci("gate", "--json").out
    assert first
    assert {project.agentci("gate", "--json").out for _ in range(5)} == {first}


def test_results_are_accepted_where_a_flag_says_where_commands_run(project: GateProject) -> None:
    scorer = "  - {kind: command, with: {run: ['true']}}\n"
    project.append("suite.yaml", scorer)
    away = {"DOCKER_HOST": "unix:///nowhere"}
    assert project.agentci("accept", "--suites", **away).code == 8
    assert project.agentci("accept", "--suites", "--sandbox", "process", **away).code == 0
    assert project.agentci("accept", "--sandbox", "process").code == 2


def test_two_files_of_results_are_judged_without_a_repository(
    project: GateProject, tmp_path: Path
) -> None:
    base, head = str(tmp_path / "base.json"), str(tmp_path / "head.json")
    assert project.agentci("eval", "--out", base).code == 0
    project.answer(bugs="crash 3")
    project.record_anew()
    assert project.agentci("eval", "--out", head).code == 1
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = agentci("gate", "--json", "--results", head, "--base-results", base, folder=elsewhere)
    assert done.code == 1, done.err
    decision = json.loads(done.out)
    assert [name for name, change in changes(decision).items() if change == "newly broken"] == [
        "c01",
        "c05",
    ]
    same = agentci("gate", "--results", base, "--base-results", base, folder=elsewhere)
    assert (same.code, "no regression" in same.out) == (0, True)
    alone = agentci("gate", "--base-results", base, folder=elsewhere)
    assert (alone.code, "ACI-U488" in alone.err) == (2, True)
