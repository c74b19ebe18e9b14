"""Rules for who reaches a deployment, and what it reaches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agentci.deploy.rules.rule import Broken, Rule
from agentci.spec.deploy import DeploySpec, HostsEgress

_EVERYWHERE: Final = frozenset({"0.0.0.0", "::", "0:0:0:0:0:0:0:0"})  # noqa: S104 - looked for


def _everywhere(spec: DeploySpec) -> Iterator[Broken]:
    on_one_machine = {
        "compose": spec.targets.compose,
        "terraform-docker": spec.targets.terraform_docker,
    }
    for name, target in on_one_machine.items():
        if target is not None and target.lb_address in _EVERYWHERE:
            path = ("targets", name, "lb_address")
            yield Broken(path, "every address of the machine", "give the one that the proxy asks")


def _open_egress(spec: DeploySpec) -> Iterator[Broken]:
    if spec.targets.compose is None and spec.targets.terraform_docker is None:
        return
    for name, service in spec.services.items():
        if isinstance(service.egress, HostsEgress):
            message = "Docker cannot hold a service to some hosts: it will reach every host"
            hint = "send it through a proxy service, or add a waiver"
            yield Broken(("services", name, "egress"), message, hint)


def _tool_servers(spec: DeploySpec) -> Iterator[Broken]:
    for name, service in spec.services.items():
        if service.serves is None or service.serves.kind == "http":
            continue
        for index, port in enumerate(service.ports):
            if port.publish == "lb":
                path = ("services", name, "ports", index, "publish")
                message = f"a service of kind `{service.serves.kind}` is open to others"
                yield Broken(path, message, "use `none` or `loopback`")


RULES: Final = (
    Rule("published-everywhere", "a published port passes by most host firewalls", _everywhere),
    Rule("open-egress", "what can reach every host can send everything anywhere", _open_egress),
    Rule(
        "published-tool-server",
        "tools and models act for whoever asks, mostly without asking who",
        _tool_servers,
    ),
)
