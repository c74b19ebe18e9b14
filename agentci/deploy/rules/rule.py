"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from agentci.spec.deploy import DeploySpec
from agentci.spec.yaml_document import PathParts


@dataclass(frozen=True, slots=True)
class Broken:
    """Where a rule is broken."""

    path: PathParts
    message: str
    hint: str | None = None


Find: TypeAlias = Callable[[DeploySpec], Iterator[Broken]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that a careful engineer would ask for."""

    id: str
    reason: str
    """Why, in a sentence; shown with each finding."""
    find: Find
