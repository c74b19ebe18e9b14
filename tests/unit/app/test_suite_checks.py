"""What `agentci check` finds wrong with a suite, and where."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from agentci.app import check, wiring
from agentci.app.check_result import CheckRequest
from agentci.app.check_stamp import recall
from agentci.app.suites import check_suite, checked_suite, suite_bundle
from agentci.core.errors import NothingMatched, Problem, SpecError
from tests.support.suite_files import HOME, ROOT, loaded, project_files, suite_text

SUITE = "pipelines/qa/suite.yaml"


def problems(text: str, more: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
    files = project_files({SUITE: text, **(more or {})})
    try:
        checked_suite(loaded(files), files, root=ROOT)
    except SpecError as error:
        return error.problems
    return ()


def only(text: str, more: Mapping[str, str] | None = None) -> Problem:
    found = problems(text, more)
    assert len(found) == 1, found
    return found[0]


def test_a_good_suite_is_ready() -> None:
    more = (
        "required: ['a*']\n"
        "quarantine: [{case: b, owner: me, reason: flaky, expires: '2027-01-31'}]\n"
        "policy: {metrics: [{metric: tokens, allowance: 0.1}, {metric: same, allowance: 0}], "
        "slices: [hard]}\n"
    )
    scorers = (
        "[{kind: exact, name: same, when: \"${{ case.id != 'b' }}\"}, {kind: contains, "
        'with: {all: ["${{ case.expected }}", "${{ output.text }}", "${{ text }}"]}}]'
    )
    files = project_files({SUITE: suite_text(scorers=scorers, more=more)})
    ready = checked_suite(loaded(files), files, root=ROOT)
    assert [case.id for case in ready.cases] == ["a", "b"]
    assert ready.bundle.spec.name == "qa"


@pytest.mark.parametrize(
    ("target", "code", "says", "hint"),
    [
        ('{with: {question: "${{ caes.input }}"}}', "ACI-D360", "`caes`", "`case`"),
        ('{with: {question: "${{ case.inptu }}"}}', "ACI-D363", "`inptu`", "`input`"),
        ('{with: {question: "${{ steps.ask }}"}}', "ACI-D361", "`ask`", None),
        ('{with: {question: "${{ case. }}"}}', "ACI-D120", "case.", None),
        ('{output: "${{ output.txet }}"}', "ACI-D363", "`txet`", "`text`"),
        ('{output: "${{ text }}"}', "ACI-D360", "`text`", None),
        ('{repository: "${{ case.repo }}"}', "ACI-D363", "`repo`", None),
        ('{command: [x, "${{ output }}"]}', "ACI-D360", "`output`", None),
        ('{command: [x, "${{ case.id }}"], with: {a: 1}}', "ACI-D505", "no `with`", "stdin"),
        ("{stdin: x}", "ACI-D505", "no standard input", None),
        ("{proxy: true}", "ACI-D505", "`proxy`", None),
        ("{timeout: 3}", "ACI-D505", "`timeout`", "steps"),
        ("{command: [x]}", "ACI-D506", "same for every case", "case.input"),
    ],
)
def test_what_a_target_reads_has_to_be_there(
    target: str, code: str, says: str, hint: str | None
) -> None:
    found = only(suite_text(target))
    assert (found.code, found.location.file, found.location.line) == (
        code, "/project/pipelines/qa/suite.yaml", 4
    )  # fmt: skip
    assert says in found.message
    assert hint is None or hint in (found.hint or "")


@pytest.mark.parametrize(
    ("scorers", "code", "says"),
    [
        ("[{kind: exakt}]", "ACI-D520", "exakt"),
        ("[{kind: exact}, {kind: exact}]", "ACI-D522", "two scorers `exact`"),
        ("[{kind: exact, gates: false}]", "ACI-D525", "no scorer gates"),
        ("[{kind: exact, with: {stripp: true}}]", "ACI-D521", "unknown key `stripp`"),
        ("[{kind: exact, with: {strip: 3}}]", "ACI-D521", "`strip` has to be"),
        ('[{kind: exact, when: "${{ case.lvel }}"}]', "ACI-D363", "`lvel`"),
        ("[{kind: exact, when: sometimes}]", "ACI-D340", "not one expression"),
        ('[{kind: contains, with: {all: ["${{ output.txt }}"]}}]', "ACI-D363", "`txt`"),
        ("[{kind: judge, with: {rubric: x}}]", "ACI-D526", "which model judges"),
        ("[{kind: judge, with: {rubric: x, models: [jugde]}}]", "ACI-D526", "no model `jugde`"),
    ],
)
def test_a_scorer_has_to_exist_with_its_options(scorers: str, code: str, says: str) -> None:
    found = only(suite_text(scorers=scorers))
    assert (found.code, found.location.line) == (code, 6)
    assert says in found.message


def test_an_option_that_an_expression_gives_is_left_to_the_run() -> None:
    scorers = '[{kind: exact, with: {strip: "${{ case.strip }}"}}]'
    dataset = "{cases: [{id: a, input: {question: x}, strip: true}]}"
    assert problems(suite_text(scorers=scorers, dataset=dataset)) == ()


def test_a_judge_whose_model_is_known_or_left_to_the_run_is_right() -> None:
    for models in ("[judge]", "['${{ case.id }}']"):
        assert not problems(
            suite_text(scorers=f"[{{kind: judge, with: {{rubric: x, models: {models}}}}}]")
        )


def test_files_to_work_on_have_to_be_there() -> None:
    text = suite_text('{repository: "fixtures/${{ case.id }}"}')
    there = {"pipelines/qa/fixtures/a/file": "", "pipelines/qa/fixtures/b/file": ""}
    assert not problems(text, there)
    found = only(text, dict(list(there.items())[:1]))
    assert (found.code, found.location.line) == ("ACI-D548", 1)
    assert "`pipelines/qa/fixtures/b`" in found.message


def test_an_unknown_option_stands_at_its_place() -> None:
    found = only(suite_text(scorers="[{kind: exact, with: {stripp: true}}]"))
    assert (found.location.column, found.hint) == (32, "did you mean `strip`?")


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        ("required: ['c*']\n", "ACI-D533", "`c*`"),
        (
            "quarantine: [{case: c, owner: o, reason: r, expires: '2027-01-31'}]\n",
            "ACI-D530",
            "no case `c`",
        ),
        (
            "quarantine: [{case: a, owner: o, reason: r, expires: '2027-02-31'}]\n",
            "ACI-D531",
            "2027-02-31",
        ),
        (
            (
                "quarantine: [{case: a, owner: o, reason: r, expires: '2027-01-31'}, "
                "{case: a, owner: o, reason: r, expires: '2027-01-31'}]\n"
            ),
            "ACI-D532",
            "twice",
        ),
        ("policy: {slices: [hart]}\n", "ACI-D534", "tag `hart`"),
        ("policy: {metrics: [{metric: tokn, allowance: 1}]}\n", "ACI-D535", "`tokn`"),
        (
            "policy: {metrics: [{metric: cost, allowance: 1}, {metric: cost, allowance: 2}]}\n",
            "ACI-D536",
            "two allowances",
        ),
    ],
)
def test_names_of_cases_tags_and_metrics_have_to_exist(more: str, code: str, says: str) -> None:
    found = only(suite_text(more=more))
    assert (found.code, found.location.line) == (code, 7)
    assert says in found.message


def test_a_problem_in_a_policy_file_has_its_place_there() -> None:
    policy = "format: agentci/policy\nversion: 1\nslices:\n- easy\n- hart\n"
    found = problems(suite_text(), {"pipelines/qa/policy.yaml": policy})
    assert [(each.location.file, each.location.line) for each in found] == [
        ("/project/pipelines/qa/policy.yaml", 4),
        ("/project/pipelines/qa/policy.yaml", 5),
    ]
    assert found[1].hint == "did you mean `hard`?"


@pytest.mark.parametrize(
    ("row", "code", "says"),
    [
        ({"input": {"question": 3}}, "ACI-D509", "of type string"),
        ({"input": {"qestion": "x"}}, "ACI-D507", "no input `qestion`"),
        ({"input": {}}, "ACI-D508", "needs the input `question`"),
        ({"input": "x"}, "ACI-D507", "no input `input`"),
    ],
)
def test_every_case_gives_what_the_pipeline_needs(
    row: Mapping[str, object], code: str, says: str
) -> None:
    lines = [{"id": "a", "input": {"question": "x"}}, {"id": "b", **row}]
    text = "\n".join(map(json.dumps, lines))
    found = problems(suite_text(), {"pipelines/qa/rows.jsonl": text})
    assert found[0].code == code
    assert says in found[0].message
    place = found[0].location
    assert (place.file, place.line) == ("/project/pipelines/qa/rows.jsonl", 2)


def test_an_expression_that_one_case_cannot_answer_is_told_at_its_line() -> None:
    lines = [{"id": "a", "q": "x"}, {"id": "b", "p": "x"}]
    text = suite_text('{with: {question: "${{ case.q }}"}}')
    found = only(text, {"pipelines/qa/rows.jsonl": "\n".join(map(json.dumps, lines))})
    assert (found.code, found.location.line) == ("ACI-D513", 2)
    assert "case `b`" in found.message


def test_an_agent_without_values_takes_them_from_the_input_of_each_case() -> None:
    lines = [{"id": "a", "input": {"question": "x", "more": 1}}, {"id": "b", "input": {}}]
    text = suite_text("{agent: {agent: a, prompt: ask.md}}")
    found = only(text, {"pipelines/qa/rows.jsonl": "\n".join(map(json.dumps, lines))})
    assert (found.code, found.location.line) == ("ACI-D510", 2)
    assert "no `question`" in found.message


def test_a_function_without_values_gets_the_same_from_every_case() -> None:
    lines = [{"id": "a", "input": {"x": 1}}, {"id": "b", "input": {"x": 1, "y": 2}}]
    rows = "\n".join(map(json.dumps, lines))
    more = {"pipelines/qa/rows.jsonl": rows, "pipelines/qa/f.py": ""}
    found = only(suite_text("{python: 'f.py:f'}"), more)
    assert (found.code, found.location.line) == ("ACI-D511", 2)


def test_a_thousand_wrong_cases_are_told_shortly() -> None:
    rows = "\n".join(json.dumps({"id": f"c{index}", "input": {}}) for index in range(1000))
    found = problems(suite_text(), {"pipelines/qa/rows.jsonl": rows})
    assert len(found) == 21
    assert found[-1].message == "980 more cases do not fit the suite"


def test_everything_is_told_at_once() -> None:
    text = suite_text(
        "{agent: {agent: x, prompt: ask.md}}",
        scorers="[{kind: exakt}]",
        more="required: [zz]\npolicy: {slices: [none]}\n",
    )
    codes = {problem.code for problem in problems(text)}
    assert codes == {"ACI-D503", "ACI-D520", "ACI-D533", "ACI-D534"}


def test_a_wrong_dataset_hides_nothing_else() -> None:
    text = suite_text(dataset="{path: gone.csv}", scorers="[{kind: exakt}]")
    assert {problem.code for problem in problems(text)} == {"ACI-D540", "ACI-D520"}


def test_without_the_cases_given_they_are_read() -> None:
    files = project_files({SUITE: suite_text(dataset="{path: rows.jsonl, filter: false}")})
    suite = loaded(files)
    bundle = suite_bundle(suite, files, root=ROOT)
    (found,) = check_suite(suite, bundle, files, root=ROOT)
    assert (found.code, found.location.line) == ("ACI-D545", 5)
    with pytest.raises(NothingMatched):
        checked_suite(suite, files, root=ROOT)


# the command


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = project_files({SUITE: suite_text(), "pipelines/qa/suites/s/suite.yaml": "{"})
    for path, data in files.content.items():
        place = tmp_path / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return tmp_path


def test_a_check_covers_the_suites_of_the_pipelines_that_are_asked_for(project: Path) -> None:
    result = check.execute(CheckRequest(start=project))
    assert [(each.name, each.cases, bool(each.problems)) for each in result.suites] == [
        ("qa", 2, False), ("s", 0, True)
    ]  # fmt: skip
    shutil.copytree(project / "pipelines" / "qa", project / "pipelines" / "other")
    named = check.execute(CheckRequest(start=project, pipelines=("other",)))
    assert [Path(each.folder).relative_to(project).as_posix() for each in named.suites] == [
        "pipelines/other", "pipelines/other/suites/s"
    ]  # fmt: skip


def test_a_suite_without_a_pipeline_is_checked_too(tmp_path: Path) -> None:
    home = tmp_path / "pipelines" / "alone"
    home.mkdir(parents=True)
    text = suite_text('{command: [x, "${{ case.id }}"]}', dataset="{cases: [{id: a}]}", name="one")
    (home / "suite.yaml").write_text(text)
    for names in ((), ("alone",), ("one",)):
        result = check.execute(CheckRequest(start=tmp_path, pipelines=names))
        assert (result.pipelines, [each.name for each in result.suites]) == ((), ["one"])
    with pytest.raises(NothingMatched) as caught:
        check.execute(CheckRequest(start=tmp_path, pipelines=("gone",)))
    assert caught.value.code == "ACI-N301"


def test_an_unchanged_suite_is_not_checked_again_and_a_changed_row_is(project: Path) -> None:
    shutil.rmtree(project / "pipelines" / "qa" / "suites")
    request = CheckRequest(start=project)
    result = check.execute(request)
    assert recall(request, wiring.files()) == result
    rows = project / HOME.relative_to(ROOT) / "rows.jsonl"
    rows.write_bytes(rows.read_bytes().replace(b"2?", b"3?"))
    assert recall(request, wiring.files()) is None


@pytest.mark.parametrize("policy", ["policy.yaml", "pipelines/qa/policy.yaml"])
def test_a_policy_that_comes_is_noticed(project: Path, policy: str) -> None:
    shutil.rmtree(project / "pipelines" / "qa" / "suites")
    request = CheckRequest(start=project)
    check.execute(request)
    (project / policy).write_text("format: agentci/policy\nversion: 1\nslices: [gone]\n")
    assert recall(request, wiring.files()) is None
    assert [problem.code for problem in check.execute(request).problems] == ["ACI-D534"]


def test_a_dataset_without_cases_is_a_problem_of_the_check(project: Path) -> None:
    suite = project / SUITE
    suite.write_text(suite_text(dataset="{path: rows.jsonl, filter: false}"))
    result = check.execute(CheckRequest(start=project))
    assert "ACI-D545" in {problem.code for problem in result.problems}
