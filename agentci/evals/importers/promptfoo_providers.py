"""Providers of a promptfoo config as models of agentci."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentci.core.json_types import JsonObject, JsonValue
from agentci.evals.importers.findings import NotImportable

_KINDS: Final = (
    ("openai:chat:", "openai"),
    ("openai:responses:", "openai-responses"),
    ("anthropic:messages:", "anthropic"),
    ("google:", "gemini"),
    ("ollama:chat:", "ollama"),
    ("openrouter:", "openrouter"),
    ("groq:", "groq"),
    ("mistral:", "mistral"),
    ("deepseek:", "deepseek"),
    ("togetherai:", "together"),
)
_PARAMETERS: Final = frozenset(
    {"temperature", "max_tokens", "max_completion_tokens", "top_p", "top_k", "stop", "seed",
     "presence_penalty", "frequency_penalty", "reasoning_effort", "response_format"}
)  # fmt: skip
_NOT_SENT: Final = frozenset({"apiKey", "apiKeyEnvar", "apiBaseUrl", "apiHost", "organization"})
_REASONING: Final = re.compile(r"(?:o[134]|gpt-5)")
_SEVERAL_WORDS: Final = re.compile(r"google:(?:live|image|video|embedding)", re.ASCII)


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """A model and how it is called."""

    name: str
    spec: JsonObject
    unsent: tuple[str, ...] = ()
    """Settings that have no place in a definition: where it is and which key it takes."""


def model_of(provider: JsonValue, *, name: str) -> ForeignModel:
    """Return a provider's model.

    Raises:
        NotImportable: when none of ours is the same.
    """
    entry = _entry(provider)
    odd = sorted(set(entry) - {"id", "config", "label"})
    if odd:
        raise NotImportable(f"a provider with `{odd[0]}`")
    found = known_model(entry.get("id"))
    config = entry.get("config") or {}
    if not isinstance(config, Mapping):
        raise NotImportable("a provider whose `config` is no mapping")
    unknown = sorted(set(config) - _PARAMETERS - _NOT_SENT)
    if unknown:
        raise NotImportable(f"a provider with the setting `{unknown[0]}`")
    set_here = {key: config[key] for key in sorted(_PARAMETERS & set(config))}
    if any("{{" in str(value) for value in set_here.values()):
        raise NotImportable("a provider with templates in its settings")
    parameters = {**_defaults(found), **set_here}
    spec: dict[str, JsonValue] = {**found, "parameters": parameters}
    # promptfoo sends a seed only where the config has one
    spec["seed"] = False
    return ForeignModel(name, spec, tuple(sorted(_NOT_SENT & set(config))))


def _entry(provider: JsonValue) -> Mapping[str, JsonValue]:
    if isinstance(provider, str):
        return {"id": provider}
    if not isinstance(provider, Mapping):
        raise NotImportable("a provider that is neither a name nor a mapping")
    if "id" not in provider and len(provider) == 1:
        name, options = next(iter(provider.items()))
        if isinstance(options, Mapping):
            return {"id": name, **options}
    return provider


def known_model(text: JsonValue) -> dict[str, JsonValue]:
    """Return the provider and the id of a model that promptfoo calls `text`.

    Raises:
        NotImportable: when none of ours is the same.
    """
    if not isinstance(text, str) or "{{" in text or _SEVERAL_WORDS.match(text):
        raise NotImportable("a provider that is not known here")
    for prefix, provider in _KINDS:
        name = text.removeprefix(prefix)
        if name != text and name:
            return {"provider": provider, "id": name}
    short = re.fullmatch(
        r"openai:((?!embedding|moderation|image|assistant|completion|realtime)[^:]+)", text
    )
    if short:
        return {"provider": "openai", "id": short[1]}
    raise NotImportable(f"the provider `{text[:80]}`, which has no equal here")


def _defaults(found: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return what promptfoo sends where a config says nothing."""
    reasoning = bool(_REASONING.match(str(found["id"])))
    if found["provider"] == "openai" and not reasoning:
        return {"max_tokens": 1024, "temperature": 0}
    if found["provider"] == "anthropic":
        return {"max_tokens": 1024}
    return {}
