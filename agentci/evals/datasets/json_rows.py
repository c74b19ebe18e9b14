"""Datasets in JSON: one list of objects. Decoded one object at a time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentci.evals.datasets.json_text import decode_text, decoder, refuse_json
from agentci.evals.datasets.rows import MAX_DEPTH, MAX_ROWS, refuse, sound_row, too_many

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentci.core.json_types import JsonValue
    from agentci.evals.datasets.rows import Row

_SPACE = re.compile(r"[ \t\r\n]*")


def read(data: bytes, file: str) -> Iterator[Row]:
    """Yield the rows.

    Raises:
        SpecError: at the first thing that is wrong, when it is reached.
    """
    return _Reader(decode_text(data, file=file), file).rows()


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._decode = decoder().raw_decode
        self._position = 0
        self._line = 1
        self._counted = 0

    def rows(self) -> Iterator[Row]:
        if self._next() != "[":
            self._refuse("a dataset in JSON has to be a list", "put the objects into `[` and `]`")
        self._position += 1
        if self._next() != "]":
            yield from self._items()
        self._position += 1
        if self._next():
            self._refuse("there is more after the list")

    def _items(self) -> Iterator[Row]:
        for _count in range(MAX_ROWS):
            self._next()
            line = self._here()
            yield sound_row(self._value(), file=self._file, line=line)
            sign = self._next()
            if sign == "]":
                return
            if sign != ",":
                self._refuse("not valid JSON: expecting `,` or `]` after a row")
            self._position += 1
        too_many(self._file, self._here())

    def _value(self) -> JsonValue:
        start = self._position
        value: JsonValue = None
        try:
            value, self._position = self._decode(self._text, start)
        except ValueError as error:
            refuse_json(error, self._text, file=self._file, line=1, offset=start)
        except RecursionError:
            message = f"nested deeper than {MAX_DEPTH} levels"
            refuse("ACI-F168", message, self._file, line=self._here())
        return value

    def _next(self) -> str:
        """Return the next character that is no space, or an empty text at the end."""
        found = _SPACE.match(self._text, self._position)
        self._position = found.end() if found else self._position
        return self._text[self._position : self._position + 1]

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._position)
        self._counted = self._position
        return self._line

    def _refuse(self, message: str, hint: str | None = None) -> None:
        column = self._position - self._text.rfind("\n", 0, self._position)
        refuse("ACI-F165", message, self._file, line=self._here(), hint=hint, column=column)
