"""The files of the module: versions and backend, variables, resources, outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from agentci.deploy.artifact import Deployment
from agentci.deploy.targets.compose_networks import network_definitions
from agentci.deploy.targets.terraform_docker_container import container
from agentci.deploy.targets.terraform_docker_names import (
    DEPLOYMENT_LABEL,
    DIGEST_PATTERN,
    PROVIDER,
    PROVIDER_VERSION,
    TARGET,
    address_of,
    container_of,
    image_variable,
    known_image,
    label,
    options_of,
)
from agentci.deploy.writers.hcl import Attribute, Block, Call, HclValue, Operation, Reference
from agentci.spec.deploy import DeploySpec

TERRAFORM_VERSIONS: Final = ">= 1.11.0, < 2.0.0"


def version_blocks(deployment: Deployment) -> Sequence[Block]:
    """Return the requirements, the backend without its place, and the provider."""
    provider = {"source": PROVIDER, "version": PROVIDER_VERSION}
    body = (
        Attribute("required_version", TERRAFORM_VERSIONS),
        Block("required_providers", (), (Attribute("docker", provider),)),
        _backend(deployment.spec),
    )
    return (Block("terraform", (), body), Block("provider", ("docker",)))


def _backend(spec: DeploySpec) -> Block:
    if options_of(spec).backend == "http":
        return Block("backend", ("http",))
    body = (
        Attribute("key", f"{spec.name}/{TARGET}.tfstate"),
        Attribute("encrypt", value=True),
        Attribute("use_lockfile", value=True),
    )
    return Block("backend", ("s3",), body)


def variable_blocks(deployment: Deployment) -> Sequence[Block]:
    """Return a variable for each image, which takes nothing but a digest."""
    return [_image_variable(deployment, name) for name in deployment.spec.services]


def _image_variable(deployment: Deployment, name: str) -> Block:
    variable = image_variable(name)
    known = known_image(deployment, name)
    match = Call("regex", (DIGEST_PATTERN, Reference(f"var.{variable}")))
    validation = (
        Attribute("condition", Call("can", (match,))),
        Attribute("error_message", "An image is named by its digest: a tag can be moved."),
    )
    body = (
        Attribute("description", f"Image of the service {name}, by digest."),
        Attribute("type", Reference("string")),
        Attribute("nullable", value=False),
        *((Attribute("default", known),) if known is not None else ()),
        Block("validation", (), validation),
    )
    return Block("variable", (variable,), body)


def resource_blocks(deployment: Deployment) -> Sequence[Block]:
    """Return networks, volumes, images and containers."""
    spec = deployment.spec
    found = [
        _network(deployment, name, definition)
        for name, definition in network_definitions(spec).items()
    ]
    found += [_volume(deployment, name) for name in spec.volumes]
    for name in spec.services:
        body = (
            Attribute("name", Reference(f"var.{image_variable(name)}")),
            Attribute("keep_locally", value=True),
        )
        found.append(Block("resource", ("docker_image", label(name)), body))
        found.append(container(deployment, name))
    return found


def _network(deployment: Deployment, name: str, definition: Mapping[str, object]) -> Block:
    options = definition.get("driver_opts")
    chosen: Mapping[str, HclValue] = options if isinstance(options, Mapping) else {}
    body = (
        Attribute("name", f"{deployment.spec.name}-{name}"),
        Attribute("driver", "bridge"),
        Attribute("internal", definition.get("internal") is True),
        *((Attribute("options", chosen),) if chosen else ()),
        _own_label(deployment),
    )
    return Block("resource", ("docker_network", label(name)), body)


def _volume(deployment: Deployment, name: str) -> Block:
    body = (
        Attribute("name", f"{deployment.spec.name}-{name}"),
        Attribute("driver", "local"),
        _own_label(deployment),
        Block("lifecycle", (), (Attribute("prevent_destroy", value=True),)),
    )
    return Block("resource", ("docker_volume", label(name)), body)


def _own_label(deployment: Deployment) -> Block:
    """Return whose it is, without the spec's digest: a label that changes replaces what has it."""
    body = (Attribute("label", DEPLOYMENT_LABEL), Attribute("value", deployment.spec.name))
    return Block("labels", (), body)


def output_blocks(deployment: Deployment) -> Sequence[Block]:
    """Return who runs, and where it is reached from outside."""
    spec = deployment.spec
    names = {name: container_of(spec, name, "name") for name in spec.services}
    endpoints = {
        f"{name}/{port.container}": _endpoint(spec, name, index)
        for name, service in spec.services.items()
        for index, port in enumerate(service.ports)
        if port.publish != "none"
    }
    found = [
        Block(
            "output",
            ("containers",),
            (
                Attribute("description", "Names of the containers, by service."),
                Attribute("value", names),
                *(_precondition(spec, name) for name in spec.services),
            ),
        )
    ]
    if endpoints:
        described = Attribute("description", "Published addresses, by service and port.")
        found.append(Block("output", ("endpoints",), (described, Attribute("value", endpoints))))
    return found


def _precondition(spec: DeploySpec, name: str) -> Block:
    privileged = container_of(spec, name, "privileged")
    is_one = spec.services[name].replicas == 1
    held = Operation("==", (privileged if is_one else Call("contains", (privileged, True)), False))
    body = (
        Attribute("condition", held),
        Attribute("error_message", f"The service {name} may do everything on its host."),
    )
    return Block("precondition", (), body)


def _endpoint(spec: DeploySpec, name: str, index: int) -> str:
    port = spec.services[name].ports[index]
    address = address_of(spec, port)
    shown = f"[{address}]" if ":" in address else address
    return f"{shown}:{port.host or port.container}"
