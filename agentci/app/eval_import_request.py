"""What is asked of an import of evaluations, and what comes back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.core.errors import UsageError

if TYPE_CHECKING:
    from agentci.evals.importers.findings import Note

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalImportRequest:
    """What to take over, and where to."""

    start: Path
    """Where the call was made."""
    path: Path
    """A config, a dataset or a log."""
    to: str | None = None
    """Name of the pipeline's folder; None for one like the file. For logs, also the suite's."""
    model: str | None = None
    """`provider:id`: evaluated instead of the config's providers."""
    results: Path | None = None
    """For logs: where the results go."""
    dataset: Path | None = None
    """For logs: where the samples go as a dataset."""
    threshold: float = 1.0
    """For logs: the score from which on a sample passes."""
    replace: bool = False
    """Whether files that are there already make way."""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class EvalImportResult:
    """What was taken over."""

    format: str
    source: str
    folder: str
    """The new pipeline's folder; empty for logs."""
    files: tuple[str, ...]
    """That were written, or would be."""
    suites: int
    cases: int
    """Of each suite."""
    trials: int
    """Of a log; 0 for configs, which have no results."""
    expectations: int
    notes: tuple[Note, ...]
    dry_run: bool


def folder_name(request: EvalImportRequest) -> str:
    """Return the name of the new folder.

    Raises:
        UsageError: when the name that was asked for is none.
    """
    if request.to is not None:
        if not _NAME.fullmatch(request.to):
            raise UsageError(
                f"`{request.to[:80]}` is no name of a pipeline",
                code="ACI-U508",
                hint="lower-case letters, digits, `-` and `_`, a letter first",
            )
        return request.to
    stem = request.path.name.partition(".")[0].lower()
    if stem == "promptfooconfig":
        stem = request.path.absolute().parent.name.lower()
    plain = re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_")
    return (plain if plain[:1].isalpha() else f"imported-{plain}".rstrip("-"))[:64]
