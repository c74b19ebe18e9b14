"""The tool `search`: lines of text files that contain a text or match a regular expression."""

from __future__ import annotations

from typing import Final

from agentci.core.json_types import JsonObject
from agentci.tools.arguments import flag_argument, text_argument
from agentci.tools.protocol import Effect, ToolContext, ToolOutcome


class Search:
    """Searches files."""

    name: Final = "search"
    version: Final = 1
    description: Final = (
        "Search the text files of the workspace line by line. `query` is taken literally unless "
        "`regex` is set. The answer has a line `path:number: text` for each match, sorted. Files "
        "that `.gitignore` leaves out are not searched."
    )
    parameters: Final[JsonObject] = {
        "type": "object",
        "properties": {
            "query": {"type": "string", "minLength": 1, "maxLength": 1000},
            "regex": {
                "type": "boolean",
                "description": "`query` is a Python regular expression.",
            },
            "ignore_case": {"type": "boolean"},
            "path": {"type": "string", "description": "Folder or file; default: everything."},
            "pattern": {
                "type": "string",
                "description": "Glob for the paths to search, such as `*.py`.",
            },
        },
        "required": ["query"],
        "additionalProperties": False,
    }
    effect: Final[Effect] = "pure"

    def refuse(self, arguments: JsonObject, context: ToolContext) -> str | None:
        """Allow every call; paths are checked when they are opened."""
        del arguments, context
        return None

    async def run(self, arguments: JsonObject, context: ToolContext) -> ToolOutcome:
        """Return the lines that match."""
        # a definition with this tool is checked and replayed without it
        from agentci.tools.text_search import search_text  # noqa: PLC0415

        answer = await search_text(
            context.workspace.folder(),
            text_argument(arguments, "query"),
            path=text_argument(arguments, "path", "."),
            pattern=text_argument(arguments, "pattern", ""),
            regex=flag_argument(arguments, "regex"),
            ignore_case=flag_argument(arguments, "ignore_case"),
        )
        return ToolOutcome(answer)
