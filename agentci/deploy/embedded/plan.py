"""Looks into the texts of a plan that are JSON: container definitions, policies, state machines.

A new attribute is a row in `TEXTS`. What a plan does not know is told, too: nothing that could
not be looked into is passed over in silence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from agentci.deploy.embedded.finding import Mistake, Models, shown
from agentci.deploy.embedded.policy import PolicyKind, check_policy
from agentci.deploy.embedded.shapes import check_shape
from agentci.deploy.embedded.states import check_states


@dataclass(frozen=True, slots=True)
class ShapeText:
    """JSON of a shape in a service's model."""

    service: str
    shape: str


@dataclass(frozen=True, slots=True)
class PolicyText:
    """An IAM policy."""

    kind: PolicyKind


Text: TypeAlias = ShapeText | PolicyText | Literal["states"]

TEXTS: Final[Mapping[str, Mapping[str, Text]]] = {
    "aws_cloudwatch_log_resource_policy": {"policy_document": PolicyText("resource")},
    "aws_ecr_repository_policy": {"policy": PolicyText("resource")},
    "aws_ecs_task_definition": {"container_definitions": ShapeText("ecs", "ContainerDefinitions")},
    "aws_iam_policy": {"policy": PolicyText("identity")},
    "aws_iam_role": {"assume_role_policy": PolicyText("trust")},
    "aws_iam_role_policy": {"policy": PolicyText("identity")},
    "aws_kms_key": {"policy": PolicyText("resource")},
    "aws_s3_bucket_policy": {"policy": PolicyText("resource")},
    "aws_secretsmanager_secret_policy": {"policy": PolicyText("resource")},
    "aws_sfn_state_machine": {"definition": "states"},
    "aws_sns_topic_policy": {"policy": PolicyText("resource")},
    "aws_sqs_queue_policy": {"policy": PolicyText("resource")},
    "aws_vpc_endpoint": {"policy": PolicyText("resource")},
}
"""By resource type: attribute to what its text is."""


@dataclass(frozen=True, slots=True)
class TextFinding:
    """One mistake in a text."""

    address: str
    """Of the resource."""
    attribute: str
    path: str
    """Inside of the text; empty for the whole."""
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class TextReport:
    """What was found in the texts of a plan."""

    findings: tuple[TextFinding, ...]
    checked: int
    """Texts that were looked into."""
    unknown: tuple[str, ...]
    """`ADDRESS.ATTRIBUTE` of those that the plan does not know."""


def check_plan(plan: Mapping[str, Any], models: Models) -> TextReport:
    """Look into all known texts of a plan, as `terraform show -json` tells it.

    Raises:
        EnvironmentProblem: where `models` does, when there is a text of a service.
    """
    findings: list[TextFinding] = []
    unknown: list[str] = []
    checked = 0
    for change in plan.get("resource_changes", ()):
        after = change.get("change", {}).get("after") or {}
        not_known = change.get("change", {}).get("after_unknown") or {}
        for attribute, text in TEXTS.get(change.get("type"), {}).items():
            value = after.get(attribute)
            if isinstance(value, str) and value:
                checked += 1
                findings += (
                    TextFinding(
                        change["address"], attribute, shown(each.path), each.message, each.hint
                    )
                    for each in _mistakes(text, value, models)
                )
            elif not_known.get(attribute) is True:
                unknown.append(f"{change['address']}.{attribute}")
    return TextReport(tuple(findings), checked, tuple(unknown))


def _mistakes(text: Text, value: str, models: Models) -> Iterator[Mistake]:
    try:
        document = json.loads(value)
    except (ValueError, RecursionError) as error:
        yield Mistake((), f"this is no JSON: {error}")
        return
    match text:
        case ShapeText(service, shape):
            yield from check_shape(models(service), shape, document)
        case PolicyText(kind):
            yield from check_policy(document, kind)
        case "states":
            yield from check_states(document)
