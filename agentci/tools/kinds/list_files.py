"""The tool `list_files`: the paths below a folder, sorted."""

from __future__ import annotations

from typing import Final

from agentci.core.json_types import JsonObject
from agentci.tools.arguments import text_argument
from agentci.tools.protocol import Effect, ToolContext, ToolOutcome

MAX_ENTRIES: Final = 1000
"""Paths in one answer."""
_MAX_COUNTED: Final = 100_000


class ListFiles:
    """Lists files."""

    name: Final = "list_files"
    version: Final = 1
    description: Final = (
        "List the files below a folder of the workspace, recursively and sorted, one path per "
        "line. Files that `.gitignore` leaves out are not shown; links are shown as "
        "`path -> target`."
    )
    parameters: Final[JsonObject] = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Folder; default: the whole workspace."},
            "pattern": {
                "type": "string",
                "description": "Glob for the path, such as `*.py` or `src/**/test_*.py`; without "
                "a slash it matches the file name in any folder.",
            },
        },
        "additionalProperties": False,
    }
    effect: Final[Effect] = "pure"

    def refuse(self, arguments: JsonObject, context: ToolContext) -> str | None:
        """Allow every call; paths are checked when they are opened."""
        del arguments, context
        return None

    async def run(self, arguments: JsonObject, context: ToolContext) -> ToolOutcome:
        """Return the paths."""
        # a definition with this tool is checked and replayed without it
        from agentci.tools.walk import path_filter, walk  # noqa: PLC0415
        from agentci.tools.workspace_files import WorkspaceFiles  # noqa: PLC0415

        files = WorkspaceFiles(context.workspace.folder())
        wanted = path_filter(text_argument(arguments, "pattern", ""))
        lines: list[str] = []
        count = 0
        for entry in walk(files, text_argument(arguments, "path", ".")):
            if wanted is not None and not wanted.fullmatch(entry.path):
                continue
            count += 1
            if count <= MAX_ENTRIES:
                lines.append(entry.path if entry.link is None else f"{entry.path} -> {entry.link}")
            if count >= _MAX_COUNTED:
                break
        if count > MAX_ENTRIES:
            lines.append(f"[{count - MAX_ENTRIES} more; narrow it with `path` or `pattern`]")
        return ToolOutcome("\n".join(lines) if lines else "[no files]")
