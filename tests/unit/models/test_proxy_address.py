"""Addresses of the proxy: what is put into one comes out of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.lane import Lane
from agentci.models.proxy_address import (
    STAND_IN_KEY,
    client_environment,
    lane_url,
    parse_target,
    symbolic_url,
    upstream_path,
)
from agentci.models.registry import find_provider

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(WORDS)
def test_a_lane_comes_back_whatever_is_in_it(lane: str) -> None:
    url = lane_url("", "token", Lane(lane))
    found = parse_target(f"{url}/openai/v1/chat/completions?a=b")
    assert found is not None
    assert (found.token, found.lane, found.provider) == ("token", lane, "openai")
    assert (found.path, found.query) == ("/v1/chat/completions", "a=b")


@given(st.text())
def test_any_target_is_taken_apart_or_none(target: str) -> None:
    parse_target(target)


@pytest.mark.parametrize("target", ["", "/", "*", "/token", "/token/lane", "//[", "host:443"])
def test_other_targets_are_none(target: str) -> None:
    assert parse_target(target) is None


@pytest.mark.parametrize(
    ("provider", "path", "upstream", "symbolic"),
    [
        ("openai", "/v1/responses", "/responses", "https://api.openai.com/v1/responses"),
        ("openai", "/responses", "/responses", "https://api.openai.com/v1/responses"),
        ("anthropic", "/v1/messages", "/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("groq", "/chat", "/chat", "https://api.groq.com/openai/v1/chat"),
        ("openai-compatible", "/v1/x", "/x", "https://openai-compatible.invalid/x"),
    ],
)
def test_a_path_is_relative_to_what_the_provider_calls_its_base(
    provider: str, path: str, upstream: str, symbolic: str
) -> None:
    row = find_provider(provider)
    assert upstream_path(row, path) == upstream
    assert symbolic_url(row, upstream, "") == symbolic


def test_programs_get_no_real_key_where_there_is_a_stand_in() -> None:
    real = {"OPENAI_API_KEY": "real", "GOOGLE_API_KEY": "real", "NO_PROXY": "x"}
    given_keys = client_environment("http://u", real.get, stand_in=True)
    assert "real" not in given_keys.values()
    assert given_keys["GOOGLE_API_KEY"] == given_keys["OPENAI_API_KEY"] == STAND_IN_KEY
    assert given_keys["NO_PROXY"] == "x,127.0.0.1,localhost"
    own = client_environment("http://u", real.get, stand_in=False)
    assert "OPENAI_API_KEY" not in own
    assert "GEMINI_API_KEY" not in own
    assert own["ANTHROPIC_API_KEY"] == STAND_IN_KEY
