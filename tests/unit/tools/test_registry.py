"""The registry of tools."""

from __future__ import annotations

import jsonschema
import pytest

from agentci.core.errors import UsageError
from agentci.tools import registry
from agentci.tools.registry import built_in_names, definition_of, load_tool, tool_digest


def test_every_tool_has_its_name_a_schema_and_a_digest_of_its_own() -> None:
    digests = {tool_digest(name) for name in built_in_names()}
    assert len(digests) == len(built_in_names()) == 6
    for name in built_in_names():
        tool = load_tool(name)
        assert tool.name == name
        jsonschema.Draft202012Validator.check_schema(dict(tool.parameters))
        assert tool.parameters["type"] == "object"
        assert definition_of(tool).description


def test_an_unknown_tool_is_named_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match="there is no tool `read`") as caught:
        load_tool("read")
    assert "`read_file`" in (caught.value.hint or "")


def test_the_digest_follows_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = tool_digest("search")
    monkeypatch.setattr("agentci.tools.kinds.search.Search.version", 2)
    assert tool_digest("search") != before


def test_all_installed_names_are_sorted() -> None:
    names = registry.tool_names()
    assert list(names) == sorted(names)
    assert set(built_in_names()) <= set(names)
