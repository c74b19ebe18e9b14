"""The tool `read_file`: a text file, or some of its lines, as it is."""

from __future__ import annotations

from typing import Final

from agentci.core.json_types import JsonObject
from agentci.tools.arguments import integer_argument, text_argument
from agentci.tools.protocol import Effect, ToolContext, ToolOutcome, ToolProblem

MAX_CHARACTERS: Final = 200_000
"""The longest answer; longer files are read in pieces."""


class ReadFile:
    """Reads a text file."""

    name: Final = "read_file"
    version: Final = 1
    description: Final = (
        "Read a UTF-8 text file of the workspace, exactly as it is. Give `start_line` and "
        "`max_lines` to read a part; the answer then starts with a line that says which part."
    )
    parameters: Final[JsonObject] = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Relative to the workspace."},
            "start_line": {
                "type": "integer",
                "minimum": 1,
                "description": "First line to read, counted from 1.",
            },
            "max_lines": {"type": "integer", "minimum": 1, "description": "Lines to read."},
        },
        "required": ["path"],
        "additionalProperties": False,
    }
    effect: Final[Effect] = "pure"

    def refuse(self, arguments: JsonObject, context: ToolContext) -> str | None:
        """Allow every call; paths are checked when they are opened."""
        del arguments, context
        return None

    async def run(self, arguments: JsonObject, context: ToolContext) -> ToolOutcome:
        """Return the file's text."""
        # a definition with this tool is checked and replayed without it
        from agentci.tools.workspace_files import WorkspaceFiles, decode_text  # noqa: PLC0415

        path = text_argument(arguments, "path")
        file = WorkspaceFiles(context.workspace.folder()).read(path)
        text = decode_text(file.data, path)
        start = integer_argument(arguments, "start_line", 1)
        count = integer_argument(arguments, "max_lines", 0)
        if start > 1 or count:
            text = _part(text, start, count, path=path)
        if len(text) > MAX_CHARACTERS:
            raise ToolProblem(
                f"`{path}` has {len(text)} characters, too many for one answer; "
                "give `start_line` and `max_lines`"
            )
        return ToolOutcome(text)


def _part(text: str, start: int, count: int, *, path: str) -> str:
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()  # the end of the last line starts no other
    if start > max(len(lines), 1):
        raise ToolProblem(f"`{path}` has {len(lines)} lines; there is no line {start}")
    end = min(start + count - 1, len(lines)) if count else len(lines)
    head = f"[lines {start} to {end} of {len(lines)}]\n"
    body = "\n".join(lines[start - 1 : end])
    return head + body + ("\n" if end < len(lines) or text.endswith("\n") else "")
