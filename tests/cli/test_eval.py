"""`agentci eval`: what it prints, and the exit code of every way in which it can end."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from pathlib import Path

import pytest

from tests.support.eval_project import (
    AGENT,
    CASES,
    EXACT,
    SUITE,
    SUITE_PATH,
    case_of,
    eval_project,
    states,
    write_cases,
)
from tests.support.projects import Project, shipped

GREEN = CASES[:2]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    project = eval_project(folder)
    assert project.call("eval").code == 1
    project.forget()
    return folder


@pytest.fixture
def project(recorded: Path, tmp_path: Path) -> Project:
    shutil.copytree(recorded, tmp_path / "p")
    return Project(tmp_path / "p")


def test_the_shipped_suite_is_evaluated_offline(tmp_path: Path) -> None:
    done = shipped(tmp_path).call("eval", "triage", "--mode", "replay")
    assert done.code == 0, done.err
    assert "9 of 10 cases passed, 90.0 % (95 % interval 59.6 to 98.2 %)" in done.out
    assert "quarantined manual-link  pipelines/triage/issues.jsonl:9" in done.out


def test_failures_are_shown_with_their_line_and_why(project: Project) -> None:
    done = project.call("eval", "--mode", "replay")
    assert done.code == 1
    assert "failed      wrong  pipelines/ask/cases.jsonl:3" in done.out
    assert 'exact: expected "49", got "42"' in done.out
    assert "sky" not in done.out
    assert "passed      sky" in project.call("eval", "--all", "--mode", "replay").out


def test_a_green_suite_ends_with_0(project: Project) -> None:
    report = project.report("eval", "--case", "s*", "--mode", "replay")
    assert report["summary"][0]["passed"] == 2
    assert report["error"] is None


def test_what_is_not_recorded_is_4_and_says_how_to_record_it(project: Project) -> None:
    write_cases(project, [*GREEN, {"id": "new", "input": "new", "expected": ""}])
    report = project.report("eval", "--mode", "replay", code=4)
    assert states(report) == {"not_judged": ["new"]}
    assert "--case new --mode record" in report["error"]["hint"]
    assert case_of(report, "new")["trials"][0]["status"] == "not_judged"


def test_not_judged_wins_over_failed_and_an_error_over_both(project: Project) -> None:
    write_cases(project, [*CASES, {"id": "new", "input": "new", "expected": ""}])
    assert project.call("eval", "--mode", "replay").code == 4
    broken = "scorers: [{kind: exact}, {kind: python, with: {function: 'check.py:check'}}]\n"
    project.write(SUITE_PATH, SUITE + AGENT + broken)
    project.write("pipelines/ask/check.py", "def check(subject):\n    raise OSError('away')\n")
    done = project.call("eval", "--mode", "replay")
    assert done.code == 6
    assert "OSError: away" in done.out


def test_recordings_that_nobody_asks_for_are_4(project: Project) -> None:
    lane = project.folder / "cassettes/pipelines.ask/sky/1/target/a.yaml"
    other = lane.with_name("b.yaml")
    other.write_text(lane.read_text().replace("lane: target/a", "lane: target/b"))
    report = project.report("eval", "--mode", "replay", code=4)
    assert states(report)["not_judged"] == ["sky"]
    assert "1 recording was not played" in case_of(report, "sky")["trials"][0]["reason"]
    assert project.call("eval", "--case", "sky", "--mode", "record").code == 0
    assert not other.exists()


def test_answers_that_are_recorded_can_be_drawn_again(project: Project) -> None:
    script = project.folder / "pipelines/ask/script.yaml"
    script.write_text(script.read_text().replace("blue", "grey"))
    sky = ("eval", "--case", "sky", "--mode", "record")
    assert project.call(*sky).code == 0
    assert project.call(*sky, "--redraw").code == 1
    assert 'got "grey"' in project.call("eval", "--case", "sky", "--mode", "replay").out
    assert project.call("eval", "--case", "sum", "--mode", "replay").code == 0
    assert project.call("eval", "--redraw").code == 2


def test_recordings_stay_as_they_are_where_new_ones_cannot_be_made(project: Project) -> None:
    folder = project.folder / "cassettes/pipelines.ask/sky/1"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    pipeline = project.folder / "pipelines/ask/pipeline.yaml"
    scripted = "{provider: scripted, id: m, script: script.yaml}"
    away = "{provider: openai, id: m, attempts: 1}"
    pipeline.write_text(pipeline.read_text().replace(scripted, away))
    env = {"OPENAI_API_KEY": "none-is-sent", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    sky = ("eval", "--case", "sky", "--mode", "record", "--redraw")
    assert project.call(*sky, env=env).code == 6
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    pipeline.write_text(pipeline.read_text().replace(away, scripted))
    (folder / "target/left.yaml").write_text("left over\n")
    assert project.call(*sky).code == 0
    assert not (folder / "target/left.yaml").exists()
    assert not list((project.folder / ".agentci/redrawn").iterdir())
    assert project.call("eval", "--case", "sky", "--mode", "replay").code == 0


def test_what_a_killed_redraw_has_left_is_completed_by_who_records_next(project: Project) -> None:
    lane = "cassettes/pipelines.ask/sky/1/target/a.yaml"
    new = (project.folder / lane).read_bytes()
    kept = {
        "format": "agentci/redrawn",
        "version": 1,
        "trial": "pipelines.ask/sky/1",
        "files": {"target/a.yaml": b64encode(new).decode()},
    }
    project.write(lane, "half of it\n")
    left = project.write(".agentci/redrawn/x.json", json.dumps(kept))
    assert project.call("eval", "--case", "sky", "--mode", "replay").code == 4
    assert left.exists(), "a replay writes no recording"
    assert project.call("eval", "--case", "sky").code == 0
    assert (project.folder / lane).read_bytes() == new
    assert not left.exists()


def test_secrets_can_be_recorded_as_placeholders_and_stay_so(project: Project) -> None:
    secret = "AKIA" + "Q3EGRIK7XAMPLEZZ"
    script = project.folder / "pipelines/ask/script.yaml"
    script.write_text(script.read_text().replace('text: "42"', f"text: aws_access_key_id={secret}"))
    write_cases(project, [{"id": "new", "input": "new", "expected": ""}])
    done = project.call("eval", "--redact")
    assert done.code == 1, done.err
    again = project.call("eval", "--mode", "record", "--redraw")
    assert again.code == 1, again.err
    for path in project.folder.rglob("cassettes/**/*.yaml"):
        assert secret not in path.read_text()
    assert project.call("eval", "--mode", "replay").code == 1


def test_nothing_that_matches_is_5(project: Project) -> None:
    assert project.call("eval", "nothing").code == 5
    assert project.call("eval", "--case", "nothing").code == 5
    assert project.call("eval", "--case", "sky", "--mode", "replay").code == 0
    assert project.call("eval", "--case", "sky", "--mode", "replay", "--only-changed").code == 5


def test_a_wrong_suite_is_2_and_nothing_runs(project: Project) -> None:
    project.write(SUITE_PATH, SUITE + AGENT + "scorers: [{kind: nothing}]\n")
    assert project.call("eval").code == 2
    project.write(SUITE_PATH, SUITE + AGENT + EXACT + "colour: red\n")
    assert project.call("eval").code == 2
    for flags in (("--shard", "3/2"), ("--shard", "x"), ("--mode", "fast"), ("--trials", "0")):
        assert project.call("eval", *flags).code == 2


def test_a_limit_on_cost_needs_prices(project: Project) -> None:
    pipeline = project.folder / "pipelines/ask/pipeline.yaml"
    text = pipeline.read_text().replace("{provider: scripted, id: m, script: script.yaml}", "X")
    pipeline.write_text(text.replace("X", "{provider: ollama, id: m}"))
    done = project.call("eval", "--mode", "record", "--max-cost", "1")
    assert done.code in {2, 4}
    priced = "{provider: openai, id: m, price: {input: 1000, output: 1000}}"
    pipeline.write_text(text.replace("X", priced))
    env = {"OPENAI_API_KEY": "none-is-sent", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    done = project.call("eval", "--mode", "record", "--max-cost", "0.01", env=env)
    assert done.code == 7, done.err
    assert "was not sent" in done.err


def test_a_quarantined_case_does_not_block_until_its_last_day(project: Project) -> None:
    held = "quarantine: [{case: wrong, owner: o, reason: r, expires: '%s'}]\n"
    project.write(SUITE_PATH, SUITE + AGENT + EXACT + held % "2999-12-31")
    assert states(project.report("eval")) == {"quarantined": ["wrong"]}
    project.write(SUITE_PATH, SUITE + AGENT + EXACT + held % "2020-01-01")
    assert states(project.report("eval", code=1)) == {"failed": ["wrong"]}


def test_known_results_are_only_read(project: Project) -> None:
    assert "0 trials known, 3 to carry out" in project.call("eval", "--mode", "replay", "-v").err
    assert "3 trials known, 0 to carry out" in project.call("eval", "--mode", "replay", "-v").err
    shutil.rmtree(project.folder / "cassettes/pipelines.ask/sky")
    gone = project.call("eval", "--mode", "replay")
    assert gone.code == 4, "what a result was replayed from is part of its key"


def test_results_are_written_as_junit_also_when_merged(project: Project) -> None:
    held = "quarantine: [{case: wrong, owner: o, reason: r, expires: '2999-12-31'}]\n"
    project.write(SUITE_PATH, SUITE + AGENT + EXACT + held)
    write_cases(project, [*CASES, {"id": "new", "input": "new", "expected": ""}])
    assert project.call("eval", "--mode", "replay", "--junit", "out/whole.xml").code == 4
    text = (project.folder / "out/whole.xml").read_text()
    assert 'tests="4" failures="0" errors="1" skipped="1"' in text
    for index in (1, 2):
        shard = ("--shard", f"{index}/2", "--out", f"{index}.json")
        project.call("eval", "--mode", "replay", *shard)
    project.call("eval", "merge", "1.json", "2.json", "--junit", "merged.xml")
    assert (project.folder / "merged.xml").read_text() == text


def test_a_second_evaluation_prints_the_same_bytes(project: Project) -> None:
    first = project.call("eval", "--mode", "replay", "--json")
    again = project.call("eval", "--mode", "replay", "--json")
    assert first.out == again.out
    project.forget()
    assert project.call("eval", "--mode", "replay", "--json", "--jobs", "1").out == first.out


def test_shards_merge_to_the_same_bytes(project: Project) -> None:
    replay = ("--mode", "replay")
    for index in (1, 2, 3):
        project.call("eval", *replay, "--shard", f"{index}/3", "--out", f"{index}.json")
    whole = project.call("eval", *replay, "--out", "whole.json")
    merged = project.call("eval", "merge", "3.json", "1.json", "2.json", "--out", "merged.json")
    assert (merged.code, merged.out) == (whole.code, whole.out)
    folder = project.folder
    assert (folder / "merged.json").read_bytes() == (folder / "whole.json").read_bytes()


def test_merging_what_does_not_fit_is_refused(project: Project) -> None:
    replay = ("--mode", "replay")
    project.call("eval", *replay, "--out", "whole.json")
    for index in (1, 2):
        project.call("eval", *replay, "--shard", f"{index}/2", "--out", f"{index}.json")
    assert "missing: 2/2" in project.call("eval", "merge", "1.json").err
    assert project.call("eval", "merge", "1.json", "1.json").code == 2
    assert project.call("eval", "merge", "whole.json").code == 2
    project.write("pipelines/ask/system.md", "Otherwise.\n")
    project.call("eval", *replay, "--shard", "2/2", "--out", "2.json")
    assert "differ in `prompts`" in project.call("eval", "merge", "1.json", "2.json").err
    for damaged in ("{", '{"format": "agentci/eval-results", "version": 1}', "[]", "null"):
        project.write("1.json", damaged)
        assert project.call("eval", "merge", "1.json", "2.json").code == 2
    newer = {"format": "agentci/eval-results", "version": 9}
    project.write("1.json", json.dumps(newer))
    assert "version 9" in project.call("eval", "merge", "1.json").err


def test_added_trials_stay(project: Project) -> None:
    asked = project.report("eval", "--case", "sky", "--add-trials", "2")
    assert [each["trial"] for each in case_of(asked, "sky")["trials"]] == [1, 2, 3]
    assert asked["summary"][0]["repeats"] == {"pass@3": 1.0, "pass^3": 1.0}
    later = project.report("eval", "--mode", "replay", code=1)
    assert len(case_of(later, "sky")["trials"]) == 3
    assert len(case_of(later, "sum")["trials"]) == 1
    fewer = project.report("eval", "--mode", "replay", "--trials", "1", code=1)
    assert len(case_of(fewer, "sky")["trials"]) == 1


def test_live_answers_are_drawn_anew_and_not_kept(project: Project) -> None:
    report = project.report("eval", "--mode", "live", code=1)
    assert report["suites"][0]["live"] is True
    assert not (project.folder / ".agentci/cache/evals").exists()


def test_only_changed_cases_are_shown_with_what_changed(project: Project) -> None:
    project.call("eval", "--mode", "replay")
    rows = [dict(case) for case in CASES]
    rows[2]["expected"] = "42"
    write_cases(project, rows)
    done = project.call("eval", "--mode", "replay", "--only-changed", "--all")
    assert done.code == 0, done.err
    assert "1 of 1 case passed" in done.out
    assert "changed `case`: the row of the dataset" in done.out


def test_why_names_the_field_that_changed(project: Project) -> None:
    assert "never judged" in project.call("why", "ask", "sky").out
    project.call("eval", "--mode", "replay")
    assert "its result is known" in project.call("why", "ask", "sky").out
    project.write("pipelines/ask/system.md", "Otherwise.\n")
    assert "changed `prompts.system.md`: a prompt file" in project.call("why", "ask", "sky").out
    assert project.report("why", "ask", "sky")["changes"] == [
        {"field": "prompts.system.md", "kind": "changed"}
    ]
    assert project.call("why", "ask", "nobody").code == 5


def test_what_is_said_on_the_way_goes_to_standard_error(project: Project) -> None:
    done = project.call("eval", "--mode", "replay", "-v", "--json")
    assert "3 to carry out" in done.err
    assert "failed     pipelines/ask wrong #1" in done.err
    assert json.loads(done.out)["format"] == "agentci/eval-results"


def test_a_shard_without_a_case_is_left_to_whoever_merges(project: Project) -> None:
    write_cases(project, CASES[:1])
    replay = ("--mode", "replay", "--json")
    codes = {}
    for index in (1, 2):
        shard = ("--shard", f"{index}/2")
        codes[index] = project.call("eval", *replay, *shard).code
        assert project.call("eval", *replay, *shard, "--out", f"{index}.json").code == 0
    assert sorted(codes.values()) == [0, 4]
    assert project.call("eval", "merge", "1.json", "2.json").code == 0


def test_a_secret_in_an_answer_is_8_and_is_not_written(project: Project) -> None:
    secret = "AKIA" + "Q3EGRIK7XAMPLEZZ"
    script = project.folder / "pipelines/ask/script.yaml"
    script.write_text(script.read_text().replace('text: "42"', f"text: aws_access_key_id={secret}"))
    write_cases(project, [{"id": "new", "input": "new", "expected": ""}])
    done = project.call("eval")
    assert done.code == 8, done.err
    assert not any(
        secret in path.read_text() for path in project.folder.rglob("cassettes/**/*.yaml")
    )


def test_suites_without_such_a_case_are_not_mentioned(project: Project) -> None:
    inline = "dataset: {cases: [{id: other, input: x, expected: '42'}]}\n"
    suite = AGENT.replace("dataset: {path: cases.jsonl}\n", inline)
    second = SUITE.replace("name: answers", "name: second") + suite + EXACT
    project.write("pipelines/ask/suites/second/suite.yaml", second)
    done = project.call("eval", "--case", "sky", "--mode", "replay")
    assert done.code == 0, done.err
    assert "second" not in done.out


def test_help_is_of_the_group_and_lists_its_commands(project: Project) -> None:
    shown = project.call("eval", "--help").out
    assert shown.startswith("Usage: agentci eval [OPTIONS] [SUITE]...\n")
    commands = shown[shown.index("\nCommands:\n") :]
    assert all(f"\n  {name}  " in commands for name in ("merge", "import", "export"))
    assert "\n  suites" not in commands
    assert "hint: `agentci eval --help`" in project.call("eval", "--nonsense").err


def test_merging_shards_without_a_single_case_is_4(project: Project) -> None:
    write_cases(project, CASES[:1])
    taken = next(n for n in range(1, 4) if project.call("eval", "--shard", f"{n}/3").code != 4)
    empty = [n for n in range(1, 4) if n != taken]
    for number in empty:
        shard = ("--shard", f"{number}/3", "--out", f"{number}.json")
        assert project.call("eval", "--mode", "replay", *shard).code == 0
    parts = [json.loads((project.folder / f"{number}.json").read_text()) for number in empty]
    for number, part in enumerate(parts, 1):
        project.write(f"{number}.json", json.dumps({**part, "shard": f"{number}/2"}))
    done = project.call("eval", "merge", "1.json", "2.json")
    assert done.code == 4, done.err
    assert "no case was judged" in done.err
    for number, part in enumerate(parts, 1):
        data = {**part, "shard": f"{number}/2", "suites": []}
        project.write(f"{number}.json", json.dumps(data))
    assert project.call("eval", "merge", "1.json", "2.json", "--out", "all.json").code == 4
