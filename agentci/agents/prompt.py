"""Prompts: rendering an agent's prompt files, and files of the workspace as parts of a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, Literal

from agentci.core.digest import Digest
from agentci.core.errors import StepFailed
from agentci.core.json_types import JsonValue
from agentci.core.messages import BlobPart, Message, TextPart
from agentci.spec.expressions import render_prompt
from agentci.tools.protocol import ToolProblem

if TYPE_CHECKING:
    from agentci.tools.workspace_files import WorkspaceFiles

MAX_ATTACHMENT: Final = 20_000_000
"""The largest file that is sent with a prompt, in bytes."""

# a table of our own: that of the machine, and that of Python, differ from place to place
_MEDIA_TYPES: Final = {
    ".aac": "audio/aac",
    ".bmp": "image/bmp",
    ".csv": "text/csv",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".flac": "audio/flac",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".html": "text/html",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".m4a": "audio/mp4",
    ".md": "text/markdown",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".txt": "text/plain",
    ".wav": "audio/wav",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zip": "application/zip",
}


@dataclass(frozen=True, slots=True)
class PromptSource:
    """A prompt file."""

    name: str
    """How errors call it."""
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a conversation starts with."""

    system: str
    messages: tuple[Message, ...]


def build_prompt(
    prompt: PromptSource,
    values: Mapping[str, JsonValue],
    *,
    system: PromptSource | None = None,
    attachments: Sequence[BlobPart] = (),
) -> Prompt:
    """Render the prompt files with `values`; attachments stand behind the text, in their order.

    Raises:
        SpecError: when a prompt file is wrong.
        StepFailed: when a value that it uses is missing.
    """
    text = render_prompt(prompt.text, values, name=prompt.name)
    instructions = ""
    if system is not None:
        instructions = render_prompt(system.text, values, name=system.name)
    return Prompt(instructions, (Message("user", (TextPart(text), *attachments)),))


def read_attachments(
    folder: Path, paths: Sequence[str], *, put_blob: Callable[[bytes], Digest]
) -> tuple[BlobPart, ...]:
    """Return files of the workspace in `folder` as parts of a message, their bytes stored.

    Raises:
        StepFailed: when a file is missing, too large or outside the workspace.
    """
    from agentci.tools.workspace_files import WorkspaceFiles  # noqa: PLC0415 - few steps have any

    files = WorkspaceFiles(folder)
    return tuple(_attachment(files, path, put_blob) for path in paths)


def media_type(name: str, data: bytes) -> str:
    """Return the media type by the file's name; for unknown names, whether it is text."""
    known = _MEDIA_TYPES.get(PurePosixPath(name).suffix.lower())
    if known is not None:
        return known
    try:
        is_text = "\0" not in data.decode("utf-8")
    except UnicodeDecodeError:
        is_text = False
    return "text/plain" if is_text else "application/octet-stream"


def _attachment(files: WorkspaceFiles, path: str, put_blob: Callable[[bytes], Digest]) -> BlobPart:
    try:
        data = files.read(path, max_bytes=MAX_ATTACHMENT).data
    except ToolProblem as problem:
        raise StepFailed(
            f"the attachment `{path}` cannot be sent: {problem}",
            code="ACI-S152",
            hint="`attachments` are paths of files in the workspace, as the steps before leave it",
        ) from problem
    kind = media_type(path, data)
    return BlobPart(_part_kind(kind), kind, put_blob(data), PurePosixPath(path).name)


def _part_kind(kind: str) -> Literal["image", "audio", "file"]:
    if kind.startswith("image/") and kind != "image/svg+xml":  # models read pixels; SVG is text
        return "image"
    return "audio" if kind.startswith("audio/") else "file"
