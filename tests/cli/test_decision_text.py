"""A decision as a person sees it in a terminal, and as the runner of a CI system reads it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentci.cli.render.decision_text import decision_text
from agentci.gate.decision import Decision
from tests.support.decisions import (
    broken,
    decided,
    forged_decision,
    hostile_decision,
    rich_decision,
    rows,
)


def test_what_failed_comes_first_and_aligned() -> None:
    lines = decision_text(rich_decision(), color=False, everything=False).splitlines()
    assert lines[0] == "blocks: regression (something could not be judged)"
    assert lines[4:6] == [
        "  newly broken  c012      pipelines/demo/cases.jsonl:13  (in quarantine)",
        "    | expected another answer than `flaky`",
    ]
    assert "  not judged    c011      pipelines/demo/cases.jsonl:12" in lines
    assert "  to record: agentci eval pipelines/support --mode record" in lines
    assert "  blocks  3 cases newly broken" in lines
    assert not [line for line in lines if line.startswith("  still failing")]


def test_all_lists_what_did_not_change_as_well() -> None:
    text = decision_text(rich_decision(), color=False, everything=True)
    assert "  still failing      c002" in text
    assert "  still passing      c013" in text


def test_a_long_list_is_cut_and_told() -> None:
    many = rows(60)
    decision = decided(many, broken(many, *many))
    text = decision_text(decision, color=False, everything=False)
    assert text.count("newly broken  c0") == 20
    assert "and 40 cases more newly broken; `--all` lists them" in text
    assert decision_text(decision, color=False, everything=True).count("newly broken  c0") == 60


def test_a_calm_decision_is_short() -> None:
    text = decision_text(decided(rows(9), rows(9)), color=False, everything=False)
    assert text.splitlines()[0] == "passes: no regression"
    assert len(text.splitlines()) < 12


def test_colours_are_only_where_they_are_wanted() -> None:
    assert "\x1b[31mblocks" in decision_text(rich_decision(), color=True, everything=False)
    assert "\x1b" not in decision_text(rich_decision(), color=False, everything=True)


@pytest.mark.parametrize("decision", [hostile_decision(), forged_decision()])
def test_no_line_is_a_command_for_a_runner(decision: Decision) -> None:
    text = decision_text(decision, color=False, everything=True)
    assert "error::injected" in text
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
    assert "##[" not in text
    assert "\x1b" not in text


def test_only_the_first_cases_of_a_kind_are_explained_at_length() -> None:
    many = rows(9)
    decision = decided(many, broken(many, *many))
    suite = decision.suites[0]
    cases = tuple(
        replace(case, head=replace(case.head, explanation=f"no recording {case.case}\ncause: none"))
        for case in suite.cases
        if case.head is not None
    )
    shown = replace(decision, suites=(replace(suite, cases=cases),))
    text = decision_text(shown, color=False, everything=False)
    assert (text.count("| no recording"), text.count("| cause: none")) == (9, 3)
    assert decision_text(shown, color=False, everything=True).count("| cause: none") == 9


def test_a_reason_that_cases_share_is_told_once_after_the_last_of_them() -> None:
    many = rows(3)
    text = decision_text(decided(many, broken(many, *many)), color=False, everything=False)
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if "newly broken" in line)
    assert [line.strip()[:1] for line in lines[first : first + 4]] == ["n", "n", "n", "|"]
    assert sum(line.strip().startswith("|") for line in lines) == 1
