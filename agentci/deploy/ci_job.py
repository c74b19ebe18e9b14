"""The CI job of a target, with the gate in front: a GitHub workflow to copy or to call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from agentci import __version__
from agentci.core.json_types import JsonValue
from agentci.deploy.artifact import Artifact, Deployment
from agentci.deploy.writers.yaml import yaml_text

CI_FILE: Final = "deploy.workflow.yaml"
_CHECKOUT: Final = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd"
_PYTHON: Final = "actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405"


def ci_job(
    deployment: Deployment,
    target: str,
    *,
    runner: JsonValue,
    extra: str = "",
    prepared: Sequence[str] = (),
    applied: Sequence[str] = (),
) -> Artifact:
    """Return the workflow: drift, validation, gate, evidence, and only then the deployment.

    Args:
        deployment: what is deployed.
        target: its name.
        runner: value of `runs-on`.
        extra: extra of the package that the target's validators need, such as `[terraform]`.
        prepared: commands that bring what the validators need beside it.
        applied: commands in the target's folder, in place of `agentci deploy up`.
    """
    spec = deployment.spec
    file = deployment.source
    steps: list[JsonValue] = [
        {"uses": _CHECKOUT, "with": {"fetch-depth": 0, "persist-credentials": False}},
        {"uses": _PYTHON, "with": {"python-version": "3.13"}},
        _run("install", f"pip install 'agentci-pipelines{extra}=={__version__}'"),
        *(_run("prepare", command) for command in prepared),
        _run("files are what the spec says", f"agentci deploy check {file}"),
        _run("files are valid", f"agentci deploy validate {file} --strict"),
    ]
    if spec.gate.suite is not None:
        suite = spec.gate.suite
        steps += [
            _run("gate", f'agentci gate {suite} --out "$RUNNER_TEMP/decision.json"'),
            _run("evidence", f'agentci deploy evidence "$RUNNER_TEMP/decision.json" {file}'),
        ]
    command = f"agentci deploy up {file} --target {target}"
    if applied:
        command = "\n".join(("set -eu", f"cd {deployment.out}/{target}", *applied))
    steps.append(_deploying(deployment, command))
    job: Mapping[str, JsonValue] = {
        "runs-on": runner,
        "timeout-minutes": 30,
        "environment": spec.name,
        "steps": steps,
    }
    workflow: Mapping[str, JsonValue] = {
        "name": f"deploy {spec.name} ({target})",
        "on": {"workflow_dispatch": {}, "workflow_call": {}},
        "permissions": {"contents": "read"},
        "concurrency": {"group": f"deploy-{spec.name}-{target}", "cancel-in-progress": False},
        "jobs": {"deploy": job},
    }
    return Artifact(CI_FILE, yaml_text(workflow, notice=deployment.notice()))


def _run(name: str, command: str) -> Mapping[str, JsonValue]:
    return {"name": name, "run": command}


def _deploying(deployment: Deployment, command: str) -> Mapping[str, JsonValue]:
    secrets = {
        source.ref: f"${{{{ secrets.{source.ref} }}}}"
        for source in deployment.spec.secrets.values()
        if source.from_ == "env"
    }
    return {**_run("deploy", command), **({"env": secrets} if secrets else {})}
