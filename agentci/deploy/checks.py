"""Checks without which a deploy spec means nothing: names, circles, clashes, places.

They hold for every target. Knows no policy (see `rules`) and no platform (see `targets`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from agentci.deploy.findings import Finding
from agentci.deploy.workflow_checks import check_workflow
from agentci.plan.graph import find_cycle
from agentci.spec.deploy import DeploySpec, ServiceSpec, mebibytes
from agentci.spec.suggestion import did_you_mean
from agentci.spec.yaml_document import PathParts

_RESERVED: Final = ("/run/secrets", "/proc", "/sys", "/dev")
_CRON: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def check_spec(spec: DeploySpec) -> tuple[Finding, ...]:
    """Return everything that contradicts itself or leads nowhere."""
    found: list[Finding] = []
    for name, service in spec.services.items():
        here: PathParts = ("services", name)
        found += _names(spec, name, here=here)
        found += _ports(service, here)
        found += _health(spec, service, here)
        found += _places(service, here)
        found += _user(service, here)
        found += _environment(spec, service, here)
        found += _others(service, here)
    found += _cycles(spec)
    found += _published(spec)
    found += _unused(spec)
    found += _rollout(spec)
    found += check_workflow(spec)
    return tuple(found)


def unknown(code: str, path: PathParts, *, wrong: str, known: Iterable[str], what: str) -> Finding:
    """Return the finding of a name that does not exist."""
    names = sorted(known)
    listed = f"there are {', '.join(f'`{each}`' for each in names)}" if names else None
    hint = did_you_mean(wrong, names) or listed or f"add it to `{what}s`"
    return Finding(code, path, f"there is no {what} `{wrong}`", hint)


def _names(spec: DeploySpec, name: str, *, here: PathParts) -> Iterator[Finding]:
    service = spec.services[name]
    for needed in service.depends_on:
        if needed not in spec.services:
            others = set(spec.services) - {name}
            path = (*here, "depends_on", needed)
            yield unknown("ACI-D601", path, wrong=needed, known=others, what="service")
    for index, secret in enumerate(service.secrets):
        if secret not in spec.secrets:
            path = (*here, "secrets", index)
            yield unknown("ACI-D602", path, wrong=secret, known=spec.secrets, what="secret")
        elif secret in service.secrets[:index]:
            yield Finding("ACI-D609", (*here, "secrets", index), "it is listed twice", "remove one")
    for index, mount in enumerate(service.volumes):
        if mount.volume not in spec.volumes:
            path = (*here, "volumes", index, "volume")
            yield unknown("ACI-D603", path, wrong=mount.volume, known=spec.volumes, what="volume")
    for index, model in enumerate(service.models):
        if model not in spec.models:
            path = (*here, "models", index)
            yield unknown("ACI-D604", path, wrong=model, known=spec.models, what="model")


def _cycles(spec: DeploySpec) -> Iterator[Finding]:
    needs = {
        name: tuple(each for each in service.depends_on if each in spec.services)
        for name, service in spec.services.items()
    }
    cycle = find_cycle(needs)
    if cycle is not None:
        shown = " -> ".join(f"`{each}`" for each in cycle)
        path = ("services", cycle[0], "depends_on", cycle[1])
        message = f"services wait for each other in a circle: {shown}"
        yield Finding("ACI-D605", path, message, "remove one of these `depends_on`")


def _ports(service: ServiceSpec, here: PathParts) -> Iterator[Finding]:
    seen: set[int] = set()
    for index, port in enumerate(service.ports):
        path = (*here, "ports", index)
        if port.container in seen:
            message = f"the port {port.container} is listed twice"
            yield Finding("ACI-D606", path, message, "remove one of the two")
        seen.add(port.container)
        if port.host is not None and port.publish == "none":
            message = "`host` means nothing for a port that is not published"
            hint = "add `publish: loopback`, or remove `host`"
            yield Finding("ACI-D607", (*path, "host"), message, hint)


def _published(spec: DeploySpec) -> Iterator[Finding]:
    taken: dict[int, str] = {}
    for name, service in spec.services.items():
        for index, port in enumerate(service.ports):
            if port.publish == "none":
                continue
            number = port.host or port.container
            if number in taken:
                message = f"port {number} is already published by `{taken[number]}`"
                path = ("services", name, "ports", index)
                yield Finding("ACI-D606", path, message, "give another `host` port")
            taken[number] = name


def _health(spec: DeploySpec, service: ServiceSpec, here: PathParts) -> Iterator[Finding]:
    health = service.health
    if health is not None and health.http is not None and not (health.port or service.ports):
        message = "a health check by HTTP needs a port"
        yield Finding("ACI-D608", (*here, "health"), message, "add `port`, or a port to `ports`")
    if service.serves is not None and not (service.serves.port or service.ports):
        message = "what serves others needs a port"
        yield Finding("ACI-D608", (*here, "serves"), message, "add `port`, or a port to `ports`")
    for needed, state in service.depends_on.items():
        other = spec.services.get(needed)
        if other is None:
            continue
        path = (*here, "depends_on", needed)
        if state == "healthy" and other.health is None:
            message = f"`{needed}` has no `health`, so it never becomes healthy"
            yield Finding("ACI-D610", path, message, f"add `health` to `{needed}`, or `started`")
        if state == "completed" and other.restart != "never":
            message = f"`{needed}` starts again when it ends, so it never is completed"
            yield Finding("ACI-D610", path, message, f"give `{needed}` the `restart: never`")


def _places(service: ServiceSpec, here: PathParts) -> Iterator[Finding]:
    places: dict[str, PathParts] = {
        path: (*here, "writable_paths", path) for path in service.writable_paths
    }
    for index, mount in enumerate(service.volumes):
        path = (*here, "volumes", index, "path")
        if mount.path in places:
            yield Finding("ACI-D611", path, f"`{mount.path}` is used twice", "use another path")
        places[mount.path] = path
    for place, path in places.items():
        if "/../" in f"{place}/" or "/./" in f"{place}/":
            yield Finding("ACI-D612", path, "the path has `.` or `..` in it", "write it out")
        elif any(f"{place}/".startswith(f"{other}/") for other in _RESERVED):
            message = f"`{place}` belongs to the platform"
            yield Finding("ACI-D612", path, message, "use another path")
    total = sum(mebibytes(size) for size in service.writable_paths.values())
    if total > mebibytes(service.resources.memory):
        message = f"{total}M in memory are more than the {service.resources.memory} it may take"
        hint = "make them smaller, or raise `resources.memory`"
        yield Finding("ACI-D613", (*here, "writable_paths"), message, hint)


def _user(service: ServiceSpec, here: PathParts) -> Iterator[Finding]:
    is_root = "0" in {part.lstrip("0") or "0" for part in service.user.split(":")}
    loosened = [each.what for each in service.loosen]
    if is_root and "root_user" not in loosened:
        hint = "use other numbers, or add `loosen: [{what: root_user, reason: ...}]`"
        yield Finding("ACI-D614", (*here, "user"), "it would run as root", hint)
    for index, each in enumerate(service.loosen):
        path = (*here, "loosen", index)
        if each.what == "root_user" and not is_root:
            yield Finding("ACI-D615", path, "it loosens nothing: the user is not root", "remove it")
        if each.what == "no_health" and service.health is not None:
            yield Finding("ACI-D615", path, "it loosens nothing: there is `health`", "remove it")
        if each in service.loosen[:index]:
            yield Finding("ACI-D615", path, "it is there twice", "remove one of the two")


def service_urls(spec: DeploySpec, service: ServiceSpec) -> Mapping[str, str]:
    """Return the variables with the addresses of the services that `service` depends on."""
    found: dict[str, str] = {}
    for needed in service.depends_on:
        other = spec.services.get(needed)
        if other is None or other.serves is None:
            continue
        port = other.serves.port or (other.ports[0].container if other.ports else 0)
        variable = other.serves.variable or f"{needed.replace('-', '_').upper()}_URL"
        found[variable] = f"http://{needed}:{port}{other.serves.path}"
    return found


def _environment(spec: DeploySpec, service: ServiceSpec, here: PathParts) -> Iterator[Finding]:
    for variable in service_urls(spec, service):
        if variable in service.env:
            message = f"`{variable}` is set by what `depends_on` serves"
            yield Finding("ACI-D616", (*here, "env", variable), message, "remove it here")


def _others(service: ServiceSpec, here: PathParts) -> Iterator[Finding]:
    for index, file in enumerate(service.build.files if service.build else ()):
        if ".." in file.from_.split("/"):
            path = (*here, "build", "files", index, "from")
            yield Finding("ACI-D617", path, "it leaves the context", "use another `context`")
    if service.build is not None and any(not argv for argv in service.build.run):
        yield Finding("ACI-D617", (*here, "build", "run"), "a program has no name", "remove `[]`")
    if service.schedule is not None:
        for text, (low, high) in zip(service.schedule.cron.split(" "), _CRON, strict=True):
            if not _is_cron(text, low, high):
                path = (*here, "schedule", "cron")
                yield Finding("ACI-D618", path, f"`{text}` is no field from {low} to {high}")
        if service.restart == "always" and "restart" in service.model_fields_set:
            path = (*here, "restart")
            yield Finding("ACI-D618", path, "what runs at times may not start again by itself")


def _is_cron(text: str, low: int, high: int) -> bool:
    for item in text.split(","):
        span, slash, step = item.partition("/")
        if slash and not (step.isdecimal() and int(step) > 0):
            return False
        if span == "*":
            continue
        first, dash, last = span.partition("-")
        ends = [first, last] if dash else [first]
        if not all(end.isdecimal() and low <= int(end) <= high for end in ends):
            return False
        if dash and int(first) > int(last):
            return False
    return True


def _unused(spec: DeploySpec) -> Iterator[Finding]:
    services = spec.services.values()
    used = {
        "secrets": {name for each in services for name in each.secrets},
        "volumes": {mount.volume for each in services for mount in each.volumes},
        "models": {name for each in services for name in each.models},
    }
    named: dict[str, Iterable[str]] = {
        "secrets": spec.secrets,
        "volumes": spec.volumes,
        "models": spec.models,
    }
    for kind, names in named.items():
        for name in names:
            if name not in used[kind]:
                yield Finding("ACI-D619", (kind, name), "no service uses it", "remove it")


def _rollout(spec: DeploySpec) -> Iterator[Finding]:
    rollout = spec.rollout
    if (rollout.strategy == "canary") != (rollout.percent is not None):
        message = "`percent` goes with `strategy: canary`, and is needed there"
        yield Finding("ACI-D620", ("rollout",), message)
    if (rollout.strategy == "rolling") != (rollout.bake is None):
        message = "`bake` goes with `blue_green` and `canary`, and is needed there"
        yield Finding("ACI-D620", ("rollout",), message)
