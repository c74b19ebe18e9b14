"""From rows to cases: which field is what, which cases are taken. Knows no file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentci.core.digest import digest_json
from agentci.evals.case import Case
from agentci.evals.datasets.rows import described, refuse

if TYPE_CHECKING:
    from agentci.core.json_types import JsonValue
    from agentci.evals.datasets.rows import Row
    from agentci.spec.suite import DatasetSpec, SampleSpec

_MAX_ID: Final = 200
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Fields:
    """Which field of a row is what."""

    id: str
    input: str
    expected: str
    group: str
    tags: str

    @property
    def names(self) -> frozenset[str]:
        """Return all of them."""
        return frozenset({self.id, self.input, self.expected, self.group, self.tags})


def fields_of(spec: DatasetSpec) -> Fields:
    """Return which field is what in the rows of a suite's dataset."""
    return Fields(spec.id, spec.input, spec.expected, spec.group, spec.tags)


def case_of(row: Row, fields: Fields, *, file: str, repository: str | None = None) -> Case:
    """Return the case in a row; `file` and `repository` are relative to the project.

    Raises:
        SpecError: when a field that has a meaning holds what it cannot.
    """
    return Case(
        id=_id(row, fields),
        input=_input(row, fields),
        expected=row.fields.get(fields.expected),
        row={**row.fields, **row.extra} if row.extra else row.fields,
        digest=row.digest,
        group=_word(row, fields.group),
        tags=_tags(row, fields.tags),
        file=file,
        line=row.line,
        repository=repository,
    )


def sampled(cases: Sequence[Case], sample: SampleSpec | None) -> tuple[Case, ...]:
    """Return the cases that a sample takes, in the order given.

    Each case has a rank of its own, from the seed and its id, and the first ranks are taken: a
    case that comes or goes changes at most one other.
    """
    if sample is None or sample.size >= len(cases):
        return tuple(cases)
    ranked = sorted(cases, key=lambda case: digest_json([sample.seed, case.id]))
    taken = {case.id for case in ranked[: sample.size]}
    return tuple(case for case in cases if case.id in taken)


def matches(pattern: str, case_id: str) -> bool:
    """Say whether an id fits a pattern, in which `*` stands for any characters."""
    first, *inner = pattern.split("*")
    if not inner:
        return pattern == case_id
    *middle, last = inner
    if len(case_id) < len(first) + len(last):
        return False
    if not (case_id.startswith(first) and case_id.endswith(last)):
        return False
    rest = case_id[len(first) : len(case_id) - len(last)]
    position = 0
    for part in middle:  # the earliest place leaves most for the others, so none is tried twice
        found = rest.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return True


def _id(row: Row, fields: Fields) -> str:
    value = row.fields.get(fields.id)
    if value is None or value == "":
        return row.name if row.name is not None else str(row.line)
    if isinstance(value, bool) or not isinstance(value, str | int):
        message = f"the id in `{fields.id}` has to be a text or whole number, not "
        refuse("ACI-D544", message + described(value), row.file, line=row.line)
    text = str(value)
    if len(text) > _MAX_ID:
        message = f"the id in `{fields.id}` has {len(text):,} characters; at most {_MAX_ID}"
        refuse("ACI-D544", message, row.file, line=row.line)
    found = _UNPRINTABLE.search(text)
    if found or not text.strip():
        what = f"the character U+{ord(found[0]):04X}" if found else "only spaces"
        message = f"the id in `{fields.id}` holds {what}"
        refuse("ACI-D544", message, row.file, line=row.line)
    return text


def _input(row: Row, fields: Fields) -> JsonValue:
    if fields.input in row.fields:
        return row.fields[fields.input]
    if row.input is not None:
        return row.input
    known = fields.names
    return {name: value for name, value in row.fields.items() if name not in known}


def _word(row: Row, name: str) -> str | None:
    value = row.fields.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        message = f"the group in `{name}` has to be a text or whole number, not "
        refuse("ACI-D547", message + described(value), row.file, line=row.line)
    return str(value)


def _tags(row: Row, name: str) -> tuple[str, ...]:
    value = row.fields.get(name)
    found: Sequence[JsonValue] = ()
    if isinstance(value, str):
        found = value.split(",")
    elif isinstance(value, Sequence):
        found = value
    elif isinstance(value, Mapping) or value is not None:
        message = f"the tags in `{name}` have to be a list or a text, not {described(value)}"
        refuse("ACI-D547", message, row.file, line=row.line)
    texts = set(row.tags)
    for tag in found:
        if not isinstance(tag, str):
            message = f"a tag in `{name}` has to be a text, not {described(tag)}"
            refuse("ACI-D547", message, row.file, line=row.line)
        texts.add(tag.strip())
    return tuple(sorted(text for text in texts if text))
