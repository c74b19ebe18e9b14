"""The report that an unexpected exception leaves: a Markdown file that can be pasted.

It holds the trace without values of variables, so that no prompt and no key gets into it.
"""

from __future__ import annotations

import platform
import tempfile
import traceback
from pathlib import Path

from agentci import __version__
from agentci.cli.render.json import to_json
from agentci.core.digest import digest_bytes, hex_of

_CODE = "ACI-X001"


def write(error: Exception, arguments: list[str]) -> Path | None:
    """Write the report and return its place, or None where no folder could be written to."""
    text = _markdown(error, arguments)
    name = f"bug-{hex_of(digest_bytes(text.encode()))[:12]}.md"
    own = Path(".agentci")
    for folder in (*([own / "bugs"] if own.is_dir() else []), Path(tempfile.gettempdir())):
        place = folder / (name if folder.parent == own else f"agentci-{name}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        except OSError:
            continue
        return place
    return None


def as_text(error: Exception, place: Path | None) -> str:
    """Return what a person sees."""
    lines = [f"error[{_CODE}]: a bug in agentci: {type(error).__name__}: {error}"]
    if place is None:
        lines.append("".join(traceback.format_exception(error)).rstrip())
        lines.append("hint: please report it with the lines above")
    else:
        lines.append(f"  --> {place}")
        lines.append("hint: please report it with that file; read it first, it has local paths")
    return "\n".join(lines) + "\n"


def as_json(error: Exception, place: Path | None) -> str:
    """Return the same as one JSON object."""
    content = {
        "code": _CODE,
        "exit_code": 3,
        "message": f"{type(error).__name__}: {error}",
        "report": place,
    }
    return to_json({"error": content})


def _markdown(error: Exception, arguments: list[str]) -> str:
    trace = "".join(traceback.format_exception(error))
    return "\n".join(
        (
            "# agentci stopped with a bug",
            "",
            f"- agentci {__version__}",
            f"- Python {platform.python_version()} on {platform.platform()}",
            f"- called as `{' '.join(['agentci', *_without_values(arguments)])}`",
            "",
            "```",
            trace.rstrip(),
            "```",
            "",
        )
    )


def _without_values(arguments: list[str]) -> list[str]:
    """Keep names and drop values of inputs, which may be private."""
    shown: list[str] = []
    for before, argument in zip(["", *arguments], arguments, strict=False):
        hide = before in {"--set", "--input"}
        shown.append("..." if hide else argument.partition("=")[0])
    return shown
