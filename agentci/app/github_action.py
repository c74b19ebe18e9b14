"""What the GitHub Action does: its inputs, and the command lines that they stand for.

Inputs come as environment variables, so that none of them is ever part of a script. Pure but for
reading those, and for listing the files of shards.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.core.errors import NothingMatched, UsageError
from agentci.report.markdown_text import block, code

if TYPE_CHECKING:
    from agentci.core.effects import Env, Files
    from agentci.core.errors import AgentciError

PREFIX: Final = "AGENTCI_INPUT_"
"""Of the variables, followed by the input's name in capitals with `_` for `-`."""
REPORT_FOLDER: Final = ".agentci/gate"
NO_SUITES: Final = "none"
_REPORTS: Final = (
    ("--html", "report.html"),
    ("--markdown", "report.md"),
    ("--junit", "junit.xml"),
    ("--sarif", "results.sarif"),
    ("--out", "decision.json"),
)
COMMENT_FILE: Final = "report.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionInputs:
    """The inputs, as a workflow gives them."""

    pipelines: tuple[str, ...] = ()
    """To replay."""
    suites: tuple[str, ...] = ()
    """To judge; empty for all, `none` for none."""
    base: str = ""
    mode: str = ""
    policy: str = ""
    shard: str = ""
    results: tuple[Path, ...] = ()
    """Files that the shards have left."""
    args: tuple[str, ...] = ()
    artifact: str = "agentci"
    """How the names of artifacts start."""

    @property
    def judges(self) -> bool:
        """Whether suites are evaluated at all."""
        return self.suites != (NO_SUITES,)

    @property
    def artifact_name(self) -> str:
        """The name of what is kept of this job, different for each shard."""
        return f"{self.artifact}-{f'shard-{self.part}' if self.shard else 'report'}"

    @property
    def part(self) -> str:
        """The shard as part of a name: `1-of-4`."""
        return self.shard.replace("/", "-of-")

    def replays(self) -> tuple[tuple[str, ...], ...]:
        """Return a command line for each pipeline that is replayed."""
        return tuple(("run", name, "--mode", "replay") for name in self.pipelines)

    def evaluation(self, out: Path) -> tuple[str, ...]:
        """Return the command line that evaluates a shard into the file `out`."""
        mode = ("--mode", self.mode or "replay")
        return ("eval", *self.suites, "--shard", self.shard, *mode, "--out", str(out), *self.args)

    def gate(self, folder: Path) -> tuple[str, ...]:
        """Return the command line that judges, with all reports in `folder`."""
        options = [("--base", self.base), ("--mode", self.mode), ("--policy", self.policy)]
        given = [word for name, value in options if value for word in (name, value)]
        results = [word for path in self.results for word in ("--results", str(path))]
        reports = [word for name, file in _REPORTS for word in (name, str(folder / file))]
        return ("gate", *self.suites, *given, *results, *reports, "--github", *self.args)


def read_inputs(env: Env, files: Files, *, start: Path) -> ActionInputs:
    """Read the inputs.

    Raises:
        UsageError: when one of them cannot be read, or two do not go together.
        NothingMatched: when there are no results where shards should have left them.
    """

    def given(name: str) -> str:
        return (env.get(f"{PREFIX}{name}") or "").strip()

    try:
        args = tuple(shlex.split(given("ARGS")))
    except ValueError as error:
        raise UsageError(
            f"the input `args` cannot be taken apart: {str(error).lower()}",
            code="ACI-U510",
            hint="quote its words as in a shell",
        ) from error
    if given("SHARD") and given("RESULTS"):
        raise UsageError(
            "the inputs `shard` and `results` exclude each other",
            code="ACI-U511",
            hint="`shard` is for the jobs that evaluate, `results` for the one that judges",
        )
    return ActionInputs(
        pipelines=_names(given("PIPELINES"), "pipelines"),
        suites=_names(given("SUITES"), "suites"),
        base=given("BASE"),
        mode=given("MODE"),
        policy=given("POLICY"),
        shard=given("SHARD"),
        results=_results(_names(given("RESULTS"), "results"), files, start=start),
        args=args,
        artifact=given("ARTIFACT") or "agentci",
    )


def _names(text: str, name: str) -> tuple[str, ...]:
    found = tuple(text.split())
    option = next((each for each in found if each.startswith("-")), None)
    if option is not None:
        raise UsageError(
            f"the input `{name}` holds `{option}`, which is an option",
            code="ACI-U512",
            hint="options stand in the input `args`",
        )
    return found


def _results(places: tuple[str, ...], files: Files, *, start: Path) -> tuple[Path, ...]:
    """Return the files of results: those that are named, and all JSON in folders."""
    found: list[Path] = []
    for place in places:
        path = start / place
        inside = [each for each in files.list(path) if each.suffix == ".json"]
        found += inside or ([path] if files.exists(path) and not files.list(path) else [])
    if places and not found:
        raise NothingMatched(
            f"there are no results of shards in {', '.join(f'`{place}`' for place in places)}",
            code="ACI-N510",
            hint="download the artifacts of the jobs with `shard` into that folder first",
        )
    return tuple(path.resolve() for path in found)


def error_summary(error: AgentciError) -> str:
    """Return an error as a section of a job's summary."""
    hint = "" if error.hint is None else f"\nhint: {error.hint}"
    return f"## agentci: nothing was judged\n\n{block(f'{error.code}: {error.message}{hint}')}\n"


def shard_summary(inputs: ActionInputs, *, written: bool) -> str:
    """Return what a shard says of itself in the job's summary."""
    what = "is evaluated; the job with `results` judges all of them together"
    return f"## agentci: shard {code(inputs.shard)} {what if written else 'has no results'}\n"
