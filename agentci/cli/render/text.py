"""Results as plain text: tables that fit the terminal, counts, sizes, durations."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Final

from agentci.cli.render.errors import printable

_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None = None
) -> str:
    """Return aligned columns. The last column is cut where the terminal ends; files get it all."""
    lines = [list(headers), *([printable(cell).replace("\n", " ") for cell in r] for r in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers) - 1)]
    shown = (_line(line, widths, width) for line in lines)
    return "\n".join(shown) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int], width: int | None) -> str:
    head = "".join(f"{cell:<{size}}  " for cell, size in zip(cells, widths, strict=False))
    text = f"{head}{cells[-1]}".rstrip()
    if width is not None and len(text) > width:
        return f"{text[: max(width - 3, 1)]}..."
    return text


def terminal_width() -> int:
    """Return the columns of the terminal; COLUMNS overrides it."""
    return shutil.get_terminal_size().columns


def count(number: int, noun: str) -> str:
    """Return `1 step`, `2 steps`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size(number: int) -> str:
    """Return bytes as a person reads them, in powers of 1000."""
    value = float(number)
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            return f"{number} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError


def duration(seconds: float) -> str:
    """Return seconds as `0.4 s` or `3 min 05 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"
