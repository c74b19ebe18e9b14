"""The formats of datasets: endings and import strings, so that a reader is imported when used."""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentci.evals.datasets.rows import Row

_PACKAGE: Final = "agentci.evals.datasets"
_READERS: Final = {
    ".csv": f"{_PACKAGE}.csv_rows",
    ".json": f"{_PACKAGE}.json_rows",
    ".jsonl": f"{_PACKAGE}.jsonl",
    ".yaml": f"{_PACKAGE}.yaml_rows",
    ".yml": f"{_PACKAGE}.yaml_rows",
}


class ReadRows(Protocol):
    """Reads one format of files."""

    def __call__(self, data: bytes, file: str) -> Iterator[Row]:
        """Yield the rows of `data`; `file` is its name in messages. Raises SpecError."""


def file_endings() -> tuple[str, ...]:
    """Return the endings of files that can be read, sorted."""
    return tuple(sorted(_READERS))


def rows_reader(path: str) -> ReadRows | None:
    """Return what reads a file of this name, or None where no format has its ending."""
    module = _READERS.get(PurePath(path).suffix.lower())
    return None if module is None else cast("ReadRows", import_module(module).read)
