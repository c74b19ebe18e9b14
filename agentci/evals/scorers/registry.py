"""The registry of scorers: kinds and import strings, so that one is imported when it is used.

Other packages add scorers through entry points of the group `agentci.scorers`; the entry point
names a class that is called without arguments. Knows no suite, no case and no particular scorer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

from agentci.core.digest import Digest, digest_json
from agentci.core.errors import EnvironmentProblem, UsageError
from agentci.evals.scorers.sources import source_digests
from agentci.spec.suggestion import did_you_mean

if TYPE_CHECKING:
    from pydantic import BaseModel

    from agentci.evals.scorers.protocol import Scorer

ENTRY_POINTS: Final = "agentci.scorers"
"""Group of entry points for scorers of other packages."""

_KINDS: Final = "agentci.evals.scorers.kinds"
_BUILT_IN: Final = {
    "command": f"{_KINDS}.command:Command",
    "contains": f"{_KINDS}.contains:Contains",
    "cost": f"{_KINDS}.cost:Cost",
    "edit_distance": f"{_KINDS}.edit_distance:EditDistance",
    "exact": f"{_KINDS}.exact:Exact",
    "files": f"{_KINDS}.files:Files",
    "json_equal": f"{_KINDS}.json_equal:JsonEqual",
    "json_schema": f"{_KINDS}.json_schema:JsonSchema",
    "judge": f"{_KINDS}.judge:Judge",
    "latency": f"{_KINDS}.latency:Latency",
    "normalised": f"{_KINDS}.normalised:Normalised",
    "numeric": f"{_KINDS}.numeric:Numeric",
    "patch": f"{_KINDS}.patch:Patch",
    "promptfoo": f"{_KINDS}.promptfoo:Promptfoo",
    "pydantic_evals": f"{_KINDS}.pydantic_evals:PydanticEvals",
    "pytest": f"{_KINDS}.pytest:Pytest",
    "python": f"{_KINDS}.python:Python",
    "regex": f"{_KINDS}.regex:Regex",
    "steps": f"{_KINDS}.steps:Steps",
    "tokens": f"{_KINDS}.tokens:Tokens",
    "trajectory": f"{_KINDS}.trajectory:Trajectory",
}


def built_in_scorers() -> tuple[str, ...]:
    """Return the kinds that ship with agentci, sorted."""
    return tuple(sorted(_BUILT_IN))


def scorer_names() -> tuple[str, ...]:
    """Return all installed kinds, sorted."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow to import, seldom needed

    return tuple(sorted({*_BUILT_IN, *(point.name for point in entry_points(group=ENTRY_POINTS))}))


@lru_cache
def scorer(kind: str) -> Scorer:
    """Return the scorer of `kind`. Scorers hold no state, so there is one of each.

    Raises:
        UsageError: when there is no such kind.
        EnvironmentProblem: when its package cannot be imported.
    """
    target = _BUILT_IN.get(kind)
    if target is not None:
        module, _, attribute = target.partition(":")
        return cast("Scorer", getattr(import_module(module), attribute)())
    return _load_entry_point(kind)


@lru_cache
def scorer_digest(kind: str) -> Digest:
    """Return a digest that changes whenever the scorer may judge otherwise.

    For those that ship with agentci it is the version, which changes with their code; for others
    also the Python files of the package that they come from.

    Raises:
        UsageError: when there is no such kind.
        EnvironmentProblem: when its package cannot be imported.
    """
    found = scorer(kind)
    sources = {} if kind in _BUILT_IN else source_digests(type(found).__module__)
    return digest_json({"kind": kind, "version": found.version, "sources": dict(sources)})


def parse_options(kind: str, raw: Mapping[str, Any]) -> BaseModel:
    """Return the options `raw`, whose templates are resolved, as the kind's model.

    Raises:
        UsageError: with everything that is wrong; also when there is no such kind.
        EnvironmentProblem: when the kind's package cannot be imported.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - names and digests do without it

    model = scorer(kind).options
    try:
        return model.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    except (RecursionError, TypeError) as error:
        raise UsageError(
            f"options of the scorer `{kind}` are no JSON, or nest too deep", code="ACI-U461"
        ) from error
    raise _invalid(kind, raw, model, found)


def _invalid(
    kind: str, raw: Mapping[str, Any], model: type[BaseModel], found: list[Any]
) -> UsageError:
    # only where something is wrong
    from agentci.spec.wording import Wording  # noqa: PLC0415
    from agentci.spec.yaml_document import Document, Mark, Positions  # noqa: PLC0415

    document = Document(raw, Positions("with", raw, Mark(0, 0), {}))
    problems = Wording(document, model, None).problems(found)
    told = "; ".join(problem.message for problem in problems)
    hints = list(dict.fromkeys(problem.hint for problem in problems if problem.hint))
    return UsageError(
        f"scorer `{kind}`: {told}",
        code="ACI-U461",
        hint="; ".join(hints) or "`agentci schema scorers` lists the options of each kind",
    )


def _load_entry_point(kind: str) -> Scorer:
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow to import, seldom needed

    for point in entry_points(group=ENTRY_POINTS, name=kind):
        try:
            return cast("Scorer", point.load()())
        except ImportError as error:
            raise EnvironmentProblem(
                f"the scorer `{kind}` cannot be imported from `{point.value}`: {error}",
                code="ACI-S500",
                hint="install the package that provides it",
            ) from error
    names = scorer_names()
    hint = did_you_mean(kind, names) or f"use one of {', '.join(f'`{name}`' for name in names)}"
    raise UsageError(f"there is no scorer `{kind}`", code="ACI-U460", hint=hint)
