"""The tool `edit_file`: replace an exact piece of a text file."""

from __future__ import annotations

from typing import Final

from agentci.core.json_types import JsonObject
from agentci.tools.arguments import flag_argument, text_argument
from agentci.tools.protocol import Effect, ToolContext, ToolOutcome, ToolProblem

_SHOWN_LINES = 10


class EditFile:
    """Replaces text in a file."""

    name: Final = "edit_file"
    version: Final = 1
    description: Final = (
        "Replace a piece of a text file. `search` must be in the file exactly once, with the same "
        "white space and line ends; give enough lines around the change to make it unique. With "
        "`all`, every occurrence is replaced."
    )
    parameters: Final[JsonObject] = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Relative to the workspace."},
            "search": {"type": "string", "minLength": 1, "description": "The text to replace."},
            "replace": {"type": "string", "description": "The text to put in its place."},
            "all": {"type": "boolean", "description": "Replace every occurrence."},
        },
        "required": ["path", "search", "replace"],
        "additionalProperties": False,
    }
    effect: Final[Effect] = "workspace"

    def refuse(self, arguments: JsonObject, context: ToolContext) -> str | None:
        """Allow every call; paths are checked when they are opened."""
        del arguments, context
        return None

    async def run(self, arguments: JsonObject, context: ToolContext) -> ToolOutcome:
        """Edit the file."""
        # a definition with this tool is checked and replayed without it
        from agentci.tools.workspace_files import (  # noqa: PLC0415
            MAX_BYTES,
            WorkspaceFiles,
            decode_text,
        )

        path = text_argument(arguments, "path")
        search = text_argument(arguments, "search")
        replace = text_argument(arguments, "replace")
        if search == replace:
            raise ToolProblem("`search` and `replace` are equal; the edit would change nothing")
        files = WorkspaceFiles(context.workspace.folder())
        text = decode_text(files.read(path).data, path)
        places = _occurrences(text, search)
        if not places:
            raise ToolProblem(_not_found(text, search, path))
        if len(places) > 1 and not flag_argument(arguments, "all"):
            raise ToolProblem(
                f"`search` occurs {len(places)} times in `{path}`, at {_lines(text, places)}; "
                "give more lines around the change to make it unique, or set `all`"
            )
        data = text.replace(search, replace).encode("utf-8")
        if len(data) > MAX_BYTES:
            raise ToolProblem(f"`{path}` would have {len(data)} bytes; at most {MAX_BYTES}")
        files.write(path, data)
        count = text.count(search)
        times = "1 occurrence" if count == 1 else f"{count} occurrences"
        return ToolOutcome(f"edited `{path}`: replaced {times}, at {_lines(text, places)}")


def _occurrences(text: str, search: str) -> list[int]:
    """Return all positions of `search`, overlapping ones too: each could be meant."""
    places: list[int] = []
    place = text.find(search)
    while place >= 0:
        places.append(place)
        place = text.find(search, place + 1)
    return places


def _lines(text: str, places: list[int]) -> str:
    numbers = [str(text.count("\n", 0, place) + 1) for place in places[:_SHOWN_LINES]]
    more = ", ..." if len(places) > _SHOWN_LINES else ""
    return f"line{'s' if len(places) > 1 else ''} {', '.join(numbers)}{more}"


def _not_found(text: str, search: str, path: str) -> str:
    message = f"`search` does not occur in `{path}`"
    if "\r\n" in text and "\r\n" not in search and search.replace("\n", "\r\n") in text:
        return f"{message}: its lines end with \\r\\n; write them so"
    wanted = [line.strip() for line in search.strip().split("\n")]
    lines = [line.strip() for line in text.split("\n")]
    for index in range(len(lines) - len(wanted) + 1):
        if lines[index : index + len(wanted)] == wanted:
            return f"{message}: the lines from {index + 1} differ from it in white space only"
    return f"{message}; read the file again and copy the text exactly"
