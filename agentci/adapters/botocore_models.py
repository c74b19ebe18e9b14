"""The models of AWS services that botocore ships, as data. Makes no client and no call."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from agentci.core.errors import EnvironmentProblem, MissingTool


@cache
def service_shapes(service: str) -> Mapping[str, Any]:
    """Return the shapes of a service, by name.

    Raises:
        EnvironmentProblem: when botocore is not installed, or has no such service.
    """
    try:
        from botocore.exceptions import DataNotFoundError  # noqa: PLC0415 - an extra
        from botocore.loaders import Loader  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        message = "the package `botocore` is not installed, which knows what AWS takes"
        hint = "`pip install 'agentci-pipelines[deploy]'` installs it"
        raise MissingTool(message, code="ACI-E658", hint=hint) from error
    try:
        model = Loader().load_service_model(service, "service-2")
    except DataNotFoundError as error:
        message = f"the installed `botocore` knows no service `{service}`"
        raise EnvironmentProblem(message, code="ACI-E659", hint="upgrade botocore") from error
    shapes: Mapping[str, Any] = model["shapes"]
    return shapes
