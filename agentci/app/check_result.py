"""What `check` is asked and what it answers. Imports nothing heavy; see `check_stamp`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agentci.core.digest import Digest
from agentci.core.errors import Problem


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What to check."""

    start: Path
    pipelines: tuple[str, ...] = ()
    """Names or folders of pipelines, with their suites, or of suites; empty: all of the project."""


@dataclass(frozen=True, slots=True)
class CheckedPipeline:
    """One pipeline and what was found."""

    name: str
    folder: str
    steps: int
    """Of the definition itself, those inside other steps included."""
    agents: int
    digest: Digest | None
    """Of the definition and all that it names; None where there are problems."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedSuite:
    """One suite and what was found."""

    name: str
    folder: str
    cases: int
    """That it takes of its dataset."""
    scorers: int
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was checked, in the order of the folders' names."""

    pipelines: tuple[CheckedPipeline, ...]
    suites: tuple[CheckedSuite, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, each place once: pipelines may share a sub-pipeline."""
        checked: tuple[CheckedPipeline | CheckedSuite, ...] = (*self.pipelines, *self.suites)
        found = (problem for each in checked for problem in each.problems)
        return tuple(dict.fromkeys(found))
