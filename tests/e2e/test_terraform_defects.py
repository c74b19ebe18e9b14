"""Seeded defects in good modules: each is found, and the table says by what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pytest

from agentci.adapters.terraform_runner import LocalSession
from agentci.app import wiring
from agentci.deploy.embedded.plan import check_plan
from tests.support.terraform_modules import VARIABLES, all_schemas, edited, own_terraform

pytestmark = pytest.mark.terraform

Catcher: TypeAlias = Literal["init", "schema", "values", "reference", "text"]
"""`init` of Terraform; its `validate`: by the schema, by listed values, by references; JSON inside
of a text."""


@dataclass(frozen=True, slots=True)
class Defect:
    """A text of `main.tf`, what it is replaced by, and what has to notice that."""

    module: str
    old: str
    new: str
    caught_by: Catcher
    said: str
    """A part of what is said about it."""

    @property
    def name(self) -> str:
        """What is changed, for the name of the test."""
        return f"{self.module}: {' '.join(self.new.split())[:50]}"


DEFECTS = (
    # names
    Defect("docker", "read_only   = true", "readonly    = true", "schema", "read_only"),
    Defect("docker", "capabilities {", "capability {", "schema", "capability"),
    Defect(
        "docker", '"docker_volume" "data"', '"docker_volumes" "data"', "schema", "docker_volume"
    ),
    Defect("docker", "  internal = true\n", "  internel = true\n", "schema", "internel"),
    Defect("ecs", "desired_count   =", "desired_counts  =", "schema", "desired_count"),
    Defect("ecs", "runtime_platform {", "runtime {", "schema", "runtime"),
    Defect("ecs", "cpu_architecture        =", "cpu_arch                =", "schema", "cpu_arch"),
    Defect("ecs", '"aws_ecs_cluster" "main"', '"aws_ecs_clusters" "main"', "schema", "ecs_cluster"),
    Defect("ecs", "rollback = true", "roll_back = true", "schema", "roll_back"),
    Defect("cloud_run", "max_instance_count", "max_instances", "schema", "max_instances"),
    Defect("cloud_run", "secret_key_ref {", "secret_ref {", "schema", "secret_ref"),
    Defect("kubernetes", "    selector {", "    selectors {", "schema", "selectors"),
    Defect(
        "kubernetes", "run_as_non_root = true", "run_as_nonroot  = true", "schema", "run_as_nonroot"
    ),
    # types
    Defect("docker", "memory      = 256", 'memory      = "much"', "schema", "number"),
    Defect("docker", 'drop = ["ALL"]', 'drop = "ALL"', "schema", "set of string required"),
    Defect("ecs", "desired_count   = 2", 'desired_count   = "two"', "schema", "number"),
    Defect("ecs", "assign_public_ip = false", 'assign_public_ip = "no"', "schema", "bool"),
    Defect("cloud_run", "percent = 100", "percent = [100]", "schema", "number"),
    Defect("kubernetes", "replicas = 2", "replicas = {}", "schema", "string required"),
    # what is missing or too much
    Defect("docker", "  name         = var.image\n", "", "schema", '"name" is required'),
    Defect("ecs", '  family                   = "web"\n', "", "schema", '"family" is required'),
    Defect("ecs", "    subnets          = var.subnets\n", "", "schema", '"subnets" is required'),
    Defect("cloud_run", '  location = "europe-west1"\n', "", "schema", '"location" is required'),
    Defect("kubernetes", "    template {", "    templates {", "schema", "template"),
    Defect(
        "ecs",
        "  runtime_platform {",
        "  runtime_platform {\n  }\n\n  runtime_platform {",
        "schema",
        "runtime_platform",
    ),
    Defect(
        "cloud_run",
        "  template {\n    service",
        "  template {\n  }\n\n  template {\n    service",
        "schema",
        "template",
    ),
    # enums
    Defect("docker", '"unless-stopped"', '"unless-stoped"', "values", "unless-stopped"),
    Defect("ecs", '"BLUE_GREEN"', '"BLUE_GREN"', "values", "BLUE_GREEN"),
    Defect("ecs", '"awsvpc"', '"aws-vpc"', "values", "awsvpc"),
    Defect("ecs", '= "X86_64"', '= "x86_64"', "values", "X86_64"),
    Defect("ecs", '["FARGATE"]', '["FARGAT"]', "values", "FARGATE"),
    Defect("lambda", '["arm64"]', '["aarch64"]', "values", "arm64"),
    Defect("lambda", '"STANDARD"', '"STANDART"', "values", "STANDARD"),
    Defect("cloud_run", "_INTERNAL_ONLY", "_INTERNAL", "values", "_INTERNAL_ONLY"),
    Defect("cloud_run", "_TYPE_LATEST", "_LATEST", "values", "_TYPE_LATEST"),
    Defect("kubernetes", '"IfNotPresent"', '"IfAbsent"', "values", "IfNotPresent"),
    Defect("kubernetes", '["Ingress", "Egress"]', '["ingress", "Egress"]', "values", "Ingress"),
    # JSON inside of texts
    Defect(
        "ecs",
        "readonlyRootFilesystem = true",
        "readOnlyRootFilesystem = true",
        "text",
        "readonlyRootFilesystem",
    ),
    Defect("ecs", 'protocol = "tcp" }', 'protocol = "http" }', "text", "tcp"),
    Defect("ecs", 'logDriver = "awslogs"', 'logDriver = "aws-logs"', "text", "awslogs"),
    Defect("ecs", "containerPort = 8080", 'containerPort = "8080"', "text", "whole number"),
    Defect("ecs", '    name                   = "web"\n', "", "text", "`name` is missing"),
    Defect(
        "ecs",
        'capabilities       = { drop = ["ALL"] }',
        'capabilities       = { drops = ["ALL"] }',
        "text",
        "drop",
    ),
    Defect(
        "ecs", 'Principal = { Service = "ecs', 'Principal = { Services = "ecs', "text", "Service"
    ),
    Defect("ecs", '"logs:PutLogEvents"]', '"logs.PutLogEvents"]', "text", "logs.PutLogEvents"),
    Defect("ecs", 'Effect   = "Allow"', 'Effect   = "allow"', "text", "Allow"),
    Defect("lambda", 'Next       = "Decide"', 'Next       = "Decided"', "text", "Decide"),
    Defect("lambda", 'Type = "Choice"', 'Type = "Chioce"', "text", "Choice"),
    Defect("lambda", 'Default = "Refused"', 'Default = "Promoted"', "text", "no state leads here"),
    Defect("lambda", 'ResultPath = "$.result"', 'ResultsPath = "$.result"', "text", "ResultPath"),
    # references
    Defect("docker", "docker_network.back.name", "docker_network.front.name", "reference", "front"),
    Defect("docker", "docker_image.web.image_id", "docker_image.web.digest", "reference", "digest"),
    Defect("ecs", "aws_iam_role.execution.arn", "aws_iam_role.task.arn", "reference", "task"),
    Defect("ecs", "aws_ecs_service.web.arn", "aws_ecs_service.web.url", "reference", "url"),
    Defect("ecs", "= var.vpc\n", "= var.vpcs\n", "reference", "vpcs"),
    Defect(
        "cloud_run",
        "google_cloud_run_v2_service.web.uri",
        "google_cloud_run_v2_service.web.url",
        "reference",
        "url",
    ),
    # versions and requirements
    Defect("ecs", 'version = "6.45.0"', 'version = "7.1.0"', "init", "7.1.0"),
    Defect("cloud_run", '"hashicorp/google"', '"hashicorp/googel"', "init", "googel"),
    Defect("kubernetes", '">= 1.11, < 2.0"', '">= 2.0"', "init", "Terraform"),
)


@pytest.fixture(scope="module")
def session() -> Iterator[LocalSession]:
    """Serve the schemas of all providers to all defects."""
    with own_terraform().session(all_schemas()) as opened:
        yield opened


def found_in(session: LocalSession, defect: Defect) -> tuple[set[str], str]:
    """Return what noticed a defect, and all that was said."""
    with session.module(edited(defect.module, defect.old, defect.new)) as opened:
        report = opened.validate()
        by: set[str] = {"init" for each in report.errors if each.phase == "init"}
        for each in report.errors:
            if each.phase == "validate":
                is_value = "no value of" in each.summary
                is_reference = "eference" in each.summary or "attribute named" in each.detail
                by.add("values" if is_value else "reference" if is_reference else "schema")
        said = [f"{each.summary} {each.detail}" for each in report.errors]
        if report.passed:
            planned = opened.plan(VARIABLES[defect.module], placeholders=True)
            by |= {"plan" for _ in planned.errors}
            said += [f"{each.summary} {each.detail}" for each in planned.errors]
            texts = check_plan(planned.plan or {}, wiring.service_shapes())
            by |= {"text" for _ in texts.findings}
            said += [f"{each.message} {each.hint}" for each in texts.findings]
    return by, " ".join(" ".join(said).split())


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_seeded_defect_is_caught(session: LocalSession, defect: Defect) -> None:
    by, said = found_in(session, defect)
    assert defect.caught_by in by, said
    assert defect.said in said
