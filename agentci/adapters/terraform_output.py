"""Reads what Terraform prints with `-json`, and turns it into reports. Starts nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from agentci.core.errors import EnvironmentProblem
from agentci.core.terraform import Phase, RunOutcome, TerraformDiagnostic

if TYPE_CHECKING:
    from agentci.adapters.terraform_process import TerraformOutput

_OBJECT: Final = re.compile(r'^(resource|data|ephemeral) "([^"]+)" "([^"]+)"')
_NAMED: Final = re.compile(r'^(variable|output|module|provider|check|run) "([^"]+)"')
_UNKNOWN_TYPE: Final = re.compile(
    r'The provider (\S+) does not support (?:resource type|data source) "(\w+)"'
)
_STATUSES: Final = frozenset({"pass", "fail", "error", "skip", "pending"})


def validate_diagnostics(output: TerraformOutput) -> tuple[TerraformDiagnostic, ...]:
    """Return what `terraform validate -json` found.

    Raises:
        EnvironmentProblem: when that is not what it printed.
    """
    try:
        told = json.loads(output.stdout)
        return tuple(_diagnostic(each, "validate") for each in told["diagnostics"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unreadable("validate", output) from error


def event_diagnostics(output: TerraformOutput, phase: Phase) -> tuple[TerraformDiagnostic, ...]:
    """Return the diagnostics among the events that `init`, `plan` and `test` print.

    Raises:
        EnvironmentProblem: when a command failed without saying why.
    """
    found = tuple(
        _diagnostic(event["diagnostic"], phase)
        for event in _events(output)
        if isinstance(event.get("diagnostic"), dict)
    )
    if output.exit_code != 0 and phase != "test" and not found:
        raise _unreadable(phase, output)
    return found


def test_runs(output: TerraformOutput) -> tuple[RunOutcome, ...]:
    """Return how the `run` blocks of a module's tests ended, in their order."""
    last: dict[tuple[str, str], str] = {}
    for event in _events(output):
        run = event.get("test_run")
        if isinstance(run, dict) and run.get("status") in _STATUSES:
            last[str(run.get("path")), str(run.get("run"))] = run["status"]
    return tuple(
        RunOutcome(file, name, status)  # type: ignore[arg-type]  # one of _STATUSES
        for (file, name), status in last.items()
    )


def read_json(output: TerraformOutput, phase: Phase) -> dict[str, Any]:
    """Return the JSON object that a command printed.

    Raises:
        EnvironmentProblem: when it printed something else.
    """
    try:
        value = json.loads(output.stdout)
    except ValueError as error:
        raise _unreadable(phase, output) from error
    if not isinstance(value, dict):
        raise _unreadable(phase, output)
    return value


def _events(output: TerraformOutput) -> Iterator[Mapping[str, Any]]:
    for line in output.stdout.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # `init` says some things about backends only for people
        if isinstance(event, dict):
            yield event


def _diagnostic(told: Mapping[str, Any], phase: Phase) -> TerraformDiagnostic:
    span = told.get("range") or {}
    start = span.get("start") or {}
    summary, detail = str(told.get("summary", "")), str(told.get("detail", ""))
    return TerraformDiagnostic(
        phase=phase,
        severity="warning" if told.get("severity") == "warning" else "error",
        summary=summary,
        detail=detail,
        file=span.get("filename"),
        line=start.get("line"),
        column=start.get("column"),
        address=told.get("address") or _address((told.get("snippet") or {}).get("context")),
        hint=_hint(detail),
    )


def _address(context: object) -> str | None:
    """Return the address of the block that a diagnostic's snippet lies in."""
    if not isinstance(context, str):
        return None
    if (found := _OBJECT.match(context)) is not None:
        prefix = "" if found[1] == "resource" else f"{found[1]}."
        return f"{prefix}{found[2]}.{found[3]}"
    if (found := _NAMED.match(context)) is not None:
        return f"{'var' if found[1] == 'variable' else found[1]}.{found[2]}"
    return None


def _hint(detail: str) -> str | None:
    """Return more to do where a type may only be missing in a pack."""
    found = _UNKNOWN_TYPE.search(detail)
    if found is None:
        return None
    source = "/".join(found[1].split("/")[-2:])
    return (
        f"if `{found[2]}` does exist, the schema pack lacks it: "
        f"`agentci deploy packs build {source} --type {found[2]}` adds it"
    )


def _unreadable(phase: Phase, output: TerraformOutput) -> EnvironmentProblem:
    said = (output.stderr or output.stdout).decode("utf-8", "replace").strip()
    last = " ".join(said.split())[-500:] or "no message"
    message = f"`terraform {phase}` ended with exit code {output.exit_code}: {last}"
    return EnvironmentProblem(message, code="ACI-E655")
