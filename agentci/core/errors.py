"""Every error that agentci raises on purpose, with its stable code and exit status.

    AgentciError
    +-- UsageError                 2   the call or a file that a user wrote is wrong
    |   +-- SpecError              2   a definition is invalid: one or more `Problem`s with places
    |   +-- FormatError            2   a file's format or version is not one we read
    +-- StepFailed                 1   a step, a check or the gate said no
    +-- NotReproducible            4   a replay cannot be, or was not, exact
    |   +-- CassetteMiss           4   a request has no recording
    |   |   +-- SeveralMisses      4   requests of several lanes have none
    |   +-- UnplayedRecordings     4   recordings that the replay did not use
    |   +-- Diverged               4   a replay went another way than the recording
    +-- NothingMatched             5   no pipeline, suite or case
    +-- EnvironmentProblem         6   provider, git, docker, disk, a missing tool
    |   +-- MissingTool            6   a program or package is not installed
    |   +-- ProviderError          6   a model endpoint answered with an error, or not at all
    |   +-- StorageError           6   a file could not be written or read
    +-- BudgetExceeded             7   a limit on cost, tokens or time was reached
    +-- SafetyRefusal              8   secret, tampered file, voided approval, no sandbox
    +-- Interrupted              130   stopped by the user, everything sealed

Libraries raise; only `agentci.__main__` prints and exits. Messages are lower case, identifiers
stand in backticks, and the hint names the next command to type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final


@dataclass(frozen=True, slots=True)
class Location:
    """A place that a person can open: a file with a position, or a lane of a run."""

    file: str | None = None
    """Path as the user would type it."""
    line: int | None = None
    """Counted from 1."""
    column: int | None = None
    """Counted from 1."""
    lane: str | None = None

    def __str__(self) -> str:
        """Return `file:line:column`, or `lane NAME`, as far as it is known."""
        if self.file is None:
            return f"lane {self.lane}" if self.lane is not None else ""
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n is not None)]
        return ":".join(parts)


class AgentciError(Exception):
    """An expected failure. `str(error)` is the message alone."""

    exit_code: ClassVar[int] = 3
    default_code: ClassVar[str] = "ACI-X000"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        location: Location | None = None,
    ) -> None:
        """Keep what happened, the stable `code`, the next thing to do and the place."""
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
        self.location = location


class UsageError(AgentciError):
    """The command line, the environment or a file that a user wrote is wrong."""

    exit_code = 2
    default_code = "ACI-U100"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a definition."""

    code: str
    message: str
    location: Location
    hint: str | None = None


class SpecError(UsageError):
    """A definition is invalid. Carries every problem that was found, not only the first."""

    default_code = "ACI-D100"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Take at least one problem; the first gives the message, code, place and hint."""
        first = problems[0]
        super().__init__(first.message, code=first.code, hint=first.hint, location=first.location)
        self.problems = problems


class FormatError(UsageError):
    """A file is not of the expected format, or of a version that this release does not read."""

    default_code = "ACI-F100"


class StepFailed(AgentciError):
    """A step did not do what the pipeline asked of it."""

    exit_code = 1
    default_code = "ACI-S100"


class NotReproducible(AgentciError):
    """A replay could not be exact."""

    exit_code = 4
    default_code = "ACI-R100"


class CassetteMiss(NotReproducible):
    """A request has no recording; the message names the nearest one and what differs."""

    default_code = "ACI-R101"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        location: Location | None = None,
        causes: tuple[str, ...] = (),
        changes: tuple[str, ...] = (),
    ) -> None:
        """Take also the classes of cause, and each difference as `place: words`."""
        super().__init__(message, code=code, hint=hint, location=location)
        self.causes = causes
        self.changes = changes

    @property
    def misses(self) -> tuple[CassetteMiss, ...]:
        """Every single miss; here only this one."""
        return (self,)

    @property
    def lane(self) -> str:
        """The lane that asked, or empty where it is not known."""
        return (self.location.lane if self.location is not None else None) or ""

    def restated(self, message: str, *, hint: str | None) -> CassetteMiss:
        """Return the same miss with more to say about it."""
        return CassetteMiss(
            message,
            code=self.code,
            hint=hint,
            location=self.location,
            causes=self.causes,
            changes=self.changes,
        )


class SeveralMisses(CassetteMiss):
    """Requests of several steps have no recording. The first is told in full, the others listed."""

    def __init__(self, misses: tuple[CassetteMiss, ...]) -> None:
        """Take at least one miss, in plan order; the first gives the code, place and hint."""
        first = misses[0]
        super().__init__(
            "\n".join([first.message, *_listed(misses[1:])]),
            code=first.code,
            hint=first.hint,
            location=first.location,
            causes=first.causes,
            changes=first.changes,
        )
        self._misses = misses

    @property
    def misses(self) -> tuple[CassetteMiss, ...]:
        """Every single miss, in plan order."""
        return self._misses


def missed(misses: tuple[CassetteMiss, ...]) -> CassetteMiss:
    """Return one error for at least one miss."""
    return misses[0] if len(misses) == 1 else SeveralMisses(misses)


_LISTED: Final = 20


def _listed(misses: tuple[CassetteMiss, ...]) -> list[str]:
    """Return the lines that count `misses` and list them by lane."""
    if not misses:
        return []
    causes: dict[str, dict[str, None]] = {}
    counts: dict[str, int] = {}
    for miss in misses:
        counts[miss.lane] = counts.get(miss.lane, 0) + 1
        causes.setdefault(miss.lane, {}).update(dict.fromkeys(miss.causes))
    noun = "request has" if len(misses) == 1 else "requests have"
    lines = [f"{len(misses)} more {noun} no recording:"]
    for lane in list(counts)[:_LISTED]:
        times = f" ({counts[lane]})" if counts[lane] > 1 else ""
        reason = "; ".join(causes[lane]) or "no recording"
        lines.append(f"  lane `{lane}`{times}: {reason}")
    if len(counts) > _LISTED:
        lines.append(f"  and {len(counts) - _LISTED} more lanes; `--json` lists all")
    return lines


class UnplayedRecordings(NotReproducible):
    """A replay finished without using every recording of its lanes."""

    default_code = "ACI-R102"


class Diverged(NotReproducible):
    """A replay or resume found another value than the one that was recorded."""

    default_code = "ACI-R103"


class NothingMatched(AgentciError):
    """There was nothing to work on."""

    exit_code = 5
    default_code = "ACI-N100"


class EnvironmentProblem(AgentciError):
    """Something outside agentci and the definition failed; it may pass on another try."""

    exit_code = 6
    default_code = "ACI-E100"


class MissingTool(EnvironmentProblem):
    """A program, package or file that has to be installed first is not there."""


class ProviderError(EnvironmentProblem):
    """A model endpoint answered with an error, or did not answer."""

    default_code = "ACI-E110"


class StorageError(EnvironmentProblem):
    """A file could not be written or read: disk full, read-only, no permission."""

    default_code = "ACI-E120"


class BudgetExceeded(AgentciError):
    """A declared limit on cost, tokens or time was reached."""

    exit_code = 7
    default_code = "ACI-B100"


class SafetyRefusal(AgentciError):
    """agentci declined to go on, because a person has to look first."""

    exit_code = 8
    default_code = "ACI-P100"


class Interrupted(AgentciError):
    """The user stopped the run; everything recorded so far is sealed."""

    exit_code = 130
    default_code = "ACI-I130"
