"""The shipped compose deployment, for real: judged, brought up, probed from inside, taken down."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command_line import ROOT, CommandOutput, agentci
from tests.support.private_engine import (
    OUTSIDE,
    PrivateEngine,
    private_engine,
    require_private_engine,
)
from tests.support.projects import QUIET_GIT, Project, shipped

pytestmark = [pytest.mark.docker, pytest.mark.slow]

KEY = "STATUS_POLLER_KEY"
SERVICES = ("feed", "pages", "poller")


@dataclass(frozen=True, slots=True)
class World:
    """A checkout whose commit was judged, and an engine."""

    project: Project
    engine: PrivateEngine
    decision: Path

    def call(self, *arguments: str, env: Mapping[str, str] | None = None) -> CommandOutput:
        own = {**QUIET_GIT, "DOCKER_HOST": self.engine.host, KEY: "not-a-real-one"}
        if "DOCKER_CONFIG" in os.environ:  # where plugins of a user are, such as Compose 2
            own["DOCKER_CONFIG"] = os.environ["DOCKER_CONFIG"]
        return agentci(*arguments, folder=self.project.folder, env={**own, **(env or {})})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    require_private_engine()
    folder = tmp_path_factory.mktemp("deploy")
    (folder / "repository").mkdir()
    project = shipped(folder / "repository")
    shutil.copytree(ROOT / "deploy", project.folder / "deploy", dirs_exist_ok=True)
    busybox = shutil.which("busybox")
    assert busybox is not None
    shutil.copy(busybox, project.folder / "deploy/images/status/busybox")
    project.write(".gitignore", ".agentci/\n")
    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "first")):
        project.git(*arguments)
    decision = folder / "decision.json"
    asked = ("gate", "pipelines/triage", "--out", str(decision))
    judged = agentci(*asked, folder=project.folder, env=QUIET_GIT)
    assert judged.code == 0, judged.err
    (folder / "engine").mkdir()
    with private_engine(folder / "engine") as engine:
        yield World(project, engine, decision)


def test_a_deployment_is_refused_judged_started_probed_and_removed(world: World) -> None:
    refused = world.call("deploy", "up", "status")
    assert refused.code == 8
    assert "ACI-P610" in refused.err

    taken = world.call("deploy", "evidence", str(world.decision), "status")
    assert taken.code == 0, taken.err

    valid = world.call("deploy", "validate", "status", "--strict", "--json")
    assert valid.code == 0, valid.out
    outcomes = {each["validator"]: each for each in json.loads(valid.out)["specs"][0]["outcomes"]}
    assert outcomes["rubric"]["detail"] == "42 of 42"

    started = world.call("deploy", "up", "status", "--json")
    assert started.code == 0, started.err
    (deployed,) = json.loads(started.out)["deployments"]
    try:
        assert [each["service"] for each in deployed["services"]] == [*SERVICES]
        assert all(each["healthy"] for each in deployed["services"])
        for each in deployed["services"]:
            _is_hardened(world.engine, each["name"])
            _has_no_way_out(world.engine, each["name"])
        _a_way_out_would_be_found(world.engine, "status-feed:agentci")
        _is_published_here_alone(world.engine)
        _has_its_secret_and_exact_texts(world.engine, deployed["services"][2]["name"])
        _is_compared_with_the_spec(world)
    finally:
        stopped = world.call("deploy", "down", "status", "--volumes")
    assert stopped.code == 0, stopped.err
    assert not world.engine.docker("ps", "--all", "--quiet").stdout
    assert not world.engine.docker("network", "ls", "--quiet", "--filter", "type=custom").stdout
    assert not world.engine.docker("volume", "ls", "--quiet").stdout
    assert not (world.project.folder / "deploy/status/compose/.secrets").exists()


def test_a_change_after_the_verdict_is_refused(world: World) -> None:
    assert world.call("deploy", "evidence", str(world.decision), "status").code == 0
    page = world.project.folder / "deploy/images/status/site/index.html"
    before = page.read_bytes()
    page.write_bytes(before + b"<p>And more.</p>\n")
    try:
        refused = world.call("deploy", "up", "status")
    finally:
        page.write_bytes(before)
    assert refused.code == 8
    assert "ACI-P615" in refused.err
    assert "deploy/images/status/site/index.html" in refused.err


def test_a_missing_secret_is_named_before_anything_starts(world: World) -> None:
    assert world.call("deploy", "evidence", str(world.decision), "status").code == 0
    own = {**QUIET_GIT, "DOCKER_HOST": world.engine.host}
    failed = agentci("deploy", "up", "status", folder=world.project.folder, env=own)
    assert failed.code == 6
    assert KEY in failed.err
    assert not world.engine.docker("ps", "--all", "--quiet").stdout


def _is_compared_with_the_spec(world: World) -> None:
    assert world.call("deploy", "check", "status", "--running").code == 0
    spec = world.project.folder / "deploy/status.yaml"
    before = spec.read_text()
    spec.write_text(before.replace("memory: 32M", "memory: 48M"))
    try:
        found = world.call("deploy", "check", "status", "--running", "--json")
    finally:
        spec.write_text(before)
    assert found.code == 1
    running = json.loads(found.out)["running"]
    assert len(running) == len(SERVICES)
    assert all("was started from another spec" in line for line in running)


def _inside(engine: PrivateEngine, container: str, *argv: str) -> str:
    done = engine.docker("exec", container, "/bin/busybox", *argv, check=False)
    return f"{done.stdout}{done.stderr}"


def _is_hardened(engine: PrivateEngine, container: str) -> None:
    status = dict(
        line.split(":\t", 1)
        for line in _inside(engine, container, "cat", "/proc/1/status").splitlines()
        if ":\t" in line
    )
    assert status["Uid"].split() == ["10001"] * 4
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert "Read-only file system" in _inside(engine, container, "touch", "/written")


def _has_no_way_out(engine: PrivateEngine, container: str) -> None:
    asked = ("timeout", "3", "/bin/busybox", "wget", "-q", "-O", "-", f"http://{OUTSIDE}/")
    assert "outside" not in _inside(engine, container, *asked)


def _a_way_out_would_be_found(engine: PrivateEngine, image: str) -> None:
    """The control: on a network that leads outside, the same request is answered."""
    engine.docker("network", "create", "open")
    try:
        asked = ("/bin/busybox", "wget", "-q", "-O", "-", f"http://{OUTSIDE}/")
        done = engine.docker("run", "--rm", "--network", "open", image, *asked)
    finally:
        engine.docker("network", "rm", "open")
    assert done.stdout == "outside\n"


def _is_published_here_alone(engine: PrivateEngine) -> None:
    page = engine.nearby("busybox", "wget", "-q", "-O", "-", "http://127.0.0.1:18080/")
    assert "All systems work." in page.stdout
    other = engine.nearby("busybox", "wget", "-q", "-O", "-", "http://198.51.100.1:18080/")
    assert other.returncode != 0


def _has_its_secret_and_exact_texts(engine: PrivateEngine, container: str) -> None:
    assert _inside(engine, container, "cat", "/run/secrets/poller-key") == "not-a-real-one"
    variables = _inside(engine, container, "env").splitlines()
    assert """GREETING=costs $5, not ${PRICE}: it's "fine" %{ok}""" in variables
    assert "FEED_URL=http://feed:8081/feed.txt" in variables
