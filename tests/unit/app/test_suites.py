"""Suites are found and read, their targets become pipelines, their rows become cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentci.adapters.files import LocalFiles
from agentci.app.suites import (
    case_inputs,
    case_repository,
    find_suites,
    load_suite,
    read_cases,
    suite_bundle,
    target_output,
)
from agentci.core.errors import (
    FormatError,
    NothingMatched,
    SpecError,
    StepFailed,
    UsageError,
)
from agentci.core.json_types import JsonValue
from agentci.plan.references import check_bundle
from agentci.spec.expressions import resolve
from agentci.spec.pipeline import AgentStep, CommandStep, PythonStep
from tests.support.memory_files import MemoryFiles
from tests.support.suite_files import (
    HOME,
    PIPELINE,
    ROOT,
    loaded,
    opened,
    project_files,
    suite_text,
)

SUITE = "pipelines/qa/suite.yaml"
SMOKE = "pipelines/qa/suites/smoke/suite.yaml"


def with_suite(text: str, **more: str) -> MemoryFiles:
    return project_files({SUITE: text, **{k.replace("__", "/"): v for k, v in more.items()}})


# finding


def several() -> MemoryFiles:
    return project_files(
        {
            SUITE: suite_text(),
            SMOKE: suite_text(name="quick"),
            "pipelines/other/suites/full/suite.yaml": suite_text(name="other-full"),
            "pipelines/qa/repository/pipelines/x/suite.yaml": "a fixture of its own",
            "pipelines/broken/suite.yaml": "{",
        }
    )


MAIN, QUICK = HOME, HOME / "suites" / "smoke"
FULL = ROOT / "pipelines" / "other" / "suites" / "full"
BROKEN = ROOT / "pipelines" / "broken"


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        ((), (BROKEN, FULL, MAIN, QUICK)),
        (("qa",), (MAIN, QUICK)),
        (("other",), (FULL,)),
        (("qa/smoke",), (QUICK,)),
        (("other/full", "qa/smoke", "qa"), (FULL, MAIN, QUICK)),
        (("quick",), (QUICK,)),
        (("other-full",), (FULL,)),
        (("pipelines/qa",), (MAIN, QUICK)),
        (("pipelines/qa/suite.yaml",), (MAIN,)),
        (("pipelines/qa/suites/smoke/",), (QUICK,)),
        (("pipelines/qa/suites",), (QUICK,)),
        ((str(QUICK),), (QUICK,)),
        ((".",), (BROKEN, FULL, MAIN, QUICK)),
    ],
)
def test_a_suite_is_found_by_path_place_or_name(
    names: tuple[str, ...], folders: tuple[Path, ...]
) -> None:
    assert find_suites(opened(several()), names) == folders


@pytest.mark.parametrize(
    ("name", "hint"),
    [("qa/smok", "qa/smoke"), ("quik", "quick"), ("zzzzzz", "there are")],
)
def test_a_suite_that_is_not_there_is_told_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(NothingMatched) as caught:
        find_suites(opened(several()), (name,))
    assert caught.value.code == "ACI-N321"
    assert hint in str(caught.value.hint)


def test_a_project_without_suites_has_nothing_to_evaluate() -> None:
    with pytest.raises(NothingMatched) as caught:
        find_suites(opened(project_files()), ())
    assert caught.value.code == "ACI-N322"


# reading


def test_a_suite_is_known_by_its_folder() -> None:
    suite = loaded(with_suite(suite_text()))
    assert (suite.path, suite.spec.name, suite.policy_path) == ("pipelines/qa", "qa", None)
    assert suite.policy.cases.newly_broken == 0


def test_the_digest_is_of_what_a_suite_means() -> None:
    one = loaded(with_suite(suite_text())).digest
    assert one == loaded(with_suite("# why\n" + suite_text(more="trials: 1\n"))).digest
    assert one != loaded(with_suite(suite_text(more="trials: 2\n"))).digest
    policy = "policy: {cases: {newly_broken: 2}}\n"
    assert one != loaded(with_suite(suite_text(more=policy))).digest


def policy(allowed: int) -> str:
    return f"format: agentci/policy\nversion: 1\ncases: {{newly_broken: {allowed}}}\n"


def test_the_nearest_policy_holds() -> None:
    files = with_suite(suite_text(), **{"policy.yaml": policy(1)})
    assert (loaded(files).policy.cases.newly_broken, loaded(files).policy_path) == (
        1, "policy.yaml"
    )  # fmt: skip
    files.content[HOME / "policy.yaml"] = policy(2).encode()
    assert loaded(files).policy_path == "pipelines/qa/policy.yaml"
    files.content[HOME / "suite.yaml"] = suite_text(more="policy: ../../policy.yaml\n").encode()
    assert loaded(files).policy_path == "policy.yaml"
    inline = suite_text(more="policy: {cases: {newly_broken: 9}}\n")
    files.content[HOME / "suite.yaml"] = inline.encode()
    assert (loaded(files).policy.cases.newly_broken, loaded(files).policy_path) == (9, None)


@pytest.mark.parametrize(
    ("more", "code"),
    [("policy: gone.yaml\n", "ACI-D538"), ("policy: ../../../out.yaml\n", "ACI-D541")],
)
def test_a_policy_that_cannot_be_read_is_a_problem(more: str, code: str) -> None:
    with pytest.raises(SpecError) as caught:
        loaded(with_suite(suite_text(more=more)))
    assert (caught.value.code, caught.value.problems[0].location.line) == (code, 7)


def test_a_file_of_another_format_is_no_suite() -> None:
    with pytest.raises(FormatError):
        loaded(with_suite(PIPELINE))
    with pytest.raises(UsageError, match="no suite at"):
        loaded(project_files())
    with pytest.raises(UsageError, match="outside"):
        load_suite(Path("/elsewhere"), project_files(), root=ROOT)


def test_unknown_keys_are_told_with_their_place() -> None:
    with pytest.raises(SpecError) as caught:
        loaded(with_suite(suite_text("{comand: [x]}")))
    problem = caught.value.problems[0]
    assert (problem.location.line, problem.hint) == (4, "did you mean `command`?")


# targets


def test_a_pipeline_is_evaluated_as_it_is() -> None:
    files = with_suite(suite_text())
    bundle = suite_bundle(loaded(files), files, root=ROOT)
    assert [step.id for step in bundle.spec.steps] == ["ask"]
    assert bundle.folder_name == "/project/pipelines/qa"


def test_a_suite_in_a_folder_of_its_own_finds_its_pipeline() -> None:
    files = project_files({SMOKE: suite_text(dataset="{cases: [{input: {question: x}}]}")})
    suite = loaded(files, QUICK)
    assert suite_bundle(suite, files, root=ROOT).folder_name == "/project/pipelines/qa"
    assert suite.path == "pipelines/qa/suites/smoke"


def test_a_suite_may_choose_the_sandbox_and_the_files_of_a_pipeline() -> None:
    files = with_suite(suite_text("{repository: fixture}", more="sandbox: bwrap\n"))
    spec = suite_bundle(loaded(files), files, root=ROOT).spec
    assert (spec.sandbox, spec.repository) == ("bwrap", "fixture")


def test_one_agent_becomes_one_step_with_what_its_prompts_read() -> None:
    prompt = "{{ question }} {% if hint is defined %}{{ hint }}{% endif %}\n"
    files = with_suite(
        suite_text("{agent: {agent: a, prompt: try.md}}"), **{"pipelines__qa__try.md": prompt}
    )
    suite = loaded(files)
    bundle = suite_bundle(suite, files, root=ROOT)
    (step,) = bundle.spec.steps
    assert isinstance(step, AgentStep)
    assert sorted(step.with_) == ["hint", "question"]
    assert sorted(bundle.spec.agents) == ["a"]
    assert sorted(bundle.prompts) == ["system.md", "try.md"]
    assert sorted(bundle.spec.models) == ["judge", "m"]
    assert check_bundle(bundle) == ()


def test_agents_that_are_not_evaluated_are_not_looked_at() -> None:
    files = with_suite(
        suite_text("{agent: {agent: a, prompt: ask.md}}"),
        **{"pipelines__qa__pipeline.yaml": PIPELINE},
    )
    assert suite_bundle(loaded(files), files, root=ROOT).spec.name == "qa"


def test_values_reach_the_prompt_whatever_they_are_called() -> None:
    target = '{agent: {agent: a, prompt: ask.md}, with: {question: "${{ case.id }}?", a-b.c"x: 1}}'
    files = with_suite(suite_text(target))
    suite = loaded(files)
    (step,) = suite_bundle(suite, files, root=ROOT).spec.steps
    case = read_cases(suite, files, root=ROOT)[0]
    assert isinstance(step, AgentStep)
    found = resolve(step.with_, {"inputs": case_inputs(suite, case)})
    assert found == {"question": "a?", 'a-b.c"x': 1}


def test_a_function_becomes_one_step_of_the_suites_folder() -> None:
    files = with_suite(
        suite_text("{python: 'answer.py:answer', proxy: true, timeout: 5}"),
        pipelines__qa__answer_py="",
    )
    files.content[HOME / "answer.py"] = b"def answer(question): ..."
    suite = loaded(files)
    bundle = suite_bundle(suite, files, root=ROOT)
    (step,) = bundle.spec.steps
    assert isinstance(step, PythonStep)
    assert (step.python, step.proxy, step.timeout) == ("answer.py:answer", True, 5)
    assert step.side_effects == "workspace"
    case = read_cases(suite, files, root=ROOT)[0]
    assert resolve(step.with_, {"inputs": case_inputs(suite, case)}) == {"question": "1?"}
    assert (sorted(bundle.python_files), sorted(bundle.scripts)) == (["answer.py"], ["script.yaml"])


def test_a_function_may_get_an_input_that_is_no_mapping() -> None:
    files = with_suite(suite_text("{python: 'a.py:f'}", dataset="{cases: [{input: 3}]}"))
    files.content[HOME / "a.py"] = b""
    suite = loaded(files)
    case = read_cases(suite, files, root=ROOT)[0]
    (step,) = suite_bundle(suite, files, root=ROOT).spec.steps
    assert isinstance(step, PythonStep)
    assert resolve(step.with_, {"inputs": case_inputs(suite, case)}) == {"input": 3}


def test_a_command_gets_the_case_as_words_and_standard_input() -> None:
    target = '{command: [python, run.py, "--id=${{ case.id }}"], stdin: "${{ case.input }}"}'
    files = with_suite(suite_text(target))
    suite = loaded(files)
    (step,) = suite_bundle(suite, files, root=ROOT).spec.steps
    case = read_cases(suite, files, root=ROOT)[0]
    assert isinstance(step, CommandStep)
    scope = {"inputs": case_inputs(suite, case)}
    assert resolve(list(step.run), scope) == ["python", "run.py", "--id=a"]
    assert resolve(step.stdin, scope) == '{"question": "1?"}'
    assert step.run[:2] == ("python", "run.py")


def test_a_word_of_a_command_is_never_read_as_an_expression_again() -> None:
    rows = '{cases: [{id: a, input: "${{ inputs.stdin }}"}]}'
    files = with_suite(suite_text('{command: [echo, "${{ case.input }}"]}', dataset=rows))
    suite = loaded(files)
    (step,) = suite_bundle(suite, files, root=ROOT).spec.steps
    case = read_cases(suite, files, root=ROOT)[0]
    assert isinstance(step, CommandStep)
    found = resolve(list(step.run), {"inputs": case_inputs(suite, case)})
    assert found == ["echo", "${{ inputs.stdin }}"]


def test_programs_need_no_pipeline() -> None:
    alone = ROOT / "pipelines" / "alone"
    text = suite_text('{command: [x, "${{ case.id }}"]}', dataset="{cases: [{id: a}]}")
    files = MemoryFiles({str(alone / "suite.yaml"): text})
    bundle = suite_bundle(loaded(files, alone), files, root=ROOT)
    assert (bundle.spec.models, bundle.spec.repository) == ({}, None)


def test_programs_work_on_the_files_of_the_pipeline_around() -> None:
    pipeline = project_files().read(HOME / "pipeline.yaml").decode() + "repository: fixture\n"
    text = suite_text('{command: [x, "${{ case.id }}"]}')
    files = project_files({SMOKE: text, "pipelines/qa/pipeline.yaml": pipeline})
    files.content[QUICK / "rows.jsonl"] = b'{"id": "a"}'
    suite = loaded(files, QUICK)
    bundle = suite_bundle(suite, files, root=ROOT)
    assert bundle.spec.repository == "../../fixture"
    case = read_cases(suite, files, root=ROOT)[0]
    assert case_repository(suite, bundle, case, root=ROOT) == "pipelines/qa/fixture"


@pytest.mark.parametrize(
    ("target", "code", "place"),
    [
        ("{agent: {agent: a, prompt: x}, command: [y]}", "ACI-D501", (4, 49)),
        ("{agent: {agent: aa, prompt: ask.md}}", "ACI-D503", (4, 25)),
        ("{agent: {agent: a, prompt: gone.md}}", "ACI-D320", (4, 36)),
        ("{python: 'gone.py:f'}", "ACI-D320", (4, 18)),
        ("{python: answer}", "ACI-D320", (4, 18)),
        ("{pipeline: ../gone}", "ACI-D504", (4, 20)),
        ("{pipeline: ../../../out}", "ACI-D504", (4, 20)),
        ("{agent: {agent: a, prompt: ask.md}, with: {x: 1}}", "ACI-D368", (1, 4)),
        ("{command: []}", "ACI-D343", (4, 19)),
    ],
)
def test_a_wrong_target_is_told_where_it_stands(
    target: str, code: str, place: tuple[int, int]
) -> None:
    files = with_suite(suite_text(target))
    with pytest.raises(SpecError) as caught:
        suite_bundle(loaded(files), files, root=ROOT)
    found = caught.value.problems[0]
    assert found.code == code, found
    assert (found.location.line, found.location.column) == place


def test_a_pipeline_outside_of_the_project_is_refused() -> None:
    files = with_suite(suite_text("{pipeline: ../../../out}"))
    files.content[Path("/out/pipeline.yaml")] = PIPELINE.encode()
    with pytest.raises(SpecError) as caught:
        suite_bundle(loaded(files), files, root=ROOT)
    assert caught.value.code == "ACI-D541"


# answers


@pytest.mark.parametrize(
    ("target", "output", "scored"),
    [
        ("{}", {"text": "x"}, {"text": "x"}),
        ('{output: "${{ output.text }}"}', {"text": "x"}, "x"),
        ('{output: "${{ case.id }}: ${{ output.text }}"}', {"text": "x"}, "a: x"),
        ("{command: [x]}", {"answer": "x\n"}, "x\n"),
        ('{command: [x], output: "${{ output.strip() }}"}', {"answer": "x\n"}, "x"),
        ("{command: [x]}", None, None),
        ('{output: "${{ output.text }}"}', None, None),
    ],
)
def test_what_is_scored_is_what_the_suite_picks(
    target: str, output: JsonValue, scored: JsonValue
) -> None:
    files = with_suite(suite_text(target))
    suite = loaded(files)
    case = read_cases(suite, files, root=ROOT)[0]
    assert target_output(suite, case, output) == scored


def test_an_input_that_has_no_value_is_no_empty_input() -> None:
    files = with_suite(suite_text('{with: {question: "${{ case.nothing }}"}}'))
    suite = loaded(files)
    case = read_cases(suite, files, root=ROOT)[0]
    with pytest.raises(StepFailed):
        case_inputs(suite, case)


# cases


def test_cases_come_by_id_with_their_place_in_the_project() -> None:
    files = with_suite(suite_text(more="required: ['a*']\n"))
    found = read_cases(loaded(files), files, root=ROOT)
    assert [(case.id, case.line, case.required) for case in found] == [
        ("a", 2, True), ("b", 1, False)
    ]  # fmt: skip
    assert {case.file for case in found} == {"pipelines/qa/rows.jsonl"}


def test_cases_may_stand_in_the_suite() -> None:
    files = with_suite(suite_text(dataset="\n  cases:\n  - {id: x}\n  - {id: y}"))
    found = read_cases(loaded(files), files, root=ROOT)
    assert [(case.id, case.file, case.line) for case in found] == [
        ("x", "pipelines/qa/suite.yaml", 7), ("y", "pipelines/qa/suite.yaml", 8)
    ]  # fmt: skip


def test_a_filter_leaves_cases_out_before_a_sample_is_drawn() -> None:
    dataset = "{path: rows.jsonl, filter: \"${{ 'hard' in case.tags }}\", sample: {size: 1}}"
    files = with_suite(suite_text(dataset=dataset))
    assert [case.id for case in read_cases(loaded(files), files, root=ROOT)] == ["b"]


def test_a_filter_that_takes_nothing_leaves_nothing_to_judge() -> None:
    files = with_suite(suite_text(dataset="{path: rows.jsonl, filter: false}"))
    with pytest.raises(NothingMatched) as caught:
        read_cases(loaded(files), files, root=ROOT)
    assert caught.value.code == "ACI-N323"


@pytest.mark.parametrize(
    ("dataset", "code", "says"),
    [
        ("{}", "ACI-D502", "has none"),
        ("{path: rows.jsonl, cases: []}", "ACI-D502", "has both"),
        ("{path: gone.jsonl}", "ACI-D540", "no dataset"),
        ("{path: ../../../etc/passwd.csv}", "ACI-D541", "outside"),
        ("{path: /etc/passwd.csv}", "ACI-D541", "outside"),
        ("{path: script.txt}", "ACI-D540", "no dataset"),
        ("{path: ask.md}", "ACI-D542", "no dataset that can be read"),
        ('{path: rows.jsonl, filter: "${{ case.id }}"}', "ACI-D513", "case `b`"),
        ('{path: rows.jsonl, filter: "${{ case.level > 1 }}"}', "ACI-D513", "case `b`"),
        ("{path: twice.jsonl}", "ACI-D543", "in line 1 and line 3"),
    ],
)
def test_a_dataset_that_cannot_be_read_is_a_problem(dataset: str, code: str, says: str) -> None:
    twice = '{"id": "1"}\n{"id": "2"}\n{"id": 1}\n'
    files = with_suite(suite_text(dataset=dataset), **{"pipelines__qa__twice.jsonl": twice})
    with pytest.raises(SpecError) as caught:
        read_cases(loaded(files), files, root=ROOT)
    assert caught.value.code == code
    assert says in caught.value.message


# files of tasks


def real_project(folder: Path, target: str = "{}") -> Path:
    home = folder / "project" / "pipelines" / "qa"
    files = project_files({SUITE: suite_text(target, dataset="{path: tasks}")})
    for path, data in files.content.items():
        place = folder / "project" / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    task = home / "tasks" / "one"
    (task / "repository").mkdir(parents=True)
    (task / "task.yaml").write_text("input: {question: x}\n")
    (task / "repository" / "x.py").write_text("1\n")
    return home


def test_a_task_works_on_its_own_files(tmp_path: Path) -> None:
    home, files = real_project(tmp_path), LocalFiles()
    root = tmp_path / "project"
    suite = load_suite(home, files, root=root)
    (case,) = read_cases(suite, files, root=root)
    assert (case.id, case.file) == ("one", "pipelines/qa/tasks/one/task.yaml")
    bundle = suite_bundle(suite, files, root=root)
    own = "pipelines/qa/tasks/one/repository"
    assert case.repository == case_repository(suite, bundle, case, root=root) == own


def test_a_suite_may_name_the_files_of_each_case(tmp_path: Path) -> None:
    home, files = real_project(tmp_path, '{repository: "fixtures/${{ case.id }}"}'), LocalFiles()
    root = tmp_path / "project"
    suite = load_suite(home, files, root=root)
    (case,) = read_cases(suite, files, root=root)
    bundle = suite_bundle(suite, files, root=root)
    found = case_repository(suite, bundle, case, root=root)
    assert found == "pipelines/qa/fixtures/one"


@pytest.mark.parametrize("name", ["../../../..", "/etc"])
def test_files_outside_of_the_project_are_refused(tmp_path: Path, name: str) -> None:
    home, files = real_project(tmp_path, f"{{repository: '{name}'}}"), LocalFiles()
    root = tmp_path / "project"
    suite = load_suite(home, files, root=root)
    (case,) = read_cases(suite, files, root=root)
    bundle = suite_bundle(suite, files, root=root)
    with pytest.raises(SpecError) as caught:
        case_repository(suite, bundle, case, root=root)
    assert caught.value.code == "ACI-D541"


def test_a_link_out_of_the_project_is_refused_and_one_to_nothing_is_not(tmp_path: Path) -> None:
    home, files = real_project(tmp_path), LocalFiles()
    root, task = tmp_path / "project", home / "tasks" / "one"
    suite = load_suite(home, files, root=root)
    before = read_cases(suite, files, root=root)[0].digest
    (task / "repository" / "dangling").symlink_to("nowhere")
    assert read_cases(suite, files, root=root)[0].digest != before
    (tmp_path / "secret").write_text("key")
    (task / "repository" / "leak").symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError, match="leads out of the project") as caught:
        read_cases(suite, files, root=root)
    assert caught.value.code == "ACI-U452"


@pytest.mark.parametrize("name", ["suite.yaml", "policy.yaml", "../../policy.yaml"])
def test_definitions_that_are_links_out_of_the_project_are_not_read(
    tmp_path: Path, name: str
) -> None:
    home, files = real_project(tmp_path), LocalFiles()
    (tmp_path / "secret").write_text("key: 1\n")
    place = home / name
    place.unlink(missing_ok=True)
    place.symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError, match="out") as caught:
        load_suite(home, files, root=tmp_path / "project")
    assert caught.value.code in {"ACI-U451", "ACI-U453"}


@pytest.mark.parametrize("what", ["rows.jsonl", "tasks"])
def test_a_dataset_that_is_a_link_out_of_the_project_is_refused(tmp_path: Path, what: str) -> None:
    home, files = real_project(tmp_path), LocalFiles()
    root = tmp_path / "project"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "rows.jsonl").write_text("{}\n")
    target = tmp_path / "out" / "rows.jsonl" if what == "rows.jsonl" else tmp_path / "out"
    (home / f"link-{what}").symlink_to(target)
    (home / "suite.yaml").write_text(suite_text(dataset=f"{{path: link-{what}}}"))
    with pytest.raises(SpecError) as caught:
        read_cases(load_suite(home, files, root=root), files, root=root)
    assert caught.value.code == "ACI-D541"
