"""The registry of tools: names and import strings, so that a tool is imported when it is used.

Other packages add tools through entry points of the group `agentci.tools`; the entry point names a
class or function that returns a `Tool` when called without arguments.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from agentci.core.digest import Digest, digest_json
from agentci.core.errors import EnvironmentProblem, UsageError

if TYPE_CHECKING:
    from agentci.core.messages import ToolDefinition
    from agentci.tools.protocol import Tool

ENTRY_POINTS: Final = "agentci.tools"
"""Group of entry points for tools of other packages."""

_BUILT_IN: Final = {
    "edit_file": "agentci.tools.kinds.edit_file:EditFile",
    "list_files": "agentci.tools.kinds.list_files:ListFiles",
    "read_file": "agentci.tools.kinds.read_file:ReadFile",
    "run_command": "agentci.tools.kinds.run_command:RunCommand",
    "search": "agentci.tools.kinds.search:Search",
    "write_file": "agentci.tools.kinds.write_file:WriteFile",
}


def built_in_names() -> tuple[str, ...]:
    """Return the names of the tools that ship with agentci, sorted."""
    return tuple(sorted(_BUILT_IN))


def tool_names() -> tuple[str, ...]:
    """Return the names of all installed tools, sorted."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow to import, seldom needed

    return tuple(sorted({*_BUILT_IN, *(point.name for point in entry_points(group=ENTRY_POINTS))}))


def load_tool(name: str) -> Tool:
    """Return the tool `name`.

    Raises:
        UsageError: when there is no such tool.
        EnvironmentProblem: when its package cannot be imported.
    """
    target = _BUILT_IN.get(name)
    if target is not None:
        module, _, attribute = target.partition(":")
        return cast("Tool", getattr(import_module(module), attribute)())
    return _load_entry_point(name)


def definition_of(tool: Tool) -> ToolDefinition:
    """Return `tool` as a model sees it."""
    from agentci.core.messages import ToolDefinition  # noqa: PLC0415 - a check asks no model

    return ToolDefinition(tool.name, tool.description, tool.parameters)


def tool_digest(name: str) -> Digest:
    """Return a digest that changes whenever the tool does: its version and what the model sees.

    Raises:
        UsageError: when there is no such tool.
    """
    tool = load_tool(name)
    return digest_json(
        {
            "name": tool.name,
            "version": tool.version,
            "description": tool.description,
            "parameters": tool.parameters,
            "effect": tool.effect,
        }
    )


def _load_entry_point(name: str) -> Tool:
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow to import, seldom needed

    for point in entry_points(group=ENTRY_POINTS, name=name):
        try:
            return cast("Tool", point.load()())
        except ImportError as error:
            raise EnvironmentProblem(
                f"the tool `{name}` cannot be imported from `{point.value}`: {error}",
                code="ACI-E140",
                hint="install the package that provides it",
            ) from error
    names = ", ".join(f"`{known}`" for known in tool_names())
    raise UsageError(f"there is no tool `{name}`", code="ACI-U146", hint=f"use one of {names}")
