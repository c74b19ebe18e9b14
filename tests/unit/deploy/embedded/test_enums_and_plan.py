"""Values are put into schemas; texts of a plan are looked into, and unknown ones are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agentci.adapters.botocore_models import service_shapes
from agentci.core.terraform import ProviderSchema
from agentci.deploy.embedded.enums import ENUMS, ModelEnum, with_values
from agentci.deploy.embedded.plan import TEXTS, ShapeText, check_plan

TEXT = {"type": "string", "optional": True}
SERVICE = {
    "attributes": {"launch_type": {**TEXT}, "name": {**TEXT}},
    "block_types": {
        "deployment_configuration": {
            "nesting_mode": "list",
            "block": {"attributes": {"strategy": {**TEXT}}},
        }
    },
}
SCHEMA = ProviderSchema(
    "hashicorp/aws",
    "6.45.0",
    {"provider": {}, "resources": {"aws_ecs_service": SERVICE, "aws_lb": {}}, "data_sources": {}},
)


def no_models(service: str) -> Mapping[str, Any]:
    """Fail: no model may be asked for."""
    raise AssertionError(service)


def change(type_: str, after: object, unknown: object = None) -> dict[str, Any]:
    """Return what a plan says of one resource."""
    return {
        "address": f"{type_}.x",
        "type": type_,
        "change": {"after": after, "after_unknown": unknown or {}},
    }


def test_every_row_names_a_shape_that_there_is() -> None:
    for rows in ENUMS.values():
        for values in rows.values():
            if isinstance(values, ModelEnum):
                assert service_shapes(values.service)[values.shape]["enum"]
            else:
                assert len(set(values)) == len(values) > 1
    for texts in TEXTS.values():
        for text in texts.values():
            if isinstance(text, ShapeText):
                assert text.shape in service_shapes(text.service)


def test_values_are_put_in_at_any_depth_and_only_there() -> None:
    found = with_values(SCHEMA, service_shapes, types=["aws_ecs_service"]).schema["resources"]
    attributes = found["aws_ecs_service"]["attributes"]
    assert "FARGATE" in attributes["launch_type"]["values"]
    assert "values" not in attributes["name"]
    inner = found["aws_ecs_service"]["block_types"]["deployment_configuration"]["block"]
    assert "BLUE_GREEN" in inner["attributes"]["strategy"]["values"]
    assert "values" not in str(SERVICE)


def test_models_are_only_asked_for_types_that_are_used() -> None:
    assert with_values(SCHEMA, no_models, types=["aws_sqs_queue"]).schema == SCHEMA.schema


def test_each_known_text_is_looked_into_and_each_unknown_one_is_told() -> None:
    plan = {
        "resource_changes": [
            change("aws_ecs_task_definition", {"container_definitions": '[{"nam": "x"}]'}),
            change("aws_iam_role", {"assume_role_policy": "{"}),
            change("aws_iam_policy", {}, {"policy": True}),
            change("aws_sfn_state_machine", {"definition": json.dumps({"States": {}})}),
            change("aws_lb", {"name": "[}"}),
            change("aws_vpc_endpoint", {"policy": None}),
            change("aws_kms_key", None),
        ]
    }
    report = check_plan(plan, service_shapes)
    assert report.checked == 3
    assert report.unknown == ("aws_iam_policy.x.policy",)
    found = {(each.address, each.attribute, each.path) for each in report.findings}
    assert found == {
        ("aws_ecs_task_definition.x", "container_definitions", "[0].nam"),
        ("aws_ecs_task_definition.x", "container_definitions", "[0]"),
        ("aws_iam_role.x", "assume_role_policy", ""),
        ("aws_sfn_state_machine.x", "definition", "States"),
    }


def test_a_text_that_is_far_too_deep_is_a_finding() -> None:
    plan = {"resource_changes": [change("aws_iam_policy", {"policy": "[" * 100_000})]}
    (finding,) = check_plan(plan, no_models).findings
    assert "no JSON" in finding.message


def test_a_plan_without_changes_has_no_texts() -> None:
    report = check_plan({}, no_models)
    assert (report.findings, report.checked, report.unknown) == ((), 0, ())
