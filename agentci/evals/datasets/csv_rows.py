"""Datasets in CSV: a line with names, then one record a row. Every value is a text.

Records may span lines inside quotes (RFC 4180). Read record by record.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from agentci.evals.datasets.rows import MAX_ROWS, refuse, sound_row, too_many

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentci.evals.datasets.rows import Row


def read(data: bytes, file: str) -> Iterator[Row]:
    """Yield the rows; empty lines are left out.

    Raises:
        SpecError: at the first record that is wrong, when it is reached.
    """
    records = _records(data, file)
    names = next(records, None)
    if names is None:
        refuse("ACI-F166", "the file is empty", file, line=1, hint="the first line names columns")
    header = _header(names.values, file, line=names.line)
    for count, record in enumerate(records):
        if count >= MAX_ROWS:
            too_many(file, record.line)
        if len(record.values) != len(header):
            message = f"{len(record.values)} values, and the first line names {len(header)} columns"
            hint = 'a value with `,` or line breaks stands in `"`'
            refuse("ACI-F169", message, file, line=record.line, hint=hint)
        fields = dict(zip(header, record.values, strict=True))
        yield sound_row(fields, file=file, line=record.line)


class _Record:
    __slots__ = ("line", "values")

    def __init__(self, values: list[str], line: int) -> None:
        self.values = values
        self.line = line


def _records(data: bytes, file: str) -> Iterator[_Record]:
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    line = 1
    while True:
        try:
            values = next(reader, None)
        except csv.Error as error:
            hint = "a value may have 131,072 characters; take `.jsonl` for longer ones"
            large = "field larger" in str(error)
            told = f"not valid CSV: {error}"
            refuse("ACI-F165", told, file, line=line, hint=hint if large else None)
        except UnicodeDecodeError as error:
            # the decoder works in blocks, so its offset is not the file's
            at = _first_undecodable(data)
            message = f"not UTF-8: byte 0x{error.object[error.start]:02x}"
            refuse("ACI-F165", message, file, line=at, hint="save the file as UTF-8")
        if values is None:
            return
        if values:
            yield _Record(values, line)
        line = reader.line_num + 1


def _first_undecodable(data: bytes) -> int:
    for line, raw in enumerate(io.BytesIO(data), start=1):
        try:
            raw.decode()
        except UnicodeDecodeError:
            return line
    return 1


def _header(names: list[str], file: str, *, line: int) -> tuple[str, ...]:
    found = tuple(name.strip() for name in names)
    for index, name in enumerate(found):
        if not name:
            refuse("ACI-F169", f"column {index + 1} has no name", file, line=line)
        if name in found[:index]:
            refuse("ACI-F169", f"the column `{name[:80]}` is named twice", file, line=line)
    return found
