"""Rules for what services may do on their host, and for values that look like secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agentci.deploy.rules.rule import Broken, Rule
from agentci.record.secrets.plausible import is_plausible
from agentci.spec.deploy import DeploySpec

_POWERFUL: Final = frozenset(
    {
        "ALL", "BPF", "DAC_READ_SEARCH", "MAC_ADMIN", "MAC_OVERRIDE", "NET_ADMIN", "PERFMON",
        "SYS_ADMIN", "SYS_BOOT", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO",
    }
)  # fmt: skip
_SHORTEST: Final = 16


def _capabilities(spec: DeploySpec) -> Iterator[Broken]:
    for name, service in spec.services.items():
        for index, each in enumerate(service.loosen):
            if each.capability in _POWERFUL:
                path = ("services", name, "loosen", index, "capability")
                yield Broken(path, f"`{each.capability}` is as good as root on the host")


def _gain(spec: DeploySpec) -> Iterator[Broken]:
    for name, service in spec.services.items():
        what = [each.what for each in service.loosen]
        if "privilege_gain" in what and "root_user" in what:
            path = ("services", name, "loosen", what.index("privilege_gain"))
            yield Broken(path, "root that may gain privileges", "drop one of the two")


def _drawn(spec: DeploySpec) -> Iterator[Broken]:
    for name, service in spec.services.items():
        for variable, value in service.env.items():
            text = value.strip()
            if len(text) >= _SHORTEST and " " not in text and is_plausible(text, "token"):
                path = ("services", name, "env", variable)
                hint = "name it in `secrets`; if it is none, add a waiver"
                yield Broken(path, "the value looks drawn at random", hint)


RULES: Final = (
    Rule("powerful-capability", "with it a program can leave its container", _capabilities),
    Rule("root-with-gain", "each of the two is only held by the other protection", _gain),
    Rule("env-looks-secret", "variables are shown by many tools, and stand in this file", _drawn),
)
