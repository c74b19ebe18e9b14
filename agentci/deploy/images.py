"""Dockerfiles of the services that are built here, the same for every target."""

from __future__ import annotations

from agentci.deploy.artifact import Artifact, Deployment
from agentci.deploy.health import health_command
from agentci.deploy.writers.dockerfile import (
    Command,
    Copy,
    Expose,
    From,
    Healthcheck,
    Instruction,
    Run,
    User,
    Workdir,
    dockerfile_text,
    ignore_text,
)
from agentci.spec.deploy import BuildSpec, ImageSpec, ServiceSpec


def image_reference(image: ImageSpec) -> str:
    """Return an image as every tool names it: with its digest where there is one."""
    return image.ref if image.digest is None else f"{image.ref}@{image.digest}"


def dockerfile_name(service: str) -> str:
    """Return the name of a service's Dockerfile in the target's folder."""
    return f"{service}.Dockerfile"


def image_files(deployment: Deployment) -> tuple[Artifact, ...]:
    """Return a Dockerfile and its ignore file for each service that is built."""
    found: list[Artifact] = []
    for name, service in deployment.spec.services.items():
        if service.build is None:
            continue
        notice = deployment.notice()
        text = dockerfile_text(_instructions(service, service.build), notice=notice)
        kept = [file.from_ for file in service.build.files]
        found += [
            Artifact(dockerfile_name(name), text),
            Artifact(f"{dockerfile_name(name)}.dockerignore", ignore_text(kept, notice=notice)),
        ]
    return tuple(found)


def _instructions(service: ServiceSpec, build: BuildSpec) -> list[Instruction]:
    base = build.base if isinstance(build.base, str) else image_reference(build.base)
    found: list[Instruction] = [From(base)]
    if build.workdir is not None:
        found.append(Workdir(build.workdir))
    found += [Run(argv) for argv in build.run]
    found += [Copy(file.from_, file.to) for file in build.files]
    found.append(User(service.user))
    found += [Expose(port.container) for port in service.ports]
    argv = health_command(service)
    if service.health is not None and argv is not None:
        health = service.health
        times = (health.interval, health.timeout, health.start_period, health.retries)
        found.append(Healthcheck(argv, *times))
    if service.command is not None:
        found.append(Command(service.command))
    return found
