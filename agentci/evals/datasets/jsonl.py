"""Datasets in JSON Lines: one object in each line. Read line by line."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from agentci.evals.datasets.json_text import decode_text, decoder, refuse_json
from agentci.evals.datasets.rows import MAX_DEPTH, MAX_ROWS, refuse, sound_row, too_many

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentci.evals.datasets.rows import Row


def read(data: bytes, file: str) -> Iterator[Row]:
    """Yield the rows; empty lines are left out.

    Raises:
        SpecError: at the first line that is wrong, when it is reached.
    """
    decode = decoder().decode
    count = 0
    for line, raw in enumerate(io.BytesIO(data), start=1):
        text = decode_text(raw, file=file, line=line).strip()
        if not text:
            continue
        count += 1
        if count > MAX_ROWS:
            too_many(file, line)
        try:
            value = decode(text)
        except ValueError as error:
            refuse_json(error, text, file=file, line=line)
        except RecursionError:
            refuse("ACI-F168", f"nested deeper than {MAX_DEPTH} levels", file, line=line)
        yield sound_row(value, file=file, line=line)
