from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agentci.core.digest import digest_bytes
from agentci.deploy.evidence import Situation, objections, running_images
from agentci.deploy.lock import Evidence
from agentci.spec.deploy import DeployGateSpec
from tests.support.deploy_specs import DIGEST, deployment

IMAGES = {"api": DIGEST}
GATE = DeployGateSpec(suite="pipelines/triage", threshold=0.9, max_age=3600)
EVIDENCE = Evidence(
    decision=digest_bytes(b"decision"),
    suite="pipelines/triage",
    verdict="same",
    blocks=False,
    score=0.9,
    judged=10,
    commit="a" * 40,
    cassettes=digest_bytes(b"cassettes"),
    images=IMAGES,
    recorded=1_000_000,
)
NOW = Situation(
    commit="b" * 40,
    changed=(),
    cassettes=digest_bytes(b"cassettes"),
    images=IMAGES,
    now=1_003_600.0,
)


def _codes(evidence: Evidence | None = EVIDENCE, now: Situation = NOW) -> list[str]:
    return [each.code for each in objections(evidence, GATE, now)]


def test_good_evidence_counts_to_its_last_second() -> None:
    assert _codes() == []


def test_without_evidence_nothing_is_deployed() -> None:
    assert _codes(None) == ["ACI-P610"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"suite": "pipelines/other"}, "ACI-P611"),
        ({"blocks": True}, "ACI-P612"),
        ({"score": 0.89}, "ACI-P613"),
        ({"judged": 0, "score": 0.0}, "ACI-P613"),
        ({"recorded": 999_999}, "ACI-P614"),
        ({"recorded": 1_003_601}, "ACI-P614"),
        ({"commit": "a" * 40 + "+"}, "ACI-P615"),
        ({"cassettes": digest_bytes(b"others")}, "ACI-P616"),
        ({"images": {"api": "sha256:other"}}, "ACI-P617"),
        ({"images": {}}, "ACI-P617"),
    ],
)
def test_each_thing_that_does_not_match_is_an_objection(change: dict[str, Any], code: str) -> None:
    assert _codes(replace(EVIDENCE, **change)) == [code]


def test_what_changed_since_the_commit_is_named() -> None:
    changed = tuple(f"file{number}" for number in range(7))
    (found,) = objections(EVIDENCE, GATE, replace(NOW, changed=changed))
    assert found.code == "ACI-P615"
    assert "`file0`" in found.message
    assert "and 2 more" in found.message


def test_every_objection_is_told_at_once() -> None:
    bad = replace(EVIDENCE, blocks=True, score=0.1, recorded=0)
    assert _codes(bad) == ["ACI-P612", "ACI-P613", "ACI-P614"]


def test_what_runs_is_known_by_digest() -> None:
    built = digest_bytes(b"built")
    spec = deployment().spec
    assert running_images(spec, {}) == {"api": DIGEST, "db": DIGEST, "tools": DIGEST}
    assert running_images(spec, {"tools": built})["tools"] == built
