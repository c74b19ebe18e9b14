"""The scorer `files`: which files the target changed, what is in them, and how much it changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, model_validator

from agentci.core.json_types import JsonObject
from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.paths import Glob, path_checks
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.verdicts import Check, score_of_checks
from agentci.evals.scorers.wording import difference, quoted
from agentci.evals.scorers.workplace import Workplace, workplace
from agentci.spec.pipeline import Model
from agentci.tools.protocol import ToolProblem

_MAX_BYTES = 16_000_000


class ContentSpec(Model):
    """What a file has to hold."""

    exists: bool = Field(True, description="False: there must be no such file.")
    equals: str | None = Field(None, description="Its whole text.")
    contains: tuple[str, ...] = Field((), description="Texts that it has to have.")
    lacks: tuple[str, ...] = Field((), description="Texts that it must not have.")


class FilesOptions(Model):
    """Which files the target changed. Every given option is an expectation of its own."""

    allowed: tuple[Glob, ...] = Field(
        (),
        description="Globs; changes anywhere else are wrong. `*` stays in one folder, `**` spans "
        "several, and a glob without a slash is for names in any folder.",
    )
    required: tuple[Glob, ...] = Field((), description="Globs; each needs a changed file.")
    forbidden: tuple[Glob, ...] = Field((), description="Globs; no changed file may be there.")
    contents: dict[str, ContentSpec] = Field(
        default_factory=dict, description="What files hold afterwards, by path."
    )
    max_files: int | None = Field(None, ge=0, description="Most changed files.")
    max_lines: int | None = Field(None, ge=0, description="Most lines, added and removed together.")

    @model_validator(mode="after")
    def _expects_something(self) -> FilesOptions:
        if not self.model_fields_set:
            raise ValueError("give one of the options, for example `allowed`")
        return self


class Files:
    """Looks at changed files."""

    kind: ClassVar[str] = "files"
    version: ClassVar[int] = 1
    options: ClassVar[type[FilesOptions]] = FilesOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name no files."""
        del options
        return ()

    async def score(
        self, subject: Subject, options: FilesOptions, services: ScorerServices
    ) -> Score:
        """Check each expectation; the value is the share that holds."""
        paths = subject.changed_paths
        lines = _changed_lines(subject.patch)
        checks = path_checks(
            paths,
            allowed=options.allowed,
            required=options.required,
            forbidden=options.forbidden,
        )
        if options.max_files is not None:
            told = f"expected at most {options.max_files} changed files, got {len(paths)}"
            checks.append(Check(len(paths) <= options.max_files, told))
        if options.max_lines is not None:
            told = f"expected at most {options.max_lines} changed lines, got {lines}"
            checks.append(Check(lines <= options.max_lines, told))
        if options.contents:
            with workplace(subject, services) as place:
                for path, content in sorted(options.contents.items()):
                    checks += _content_checks(place, path, content)
        details: JsonObject = {"paths": list(paths[:200]), "files": len(paths), "lines": lines}
        return score_of_checks(checks or [Check(holds=True, problem="")], details)


def _changed_lines(patch: str) -> int:
    """Count added and removed lines, but not the headers of files."""
    count = 0
    inside = False
    for line in patch.split("\n"):
        if line.startswith("@@"):
            inside = True
        elif line.startswith("diff --git "):
            inside = False
        elif inside and line[:1] in {"+", "-"}:
            count += 1
    return count


def _content_checks(place: Workplace, path: str, content: ContentSpec) -> list[Check]:
    try:
        found = place.files.read_optional(path, max_bytes=_MAX_BYTES)
    except ToolProblem as error:
        return [Check(holds=False, problem=f"`{path}` cannot be read: {error}")]
    if not content.exists or found is None:
        there = "is there" if found is not None else "is not there"
        wanted = "" if content.exists else "not "
        told = f"expected `{path}` {wanted}to be there, it {there}"
        return [Check((found is not None) is content.exists, told)]
    text = found.data.decode("utf-8", "replace")
    start = quoted(text)
    checks = [
        Check(part in text, f"expected {quoted(part)} in `{path}`, got {start}")
        for part in content.contains
    ]
    checks += [
        Check(part not in text, f"did not expect {quoted(part)} in `{path}`")
        for part in content.lacks
    ]
    if content.equals is not None:
        told = f"`{path}`: {difference(content.equals, text)}"
        checks.append(Check(content.equals == text, told))
    return checks or [Check(holds=True, problem="")]
