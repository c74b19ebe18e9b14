"""What the scorers of a suite say of one answer. Knows nothing of trials, caches or recordings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from agentci.app.eval_services import TrialServices
from agentci.app.suites import target_output
from agentci.core.errors import AgentciError, SpecError, StepFailed, UsageError
from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.registry import parse_options, scorer
from agentci.spec.expressions import resolve, truth

if TYPE_CHECKING:
    from agentci.app.eval_execution import Execution
    from agentci.app.eval_services import ScoringPlace
    from agentci.app.suites import LoadedSuite
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.evals.case import Case
    from agentci.spec.suite import ScorerSpec


class ScorerCrashed(AgentciError):
    """A scorer failed in a way that it does not know itself: a bug in it, not in the answer."""

    exit_code = 6
    default_code = "ACI-E450"


def subject_of(suite: LoadedSuite, case: Case, execution: Execution) -> Subject:
    """Return what is scored.

    Raises:
        AgentciError: when the part of the output that the suite names is not there.
    """
    change = execution.change
    return Subject(
        case=case,
        output=_output(suite, case, execution),
        outcome=execution.outcome,
        message=execution.message,
        trajectory=execution.trajectory,
        messages=execution.messages,
        base_tree=change.before,
        tree=change.after,
        changed_paths=execution.changed_paths,
        patch=execution.patch,
        metrics=dict(execution.metrics),
    )


def _output(suite: LoadedSuite, case: Case, execution: Execution) -> JsonValue:
    if execution.outcome == "passed":
        return target_output(suite, case, execution.output)
    # what there is of an answer, as it is
    output = execution.output
    if isinstance(output, Mapping) and {"stdout", "exit_code"} <= set(output):
        return output["stdout"]
    return output


async def score_subject(
    suite: LoadedSuite, subject: Subject, place: ScoringPlace
) -> Mapping[str, Score]:
    """Return the scores by the scorers' names; scorers whose `when` is false are missing.

    Raises:
        CassetteMiss: when a judge's answer is not recorded.
        ScorerCrashed: when a scorer does what none may do.
        AgentciError: when a scorer cannot judge.
    """
    scores: dict[str, Score] = {}
    for spec in suite.spec.scorers:
        if truth(spec.when, {"case": subject.case.scope()}):
            scores[spec.name or spec.kind] = await _score(spec, subject, place)
    return dict(sorted(scores.items()))


async def _score(spec: ScorerSpec, subject: Subject, place: ScoringPlace) -> Score:
    name = spec.name or spec.kind
    scope: JsonObject = {
        "case": subject.case.scope(),
        "output": subject.output,
        "text": subject.text,
    }
    services = TrialServices(place, name)
    try:
        options = resolve(spec.with_, scope)
        assert isinstance(options, Mapping)
        parsed = parse_options(spec.kind, options)
        score = await scorer(spec.kind).score(subject, parsed, services)
    except SpecError:
        raise
    except (StepFailed, UsageError) as error:
        raise ScorerCrashed(
            f"the scorer `{name}` cannot judge: {error.message}", code=error.code, hint=error.hint
        ) from error
    except AgentciError:
        raise
    except Exception as error:
        raise ScorerCrashed(
            f"the scorer `{name}` failed with {type(error).__name__}: {error}"
        ) from error
    finally:
        services.close()
    if not math.isfinite(score.value):
        raise ScorerCrashed(f"the scorer `{name}` gave no score", code="ACI-E451")
    return replace(score, passed=score.value >= spec.threshold)
