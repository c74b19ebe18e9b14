"""The tool `write_file`: create a text file or replace all of it."""

from __future__ import annotations

from typing import Final

from agentci.core.json_types import JsonObject
from agentci.tools.arguments import text_argument
from agentci.tools.protocol import Effect, ToolContext, ToolOutcome, ToolProblem

_NOT_KEPT: Final = "; `.gitignore` leaves it out, so it is no part of the result"


class WriteFile:
    """Writes a text file."""

    name: Final = "write_file"
    version: Final = 1
    description: Final = (
        "Create a text file in the workspace, or replace all of its content. Missing folders are "
        "made. The content is written exactly as given. To change a part of a file, use "
        "`edit_file`."
    )
    parameters: Final[JsonObject] = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Relative to the workspace."},
            "content": {"type": "string", "description": "The whole new content."},
        },
        "required": ["path", "content"],
        "additionalProperties": False,
    }
    effect: Final[Effect] = "workspace"

    def refuse(self, arguments: JsonObject, context: ToolContext) -> str | None:
        """Allow every call; paths are checked when they are opened."""
        del arguments, context
        return None

    async def run(self, arguments: JsonObject, context: ToolContext) -> ToolOutcome:
        """Write the file."""
        # a definition with this tool is checked and replayed without it
        from agentci.tools.walk import is_left_out  # noqa: PLC0415
        from agentci.tools.workspace_files import MAX_BYTES, WorkspaceFiles  # noqa: PLC0415

        path = text_argument(arguments, "path")
        data = text_argument(arguments, "content").encode("utf-8")
        if len(data) > MAX_BYTES:
            raise ToolProblem(f"the content has {len(data)} bytes; at most {MAX_BYTES} are written")
        files = WorkspaceFiles(context.workspace.folder())
        before = files.read_optional(path, max_bytes=64 * MAX_BYTES)
        if before is not None and before.data == data:
            return ToolOutcome(f"`{path}` already has this content; nothing was written")
        created = files.write(path, data)
        lines = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
        verb = "created" if created else "replaced"
        note = _NOT_KEPT if created and is_left_out(files, path) else ""
        return ToolOutcome(f"{verb} `{path}`: {lines} lines, {len(data)} bytes{note}")
