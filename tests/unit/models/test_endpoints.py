"""Where calls go and with which key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from agentci.core.errors import UsageError
from agentci.models.endpoints import Endpoint, NotConfigured, resolve_endpoint
from agentci.models.registry import find_provider

KEY = "sk-secret-key-0123456789"


class Variables(dict[str, str]):
    """`Env` from a mapping: `dict.get` is all it takes."""


@dataclass(frozen=True)
class Settings:
    base_url: str | None = None
    api_key_env: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def found(provider: str, settings: Settings | None = None, **variables: str) -> Endpoint:
    endpoint = resolve_endpoint(find_provider(provider), settings, Variables(variables))
    assert isinstance(endpoint, Endpoint)
    return endpoint


def missing(provider: str, settings: Settings | None = None, **variables: str) -> NotConfigured:
    endpoint = resolve_endpoint(find_provider(provider), settings, Variables(variables))
    assert isinstance(endpoint, NotConfigured)
    return endpoint


def test_a_key_in_the_environment_is_enough_for_a_known_provider() -> None:
    endpoint = found("openai", OPENAI_API_KEY=KEY)
    assert endpoint.base_url == "https://api.openai.com/v1"
    assert endpoint.key == KEY
    assert endpoint.key_env == "OPENAI_API_KEY"


def test_without_a_key_the_variable_is_named() -> None:
    why = missing("gemini")
    assert "no key for the provider `gemini`" in why.reason
    assert why.hint == "set `GEMINI_API_KEY` or `GOOGLE_API_KEY`"


def test_an_empty_variable_is_not_set() -> None:
    assert "no key" in missing("openai", OPENAI_API_KEY="  ").reason


def test_the_first_of_several_variables_counts() -> None:
    assert found("gemini", GOOGLE_API_KEY="b", GEMINI_API_KEY="a").key == "a"
    assert found("gemini", GOOGLE_API_KEY="b").key == "b"


def test_a_base_url_of_the_user_needs_no_key() -> None:
    endpoint = found("openai", OPENAI_BASE_URL="http://localhost:8000/v1/")
    assert endpoint.base_url == "http://localhost:8000/v1"
    assert endpoint.key is None


def test_the_environment_wins_over_the_config() -> None:
    settings = Settings(base_url="https://config.example/v1")
    assert found("openai", settings).base_url == "https://config.example/v1"
    endpoint = found("openai", settings, OPENAI_BASE_URL="https://env.example/v1")
    assert endpoint.base_url == "https://env.example/v1"


def test_a_key_variable_of_the_config_replaces_the_usual_one_and_is_needed() -> None:
    settings = Settings(base_url="https://config.example/v1", api_key_env="TEAM_KEY")
    assert "`TEAM_KEY`" in missing("openai", settings, OPENAI_API_KEY=KEY).hint
    assert found("openai", settings, TEAM_KEY=KEY).key == KEY


def test_a_compatible_server_needs_an_address() -> None:
    why = missing("openai-compatible")
    assert "no base URL" in why.reason
    assert "endpoints.openai-compatible.base_url" in why.hint


def test_local_servers_need_nothing() -> None:
    assert found("ollama").base_url == "http://localhost:11434/v1"


def test_a_key_is_not_shown() -> None:
    endpoint = found("openai", Settings(headers={"x-team": KEY}), OPENAI_API_KEY=KEY)
    assert KEY not in repr(endpoint)
    assert endpoint.scrub(f"bad key {KEY}!") == "bad key <key>!"


@pytest.mark.parametrize("key", [f"{KEY}\nx", f"{KEY} x", f"{KEY}\u2026", f"{KEY}\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(UsageError, match="`OPENAI_API_KEY`") as caught:
        found("openai", OPENAI_API_KEY=key)
    assert KEY not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "url",
    ["localhost:8000", "ftp://h/v1", "http://", f"https://u:{KEY}@h/v1", f"https://h/v1?k={KEY}",
     "https://h/#x", "http://[::1", "http://h:99999"],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(UsageError, match="the base URL of the provider `openai`") as caught:
        found("openai", OPENAI_BASE_URL=url)
    assert KEY not in f"{caught.value} {caught.value.hint}"


def test_the_origin_has_no_path() -> None:
    assert found("groq", GROQ_API_KEY="k").origin == "https://api.groq.com"
