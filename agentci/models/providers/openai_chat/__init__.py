"""OpenAI Chat Completions, and the many servers that speak it with small differences.

`variants` holds the dialect and its values, `request` and `stream` and `answer` the format, and
`reasoning` what goes back to a server the way it came. Nothing else may import the inner modules.
"""

from agentci.models.providers.openai_chat.variants import (
    COMPATIBLE,
    DIALECT,
    JSON_BY_PROMPT,
    MISTRAL,
    OpenAiChat,
)

__all__ = ["COMPATIBLE", "DIALECT", "JSON_BY_PROMPT", "MISTRAL", "OpenAiChat"]
