"""The scorer `patch`: the patch in the answer applies to the files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.answers import AnswerOptions, refuse_long
from agentci.evals.scorers.patches import apply_patch, read_patch
from agentci.evals.scorers.paths import Glob, path_checks
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.verdicts import Check, score_of_checks
from agentci.evals.scorers.wording import quoted
from agentci.evals.scorers.workplace import workplace
from agentci.spec.pipeline import Seconds

LIMIT: Final = 16_000_000
"""Characters of an answer that are read."""


class PatchOptions(AnswerOptions):
    """The patch in the answer, alone or in fenced blocks, applies to the files, whole."""

    tree: Literal["before", "after"] = Field(
        "before", description="To the files as the target got them, or as it left them."
    )
    strip: int = Field(1, ge=0, le=20, description="Leading parts of paths to leave out.")
    allowed: tuple[Glob, ...] = Field((), description="Globs; it may change nothing else.")
    required: tuple[Glob, ...] = Field((), description="Globs; each needs a changed file.")
    forbidden: tuple[Glob, ...] = Field((), description="Globs; no changed file may be there.")
    timeout: Seconds = Field(60, description="Seconds for git.")


class Patch:
    """Asks git whether a patch applies."""

    kind: ClassVar[str] = "patch"
    version: ClassVar[int] = 1
    options: ClassVar[type[PatchOptions]] = PatchOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name no files."""
        del options
        return ()

    async def score(
        self, subject: Subject, options: PatchOptions, services: ScorerServices
    ) -> Score:
        """Apply it; the value is 0 where that fails, else the share of expectations that hold."""
        answer = options.text(subject)
        refused = refuse_long(answer, LIMIT)
        if refused is not None:
            return refused
        patch = read_patch(answer)
        if not patch:
            told = f"expected a patch in the answer, got {quoted(answer)}"
            return Score(0.0, passed=False, explanation=told)
        with workplace(subject, services, tree=options.tree) as place:
            applied = await apply_patch(
                place, patch, timeout=options.timeout, strip=options.strip, check=True
            )
        if applied.problem:
            told = f"the patch does not apply: {applied.problem}"
            return Score(0.0, passed=False, explanation=told)
        checks = path_checks(
            applied.paths,
            allowed=options.allowed,
            required=options.required,
            forbidden=options.forbidden,
        )
        return score_of_checks(
            [Check(holds=True, problem=""), *checks], {"paths": list(applied.paths[:200])}
        )
