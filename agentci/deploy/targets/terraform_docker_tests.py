"""`tests/deployment.tftest.hcl`: what must stay true of the plan, with the provider mocked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from agentci.core.digest import hex_of
from agentci.deploy.artifact import Deployment
from agentci.deploy.targets.compose_networks import network_definitions
from agentci.deploy.targets.terraform_docker_names import (
    SPEC_LABEL,
    address_of,
    image_variable,
    known_image,
    label,
)
from agentci.deploy.writers.hcl import Attribute, Block, Call, HclValue, Operation, Reference
from agentci.spec.deploy import mebibytes

PLACEHOLDER: Final = "agentci.invalid/none@sha256:" + "0" * 64
"""For plans and tests, in place of an image that is not built yet."""


def placeholders(deployment: Deployment) -> dict[str, str]:
    """Return a value for each variable that has no default."""
    names = [each for each in deployment.spec.services if known_image(deployment, each) is None]
    return {image_variable(name): PLACEHOLDER for name in names}


def assertion_blocks(deployment: Deployment) -> Sequence[Block]:
    """Return the tests: hardening and reach of every service, and that a tag is refused."""
    variables = tuple(Attribute(*each) for each in placeholders(deployment).items())
    services = [name for name, each in deployment.spec.services.items() if each.replicas]
    found = [Block("mock_provider", ("docker",))]
    if variables:
        found.append(Block("variables", (), variables))
    found += [_run(f"{label(name)}_is_held", _of_service(deployment, name)) for name in services]
    found.append(_run("networks_lead_nowhere_else", _of_networks(deployment)))
    found += [_refusing(name) for name in deployment.spec.services]
    return found


def _run(name: str, asserts: Iterator[Block]) -> Block:
    return Block("run", (name,), (Attribute("command", Reference("plan")), *asserts))


def _refusing(name: str) -> Block:
    variable = image_variable(name)
    tagged = Block("variables", (), (Attribute(variable, "registry.invalid/image:latest"),))
    body = (
        Attribute("command", Reference("plan")),
        Attribute("expect_failures", (Reference(f"var.{variable}"),)),
        tagged,
    )
    return Block("run", (f"{variable}_refuses_a_tag",), body)


def _assert(condition: HclValue, message: str) -> Block:
    body = (Attribute("condition", condition), Attribute("error_message", message))
    return Block("assert", (), body)


def _same(path: str, value: HclValue) -> Operation:
    return Operation("==", (Reference(path), value))


def _has(path: str, value: str) -> Call:
    return Call("contains", (Call("flatten", ((Reference(path),),)), value))


def _of_service(deployment: Deployment, name: str) -> Iterator[Block]:
    service = deployment.spec.services[name]
    loosened = {each.what for each in service.loosen}
    own = f"docker_container.{label(name)}" + ("" if service.replicas == 1 else "[0]")
    added = [each.capability for each in service.loosen if each.capability is not None]
    gain = "true" if "privilege_gain" not in loosened else "false"
    checks: list[tuple[HclValue, str]] = [
        (_same(f"{own}.user", service.user), "It runs as somebody else."),
        (_same(f"{own}.read_only", "writable_root" not in loosened), "Its root can be written."),
        (_same(f"{own}.privileged", value=False), "It may do everything on its host."),
        (_has(f"{own}.security_opts", f"no-new-privileges:{gain}"), "It may gain privileges."),
        (_has(f"{own}.capabilities[*].drop", "ALL"), "It keeps capabilities."),
        (
            Operation("==", (_count(f"{own}.capabilities[*].add"), len(added))),
            "It has other capabilities than the spec says.",
        ),
        (_same(f"{own}.memory", mebibytes(service.resources.memory)), "It has another limit."),
        (_same(f"{own}.memory_swap", mebibytes(service.resources.memory)), "It may swap."),
        (_has(f"{own}.labels[*].value", hex_of(deployment.digest)), f"No {SPEC_LABEL}."),
        (
            _same(f"docker_image.{label(name)}.name", Reference(f"var.{image_variable(name)}")),
            "It runs another image.",
        ),
        (_same(f'{own}.log_opts["max-size"]', service.logs.max_size), "Its logs may grow."),
    ]
    published = [port for port in service.ports if port.publish != "none"]
    ports = f"{own}.ports"
    checks.append(
        (
            Operation("==", (Call("length", (Reference(ports),)), len(published))),
            "It has other ports than the spec says.",
        )
    )
    for index, port in enumerate(published):
        address = address_of(deployment.spec, port)
        checks.append((_same(f"{ports}[{index}].ip", address), "It is bound elsewhere."))
    if service.health is not None:
        length = Call("length", (Reference(f"{own}.healthcheck"),))
        checks.append((Operation("==", (length, 1)), "Nothing looks whether it works."))
    for condition, message in checks:
        yield _assert(condition, message)


def _count(path: str) -> Call:
    return Call("length", (Call("compact", (Call("flatten", ((Reference(path),),)),)),))


def _of_networks(deployment: Deployment) -> Iterator[Block]:
    for name, definition in network_definitions(deployment.spec).items():
        inside = definition.get("internal") is True
        condition = _same(f"docker_network.{label(name)}.internal", inside)
        yield _assert(condition, f"The network {name} is not as the spec says.")
