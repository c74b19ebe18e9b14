"""What a target is: a pure object that refuses, renders and examines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from agentci.deploy.artifact import Artifact, Deployment
from agentci.deploy.findings import Finding


@dataclass(frozen=True, slots=True)
class Examined:
    """One examination of a target's files, without any program."""

    name: str
    """For people: `schema`, `rubric`."""
    findings: tuple[Finding, ...]
    detail: str = ""
    """What was counted: `42 of 42`."""


class Target(Protocol):
    """One platform."""

    @property
    def version(self) -> int:
        """Of the templates; raised with every change of the rendered bytes."""

    def check(self, deployment: Deployment) -> tuple[Finding, ...]:
        """Return what the platform cannot do of what the spec asks; nothing is left out in silence.

        Codes are `ACI-D63..` and up, of which each target has a range.
        """

    def render(self, deployment: Deployment) -> tuple[Artifact, ...]:
        """Return the files, with paths relative to the target's folder.

        Only called where `check` found nothing. A pure function: no clock, no environment.
        """

    def examine(self, deployment: Deployment, files: Mapping[str, bytes]) -> tuple[Examined, ...]:
        """Judge `files` as they lie on the disk, by path relative to the target's folder."""
