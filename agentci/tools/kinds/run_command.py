"""The tool `run_command`: a program with arguments, in the sandbox and the fixed environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from agentci.core.json_types import JsonObject
from agentci.tools.arguments import text_argument, words_argument
from agentci.tools.protocol import Effect, ToolContext, ToolOutcome

if TYPE_CHECKING:
    from pathlib import Path

    from agentci.core.effects import CommandResult
    from agentci.tools.masking import Masked

MAX_CHARACTERS: Final = 20_000
"""Shown of each of the two outputs; the middle is left out beyond that."""
_HEAD: Final = 6_000


class RunCommand:
    """Runs a command."""

    name: Final = "run_command"
    version: Final = 1
    description: Final = (
        "Run a program in the workspace and return its exit code and output. `command` is the "
        'program and its arguments as a list of words, such as ["python", "-m", "pytest", "-q"]. '
        "There is no shell: no pipes, redirections or variables."
    )
    parameters: Final[JsonObject] = {
        "type": "object",
        "properties": {
            "command": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "maxItems": 1000,
                "description": "Program and arguments.",
            },
            "folder": {
                "type": "string",
                "description": "Working directory, relative to the workspace.",
            },
            "stdin": {"type": "string", "description": "Text for standard input."},
        },
        "required": ["command"],
        "additionalProperties": False,
    }
    effect: Final[Effect] = "workspace"

    def refuse(self, arguments: JsonObject, context: ToolContext) -> str | None:
        """Refuse programs that the agent may not start."""
        program = words_argument(arguments, "command")[0]
        if context.commands and program not in context.commands:
            allowed = ", ".join(f"`{name}`" for name in sorted(context.commands))
            return f"`{program}` is not allowed here; allowed are {allowed}"
        if not program or any("\0" in word for word in words_argument(arguments, "command")):
            return "the words of a command must not have NUL characters, nor the program be empty"
        return None

    async def run(self, arguments: JsonObject, context: ToolContext) -> ToolOutcome:
        """Run the command to its end."""
        # a definition with this tool is checked and replayed without them
        from agentci.core.effects import CommandRequest  # noqa: PLC0415
        from agentci.tools.workspace_files import WorkspaceFiles  # noqa: PLC0415

        root = context.workspace.folder()
        folder = text_argument(arguments, "folder", ".")
        files = WorkspaceFiles(root)
        with files.open_folder(folder):
            parts = files.real_parts(folder)
        words = words_argument(arguments, "command")
        if context.sandbox.name == "process":
            # the model only knows the shown name of the workspace; here it is no real folder
            words = _really_at(root, words)
        result = await context.sandbox.run(
            CommandRequest(
                argv=words,
                root=root,
                timeout=context.timeout,
                env=context.env,
                folder="/".join(parts) or ".",
                stdin=text_argument(arguments, "stdin", "").encode("utf-8"),
            )
        )
        stdout = context.mask.mask_counted(result.stdout)
        stderr = context.mask.mask_counted(result.stderr)
        return ToolOutcome(
            _answer(result, stdout.text, stderr.text, timeout=context.timeout),
            is_error=result.timed_out,
            masked=_sum(stdout, stderr),
        )


def _really_at(root: Path, words: tuple[str, ...]) -> tuple[str, ...]:
    from agentci.tools.masking import WORKSPACE  # noqa: PLC0415 - as in `run`

    shown = re.compile(rf"(?<![\w.~-]){WORKSPACE}(?![\w-]|\.\w)")
    return tuple(shown.sub(lambda _: str(root), word) for word in words)


def _answer(result: CommandResult, stdout: str, stderr: str, *, timeout: float) -> str:
    late = f" (killed after {timeout:g} seconds)" if result.timed_out else ""
    sections = [f"exit code: {result.exit_code}{late}"]
    for name, text in (("stdout", stdout), ("stderr", stderr)):
        if text:
            sections.append(f"{name}:\n{shorten(text)}")
    return "\n".join(sections)


def shorten(text: str) -> str:
    """Leave out the middle of a long text; the end, where errors stand, keeps more room."""
    if len(text) <= MAX_CHARACTERS:
        return text
    head = text[:_HEAD]
    tail = text[len(text) - (MAX_CHARACTERS - _HEAD) :]
    head = head[: head.rfind("\n") + 1] or head
    tail = tail[tail.find("\n") + 1 :] or tail
    left_out = len(text) - len(head) - len(tail)
    separator = "" if head.endswith("\n") else "\n"
    return f"{head}{separator}[{left_out} characters left out]\n{tail}"


def _sum(first: Masked, second: Masked) -> dict[str, int]:
    kinds = sorted({*first.counts, *second.counts})
    return {kind: first.counts.get(kind, 0) + second.counts.get(kind, 0) for kind in kinds}
