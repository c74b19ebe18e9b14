"""Providers as rows of data: which dialect they speak, where they are, which key they want.

A provider that speaks a known dialect is one row here and nothing else. Other packages add rows
through the entry-point group `agentci.providers`; each entry point names a `Provider` value.
Nothing here sends a request, and no key is kept.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from agentci.core.errors import UsageError

if TYPE_CHECKING:
    from agentci.models.dialect import Dialect

ENTRY_POINT_GROUP = "agentci.providers"

_CHAT = "agentci.models.providers.openai_chat:DIALECT"
_COMPATIBLE = "agentci.models.providers.openai_chat:COMPATIBLE"
_JSON_BY_PROMPT = "agentci.models.providers.openai_chat:JSON_BY_PROMPT"
_MISTRAL = "agentci.models.providers.openai_chat:MISTRAL"
_RESPONSES = "agentci.models.providers.openai_responses:DIALECT"
_ANTHROPIC = "agentci.models.providers.anthropic_messages:DIALECT"
_GEMINI = "agentci.models.providers.gemini:DIALECT"
_SCRIPTED = "agentci.models.providers.scripted:DIALECT"


@dataclass(frozen=True, slots=True)
class Provider:
    """One row: everything about a provider that is not its wire format."""

    name: str
    dialect: str
    """Where the dialect is, as `module:attribute`, so that it is imported when first used."""
    base_url: str | None = None
    """Default base URL, without a trailing slash; None where the user has to give one."""
    base_url_env: str | None = None
    """Environment variable that overrides `base_url`."""
    key_env: tuple[str, ...] = ()
    """Environment variables with the key; the first one that is set counts."""
    key_required: bool = True
    """Whether the default base URL refuses calls without a key."""
    local: bool = False
    """Whether replies are computed here, without any endpoint."""


_ROWS = (
    Provider("openai", _CHAT, "https://api.openai.com/v1", "OPENAI_BASE_URL", ("OPENAI_API_KEY",)),
    Provider(
        "openai-responses",
        _RESPONSES,
        "https://api.openai.com/v1",
        "OPENAI_BASE_URL",
        ("OPENAI_API_KEY",),
    ),
    Provider(
        "anthropic",
        _ANTHROPIC,
        "https://api.anthropic.com",
        "ANTHROPIC_BASE_URL",
        ("ANTHROPIC_API_KEY",),
    ),
    Provider(
        "gemini",
        _GEMINI,
        "https://generativelanguage.googleapis.com",
        "GOOGLE_GEMINI_BASE_URL",
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    ),
    Provider(
        "ollama",
        _COMPATIBLE,
        "http://localhost:11434/v1",
        "OLLAMA_BASE_URL",
        ("OLLAMA_API_KEY",),
        key_required=False,
    ),
    Provider(
        "vllm",
        _COMPATIBLE,
        "http://localhost:8000/v1",
        "VLLM_BASE_URL",
        ("VLLM_API_KEY",),
        key_required=False,
    ),
    Provider(
        "llamacpp",
        _COMPATIBLE,
        "http://localhost:8080/v1",
        "LLAMACPP_BASE_URL",
        ("LLAMACPP_API_KEY",),
        key_required=False,
    ),
    Provider(
        "openrouter",
        _COMPATIBLE,
        "https://openrouter.ai/api/v1",
        "OPENROUTER_BASE_URL",
        ("OPENROUTER_API_KEY",),
    ),
    Provider(
        "groq",
        _JSON_BY_PROMPT,
        "https://api.groq.com/openai/v1",
        "GROQ_BASE_URL",
        ("GROQ_API_KEY",),
    ),
    Provider(
        "mistral",
        _MISTRAL,
        "https://api.mistral.ai/v1",
        "MISTRAL_BASE_URL",
        ("MISTRAL_API_KEY",),
    ),
    Provider(
        "deepseek",
        _JSON_BY_PROMPT,
        "https://api.deepseek.com/v1",
        "DEEPSEEK_BASE_URL",
        ("DEEPSEEK_API_KEY",),
    ),
    Provider(
        "together",
        _COMPATIBLE,
        "https://api.together.xyz/v1",
        "TOGETHER_BASE_URL",
        ("TOGETHER_API_KEY",),
    ),
    Provider(
        "openai-compatible",
        _COMPATIBLE,
        None,
        "OPENAI_COMPATIBLE_BASE_URL",
        ("OPENAI_COMPATIBLE_API_KEY",),
        key_required=False,
    ),
    Provider("scripted", _SCRIPTED, key_required=False, local=True),
)

_BUILT_IN = {row.name: row for row in _ROWS}
BUILT_IN = tuple(_BUILT_IN)
"""The names of the rows above; other packages may add more."""


def built_in_providers() -> tuple[str, ...]:
    """Return the names of the providers that ship with agentci."""
    return tuple(_BUILT_IN)


def provider_names() -> tuple[str, ...]:
    """Return the names of all providers, the built-in ones first."""
    return (*_BUILT_IN, *sorted(set(_installed()) - set(_BUILT_IN)))


def find_provider(name: str) -> Provider:
    """Return the row of the provider `name`. A built-in row cannot be replaced.

    Raises:
        UsageError: when there is no such provider, or its package gives something else.
    """
    row = _BUILT_IN.get(name)
    if row is None:
        row = _installed().get(name)
    if row is None:
        names = provider_names()
        near = difflib.get_close_matches(name, names, n=1)
        suggestion = f"did you mean `{near[0]}`? " if near else ""
        raise UsageError(
            f"there is no provider `{name}`",
            code="ACI-U130",
            hint=f"{suggestion}the providers are {', '.join(f'`{n}`' for n in names)}",
        )
    return row


@cache
def load_dialect(reference: str) -> Dialect:
    """Import the dialect that a row names as `module:attribute`.

    Raises:
        UsageError: when there is no such module or attribute.
    """
    module_name, _, attribute = reference.partition(":")
    try:
        dialect: Dialect = getattr(import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(
            f"the dialect `{reference}` cannot be imported: {error}",
            code="ACI-U131",
            hint="install the package that adds the provider again",
        ) from error
    return dialect


@cache
def _installed() -> dict[str, Provider]:
    # Reading the metadata of all installed packages takes longer than a replay of a short run.
    from importlib.metadata import entry_points  # noqa: PLC0415

    found: dict[str, Provider] = {}
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda item: item.name):
        row = entry.load()
        if not isinstance(row, Provider):
            raise UsageError(
                f"the entry point `{entry.value}` of `{ENTRY_POINT_GROUP}` is not a `Provider`",
                code="ACI-U132",
            )
        found[row.name] = row
    return found
