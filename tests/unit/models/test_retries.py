"""What is sent again, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.wire import WireResponse
from agentci.models.retries import (
    FIRST_DELAY,
    LONGEST_DELAY,
    LONGEST_RETRY_AFTER,
    delay_before,
    worth_another_try,
)

NOW = 1_790_000_000.0


def answer(status: int, body: bytes = b"", **headers: str) -> WireResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WireResponse(status, named, (body,))


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_passing_troubles_are_worth_another_try(status: int) -> None:
    assert worth_another_try(answer(status))


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 413, 422, 501, 505])
def test_lasting_troubles_are_not(status: int) -> None:
    assert not worth_another_try(answer(status))


def test_the_provider_may_know_better() -> None:
    assert worth_another_try(answer(400, x_should_retry="true"))
    assert not worth_another_try(answer(500, x_should_retry="false"))


def test_an_empty_account_is_not_a_busy_server() -> None:
    body = b'{"error":{"code":"insufficient_quota","message":"..."}}'
    assert not worth_another_try(answer(429, body))
    for other in (b"", b"[]", b'{"error":"busy"}', b'{"error":{"code":"slow_down"}}'):
        assert worth_another_try(answer(429, other))


def delay(attempt: int = 2, *, seed: int = 0, response: WireResponse | None = None) -> float:
    return delay_before(attempt, seed=seed, response=response, now=NOW)


def test_delays_double_up_to_a_limit() -> None:
    assert [delay(n) for n in (2, 3, 4)] == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY]
    assert delay(1000) == LONGEST_DELAY


@given(st.integers(2, 10_000), st.integers(0, 2**31 - 1))
def test_jitter_takes_at_most_half_away(attempt: int, seed: int) -> None:
    assert delay(attempt) / 2 <= delay(attempt, seed=seed) <= delay(attempt)


def test_retry_after_is_honoured_in_seconds_milliseconds_and_as_a_date() -> None:
    assert delay(response=answer(429, retry_after="7")) == 7
    assert delay(response=answer(429, retry_after="0.25")) == 0.25
    assert delay(response=answer(429, retry_after_ms="1500", retry_after="9")) == 1.5
    date = "Mon, 21 Sep 2026 14:13:30 GMT"
    assert delay(response=answer(503, retry_after=date)) == 10
    assert delay(response=answer(503, retry_after="Mon, 21 Sep 2020 00:00:00 GMT")) == 0


@pytest.mark.parametrize("text", ["", "soon", "-3", "nan", "inf", "Mon, 99 Foo 2026"])
def test_a_retry_after_that_makes_no_sense_is_ignored(text: str) -> None:
    assert delay(response=answer(429, retry_after=text)) == FIRST_DELAY


def test_a_long_retry_after_is_cut() -> None:
    assert delay(response=answer(429, retry_after="86400")) == LONGEST_RETRY_AFTER
