"""The targets: a row of import strings each, so that a spec for one loads no other."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agentci.deploy.targets.protocol import Target


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target."""

    name: str
    """Also the field of `agentci.spec.deploy_targets.TargetsSpec` and the folder."""
    target: str
    """`module:object`."""
    sources: tuple[str, ...]
    """How the modules in `agentci/deploy/targets` start that render it alone."""


TARGETS: Final[tuple[TargetRow, ...]] = (
    TargetRow("compose", "agentci.deploy.targets.compose:COMPOSE", ("compose",)),
    TargetRow(
        "kubernetes",
        "agentci.deploy.targets.kubernetes:KUBERNETES",
        (
            *("kubernetes.py", "kubernetes_names", "kubernetes_network", "kubernetes_pod.py"),
            *("kubernetes_storage", "kubernetes_workload"),
        ),
    ),
    TargetRow(
        "terraform-docker",
        "agentci.deploy.targets.terraform_docker:TERRAFORM_DOCKER",
        ("terraform_docker", "compose_networks"),
    ),
)


def row_of(name: str) -> TargetRow:
    """Return the row of a target that a spec names.

    Raises:
        KeyError: when there is none, which the spec's model does not let happen.
    """
    return {row.name: row for row in TARGETS}[name]


def load_target(name: str) -> Target:
    """Return the target `name`."""
    module, _, attribute = row_of(name).target.partition(":")
    found: Target = getattr(importlib.import_module(module), attribute)
    return found


def renders(module: str, target: str) -> bool:
    """Say whether a module of `agentci/deploy`, by its path in there, takes part in a target.

    Everything shared does; of the targets only its own modules. Rules and validators judge what is
    rendered, and change no byte of it.
    """
    folder, _, name = module.rpartition("/")
    if folder == "targets":
        return name.startswith(row_of(target).sources)
    return folder in {"", "writers"}
