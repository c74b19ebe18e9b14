"""Bring deployments up and down: only what is rendered, within the rules, and shown to be good."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from agentci.app import wiring
from agentci.app.deploy_check import compare
from agentci.app.deploy_evidence import refuse_drift, refuse_objections, situation
from agentci.app.deploy_project import find_specs
from agentci.app.deploy_validate import today
from agentci.core.errors import Location, SafetyRefusal, StepFailed, UsageError
from agentci.deploy.findings import in_reading_order
from agentci.deploy.rules.registry import judge_spec

if TYPE_CHECKING:
    from agentci.app.deploy_check import Compared
    from agentci.core.effects import Files
    from agentci.core.programs import Programs
    from agentci.deploy.artifact import Deployment


@dataclass(frozen=True, slots=True)
class RunningService:
    """One replica that runs, or should."""

    service: str
    name: str
    """What the platform calls it."""
    state: str
    """In the platform's words: `running`, `exited`."""
    healthy: bool | None
    """None where nothing looks after it."""
    current: bool = True
    """Whether it was started from the spec as it is now."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a runner is given."""

    deployment: Deployment
    folder: Path
    """The target's folder on the disk."""
    programs: Programs
    wait: float
    """Seconds that services have to become healthy."""
    volumes: bool = False
    """For `down`: remove storage too."""


class Runner(Protocol):
    """Brings one target up and down on this machine."""

    def up(self, request: RunRequest) -> tuple[RunningService, ...]:
        """Start what the folder says and wait until it is healthy.

        Raises:
            EnvironmentProblem: when a program is missing, or does not succeed.
        """

    def services(self, request: RunRequest) -> tuple[RunningService, ...]:
        """Return what runs of the deployment now, from whatever spec it was started.

        Raises:
            EnvironmentProblem: when the platform does not answer.
        """

    def down(self, request: RunRequest) -> None:
        """Stop and remove everything; not up is fine.

        Raises:
            EnvironmentProblem: when a program is missing, or something is left.
        """


RUNNERS: Final[Mapping[str, str]] = {
    "compose": "agentci.app.deploy_compose_run:COMPOSE",
    "kubernetes": "agentci.app.deploy_kubernetes_run:KUBERNETES",
}
"""By target: `module:object` of the type `Runner`. Others are applied with tools of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpRequest:
    """What to bring up or down."""

    start: Path
    spec: str | None = None
    target: str | None = None
    out: Path | None = None
    wait: float = 120.0
    volumes: bool = False


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment that is up, or was taken down."""

    spec: str
    name: str
    target: str
    services: tuple[RunningService, ...] = ()


def up(request: UpRequest) -> tuple[Deployed, ...]:
    """Bring up every spec that is asked for. Nothing starts before all of them may.

    Raises:
        StepFailed: when files have drifted, or a rule is broken.
        SafetyRefusal: when the lock was edited, or the evidence does not count.
        EnvironmentProblem: when it does not come up.
    """
    files = wiring.files()
    ready = [
        compare(file, files)
        for file in find_specs(request.start, request.spec, out=request.out, files=files)
    ]
    for compared in ready:
        _refuse(compared, files)
    return tuple(_up(compared, request) for compared in ready)


def down(request: UpRequest) -> tuple[Deployed, ...]:
    """Take down every spec that is asked for, whatever has drifted since it came up.

    Raises:
        EnvironmentProblem: when something is left.
    """
    files = wiring.files()
    found: list[Deployed] = []
    for file in find_specs(request.start, request.spec, out=request.out, files=files):
        compared = compare(file, files)
        target = _target(compared, request.target)
        _runner(target).down(_request(compared, target, request))
        found.append(Deployed(file.path.as_posix(), compared.project.deployment.spec.name, target))
    return tuple(found)


def running_drift(request: UpRequest) -> tuple[str, ...]:
    """Say in words how what runs is not what the specs say; nothing where all is as it should be.

    Raises:
        EnvironmentProblem: when the platform does not answer.
    """
    files = wiring.files()
    found: list[str] = []
    for file in find_specs(request.start, request.spec, out=request.out, files=files):
        compared = compare(file, files)
        target = _target(compared, request.target)
        services = _runner(target).services(_request(compared, target, request))
        found += _not_as_said(compared, services)
    return tuple(found)


def _not_as_said(compared: Compared, services: tuple[RunningService, ...]) -> Iterator[str]:
    spec = compared.project.deployment.spec
    for each in services:
        if each.service not in spec.services:
            yield f"`{each.name}` runs, and the spec has no service `{each.service}`"
        elif not each.current:
            yield f"`{each.name}` was started from another spec"
        elif each.healthy is False:
            yield f"`{each.name}` is not healthy"
    for name, service in spec.services.items():
        up = sum(each.service == name and each.state == "running" for each in services)
        wanted = 0 if service.schedule or service.restart == "never" else service.replicas
        if up < wanted:
            yield f"{up} of {wanted} replicas of `{name}` run"


def _refuse(compared: Compared, files: Files) -> None:
    deployment = compared.project.deployment
    entry = refuse_drift(compared)
    _refuse_links(compared)
    judged = judge_spec(deployment.spec, today=today())
    if judged.findings:
        first = in_reading_order(judged.findings, deployment.positions)[0]
        more = len(judged.findings) - 1
        raise StepFailed(
            f"the rule `{first.code}` is broken at `{first.place}`: {first.message}"
            f"{f', and {more} more' if more else ''}",
            code="ACI-S605",
            hint="`agentci deploy validate` lists them; a waiver needs a reason and a last day",
            location=deployment.positions.locate(first.path),
        )
    if deployment.spec.gate.suite is not None:
        history = wiring.history(compared.file.project.root)
        present = situation(compared, entry.evidence, history, files)
        refuse_objections(compared, entry.evidence, present)


def _refuse_links(compared: Compared) -> None:
    """Refuse links in a repository that would bring other files of this machine in."""
    spec = compared.project.deployment.spec
    paths = [each.ref for each in spec.secrets.values() if each.from_ == "file"]
    for service in spec.services.values():
        if service.build is not None:
            context = service.build.context
            paths += [context, *(f"{context}/{file.from_}" for file in service.build.files)]
    root = compared.file.project.root.resolve()
    for path in paths:
        place = compared.file.path.parent / path
        if not place.resolve().is_relative_to(root):
            raise SafetyRefusal(
                f"`{place.as_posix()}` leads out of the project",
                code="ACI-P605",
                hint="put the file itself there",
                location=Location(compared.file.path.as_posix()),
            )


def _up(compared: Compared, request: UpRequest) -> Deployed:
    target = _target(compared, request.target)
    services = _runner(target).up(_request(compared, target, request))
    name = compared.project.deployment.spec.name
    return Deployed(compared.file.path.as_posix(), name, target, services)


def _request(compared: Compared, target: str, request: UpRequest) -> RunRequest:
    deployment = compared.project.deployment
    return RunRequest(
        deployment=deployment,
        folder=compared.file.place(f"{deployment.spec.name}/{target}"),
        programs=wiring.programs(),
        wait=request.wait,
        volumes=request.volumes,
    )


def _target(compared: Compared, asked: str | None) -> str:
    named = compared.project.deployment.spec.targets.named()
    able = [target for target in named if target in RUNNERS]
    if asked is not None and asked not in able:
        listed = ", ".join(f"`{each}`" for each in able) or "none of this spec"
        raise UsageError(
            f"`{asked}` is no target of `{compared.file.path.as_posix()}` that comes up from here",
            code="ACI-U608",
            hint=f"there is {listed}",
        )
    if asked is None and len(able) != 1:
        raise UsageError(
            f"`{compared.file.path.as_posix()}` has {len(able)} targets that come up from here",
            code="ACI-U609",
            hint="name one: `--target NAME`" if able else "apply its files with their own tool",
        )
    return asked or able[0]


def _runner(target: str) -> Runner:
    module, _, name = RUNNERS[target].partition(":")
    found: Runner = getattr(importlib.import_module(module), name)
    return found
