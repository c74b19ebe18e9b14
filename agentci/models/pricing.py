"""What a call cost, from the price in the definition. Knows no price of its own."""

from __future__ import annotations

from agentci.core.messages import Usage
from agentci.spec.pipeline import PriceSpec

_PER = 1_000_000


def cost_of(usage: Usage, price: PriceSpec | None) -> float | None:
    """Return the cost in the currency of `price`, or None where there is no price.

    Cached input counts at its own price, and no more than the whole input is taken as cached.
    """
    if price is None:
        return None
    cached = min(usage.cached_tokens, usage.input_tokens)
    cached_price = price.input if price.cached is None else price.cached
    amount = (
        (usage.input_tokens - cached) * price.input
        + cached * cached_price
        + usage.output_tokens * price.output
    )
    return amount / _PER
