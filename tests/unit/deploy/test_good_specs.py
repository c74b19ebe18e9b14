"""No false alarm: good specs of many shapes, held against everything that needs no program."""

from __future__ import annotations

import pytest

from agentci.deploy.literal_secrets import refuse_literal_secrets
from agentci.deploy.render import check_deployment
from agentci.deploy.rules.registry import judge_spec
from agentci.deploy.targets.compose import COMPOSE
from agentci.spec.yaml_document import parse_document
from tests.support.deploy_specs import deployment, spec_text
from tests.support.good_specs import GOOD_SPECS


@pytest.mark.parametrize("name", sorted(GOOD_SPECS))
def test_nothing_is_found_in_a_good_spec(name: str) -> None:
    spec = GOOD_SPECS[name]
    refuse_literal_secrets(parse_document(spec_text(spec).encode(), "deploy/shop.yaml"))
    found = deployment(spec)
    assert check_deployment(found) == ()
    assert judge_spec(found.spec, today="2026-11-23").findings == ()
    files = {each.path: each.content for each in COMPOSE.render(found)}
    examined = COMPOSE.examine(found, files)
    assert [each.name for each in examined] == ["schema", "names", "rubric"]
    assert [each.findings for each in examined] == [(), (), ()]


def test_there_are_at_least_thirty() -> None:
    assert len(GOOD_SPECS) >= 30
