"""Results as JSON come back as they were."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from agentci.core.digest import digest_bytes
from agentci.evals.results import CaseResult, Score, SuiteResult, TrialResult
from agentci.evals.results_json import compact, read_suite, read_trial, suite_json, trial_json

DIGESTS = st.binary(max_size=8).map(digest_bytes)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.floats(0, 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
SCORES = st.builds(
    Score,
    value=VALUES,
    passed=st.booleans(),
    explanation=TEXTS,
    details=st.dictionaries(TEXTS, JSON, max_size=2),
)
TRIALS = st.builds(
    TrialResult,
    trial=st.integers(1, 9),
    status=st.sampled_from(["judged", "not_judged", "error"]),
    key=DIGESTS,
    reason=TEXTS,
    scores=st.dictionaries(TEXTS, SCORES, max_size=2),
    passed=st.booleans(),
    output=JSON,
    output_digest=st.none() | DIGESTS,
    metrics=st.dictionaries(TEXTS, VALUES, max_size=2),
    run_digest=st.none() | DIGESTS,
    recordings=st.none() | DIGESTS,
)
CASES = st.builds(
    CaseResult,
    case=TEXTS,
    row=DIGESTS,
    trials=st.lists(TRIALS, max_size=2).map(tuple),
    group=st.none() | TEXTS,
    tags=st.lists(TEXTS, max_size=2).map(tuple),
    required=st.booleans(),
    line=st.none() | st.integers(1, 9),
    file=st.none() | TEXTS,
)
SUITES = st.builds(
    SuiteResult,
    suite=TEXTS,
    name=TEXTS,
    trials=st.integers(1, 9),
    digests=st.dictionaries(TEXTS, DIGESTS, max_size=3),
    cases=st.lists(CASES, max_size=2).map(tuple),
    live=st.booleans(),
)


@given(TRIALS)
def test_a_trial_comes_back(trial: TrialResult) -> None:
    assert read_trial(json.loads(compact(trial_json(trial)))) == trial


@given(SUITES)
def test_a_suite_comes_back_and_is_written_the_same(suite: SuiteResult) -> None:
    text = compact(suite_json(suite))
    again = read_suite(json.loads(text))
    assert again == suite
    assert compact(suite_json(again)) == text
