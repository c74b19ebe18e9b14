"""Cost from the definition's price."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.messages import Usage
from agentci.models.pricing import cost_of
from agentci.spec.pipeline import PriceSpec


def price(cached: float | None = None) -> PriceSpec:
    return PriceSpec(input=2.0, output=10.0, cached=cached)


def test_without_a_price_there_is_no_cost() -> None:
    assert cost_of(Usage(1000, 1000), None) is None


def test_prices_are_for_a_million_tokens() -> None:
    assert cost_of(Usage(1_000_000, 500_000), price()) == pytest.approx(7.0)


def test_cached_input_has_its_own_price() -> None:
    assert cost_of(Usage(1_000_000, 0, 750_000), price(0.2)) == pytest.approx(0.65)


def test_cached_input_costs_as_much_as_other_input_where_no_price_is_given() -> None:
    assert cost_of(Usage(1_000_000, 0, 750_000), price()) == cost_of(Usage(1_000_000, 0), price())


def test_more_cached_than_input_is_taken_as_all_cached() -> None:
    assert cost_of(Usage(100, 0, 500), price(0.0)) == 0


counts = st.integers(0, 10**9)


@given(counts, counts, counts)
def test_cost_is_never_negative(read: int, written: int, cached: int) -> None:
    cost = cost_of(Usage(read, written, cached), price(0.5))
    assert cost is not None
    assert cost >= 0
