"""Compose projects up and down on this machine, with `docker compose`, else `docker-compose`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.app import wiring
from agentci.app.deploy_compose_program import find_programs
from agentci.app.deploy_up import Runner, RunningService, RunRequest
from agentci.core.digest import hex_of
from agentci.core.errors import EnvironmentProblem
from agentci.core.programs import ProgramRequest
from agentci.deploy.targets.compose import COMPOSE_FILE, SECRETS_FOLDER
from agentci.deploy.targets.compose_service import SERVICE_LABEL, SPEC_LABEL
from agentci.deploy.targets.compose_versions import declared

if TYPE_CHECKING:
    from agentci.app.deploy_compose_program import ComposeProgram

_BUILDING: Final = 1800.0
"""Seconds for building and pulling images, on top of the time to become healthy."""
_LOOK: Final = 0.5
_PROJECT_LABEL: Final = "com.docker.compose.project"


class ComposeRunner:
    """`Runner` for the target `compose`."""

    __slots__ = ()

    def up(self, request: RunRequest) -> tuple[RunningService, ...]:
        """Build, start and wait, see `Runner.up`."""
        program = _program(request)
        _write_secrets(request)
        arguments = ["up", "-d", "--remove-orphans"]
        if any(each.build is not None for each in request.deployment.spec.services.values()):
            arguments.append("--build")
        done = program.run(
            request.programs,
            (*_project(request), *arguments),
            folder=request.folder,
            timeout=_BUILDING + request.wait,
        )
        if done.exit_code != 0:
            raise EnvironmentProblem(
                f"`{program.name} up` failed: {done.said}",
                code="ACI-E602",
                hint=f"agentci deploy down {request.deployment.source}",
            )
        return _until_healthy(request)

    def services(self, request: RunRequest) -> tuple[RunningService, ...]:
        """Ask the engine for the containers of the project, see `Runner.services`."""
        return _containers(request)

    def down(self, request: RunRequest) -> None:
        """Stop and remove containers and networks, see `Runner.down`."""
        program = _program(request)
        arguments = ["down", "--remove-orphans", *(["--volumes"] if request.volumes else [])]
        done = program.run(
            request.programs,
            (*_project(request), *arguments),
            folder=request.folder,
            timeout=_BUILDING,
        )
        left = _containers(request)
        if done.exit_code != 0 or left:
            names = ", ".join(each.name for each in left)
            raise EnvironmentProblem(
                f"`{program.name} down` left {names or 'something'}: {done.said}",
                code="ACI-E603",
                hint="look with `docker ps --all`",
            )
        wiring.files().remove(request.folder / SECRETS_FOLDER)


COMPOSE: Final[Runner] = ComposeRunner()


def _program(request: RunRequest) -> ComposeProgram:
    """Return the first Compose that is new enough."""
    target = request.deployment.spec.targets.compose
    assert target is not None
    found = find_programs(request.programs, request.folder)
    for program in found:
        if program.version >= declared(target.compose):
            return program
    seen = ", ".join(f"`{each.name}` {each.version}" for each in found) or "none"
    raise EnvironmentProblem(
        f"no Compose {target.compose} on this machine: there is {seen}",
        code="ACI-E601",
        hint="install the Compose plugin of Docker, or Debian's package `docker-compose`",
    )


def _project(request: RunRequest) -> tuple[str, ...]:
    return ("-p", request.deployment.spec.name, "-f", COMPOSE_FILE)


def _write_secrets(request: RunRequest) -> None:
    """Put secrets from variables into files, which containers read under `/run/secrets`.

    The folder is closed to other users of this machine; the files are not, since a container's
    user has another number.
    """
    spec = request.deployment.spec
    names = {name: each.ref for name, each in spec.secrets.items() if each.from_ == "env"}
    values = {name: wiring.env().get(variable) for name, variable in names.items()}
    missing = sorted(names[name] for name, value in values.items() if value is None)
    if missing:
        raise EnvironmentProblem(
            f"variables with secrets are not set: {', '.join(f'`{each}`' for each in missing)}",
            code="ACI-E604",
            hint="set them where `agentci deploy up` runs",
        )
    folder = request.folder / SECRETS_FOLDER
    if not names:
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    for name, value in values.items():
        wiring.files().write_atomic(folder / name, (value or "").encode())
        (folder / name).chmod(0o444)


def _until_healthy(request: RunRequest) -> tuple[RunningService, ...]:
    clock = wiring.clock()
    end = clock.monotonic() + request.wait
    while True:
        found = _containers(request)
        bad = [each for each in found if _is_bad(each, request)]
        if not bad:
            return found
        if clock.monotonic() > end:
            words = ", ".join(f"`{each.service}` is {_word(each)}" for each in bad)
            raise EnvironmentProblem(
                f"not healthy after {request.wait:g} s: {words}",
                code="ACI-E605",
                hint=f"docker logs {bad[0].name}",
            )
        asyncio.run(clock.sleep(_LOOK))


def _is_bad(service: RunningService, request: RunRequest) -> bool:
    spec = request.deployment.spec.services.get(service.service)
    ends = spec is not None and spec.restart == "never"
    if service.state == "exited" and ends:
        return False
    return service.state != "running" or service.healthy is False or not service.current


def _word(service: RunningService) -> str:
    if not service.current:
        return "from another spec"
    return "not healthy" if service.state == "running" else service.state


def _containers(request: RunRequest) -> tuple[RunningService, ...]:
    """Return the containers of the project, sorted by name."""
    spec = hex_of(request.deployment.digest)
    fields = f'{{{{.Names}}}}\t{{{{.State}}}}\t{{{{.Status}}}}\t{{{{.Label "{SERVICE_LABEL}"}}}}'
    asked = (
        *("docker", "ps", "--all", "--no-trunc"),
        *("--filter", f"label={_PROJECT_LABEL}={request.deployment.spec.name}"),
        *("--format", f'{fields}\t{{{{.Label "{SPEC_LABEL}"}}}}'),
    )
    done = request.programs.run(ProgramRequest(asked, Path(request.folder), 60))
    if done.exit_code != 0:
        raise EnvironmentProblem(
            f"`docker ps` failed: {done.said}", code="ACI-E606", hint="is the Docker Engine up?"
        )
    rows = sorted(line.split("\t") for line in done.out.splitlines() if line.count("\t") == 4)
    return tuple(
        RunningService(
            service=service,
            name=name,
            state=state,
            healthy=_health(status),
            current=label == spec,
        )
        for name, state, status, service, label in rows
    )


def _health(status: str) -> bool | None:
    if "(healthy)" in status:
        return True
    return False if "(unhealthy)" in status or "(health: starting)" in status else None
