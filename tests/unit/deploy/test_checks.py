from __future__ import annotations

from typing import Any

import pytest

from agentci.deploy.render import check_deployment
from tests.support.deploy_specs import GOOD, Path, changed, deployment, without

API = ("services", "api")
DB = ("services", "db")
TOOLS = ("services", "tools")
KEY = ("secrets", "db-key")


def _codes(spec: dict[str, Any]) -> dict[str, str]:
    return {each.place: each.code for each in check_deployment(deployment(spec))}


def test_a_good_spec_has_no_findings() -> None:
    assert _codes(GOOD) == {}


@pytest.mark.parametrize(
    ("path", "value", "place", "code"),
    [
        ((*API, "depends_on", "dbs"), "started", "services.api.depends_on.dbs", "ACI-D601"),
        ((*API, "secrets"), ["db-keys", "db-key"], "services.api.secrets[0]", "ACI-D602"),
        ((*API, "secrets"), ["db-key", "db-key"], "services.api.secrets[1]", "ACI-D609"),
        ((*DB, "volumes", 0, "volume"), "dat", "services.db.volumes[0].volume", "ACI-D603"),
        ((*API, "models"), ["small"], "services.api.models[0]", "ACI-D604"),
        ((*DB, "depends_on"), {"api": "started"}, "services.api.depends_on.db", "ACI-D605"),
        (
            (*API, "ports"),
            [{"container": 8080}, {"container": 8080}],
            "services.api.ports[1]",
            "ACI-D606",
        ),
        (
            (*TOOLS, "ports"),
            [{"container": 9000, "publish": "loopback", "host": 8080}],
            "services.tools.ports[0]",
            "ACI-D606",
        ),
        ((*TOOLS, "ports", 0, "host"), 9000, "services.tools.ports[0].host", "ACI-D607"),
        ((*DB, "health"), {"http": "/"}, "services.db.health", "ACI-D608"),
        ((*DB, "serves"), {"kind": "http"}, "services.db.serves", "ACI-D608"),
        ((*API, "depends_on", "db"), "completed", "services.api.depends_on.db", "ACI-D610"),
        (
            (*DB, "writable_paths"),
            {"/var/lib/data": "1M"},
            "services.db.volumes[0].path",
            "ACI-D611",
        ),
        (
            (*API, "writable_paths"),
            {"/run/secrets": "1M"},
            "services.api.writable_paths./run/secrets",
            "ACI-D612",
        ),
        (
            (*API, "writable_paths"),
            {"/a/../b": "1M"},
            "services.api.writable_paths./a/../b",
            "ACI-D612",
        ),
        ((*API, "writable_paths"), {"/tmp": "1G"}, "services.api.writable_paths", "ACI-D613"),
        ((*API, "user"), "0:0", "services.api.user", "ACI-D614"),
        ((*API, "user"), "1000:00", "services.api.user", "ACI-D614"),
        (
            (*API, "loosen"),
            [{"what": "root_user", "reason": "for no reason"}],
            "services.api.loosen[0]",
            "ACI-D615",
        ),
        (
            (*API, "loosen"),
            [{"what": "no_health", "reason": "for no reason"}],
            "services.api.loosen[0]",
            "ACI-D615",
        ),
        ((*API, "env", "TOOLS_URL"), "http://x", "services.api.env.TOOLS_URL", "ACI-D616"),
        (
            (*TOOLS, "build", "files", 0, "from"),
            "a/../../b",
            "services.tools.build.files[0].from",
            "ACI-D617",
        ),
        ((*TOOLS, "build", "context"), "../..", "services.tools.build.context", "ACI-D617"),
        ((*TOOLS, "build", "run"), [[]], "services.tools.build.run", "ACI-D617"),
        ((*API, "schedule"), {"cron": "0 24 * * *"}, "services.api.schedule.cron", "ACI-D618"),
        ((*API, "schedule"), {"cron": "*/0 * * * *"}, "services.api.schedule.cron", "ACI-D618"),
        (("secrets", "other"), {"from": "env", "ref": "X"}, "secrets.other", "ACI-D619"),
        (("volumes", "other"), {}, "volumes.other", "ACI-D619"),
        (("rollout", "percent"), 5, "rollout", "ACI-D620"),
        (KEY, {"from": "file", "ref": "../../x"}, "secrets.db-key.ref", "ACI-D626"),
        (KEY, {"from": "file", "ref": "/etc/x"}, "secrets.db-key.ref", "ACI-D626"),
        (("targets", "compose", "compose"), ">=1.27", "targets.compose.compose", "ACI-D630"),
        (("secrets", "db-key", "from"), "aws-sm", "secrets.db-key.from", "ACI-D631"),
        ((*API, "replicas"), 2, "services.api.ports[0]", "ACI-D633"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_at_its_place(path: Path, value: Any, place: str, code: str) -> None:
    assert _codes(changed(path, value)).get(place) == code


def test_a_name_that_is_nearly_right_is_suggested() -> None:
    (found,) = check_deployment(deployment(changed((*API, "depends_on", "tool"), "started")))
    assert found.hint == "did you mean `tools`?"


def test_a_health_condition_needs_health() -> None:
    assert _codes(without((*DB, "health"))) == {"services.api.depends_on.db": "ACI-D610"}


def test_models_need_a_compose_that_has_them() -> None:
    spec = changed(("models", "small"), {"artifact": "ai/small:1"})
    spec = changed((*API, "models"), ["small"], base=spec)
    assert _codes(spec) == {"models": "ACI-D630"}
    assert _codes(changed(("targets", "compose", "compose"), ">=2.38", base=spec)) == {}


def test_compose_refuses_what_only_others_can_do() -> None:
    rollout = {"strategy": "canary", "percent": 10, "bake": 60}
    flow = {"start": "a", "states": {"a": {"type": "succeed"}}}
    assert _codes(changed(("rollout",), rollout)) == {"rollout.strategy": "ACI-D632"}
    assert _codes(changed(("workflow",), flow)) == {"workflow": "ACI-D634"}


def _flow(**states: Any) -> dict[str, Any]:
    return changed(("workflow",), {"start": "first", "states": states})


@pytest.mark.parametrize(
    ("states", "place", "code"),
    [
        ({"other": {"type": "succeed"}}, "workflow.start", "ACI-D622"),
        (
            {"first": {"type": "task", "service": "apis"}},
            "workflow.states.first.service",
            "ACI-D621",
        ),
        (
            {"first": {"type": "pass", "next": "second"}},
            "workflow.states.first.next",
            "ACI-D622",
        ),
        (
            {
                "first": {"type": "succeed"},
                "one": {"type": "pass", "next": "two"},
                "two": {"type": "pass", "next": "one"},
            },
            "workflow.states.two",
            "ACI-D623",
        ),
        (
            {"first": {"type": "wait", "seconds": 1, "service": "api"}},
            "workflow.states.first.service",
            "ACI-D624",
        ),
        ({"first": {"type": "task"}}, "workflow.states.first", "ACI-D624"),
        (
            {
                "first": {
                    "type": "map",
                    "items": "$.all",
                    "each": {"start": "x", "states": {"y": {"type": "succeed"}}},
                }
            },
            "workflow.states.first.each.start",
            "ACI-D622",
        ),
    ],
)  # fmt: skip
def test_a_workflow_leads_somewhere(states: Any, place: str, code: str) -> None:
    assert _codes(_flow(**states)).get(place) == code
