"""The table of pinned packs."""

from __future__ import annotations

import base64

import pytest

from agentci.core.digest import parse_digest
from agentci.core.errors import UsageError
from agentci.deploy.packs.sources import SOURCES, find_source, folder_of


def test_rows_are_whole_sorted_and_unlike() -> None:
    assert [row.source for row in SOURCES] == sorted({row.source for row in SOURCES})
    for row in SOURCES:
        parse_digest(row.digest)
        assert len(base64.b64decode(row.integrity.removeprefix("sha512-"))) == 64
        assert len(set(row.types)) == len(row.types)
        for type_ in row.types:
            folder_of(type_, row.name)


def test_a_row_is_found_by_both_names() -> None:
    assert find_source("aws") is find_source("hashicorp/aws")
    with pytest.raises(UsageError, match="`azurerm`") as error:
        find_source("azurerm")
    assert error.value.code == "ACI-U652"


@pytest.mark.parametrize(
    ("type_", "folder"),
    [
        ("aws_ecs_service", "ecs-service"),
        ("data.aws_caller_identity", "data-aws-caller-identity"),
    ],
)
def test_a_type_has_a_folder(type_: str, folder: str) -> None:
    assert folder_of(type_, "aws") == folder


@pytest.mark.parametrize("type_", ["google_x", "data.google_x", "ecs_service", ""])
def test_a_type_of_another_provider_has_none(type_: str) -> None:
    with pytest.raises(UsageError):
        folder_of(type_, "aws")
