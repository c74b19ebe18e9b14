"""A target that reaches out or waits for a person is refused before anything runs."""

from __future__ import annotations

import pytest

from agentci.app.suites import checked_suite
from agentci.core.errors import Problem, SpecError
from tests.support.suite_files import FILES, PIPELINE, ROOT, loaded, project_files, suite_text

HOME = "pipelines/qa"
STEPS = 'steps: [{id: ask, agent: a, prompt: ask.md, with: {question: "${{ inputs.question }}"}}]\n'
ALONE = PIPELINE.replace("  b: {model: m, system: gone.md}\n", "")


def problems(steps: str, target: str = "{}") -> list[Problem]:
    """Return what is wrong with a suite of a pipeline with `steps` on the lines from 11 on."""
    files = project_files(
        {
            f"{HOME}/child/script.yaml": FILES[f"{HOME}/script.yaml"],
            f"{HOME}/child/system.md": "Answer.\n",
            f"{HOME}/pipeline.yaml": ALONE.replace(STEPS, f"steps:\n{steps}").replace(
                'output: {text: "${{ steps.ask.output.text }}"}\n', ""
            ),
            f"{HOME}/suite.yaml": suite_text(target),
            f"{HOME}/child/pipeline.yaml": ALONE.replace(STEPS, f"steps:\n{OUT}").replace(
                'output: {text: "${{ steps.ask.output.text }}"}\n', ""
            ),
        }
    )
    try:
        checked_suite(loaded(files), files, root=ROOT)
    except SpecError as error:
        return [each for each in error.problems if each.code in {"ACI-D515", "ACI-D516"}]
    return []


OUT = "  - {id: out, run: [curl, x], side_effects: external}\n"
WAIT = "  - {id: wait, approve: 'Go on?'}\n"
IN_LOOP = (
    "  - id: again\n    loop:\n      max: 2\n"
    '      until: "${{ steps.out.output.exit_code == 0 }}"\n      steps:\n'
    "        - {id: out, run: [curl, x], side_effects: external}\n"
)
BESIDE = (
    "  - id: both\n    parallel:\n      branches:\n        a:\n          - {id: w, approve: ok}\n"
)


@pytest.mark.parametrize(
    ("steps", "code", "line"),
    [
        (OUT, "ACI-D515", 1),
        (WAIT, "ACI-D516", 1),
        (IN_LOOP, "ACI-D515", 6),
        (BESIDE, "ACI-D516", 5),
    ],
)
def test_such_a_step_is_named_with_its_line(steps: str, code: str, line: int) -> None:
    (problem,) = problems(steps)
    assert problem.code == code
    assert str(problem.location.file).endswith(f"{HOME}/pipeline.yaml")
    first = ALONE[: ALONE.index("steps:")].count("\n") + 1
    assert problem.location.line == first + line
    assert problem.hint


def test_it_is_found_in_a_pipeline_inside_the_target() -> None:
    (problem,) = problems("  - {id: inner, pipeline: child, with: {question: x}}\n")
    assert str(problem.location.file).endswith(f"{HOME}/child/pipeline.yaml")


def test_an_agent_of_such_a_pipeline_can_be_evaluated() -> None:
    assert problems(OUT + WAIT, "{agent: {agent: a, prompt: ask.md}}") == []
    assert problems("  - {id: here, run: [ls], side_effects: workspace}\n") == []
