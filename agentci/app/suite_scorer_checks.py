"""Static checks of a suite's scorers: their kinds, options and files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app.suite_definition import project_path
from agentci.core.errors import AgentciError, UsageError
from agentci.evals.scorers.registry import scorer, scorer_names
from agentci.plan.findings import names_hint
from agentci.plan.templates import OPENING, templates_in
from agentci.spec.model_walk import follow
from agentci.spec.yaml_document import Document

if TYPE_CHECKING:
    from pydantic import BaseModel

    from agentci.app.suite_definition import LoadedSuite
    from agentci.core.effects import Files
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.plan.findings import Findings
    from agentci.spec.suite import ScorerSpec
    from agentci.spec.yaml_document import PathParts


def scorer_name(spec: ScorerSpec) -> str:
    """Return the name under which a scorer's scores are kept."""
    return spec.name or spec.kind


def check_scorers(
    findings: Findings,
    suite: LoadedSuite,
    files: Files,
    *,
    root: Path,
    models: Iterable[str] | None,
) -> None:
    """Check every scorer of a suite; `models` are those that may judge, None where unknown."""
    names: list[str] = []
    for index, spec in enumerate(suite.spec.scorers):
        name = scorer_name(spec)
        if name in names:
            findings.add(
                "ACI-D522",
                ("scorers", index, "name" if spec.name else "kind"),
                message=f"there are two scorers `{name}`",
                hint="give one of them a `name` of its own",
            )
        names.append(name)
        _check_kind(findings, suite, files, index=index, root=root)
        if spec.kind == "judge" and models is not None:
            _check_judges(findings, spec, index=index, models=models)
    if not any(spec.gates for spec in suite.spec.scorers):
        findings.add(
            "ACI-D525",
            ("scorers",),
            message="no scorer gates, so that every case passes whatever the answer",
            hint="leave `gates: false` out for at least one",
        )


def _check_kind(
    findings: Findings, suite: LoadedSuite, files: Files, *, index: int, root: Path
) -> None:
    spec = suite.spec.scorers[index]
    path = ("scorers", index)
    try:
        model = scorer(spec.kind).options
    except AgentciError as error:
        hint = error.hint
        if isinstance(error, UsageError):
            hint = names_hint(spec.kind, scorer_names(), what="scorers")
        findings.add("ACI-D520", (*path, "kind"), message=error.message, hint=hint)
        return
    if _check_options(findings, suite, model=model, index=index):
        _check_files(findings, suite, files, index=index, root=root)


def _check_judges(
    findings: Findings, spec: ScorerSpec, *, index: int, models: Iterable[str]
) -> None:
    from agentci.evals.scorers.kinds.judge import judges_of  # noqa: PLC0415 - few suites have one

    named = spec.with_.get("models", [])
    if not isinstance(named, list) or any(templates_in(named, ())):
        return
    try:
        judges_of([str(each) for each in named], models)
    except UsageError as error:
        message = f"scorer `{scorer_name(spec)}`: {error.message}"
        findings.add("ACI-D526", ("scorers", index, "with"), message=message, hint=error.hint)


def _check_options(
    findings: Findings, suite: LoadedSuite, *, model: type[BaseModel], index: int
) -> bool:
    """Check options against their model; what an expression will give is left to the run."""
    from pydantic import ValidationError  # noqa: PLC0415 - only what imports scorers needs it

    spec = suite.spec.scorers[index]
    try:
        model.model_validate_json(json.dumps(spec.with_))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    else:
        return True
    from agentci.spec.wording import Wording  # noqa: PLC0415 - only where something is wrong

    definite = [each for each in found if not _hides_expression(model, spec.with_, each["loc"])]
    document = Document(spec.with_, suite.positions.inside(("scorers", index, "with")))
    for problem in Wording(document, model, None).problems(definite) if definite else ():
        message = f"scorer `{scorer_name(spec)}`: {problem.message}"
        findings.problems.append(replace(problem, code="ACI-D521", message=message))
    return not definite


def _hides_expression(model: type[BaseModel], options: JsonObject, loc: PathParts) -> bool:
    """Say whether what is wrong at `loc` may be right once its expressions have values."""
    value: JsonValue = options
    for part in follow(model, options, loc).path:
        if isinstance(value, Mapping) and part in value:
            value = value[str(part)]
        elif isinstance(value, Sequence) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return False  # it is missing
    if not loc:
        return any(templates_in(options, ()))
    return any(templates_in(value, ()))


def _check_files(
    findings: Findings,
    suite: LoadedSuite,
    files: Files,
    *,
    index: int,
    root: Path,
) -> None:
    spec = suite.spec.scorers[index]
    place = ("scorers", index, "with")
    for name in scorer(spec.kind).files(spec.with_):
        if OPENING in name:
            continue
        file = Path(os.path.normpath(suite.folder / name))
        if project_path(file, root) is None:
            message = f"scorer `{scorer_name(spec)}`: `{name}` is outside of the project"
            findings.add("ACI-D523", place, message=message)
        elif not files.exists(file):
            findings.add(
                "ACI-D524",
                place,
                message=f"scorer `{scorer_name(spec)}`: there is no file `{name}`",
                hint=f"looked for `{file.as_posix()}`",
            )
