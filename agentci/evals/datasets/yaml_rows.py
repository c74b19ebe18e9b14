"""Datasets in YAML: one list of mappings, in the dialect of all files that a person writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentci.evals.datasets.rows import described, refuse, sound_row
from agentci.spec.yaml_document import parse_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentci.evals.datasets.rows import Row


def read(data: bytes, file: str) -> Iterator[Row]:
    """Yield the rows.

    Raises:
        SpecError: for anything that is no list of mappings, or larger than a file for people; then
            JSON Lines is the format to take.
    """
    document = parse_document(data, file)
    value = document.value
    if not isinstance(value, Sequence) or isinstance(value, str):
        message = f"a dataset in YAML has to be a list, not {described(value)}"
        refuse("ACI-F166", message, file, line=document.positions.locate(()).line or 1)
    for index, row in enumerate(value):
        yield sound_row(row, file=file, line=document.positions.locate((index,)).line or 1)
