"""What is wrong with a deploy spec or an artifact, with the place in the spec behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agentci.core.errors import Problem
from agentci.record.secrets.leaves import shown_path
from agentci.spec.yaml_document import PathParts, Positions


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    code: str
    """`ACI-D6..` of a check, or the id of a rule such as `image-digest`."""
    path: PathParts
    """In the spec."""
    message: str
    hint: str | None = None

    @property
    def place(self) -> str:
        """The path as people write it: `services.api.ports[0]`."""
        return shown_path(self.path)


def as_problem(finding: Finding, positions: Positions) -> Problem:
    """Return the finding as an error shows it: the spec's path, and file and line."""
    where = f"`{finding.place}`: " if finding.path else ""
    return Problem(
        finding.code, where + finding.message, positions.locate(finding.path), finding.hint
    )


def in_reading_order(findings: Iterable[Finding], positions: Positions) -> tuple[Finding, ...]:
    """Return each finding once, by its place in the file."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda each: _order(each, positions)))


def _order(finding: Finding, positions: Positions) -> tuple[int, int, str, str]:
    place = positions.locate(finding.path)
    return (place.line or 0, place.column or 0, finding.code, finding.message)
