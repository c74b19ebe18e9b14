"""Good deploy specs of different shapes, in which no validator may find anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.support.deploy_specs import DIGEST, GOOD, changed, without

_IMAGE: Final = {"ref": "registry.example/app:1", "digest": DIGEST}
_REASON: Final = "as its documentation says"
_API: Final = ("services", "api")
_TOOLS: Final = ("services", "tools")


def _one(service: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return a spec with one service, which nothing has to be shown for."""
    found = {"image": _IMAGE, "health": {"cmd": ["ok"]}, **service}
    return {
        "format": "agentci/deploy",
        "version": 1,
        "name": "one",
        "services": {"app": {key: value for key, value in found.items() if value is not None}},
        "gate": {"ungated": "there is nothing to evaluate yet"},
        "targets": {"compose": {}},
        **more,
    }


def _build(**build: Any) -> dict[str, Any]:
    return _one({"image": None, "build": {"base": _IMAGE, **build}})


def _loosened(what: str, **more: Any) -> dict[str, Any]:
    loosen = [{"what": what, "reason": _REASON}]
    return _one({"loosen": loosen, **more})


def _chain(length: int) -> dict[str, Any]:
    services = {
        f"s{number}": {
            "image": _IMAGE,
            "health": {"cmd": ["ok"]},
            **({"depends_on": {f"s{number - 1}": "healthy"}} if number else {}),
        }
        for number in range(length)
    }
    return _one({}, services=services)


GOOD_SPECS: Final[dict[str, dict[str, Any]]] = {
    "three services": GOOD,
    "one service": _one({}),
    "one character": _one({}, name="a"),
    "longest name": _one({}, name="a" * 40),
    "no command, no ports": without((*_API, "command")),
    "a port for the load balancer": changed((*_API, "ports", 0, "publish"), "lb"),
    "another host port": changed((*_API, "ports", 0, "host"), 18080),
    "an address of the machine": _one(
        {"ports": [{"container": 80, "publish": "lb"}]},
        targets={"compose": {"lb_address": "192.0.2.7"}},
    ),
    "an IPv6 address": _one(
        {"ports": [{"container": 80, "publish": "lb"}]},
        targets={"compose": {"lb_address": "2001:db8::7"}},
    ),
    "internal egress": changed((*_API, "egress"), "internal"),
    "a waived way out": _one(
        {"egress": {"hosts": ["api.example:8443"], "reason": _REASON}},
        policy={
            "waivers": [
                {
                    "rule": "open-egress",
                    "path": "services.app.egress",
                    "reason": "the proxy comes next",
                    "expires": "2099-12-31",
                }
            ]
        },
    ),
    "root": _loosened("root_user", user="0:0"),
    "a writable root": _loosened("writable_root"),
    "gaining privileges": _loosened("privilege_gain"),
    "no health": _loosened("no_health", health=None),
    "a harmless capability": _one(
        {"loosen": [{"what": "capability", "capability": "NET_BIND_SERVICE", "reason": _REASON}]}
    ),
    "from scratch": _build(base="scratch", files=[{"from": "app", "to": "/app"}]),
    "a build of everything": _build(context="..", files=[{"from": ".", "to": "/app"}]),
    "a build with programs": _build(run=[["apk", "add", "curl"], ["sh", "-c", "echo $HOME > /x"]]),
    "health by curl": _one({"health": {"http": "/", "client": "curl", "port": 80}}),
    "health by Python": _one({"health": {"http": "/ok", "client": "python", "port": 80}}),
    "a job at night": _one({"health": None, "schedule": {"cron": "30 3 * * 1-5"}}),
    "a job that is waited for": _one(
        {},
        services={
            "app": {
                "image": _IMAGE,
                "health": {"cmd": ["ok"]},
                "depends_on": {"migrate": "completed"},
            },
            "migrate": {"image": _IMAGE, "restart": "never"},
        },
    ),
    "replicas": _one({"replicas": 3}),
    "no replicas": _one({"replicas": 0}),
    "small and large": _one({"resources": {"cpu": 0.05, "memory": "6M", "pids": 1}}),
    "folders in memory": _one({"writable_paths": {"/tmp": "64M", "/var/cache/app": "64M"}}),
    "a volume to read": _one(
        {"volumes": [{"volume": "data", "path": "/data", "read_only": True}]}, volumes={"data": {}}
    ),
    "a secret from a file": _one(
        {"secrets": ["key"]}, secrets={"key": {"from": "file", "ref": "secrets/key"}}
    ),
    "a model server": _one(
        {"ports": [{"container": 8000}], "serves": {"kind": "model", "path": "/v1"}}
    ),
    "a name of one's own": changed((*_TOOLS, "serves", "variable"), "MCP_SERVER"),
    "a model of the platform": _one(
        {"models": ["small"]},
        models={"small": {"artifact": "ai/small:1"}},
        targets={"compose": {"compose": ">=2.38"}},
    ),
    "a chain of twenty": _chain(20),
    "plain variables": _one(
        {
            "env": {
                "URL": "https://api.example/v1?page=2",
                "MODEL": "gpt-4o-2024-08-06",
                "PATTERN": "^[a-z]+$",
                "MAX_TOKENS": "4096",
                "EMPTY": "",
                "TEXT": "two words, ${NOT_REPLACED} and a $",
                "REGION": "eu-central-1",
                "COMMIT_DATE": "2026-11-23T04:26:26Z",
                "TOKENIZER": "cl100k_base",
                "CACHE_KEY_PREFIX": "shop-v2",
            }
        }
    ),
}
"""By what is special about each."""
