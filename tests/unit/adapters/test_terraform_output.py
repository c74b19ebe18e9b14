"""What Terraform prints is read, also where it prints what it should not."""

from __future__ import annotations

import json

import pytest

from agentci.adapters.terraform_output import (
    event_diagnostics,
    read_json,
    validate_diagnostics,
)
from agentci.adapters.terraform_output import (
    test_runs as runs_in,
)
from agentci.adapters.terraform_process import TerraformOutput
from agentci.core.errors import EnvironmentProblem

DIAGNOSTIC = {
    "severity": "error",
    "summary": "Unsupported argument",
    "detail": 'An argument named "x" is not expected here.',
    "range": {"filename": "main.tf", "start": {"line": 3, "column": 5, "byte": 1}, "end": {}},
    "snippet": {"context": 'resource "aws_lb" "web"', "code": "x = 1"},
}


def output(stdout: object, *, exit_code: int = 1, stderr: str = "") -> TerraformOutput:
    """Return what a command printed: JSON, or text as it is."""
    text = stdout if isinstance(stdout, str) else json.dumps(stdout)
    return TerraformOutput(exit_code, text.encode(), stderr.encode())


def test_a_diagnostic_has_place_and_address() -> None:
    (told,) = validate_diagnostics(output({"valid": False, "diagnostics": [DIAGNOSTIC]}))
    assert (told.phase, told.severity, told.summary) == (
        "validate", "error", "Unsupported argument",
    )  # fmt: skip
    assert (told.file, told.line, told.column) == ("main.tf", 3, 5)
    assert told.address == "aws_lb.web"
    assert told.hint is None


@pytest.mark.parametrize(
    ("context", "address"),
    [
        ('resource "aws_lb" "web"', "aws_lb.web"),
        ('data "aws_region" "here"', "data.aws_region.here"),
        ('variable "image"', "var.image"),
        ('output "url"', "output.url"),
        ('provider "aws"', "provider.aws"),
        ('run "first", in tests/a.tftest.hcl', "run.first"),
        ("locals", None),
        (None, None),
        (7, None),
    ],
)
def test_the_block_around_a_mistake_is_its_address(context: object, address: str | None) -> None:
    told = {**DIAGNOSTIC, "snippet": {"context": context}}
    (found,) = validate_diagnostics(output({"diagnostics": [told]}))
    assert found.address == address


def test_an_address_of_terraforms_own_comes_first() -> None:
    told = {**DIAGNOSTIC, "address": "module.x.aws_lb.web[0]"}
    (found,) = validate_diagnostics(output({"diagnostics": [told]}))
    assert found.address == "module.x.aws_lb.web[0]"


def test_a_diagnostic_without_a_place_is_read() -> None:
    told = {"severity": "warning", "summary": "Old", "detail": ""}
    (found,) = validate_diagnostics(output({"diagnostics": [told]}))
    assert (found.severity, found.file, found.line, found.address) == ("warning", None, None, None)


def test_events_give_diagnostics_and_other_lines_are_passed_over() -> None:
    lines = [
        json.dumps({"type": "version"}),
        "",
        "Successfully configured the backend!",
        json.dumps({"type": "diagnostic", "diagnostic": DIAGNOSTIC}),
        "[]",
    ]
    (found,) = event_diagnostics(output("\n".join(lines)), "init")
    assert found.phase == "init"


def test_a_failure_without_a_reason_is_a_failure_of_terraform() -> None:
    for phase in ("init", "plan"):
        with pytest.raises(EnvironmentProblem, match="it broke") as error:
            event_diagnostics(output("", stderr="it broke\n"), phase)
        assert error.value.code == "ACI-E655"
    assert event_diagnostics(output("", exit_code=0), "plan") == ()


@pytest.mark.parametrize("text", ["", "panic: x", "[]", "{}", '{"diagnostics": 1}', "null"])
def test_another_answer_of_validate_is_a_failure_of_terraform(text: str) -> None:
    with pytest.raises(EnvironmentProblem) as error:
        validate_diagnostics(output(text))
    assert error.value.code == "ACI-E655"


def test_runs_have_the_status_that_they_ended_with() -> None:
    events = [
        {"type": "test_run", "test_run": {"path": "a", "run": "one", "progress": "starting"}},
        {"type": "test_run", "test_run": {"path": "a", "run": "one", "status": "pass"}},
        {"type": "test_run", "test_run": {"path": "a", "run": "one", "progress": "teardown"}},
        {"type": "test_run", "test_run": {"path": "a", "run": "two", "status": "fail"}},
        {"type": "test_summary", "test_summary": {"status": "fail"}},
    ]
    text = "\n".join(json.dumps(event) for event in events)
    runs = runs_in(output(text))
    assert [(run.file, run.name, run.status) for run in runs] == [
        ("a", "one", "pass"),
        ("a", "two", "fail"),
    ]


def test_json_that_is_no_object_is_a_failure_of_terraform() -> None:
    assert read_json(output({"a": 1}), "plan") == {"a": 1}
    for text in ("", "[]", "x"):
        with pytest.raises(EnvironmentProblem):
            read_json(output(text), "plan")
