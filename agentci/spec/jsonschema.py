"""JSON Schemas of the files that a user writes, for editors and for `agentci schema`.

They are made from the models, so they cannot fall behind. Where an expression may stand in place
of a value, the model says so, and the schema with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentci.core.json_types import JsonObject

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> Mapping[str, JsonObject]:
    """Return the JSON Schema of each format by its short name, in alphabetical order."""
    from pydantic import BaseModel  # noqa: PLC0415 - slow to import, like all below

    from agentci.spec.config import ProjectConfig  # noqa: PLC0415
    from agentci.spec.deploy import DeploySpec  # noqa: PLC0415
    from agentci.spec.pipeline import PipelineSpec  # noqa: PLC0415
    from agentci.spec.policy import PolicyFile  # noqa: PLC0415
    from agentci.spec.script import Script  # noqa: PLC0415
    from agentci.spec.secret_allow import SecretAllowList  # noqa: PLC0415
    from agentci.spec.suite import SuiteSpec  # noqa: PLC0415

    models: dict[str, type[BaseModel]] = {
        "config": ProjectConfig,
        "deploy": DeploySpec,
        "pipeline": PipelineSpec,
        "policy": PolicyFile,
        "script": Script,
        "secret-allow": SecretAllowList,
        "suite": SuiteSpec,
    }
    return {name: tidy_schema(name, model.model_json_schema()) for name, model in models.items()}


def tidy_schema(name: str, schema: Mapping[str, Any]) -> JsonObject:
    """Return a schema that pydantic made, with its dialect and the title `agentci NAME`."""
    return {"$schema": DIALECT, "title": f"agentci {name}", **_tidy(schema)}


def _tidy(node: Any) -> Any:
    """Leave out the titles that pydantic makes of field names; editors show the names anyway."""
    if isinstance(node, dict):
        return {
            key: {name: _tidy(item) for name, item in value.items()}
            if key in {"properties", "$defs"} and isinstance(value, dict)
            else _tidy(value)
            for key, value in node.items()
            if not (key == "title" and isinstance(value, str))
        }
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    return node
