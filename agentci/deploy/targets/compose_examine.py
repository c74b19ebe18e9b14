"""Examinations of a compose file as it lies on the disk: the common subset, names, the rubric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agentci.core.errors import SpecError
from agentci.deploy.artifact import Deployment
from agentci.deploy.findings import Finding
from agentci.deploy.rubric import judge_services
from agentci.deploy.targets.protocol import Examined
from agentci.spec.yaml_document import PathParts, parse_document

_FILE: Final = "compose.yaml"
_LOOSENED: Final = {
    "user": "root_user",
    "read-only": "writable_root",
    "privileges": "privilege_gain",
    "health": "no_health",
}
"""Points that a spec may do without, by what it has to loosen for that."""
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
    loosened = 0
    for name, points in result.missing.items():
        service = deployment.spec.services.get(name)
        allowed = {each.what for each in service.loosen} if service is not None else set[str]()
        for point in points:
            if _LOOSENED.get(point.id) in allowed:
                loosened += 1
                continue
            field = _FIELDS.get(point.id)
            path = ("services", name, *([field] if field else []))
            message = f"point `{point.id}` of the rubric: {point.title}"
            findings.append(Finding(f"compose-{point.id}", path, message))
    detail = f"{result.reached} of {result.total}"
    if loosened:
        detail += f", {loosened} loosened"
    return Examined("rubric", tuple(findings), detail)
