"""What a recorded answer says of itself: decoded by the wire format that its request names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentci.core.errors import AgentciError
from agentci.models.registry import find_provider, load_dialect, provider_names
from agentci.models.stored_response import load_response
from agentci.record.http.form import load_answer

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject
    from agentci.core.messages import ModelResponse
    from agentci.models.dialect import Dialect
    from agentci.record.interaction import Interaction


def dialect_named(name: str) -> Dialect | None:
    """Return the wire format that a request names as `name/version`, or None."""
    wanted = name.partition("/")[0]
    for provider in provider_names():
        dialect = load_dialect(find_provider(provider).dialect)
        if dialect.name == wanted:
            return dialect
    return None


def recorded_answer(interaction: Interaction) -> ModelResponse | None:
    """Return the decoded answer of a model call, or None where it is none that can be decoded."""
    dialect = dialect_named(str(interaction.request.get("dialect", "")))
    if interaction.kind != "model" or dialect is None:
        return None
    return decoded(dialect, interaction.response)


def decoded(dialect: Dialect, stored: JsonObject) -> ModelResponse | None:
    """Return a stored answer, whoever recorded it, or None where it cannot be decoded."""
    for load in (load_response, load_answer):
        try:
            return dialect.decode(load(stored))
        except AgentciError:
            continue
    return None
