"""Examinations of manifests as they lie on the disk: our schemas, then all objects together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agentci.deploy.artifact import Deployment
from agentci.deploy.findings import Finding
from agentci.deploy.targets import kubernetes_pod_rules, kubernetes_set_rules
from agentci.deploy.targets.kubernetes_names import options_of
from agentci.deploy.targets.kubernetes_objects import (
    Content,
    cluster_of,
    identity_of,
    in_spec,
    read_manifests,
)
from agentci.deploy.targets.protocol import Examined

_AGAIN = "agentci deploy render"


def examine_kubernetes(deployment: Deployment, files: Mapping[str, bytes]) -> tuple[Examined, ...]:
    """Return the examinations; rules look at the objects once each is valid by itself."""
    read = read_manifests(files)
    broken = (*read.findings, *_against_schemas(deployment, read.contents))
    if broken:
        return (Examined("schema", broken),)
    cluster = cluster_of(read.contents, deployment)
    rules = (*kubernetes_pod_rules.RULES, *kubernetes_set_rules.RULES)
    findings = tuple(finding for rule in rules for finding in rule.findings(cluster))
    opened = sorted(options_of(deployment.spec).open_egress)
    detail = f"{len(rules)} rules"
    if opened:
        shown = ", ".join(f"`{name}`" for name in opened)
        detail += f"; loosened: {shown} reaches every public address"
    return (
        Examined("schema", (), f"{len(cluster.manifests)} objects"),
        Examined("rules", findings, detail),
    )


def _against_schemas(deployment: Deployment, contents: Mapping[str, Content]) -> Iterator[Finding]:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import

    from agentci.deploy.targets.kubernetes_schema import SCHEMAS  # noqa: PLC0415 - as above

    validators = {key: Draft202012Validator(schema) for key, schema in SCHEMAS.items()}
    for path, content in contents.items():
        api, kind = identity_of(content)
        validator = validators.get((api, kind))
        if validator is None:
            message = f"`{path}`: the kind `{kind}` of `{api}` is none that is rendered"
            yield Finding("kubernetes-kind", in_spec(path, deployment), message, _AGAIN)
            continue
        for error in sorted(
            validator.iter_errors(content), key=lambda each: [*map(str, each.path)]
        ):
            where = ".".join(str(part) for part in error.absolute_path) or "the file"
            message = f"`{path}`: `{where}`: {error.message[:200]}"
            yield Finding("kubernetes-schema", in_spec(path, deployment), message, _AGAIN)
