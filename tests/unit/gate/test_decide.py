"""Comparisons with a known truth, and what the gate says of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from random import Random
from typing import Any

import pytest
from scipy import stats

from agentci.core.digest import digest_json
from agentci.evals.compare.superiority import Verdict
from agentci.gate.decide import Rules, decide, decide_suite
from agentci.gate.decision import CaseChange, Comparison, Quarantine, SuiteDecision
from agentci.spec.policy import PolicySpec
from tests.support.evaluations import Row, suite_result

CASES = 200
MARGIN = {"statistics": {"margin": 0.05}}


def judged(
    base: Mapping[str, Row] | None,
    head: Mapping[str, Row],
    policy: Mapping[str, Any] | None = None,
    *,
    live: bool = False,
    quarantine: Mapping[str, Quarantine] | None = None,
) -> SuiteDecision:
    spec = PolicySpec.model_validate_json(json.dumps(policy or {}))
    before = suite_result(base, live=live) if base is not None else None
    rules = Rules(spec, quarantine or {}, seed=0)
    return decide_suite(before, suite_result(head, live=live), rules=rules, base_source="replayed")


def rows(count: int = CASES, *, failing: int = 40, **fields: Any) -> dict[str, Row]:
    """Return cases of which the first `failing` do not pass."""
    return {f"c{i:03}": Row([i >= failing], **fields) for i in range(count)}


def broken(of: Mapping[str, Row], *names: str) -> dict[str, Row]:
    return {**of, **{name: replace(of[name], passes=[False], text="worse") for name in names}}


def rate(decision: SuiteDecision) -> Comparison:
    return decision.comparisons[0]


def names(decision: SuiteDecision, change: CaseChange) -> list[str]:
    return [case.case for case in decision.cases if case.change is change]


def test_an_identical_candidate_passes_although_cases_fail() -> None:
    decision = judged(rows(), rows())
    assert (decision.verdict, decision.exit_code) == (Verdict.NO_REGRESSION, 0)
    assert decision.counted(CaseChange.STILL_FAILING) == 40
    assert decision.counted(CaseChange.STILL_PASSING) == 160
    assert rate(decision).p == 1.0
    assert not decision.reasons


def test_one_broken_case_blocks_and_is_named_and_changed_text_does_not() -> None:
    head = broken(rows(), "c100")
    head |= {f"c{i}": replace(head[f"c{i}"], text="other words") for i in range(110, 135)}
    decision = judged(rows(), head)
    assert (decision.verdict, decision.exit_code) == (Verdict.REGRESSION, 1)
    assert names(decision, CaseChange.NEWLY_BROKEN) == ["c100"]
    assert decision.counted(CaseChange.TEXT_CHANGED) == 25
    assert [reason.cases for reason in decision.reasons] == [("c100",)]
    assert rate(decision).p == pytest.approx(0.5)


def test_a_trial_more_with_the_same_answer_is_no_changed_text() -> None:
    more = {name: replace(row, passes=[*row.passes] * 3) for name, row in rows().items()}
    decision = judged(rows(), more)
    assert decision.counted(CaseChange.STILL_PASSING) == 160
    assert decision.counted(CaseChange.TEXT_CHANGED) == 0


def test_a_better_candidate_with_two_broken_cases_names_both_and_its_gain() -> None:
    head = broken(rows(), "c198", "c199")
    head |= {f"c{i:03}": Row([True], "better") for i in range(16)}
    decision = judged(rows(), head, MARGIN)
    assert decision.exit_code == 1
    assert names(decision, CaseChange.NEWLY_BROKEN) == ["c198", "c199"]
    assert decision.counted(CaseChange.NEWLY_FIXED) == 16
    compared = rate(decision)
    assert compared.difference == pytest.approx(0.07)
    assert compared.verdict is Verdict.NO_REGRESSION
    oracle = stats.binomtest(2, 18, alternative="greater").pvalue
    assert compared.p == pytest.approx(oracle, abs=5e-4)
    allowed = judged(rows(), head, {**MARGIN, "cases": {"newly_broken": 2}})
    assert (allowed.verdict, allowed.exit_code) == (Verdict.NO_REGRESSION, 0)


def test_a_drop_of_twelve_points_is_established_with_p_and_interval() -> None:
    decision = judged(rows(), broken(rows(), *(f"c{i}" for i in range(100, 124))), MARGIN)
    compared = rate(decision)
    assert decision.exit_code == 1
    assert compared.verdict is Verdict.REGRESSION
    assert compared.p == pytest.approx(0.5**24)
    assert compared.interval is not None
    assert (compared.interval.low, compared.interval.high) == pytest.approx(
        (-0.1672, -0.0741), abs=5e-4
    )
    assert {reason.kind for reason in decision.reasons if reason.blocks} == {
        "newly_broken",
        "statistic",
    }


def test_the_statistic_blocks_only_with_a_stated_margin() -> None:
    head = broken(rows(), *(f"c{i}" for i in range(100, 124)))
    lenient = {"cases": {"newly_broken": 30}}
    assert judged(rows(), head, lenient).exit_code == 0
    assert judged(rows(), head, lenient).verdict is Verdict.REGRESSION
    assert judged(rows(), head, {**lenient, **MARGIN}).exit_code == 1


def test_a_third_more_cost_at_equal_quality_is_beyond_its_allowance() -> None:
    def priced(factor: float) -> dict[str, Row]:
        return {
            name: replace(row, metrics={"cost": (0.01 + int(name[1:]) % 7 * 0.001) * factor})
            for name, row in rows().items()
        }

    policy = {"metrics": [{"metric": "cost", "allowance": 0.1}]}
    decision = judged(priced(1), priced(1.35), policy)
    assert decision.exit_code == 1
    assert [reason.kind for reason in decision.reasons] == ["metric"]
    cost = next(each for each in decision.comparisons if each.name == "cost")
    assert cost.difference / cost.base == pytest.approx(0.35)
    assert cost.verdict is Verdict.REGRESSION
    assert judged(priced(1), priced(1.02), policy).exit_code == 0
    unasked = judged(priced(1), priced(1.35))
    assert unasked.exit_code == 0
    assert any(each.name == "cost" and each.p is None for each in unasked.comparisons)


def test_a_group_that_breaks_together_counts_once() -> None:
    def grouped(failing: str | None) -> dict[str, Row]:
        groups = {f"c{i:03}": f"g{i // 10:02}" for i in range(CASES)}
        return {name: Row([group != failing], group=group) for name, group in groups.items()}

    decision = judged(grouped(None), grouped("g03"))
    assert decision.exit_code == 1
    assert names(decision, CaseChange.NEWLY_BROKEN) == [f"c{i:03}" for i in range(30, 40)]
    compared = rate(decision)
    assert compared.groups == 20
    assert compared.p == pytest.approx(0.5)  # McNemar would say 0.001
    lenient = judged(grouped(None), grouped("g03"), {**MARGIN, "cases": {"newly_broken": 10}})
    assert (lenient.exit_code, lenient.verdict) == (0, Verdict.NOT_ENOUGH_EVIDENCE)


def test_unlucky_draws_of_a_live_suite_do_not_block() -> None:
    def drawn(*, unlucky: bool) -> dict[str, Row]:
        passes = {True: [True, False, False, False, False], False: [True, True, True, True, False]}
        return {
            f"c{i:03}": Row([True] * 5 if i % 10 else passes[unlucky and i % 20 == 0], text=str(i))
            for i in range(60)
        }

    decision = judged(drawn(unlucky=False), drawn(unlucky=True), live=True)
    assert decision.exit_code == 0
    assert decision.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert names(decision, CaseChange.LESS_OFTEN) == ["c000", "c020", "c040"]
    assert rate(decision).p == pytest.approx(0.125)


def test_single_cases_of_a_live_suite_count_from_all_to_none_and_if_chance_cannot_do_it() -> None:
    steady = {f"c{i:03}": Row([True] * 5) for i in range(40)}
    one = {**steady, "c007": Row([False] * 5)}
    three = {**one, "c008": Row([False] * 5), "c009": Row([False] * 5)}
    assert names(judged(steady, one, live=True), CaseChange.NEWLY_BROKEN) == ["c007"]
    blocked = judged(steady, three, live=True)
    assert blocked.exit_code == 1
    assert blocked.reasons[0].cases == ("c007", "c008", "c009")
    few = {f"c{i}": Row([True]) for i in range(9)}
    unsure = judged(few, {**few, "c3": Row([False])}, live=True)
    assert unsure.exit_code == 0
    assert "chance" in unsure.reasons[0].message


def test_repeats_that_were_recorded_anew_are_draws_and_the_same_recordings_are_none() -> None:
    base = {f"c{i}": Row([True, True, True]) for i in range(20)}
    head = {**base, "c3": Row([True, False, True])}
    assert names(judged(base, head), CaseChange.NEWLY_BROKEN) == ["c3"]
    anew = {name: replace(row, recordings="anew") for name, row in head.items()}
    assert names(judged(base, anew), CaseChange.LESS_OFTEN) == ["c3"]
    assert judged(base, anew).exit_code == 0


def test_required_cases_break_no_allowance() -> None:
    base = rows()
    base["c150"] = replace(base["c150"], required=True)
    decision = judged(base, broken(base, "c150"), {"cases": {"newly_broken": 5}})
    assert decision.exit_code == 1
    assert decision.reasons[0].kind == "required_broken"


def test_what_cannot_be_judged_is_neither_green_nor_red() -> None:
    head = rows()
    head["c050"] = replace(head["c050"], status="not_judged")
    decision = judged(rows(), head)
    assert (decision.exit_code, decision.verdict) == (4, Verdict.NOT_ENOUGH_EVIDENCE)
    assert judged(rows(), head, {"cases": {"not_judged": "report"}}).exit_code == 0
    both = judged(rows(), broken(head, "c100"))
    assert (both.exit_code, both.verdict) == (4, Verdict.REGRESSION)
    nothing = rows(status="not_judged")
    for policy in ({}, {"cases": {"not_judged": "report"}}):
        assert judged(rows(), nothing, policy).exit_code == 4


def test_an_error_of_the_harness_is_never_green_not_even_in_quarantine() -> None:
    head = rows()
    head["c050"] = replace(head["c050"], status="error")
    held = {"c050": Quarantine("me", "flaky", "2999-01-01", expired=False)}
    assert judged(rows(), head).exit_code == 6
    assert judged(rows(), head, quarantine=held).exit_code == 6


def test_a_case_in_quarantine_is_reported_until_the_quarantine_ends() -> None:
    head = broken(rows(), "c100")
    held = judged(
        rows(), head, quarantine={"c100": Quarantine("me", "flaky", "2026-01-01", expired=False)}
    )
    assert held.exit_code == 0
    assert held.reasons[0].cases == ("c100",)
    ended = judged(
        rows(), head, quarantine={"c100": Quarantine("me", "flaky", "2026-01-01", expired=True)}
    )
    assert ended.exit_code == 1
    assert {reason.kind for reason in ended.reasons} == {"newly_broken", "quarantine_expired"}


def test_new_and_removed_cases_are_told_and_block_where_the_policy_says_so() -> None:
    base, head = rows(10, failing=0), rows(10, failing=0)
    del head["c009"]
    head["new"] = Row([False])
    told = judged(base, head)
    assert told.exit_code == 0
    assert {reason.kind for reason in told.reasons} == {"removed", "new_failing"}
    strict = {"cases": {"removed": "block", "new_failing": "block"}}
    assert judged(base, head, strict).exit_code == 1
    assert judged(None, rows(10, failing=0)).exit_code == 0
    assert judged(None, rows(10, failing=0)).counted(CaseChange.NEW) == 10


def test_slices_are_judged_by_themselves_and_corrected_for_being_several() -> None:
    def tagged(*worse: str) -> dict[str, Row]:
        return {
            f"c{i:03}": Row(
                [i % 4 != 0 or "hard" not in worse], tags=("hard",) if i % 4 == 0 else ()
            )
            for i in range(40)
        }

    policy = {
        "cases": {"newly_broken": 100},
        "statistics": {"margin": 0.3},
        "slices": ["hard"],
    }
    decision = judged(tagged(), tagged("hard"), policy)
    whole, hard = decision.comparisons[:2]
    assert (hard.slice, hard.cases, hard.broken) == ("hard", 10, 10)
    assert whole.p_adjusted is not None
    assert whole.p is not None
    assert whole.p_adjusted == pytest.approx(2 * whole.p)
    assert "slice" in {reason.kind for reason in decision.reasons if reason.blocks}


def test_a_suite_without_power_is_warned_about_or_refused() -> None:
    few = {f"c{i}": Row([True]) for i in range(3)}
    warned = judged(few, few, MARGIN)
    assert warned.exit_code == 0
    assert warned.power.detectable is None
    assert "can see no drop at all" in warned.reasons[-1].message
    refused = {"statistics": {"margin": 0.05, "without_power": "refuse"}}
    assert judged(few, few, refused).exit_code == 2
    enough = judged(rows(), rows(), {"statistics": {"margin": 0.1}})
    assert enough.power.enough is True


def test_repeats_are_summed_up_as_pass_at_k_and_pass_hat_k() -> None:
    head = {"a": Row([True, True, False]), "b": Row([True, True, True])}
    decision = judged(head, head)
    assert decision.pass_at_k["pass@1"] == pytest.approx(5 / 6)
    assert decision.pass_at_k["pass^2"] == pytest.approx((1 / 3 + 1) / 2)
    assert decision.flaky == ("a",)


def test_the_worst_suite_decides_and_no_output_can_disagree() -> None:
    good = judged(rows(), rows())
    bad = replace(judged(rows(), broken(rows(), "c100")), suite="pipelines/a")
    unknown = judged(
        rows(), {name: replace(row, status="not_judged") for name, row in rows().items()}
    )
    policy = digest_json({})
    one = decide([good, bad], base="b" * 40, head="h", policy=policy)
    assert (one.exit_code, one.verdict, one.blocks) == (1, Verdict.REGRESSION, True)
    assert [suite.suite for suite in one.suites] == ["pipelines/a", "pipelines/demo"]
    assert decide([good, bad, unknown], base=None, head="h", policy=policy).exit_code == 4
    assert decide([], base=None, head="h", policy=policy).verdict is Verdict.NOT_ENOUGH_EVIDENCE


def test_a_hundred_decisions_of_the_same_evidence_are_equal() -> None:
    head = broken(rows(), "c100", "c101")
    seen = {json.dumps(asdict(judged(rows(), head, MARGIN)), sort_keys=True) for _ in range(100)}
    assert len(seen) == 1


def test_a_few_repeated_cases_without_any_difference_prove_little() -> None:
    few = {f"c{i}": Row([True] * 3, recordings=str(i)) for i in range(6)}
    decision = judged(few, few, {"statistics": {"margin": 0.1}})
    interval = rate(decision).interval
    assert interval is not None
    assert interval.low < -0.3
    assert rate(decision).verdict is Verdict.NOT_ENOUGH_EVIDENCE
    many = {f"c{i:03}": Row([True] * 3) for i in range(200)}
    assert judged(many, many, {"statistics": {"margin": 0.1}}).verdict is Verdict.NO_REGRESSION


def drawn_rows(random: Random, *, trials: int, shared: bool = False) -> dict[str, Row]:
    """Return 60 cases of which a tenth are coin flips; with `shared`, groups flip together."""
    rows_: dict[str, Row] = {}
    for i in range(60):
        group = f"g{i // 5}" if shared else None
        flips = i // 5 == 3 if shared else i % 10 == 0
        passes = [random.random() < 0.5 if flips else True for _ in range(trials)]
        rows_[f"c{i:02}"] = Row(passes, text=str(i), group=group, recordings=None)
    return rows_


@pytest.mark.slow
@pytest.mark.parametrize(("trials", "shared"), [(1, False), (3, False), (5, False), (3, True)])
def test_a_thousand_live_comparisons_of_the_same_agent_block_at_most_one_in_twenty(
    trials: int, shared: bool
) -> None:
    random = Random(trials)
    blocked = sum(
        judged(
            drawn_rows(random, trials=trials, shared=shared),
            drawn_rows(random, trials=trials, shared=shared),
            MARGIN,
            live=True,
        ).exit_code
        for _ in range(1000)
    )
    assert blocked <= 50


def test_what_no_policy_speaks_of_needs_no_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    base = rows(metrics={"tokens": 7.0})
    head = {**base, "c100": replace(base["c100"], metrics={"tokens": 9.0})}
    tokens = next(each for each in judged(base, head).comparisons if each.name == "tokens")
    assert tokens.difference == pytest.approx(0.01)
    assert tokens.interval is None
