"""The scorer `command`: a command on the files that the target left ends as expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from agentci.core.json_types import JsonObject
from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.patterns import Pattern, matches
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.verdicts import Check, score_of_checks
from agentci.evals.scorers.wording import cut, quoted
from agentci.evals.scorers.workplace import (
    NotReady,
    Ran,
    WorkplaceOptions,
    overlay_files,
    prepare,
    workplace,
)

_KEPT = 4000


class CommandOptions(WorkplaceOptions):
    """A command on the files that the target left ends as expected. It runs in the sandbox."""

    run: tuple[str, ...] = Field(
        min_length=1, description="Program and arguments; there is no shell."
    )
    folder: str = Field(".", description="Where it runs, relative to the workspace.")
    env: dict[str, str] = Field(
        default_factory=dict, description="Variables beside the fixed ones."
    )
    stdin: str = Field("", description="Text for standard input, for example `${{ text }}`.")
    exit_code: int | None = Field(0, description="How it has to end; `null`: in any way.")
    stdout: str | None = Field(
        None, description="What it has to print; white space at the end does not count."
    )
    contains: tuple[str, ...] = Field((), description="Texts that it has to print.")
    matches: Pattern | None = Field(
        None, description="Regular expression, found in what it prints."
    )


class Command:
    """Runs a command."""

    kind: ClassVar[str] = "command"
    version: ClassVar[int] = 1
    options: ClassVar[type[CommandOptions]] = CommandOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name the folder that is put over the workspace."""
        return overlay_files(options)

    async def score(
        self, subject: Subject, options: CommandOptions, services: ScorerServices
    ) -> Score:
        """Run it; the value is the share of expectations that hold, and 0 after the timeout."""
        with workplace(subject, services, tree=options.tree) as place:
            try:
                await prepare(place, options)
            except NotReady as error:
                return Score(0.0, passed=False, explanation=str(error))
            ran = await place.run(
                options.run,
                timeout=options.timeout,
                folder=options.folder,
                env=options.env,
                stdin=options.stdin.encode("utf-8", "replace"),
            )
        details: JsonObject = {
            "exit_code": ran.exit_code,
            "timed_out": ran.timed_out,
            "stdout": ran.stdout[-_KEPT:],
            "stderr": ran.stderr[-_KEPT:],
        }
        if ran.timed_out:
            told = f"`{cut(' '.join(options.run))}` did not end within {options.timeout:g} seconds"
            return Score(0.0, passed=False, explanation=told, details=details)
        return score_of_checks(await _checks(options, ran), details)


async def _checks(options: CommandOptions, ran: Ran) -> list[Check]:
    shown = f"`{cut(' '.join(options.run))}`"
    checks = []
    if options.exit_code is not None:
        told = f"expected {shown} to end with {options.exit_code}, got {ran.exit_code}"
        said = f": {cut(ran.tail, 200)}" if ran.tail else ""
        checks.append(Check(ran.exit_code == options.exit_code, told + said))
    if options.stdout is not None:
        told = f"expected {shown} to print {quoted(options.stdout)}, got {quoted(ran.stdout)}"
        checks.append(Check(ran.printed.rstrip() == options.stdout.rstrip(), told))
    for part in options.contains:
        told = f"expected {shown} to print {quoted(part)}, got {quoted(ran.stdout)}"
        checks.append(Check(part in ran.printed, told))
    if options.matches is not None:
        found = await matches(options.matches, [ran.printed])
        told = f"expected {shown} to print `{cut(options.matches)}`, got {quoted(ran.stdout)}"
        checks.append(Check(bool(found), told))
    return checks or [Check(holds=True, problem="")]
