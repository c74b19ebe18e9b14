"""Examinations of a compose file as it lies on the disk: the common subset, names, the rubric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agentci.core.errors import SpecError
from agentci.deploy.artifact import Deployment
from agentci.deploy.findings import Finding
from agentci.deploy.rubric import judge_services
from agentci.deploy.rules.registry import RULES
from agentci.deploy.targets.protocol import Examined
from agentci.spec.deploy import DeploySpec
from agentci.spec.yaml_document import PathParts, parse_document

_FILE: Final = "compose.yaml"
_LOOSENED: Final = {
    "user": "root_user",
    "read-only": "writable_root",
    "privileges": "privilege_gain",
    "health": "no_health",
}
"""Points that a spec may do without, by what it has to loosen for that."""
_OF_RULES: Final = {"image-digest": "image", "published-everywhere": "ports", "health": "health"}
"""Points of which a rule speaks, so that they are not told twice, and can be waived."""
_TARGET: Final = ("targets", "compose")
_FIELDS: Final = {"image": "image", "health": "health", "ports": "ports", "secrets": "env"}


def examine_compose(deployment: Deployment, files: Mapping[str, bytes]) -> tuple[Examined, ...]:
    """Return the examinations of the project in `files`."""
    data = files.get(_FILE)
    if data is None:
        finding = Finding("compose-file", (), f"`{_FILE}` is missing", "agentci deploy render")
        return (Examined("schema", (finding,)),)
    try:
        content = parse_document(data, _FILE).value
    except SpecError as error:
        return (Examined("schema", (Finding("compose-file", (), error.message),)),)
    broken = tuple(_against_schema(content))
    if broken or not isinstance(content, Mapping):
        return (Examined("schema", broken),)
    names = tuple(_dangling(content))
    texts = {
        name: data.decode("utf-8", "replace")
        for name, data in files.items()
        if name.endswith(".Dockerfile")
    }
    return (Examined("schema", ()), Examined("names", names), _rubric(deployment, content, texts))


def _against_schema(content: Any) -> Iterator[Finding]:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import

    from agentci.deploy.targets.compose_schema import COMPOSE_SCHEMA  # noqa: PLC0415 - as above

    validator = Draft202012Validator(COMPOSE_SCHEMA)
    found = sorted(validator.iter_errors(content), key=lambda error: [*map(str, error.path)])
    for error in found:
        path = _in_spec(tuple(error.absolute_path))
        where = ".".join(str(part) for part in error.absolute_path) or "the file"
        message = f"`{_FILE}`: `{where}`: {error.message[:200]}"
        yield Finding("compose-schema", path, message, "agentci deploy render")


def _in_spec(path: PathParts) -> PathParts:
    """Return where in the spec a place of the compose file comes from, as far as that is known."""
    return path[:2] if path[:1] in {("services",), ("volumes",), ("secrets",), ("models",)} else ()


def _dangling(content: Mapping[str, Any]) -> Iterator[Finding]:
    services = content["services"]
    for name, service in services.items():
        used = {
            "networks": service["networks"],
            "secrets": service.get("secrets", ()),
            "models": service.get("models", ()),
            "volumes": [mount["source"] for mount in service.get("volumes", ())],
            "services": list(service.get("depends_on", ())),
        }
        for kind, names in used.items():
            for each in names:
                if each not in content.get(kind, {}):
                    message = f"`{_FILE}`: the service `{name}` names `{each}`, which is not in "
                    path = ("services", name)
                    yield Finding("compose-names", path, f"{message}`{kind}`", "render again")


def _rubric(
    deployment: Deployment, content: Mapping[str, Any], dockerfiles: Mapping[str, str]
) -> Examined:
    result = judge_services(content["services"], dockerfiles)
    findings: list[Finding] = []
    explained = 0
    for name, points in result.missing.items():
        known = _explained(deployment.spec, name)
        for point in points:
            if point.id in known:
                explained += 1
                continue
            field = _FIELDS.get(point.id)
            path = ("services", name, *([field] if field else []))
            message = f"point `{point.id}` of the rubric: {point.title}"
            findings.append(Finding(f"compose-{point.id}", path, message))
    detail = f"{result.reached} of {result.total}"
    if explained:
        detail += f", {explained} loosened or a rule's"
    return Examined("rubric", tuple(findings), detail)


def _explained(spec: DeploySpec, name: str) -> frozenset[str]:
    """Return the points that a service lacks because its spec says so.

    It loosens them with a reason, it ends by itself, or a rule speaks of it, which can be waived.
    """
    service = spec.services.get(name)
    if service is None:
        return frozenset()
    loosened = {each.what for each in service.loosen}
    found = {point for point, what in _LOOSENED.items() if what in loosened}
    if service.schedule is not None or service.restart == "never":
        found.add("health")
    for rule in RULES:
        point = _OF_RULES.get(rule.id)
        if point and any(
            each.path[:2] in {("services", name), _TARGET} for each in rule.find(spec)
        ):
            found.add(point)
    return frozenset(found)
