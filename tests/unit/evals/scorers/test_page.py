"""What docs/scorers.md shows is what scorers do."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from agentci.evals.scorers.registry import built_in_scorers, parse_options
from agentci.spec.suite import ScorerSpec
from tests.support.command_line import ROOT
from tests.support.scorer_services import score, services_for, subject

PAGE = (ROOT / "docs" / "scorers.md").read_text()
YAML = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_every_kind_is_named() -> None:
    assert [kind for kind in built_in_scorers() if f"`{kind}`" not in PAGE] == []


@pytest.mark.parametrize("block", YAML)
def test_every_shown_scorer_is_valid(block: str) -> None:
    for each in yaml.safe_load(block)["scorers"]:
        spec = ScorerSpec.model_validate(each)
        parse_options(spec.kind, spec.with_)


def test_the_shown_function_judges(tmp_path: Path) -> None:
    shown = next(block for block in PYTHON if "def short_and_kind" in block)
    services = services_for(tmp_path, suite={"checks.py": shown})
    options = {"function": "checks.py:short_and_kind", "arguments": {"words": 1}}
    found = score("python", options, subject("one two"), services)
    assert (found.value, found.passed, found.explanation) == (0.5, False, "2 words")


def test_the_shown_class_is_a_scorer(tmp_path: Path) -> None:
    shown = next(block for block in PYTHON if "class Rhyme" in block)
    space: dict[str, Any] = {"__name__": "shown"}
    exec(compile(shown, "shown", "exec", dont_inherit=True), space)
    kind = space["Rhyme"]()
    options = kind.options.model_validate({"word": "moon"})
    services = services_for(tmp_path)
    found = [asyncio.run(kind.score(subject(text), options, services)) for text in ("soon!", "sun")]
    assert [each.passed for each in found] == [True, False]
    assert found[1].explanation == "no rhyme on `moon`"
