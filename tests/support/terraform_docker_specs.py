"""Deploy specs for the target `terraform-docker`, and their rendered files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agentci.deploy.targets.terraform_docker import TERRAFORM_DOCKER
from tests.support.deploy_specs import DIGEST, GOOD, changed, deployment, without

_FILE: Final = {"from": "file", "ref": "keys/db"}
_BASE: Final = changed(("targets",), {"terraform-docker": {}})
GOOD_DOCKER: Final[dict[str, Any]] = without(
    ("services", "db", "resources", "pids"),
    base=changed(("secrets", "db-key"), _FILE, base=_BASE),
)
"""Three services that use most of what the target can do; one is built, so its image is unknown."""


def one_service(**fields: Any) -> dict[str, Any]:
    """Return a spec with one service, `api`, which has `fields`."""
    image = {"ref": "registry.example/api:1", "digest": DIGEST}
    service = {"image": image, "health": {"cmd": ["ready"]}, **fields}
    base = {key: GOOD[key] for key in ("format", "version", "name", "gate")}
    return {**base, "services": {"api": service}, "targets": {"terraform-docker": {}}}


def module(spec: Mapping[str, Any] = GOOD_DOCKER) -> dict[str, bytes]:
    """Return the rendered files of a spec that the target takes."""
    found = deployment(spec)
    assert TERRAFORM_DOCKER.check(found) == ()
    return {each.path: each.content for each in TERRAFORM_DOCKER.render(found)}
