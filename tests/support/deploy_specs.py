"""Deploy specs for tests: a good one with everything in it, and ways to change it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agentci.core.digest import Digest, digest_bytes, digest_json
from agentci.deploy.artifact import Deployment, Generator, RenderedProject
from agentci.deploy.render import render_project
from agentci.deploy.writers.yaml import yaml_text
from agentci.spec.deploy import DeploySpec
from agentci.spec.validation import validate
from agentci.spec.yaml_document import parse_document

DIGEST: Final = f"sha256:{'ab' * 32}"
GENERATOR: Final = Generator(1, digest_bytes(b"generator"))

GOOD: Final[dict[str, Any]] = {
    "format": "agentci/deploy",
    "version": 1,
    "name": "shop",
    "services": {
        "api": {
            "image": {"ref": "registry.example/shop/api:1.2", "digest": DIGEST},
            "command": ["serve", "--port", "8080"],
            "ports": [{"container": 8080, "publish": "loopback"}],
            "env": {"MODE": "plain", "LEVEL": "info"},
            "secrets": ["db-key"],
            "health": {"http": "/health"},
            "writable_paths": {"/tmp": "16M"},
            "depends_on": {"db": "healthy", "tools": "started"},
        },
        "db": {
            "image": {"ref": "registry.example/postgres:17", "digest": DIGEST},
            "secrets": ["db-key"],
            "volumes": [{"volume": "data", "path": "/var/lib/data"}],
            "health": {"cmd": ["ready"]},
            "resources": {"cpu": 1, "memory": "1G", "pids": 200},
        },
        "tools": {
            "build": {
                "base": {"ref": "registry.example/python:3.13", "digest": DIGEST},
                "context": "..",
                "run": [["pip", "install", "--no-cache-dir", "tools==1"]],
                "files": [{"from": "tools", "to": "/app/tools"}],
                "workdir": "/app",
            },
            "command": ["python", "-m", "tools"],
            "ports": [{"container": 9000}],
            "serves": {"kind": "mcp", "path": "/mcp"},
            "health": {"http": "/health", "client": "python"},
        },
    },
    "secrets": {"db-key": {"from": "env", "ref": "DB_KEY"}},
    "volumes": {"data": {"size": "10G"}},
    "gate": {"suite": "pipelines/triage", "threshold": 0.9},
    "targets": {"compose": {}},
}
"""Three services that use most of what there is."""

Path = Sequence[str | int]


def changed(path: Path, value: Any, *, base: Mapping[str, Any] = GOOD) -> dict[str, Any]:
    """Return `base` with `value` at `path`; what is missing on the way is made."""
    spec = copy.deepcopy(dict(base))
    place: Any = spec
    for part in path[:-1]:
        if isinstance(part, str) and part not in place:
            place[part] = {}
        place = place[part]
    place[path[-1]] = value
    return spec


def without(path: Path, *, base: Mapping[str, Any] = GOOD) -> dict[str, Any]:
    """Return `base` without what is at `path`."""
    spec = copy.deepcopy(dict(base))
    place: Any = spec
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    return spec


def spec_text(spec: Mapping[str, Any]) -> str:
    """Return a spec as YAML."""
    return yaml_text(spec).decode()


def deployment(
    spec: Mapping[str, Any] = GOOD, *, images: Mapping[str, Digest] | None = None
) -> Deployment:
    """Return a spec as it is when it was read from `deploy/shop.yaml`."""
    document = parse_document(spec_text(spec).encode(), "deploy/shop.yaml")
    return Deployment(
        spec=validate(document, DeploySpec),
        digest=digest_json(document.value),
        positions=document.positions,
        source="deploy/shop.yaml",
        file="shop.yaml",
        out=f"deploy/{spec.get('name')}",
        images=images or {},
    )


def rendered(
    spec: Mapping[str, Any] = GOOD, *, generator: Generator = GENERATOR
) -> RenderedProject:
    """Return the rendered project of a spec with the target `compose`."""
    return render_project(
        deployment(spec), generators={"compose": generator}, prefix=str(spec["name"])
    )


def files_of(project: RenderedProject) -> dict[str, bytes | None]:
    """Return what is on the disk just after rendering."""
    return {artifact.path: artifact.content for artifact in project.artifacts}
