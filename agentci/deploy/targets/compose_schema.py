"""JSON Schema of the compose files that we write: closed, so that nothing unknown gets in.

It is the part of the Compose specification that 1.29 and 2 read alike, in our own words, and
narrower than either: one form for each thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
_SECONDS: Final = {"type": "string", "pattern": "^[0-9]+s$"}
_MEMORY: Final = {"type": "string", "pattern": "^[1-9][0-9]*m$"}
_NAME: Final = "^[a-z][a-z0-9-]*$"


def _closed(properties: Mapping[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _by_name(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "patternProperties": {_NAME: schema}, "additionalProperties": False}


_HEALTH: Final = _closed(
    {
        "test": {**_TEXTS, "minItems": 2, "prefixItems": [{"const": "CMD"}]},
        "interval": _SECONDS,
        "timeout": _SECONDS,
        "retries": {"type": "integer", "minimum": 1},
        "start_period": _SECONDS,
    },
    ("test", "interval", "timeout", "retries", "start_period"),
)
_LOGGING: Final = _closed(
    {
        "driver": {"const": "json-file"},
        "options": _closed(
            {
                "max-size": {"type": "string", "pattern": "^[1-9][0-9]*[km]$"},
                "max-file": {"type": "string", "pattern": "^[1-9][0-9]*$"},
            },
            ("max-size", "max-file"),
        ),
    },
    ("driver", "options"),
)
_MOUNT: Final = _closed(
    {
        "type": {"const": "volume"},
        "source": {"type": "string"},
        "target": {"type": "string", "pattern": "^/"},
        "read_only": {"type": "boolean"},
    },
    ("type", "source", "target", "read_only"),
)
_CONDITION: Final = _closed(
    {
        "condition": {
            "enum": ["service_started", "service_healthy", "service_completed_successfully"]
        }
    },
    ("condition",),
)
_BUILD: Final = _closed(
    {"context": {"type": "string"}, "dockerfile": {"type": "string"}}, ("context", "dockerfile")
)
_SERVICE: Final = _closed(
    {
        "image": {"type": "string", "minLength": 1},
        "build": _BUILD,
        "command": {**_TEXTS, "minItems": 1},
        "user": {"type": "string", "pattern": "^[0-9]+:[0-9]+$"},
        "read_only": {"type": "boolean"},
        "cap_drop": {"const": ["ALL"]},
        "cap_add": {**_TEXTS, "minItems": 1},
        "security_opt": {"enum": [["no-new-privileges:true"], ["no-new-privileges:false"]]},
        "tmpfs": {"type": "array", "items": {"type": "string", "pattern": "^/[^:]+:size="}},
        "volumes": {"type": "array", "items": _MOUNT},
        "mem_limit": _MEMORY,
        "memswap_limit": _MEMORY,
        "cpus": {"type": "number", "exclusiveMinimum": 0},
        "pids_limit": {"type": "integer", "minimum": 1},
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "secrets": _TEXTS,
        "models": _TEXTS,
        "ports": {
            "type": "array",
            "items": {"type": "string", "pattern": r"^([0-9.]+|\[[0-9a-f:.]+\]):[0-9]+:[0-9]+$"},
        },
        "networks": {**_TEXTS, "minItems": 1},
        "depends_on": _by_name(_CONDITION),
        "healthcheck": _HEALTH,
        "restart": {"enum": ["no", "on-failure", "unless-stopped"]},
        "stop_grace_period": _SECONDS,
        "profiles": {"const": ["scheduled"]},
        "scale": {"type": "integer", "minimum": 0},
        "logging": _LOGGING,
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    (
        *("image", "user", "read_only", "cap_drop", "security_opt", "mem_limit", "memswap_limit"),
        *("cpus", "pids_limit", "networks", "restart", "logging", "labels"),
    ),
)
_NETWORK: Final = _closed(
    {
        "driver": {"const": "bridge"},
        "internal": {"const": True},
        "driver_opts": _closed(
            {"com.docker.network.bridge.enable_ip_masquerade": {"const": "false"}}
        ),
    },
    ("driver",),
)

COMPOSE_SCHEMA: Final = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_closed(
        {
            "services": {**_by_name(_SERVICE), "minProperties": 1},
            "networks": _by_name(_NETWORK),
            "volumes": _by_name(_closed({"driver": {"const": "local"}}, ("driver",))),
            "secrets": _by_name(_closed({"file": {"type": "string"}}, ("file",))),
            "models": _by_name(
                _closed(
                    {"model": {"type": "string"}, "context_size": {"type": "integer"}}, ("model",)
                )
            ),
        },
        ("services", "networks"),
    ),
}
