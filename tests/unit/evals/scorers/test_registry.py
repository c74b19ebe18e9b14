"""The registry of scorers."""

from __future__ import annotations

import pytest

from agentci.core.errors import UsageError
from agentci.evals.scorers.registry import (
    built_in_scorers,
    parse_options,
    scorer,
    scorer_digest,
    scorer_names,
)


def test_every_scorer_has_its_kind_and_a_digest_of_its_own() -> None:
    kinds = built_in_scorers()
    assert [scorer(kind).kind for kind in kinds] == list(kinds)
    assert len({scorer_digest(kind) for kind in kinds}) == len(kinds)
    assert set(kinds) <= set(scorer_names())


def test_an_unknown_kind_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="there is no scorer `exakt`") as caught:
        scorer("exakt")
    assert caught.value.code == "ACI-U460"
    assert caught.value.hint == "did you mean `exact`?"


def test_all_problems_of_options_are_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        parse_options("exact", {"strip": "yes", "valu": 1})
    assert caught.value.code == "ACI-U461"
    assert "`strip` has to be `true` or `false`" in caught.value.message
    assert "unknown key `valu`" in caught.value.message
    assert "did you mean `value`?" in (caught.value.hint or "")
