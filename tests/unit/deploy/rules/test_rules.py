from __future__ import annotations

from typing import Any

import pytest

from agentci.deploy.rules.registry import RULES, Judged, judge_spec
from tests.support.deploy_specs import DIGEST, GOOD, Path, changed, deployment, without

API = ("services", "api")
TODAY = "2026-11-23"
DRAWN = "q7R8s9T0u1V2w3X4y5Z6a7B8"
BROKEN: dict[str, tuple[Path, Any, str]] = {
    "image-digest": ((*API, "image"), {"ref": "registry.example/api:1"}, "services.api.image"),
    "image-latest": (
        (*API, "image"),
        {"ref": "registry.example/api:latest", "digest": DIGEST},
        "services.api.image.ref",
    ),
    "image-files": (
        ("services", "tools", "build", "files", 0, "from"),
        "tools/.env",
        "services.tools.build.files[0].from",
    ),
    "powerful-capability": (
        (*API, "loosen"),
        [{"what": "capability", "capability": "SYS_ADMIN", "reason": "it mounts things"}],
        "services.api.loosen[0].capability",
    ),
    "root-with-gain": (
        API,
        {
            **GOOD["services"]["api"],
            "user": "0:0",
            "loosen": [
                {"what": "root_user", "reason": "an old program"},
                {"what": "privilege_gain", "reason": "an old program"},
            ],
        },
        "services.api.loosen[1]",
    ),
    "env-looks-secret": ((*API, "env", "SALT"), DRAWN, "services.api.env.SALT"),
    "published-everywhere": (
        ("targets", "compose", "lb_address"),
        "0.0.0.0",
        "targets.compose.lb_address",
    ),
    "open-egress": (
        (*API, "egress"),
        {"hosts": ["api.example"], "reason": "it asks a model"},
        "services.api.egress",
    ),
    "published-tool-server": (
        ("services", "tools", "ports", 0, "publish"),
        "lb",
        "services.tools.ports[0].publish",
    ),
    "health": (API, {"image": GOOD["services"]["api"]["image"]}, "services.api"),
    "old-evidence": (("gate", "max_age"), 8 * 86_400, "gate.max_age"),
    "low-threshold": (("gate", "threshold"), 0.4, "gate.threshold"),
}
"""For each rule a change of the good spec that breaks it, and the place that is found."""


def _judged(spec: dict[str, Any], today: str = TODAY) -> Judged:
    return judge_spec(deployment(spec).spec, today=today)


def _found(spec: dict[str, Any], today: str = TODAY) -> list[tuple[str, str]]:
    return [(each.code, each.place) for each in _judged(spec, today).findings]


def _waiver(rule: str, path: str, expires: str = TODAY) -> dict[str, str]:
    return {"rule": rule, "path": path, "reason": "until the move", "expires": expires}


def test_a_good_spec_breaks_no_rule() -> None:
    assert _judged(GOOD) == Judged((), ())


def test_every_rule_has_an_id_a_reason_and_a_spec_that_breaks_it() -> None:
    ids = [rule.id for rule in RULES]
    assert sorted(ids) == sorted(set(ids)) == sorted(BROKEN)
    assert all(len(rule.reason) > 20 for rule in RULES)


@pytest.mark.parametrize("rule", sorted(BROKEN))
def test_each_rule_finds_what_breaks_it_and_nothing_else(rule: str) -> None:
    path, value, place = BROKEN[rule]
    assert _found(changed(path, value)) == [(rule, place)]


@pytest.mark.parametrize("rule", sorted(BROKEN))
def test_a_waiver_lets_one_finding_stay_through_its_last_day(rule: str) -> None:
    path, value, place = BROKEN[rule]
    spec = changed(("policy", "waivers"), [_waiver(rule, place)], base=changed(path, value))
    judged = _judged(spec)
    assert judged.findings == ()
    (waived,) = judged.waived
    assert (waived.finding.code, waived.reason, waived.expires) == (rule, "until the move", TODAY)
    ended = ("waiver-expired", "policy.waivers[0].expires")
    assert _found(spec, "2026-11-24") == [(rule, place), ended]


def test_a_waiver_for_another_place_lets_nothing_stay() -> None:
    path, value, place = BROKEN["env-looks-secret"]
    spec = changed(
        ("policy", "waivers"),
        [_waiver("env-looks-secret", "services.db.env.SALT")],
        base=changed(path, value),
    )
    assert _found(spec) == [("env-looks-secret", place), ("waiver-unused", "policy.waivers[0]")]


def test_a_waiver_of_no_rule_is_named() -> None:
    spec = changed(("policy", "waivers"), [_waiver("healthy", "services.api")])
    (finding,) = _judged(spec).findings
    assert finding.code == "waiver-rule"
    assert finding.hint == "did you mean `health`?"


def test_what_ends_by_itself_needs_no_health_check() -> None:
    job = without((*API, "health"))
    assert _found(changed((*API, "restart"), "never", base=job)) == []
    assert _found(changed((*API, "schedule"), {"cron": "0 3 * * *"}, base=job)) == []
    loosened = [{"what": "no_health", "reason": "it has no way to ask"}]
    assert _found(changed((*API, "loosen"), loosened, base=job)) == []


@pytest.mark.parametrize(
    "value",
    ["info", "https://registry.example/v2/path", "eu-central-1", "gpt-4o-2024-08-06", "0.9.12-rc1"],
)
def test_ordinary_values_do_not_look_like_secrets(value: str) -> None:
    assert _found(changed((*API, "env", "VALUE"), value)) == []
