"""Documentation that is made from the code says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agentci.app.schema import all_schemas
from agentci.app.schema_markdown import to_markdown
from agentci.cli.commands import COMMANDS
from tests.support.command_line import ROOT

PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")


@pytest.mark.parametrize("name", sorted(all_schemas()))
def test_the_reference_of_a_format_is_up_to_date(name: str) -> None:
    page = ROOT / "docs" / "reference" / f"{name}.md"
    hint = f"agentci schema {name} --markdown > docs/reference/{name}.md"
    assert page.read_text() == to_markdown(name, all_schemas()[name]), hint


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = _LINK.findall(page.read_text())
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text()
    assert not [path.name for path in folder.glob("0*.md") if f"({path.name})" not in listed]


def test_the_changelog_names_every_command() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert not [row.name for row in COMMANDS if f"`{row.name}`" not in text]
