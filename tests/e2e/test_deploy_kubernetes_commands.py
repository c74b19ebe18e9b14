"""`agentci deploy` for a cluster as users call it; `kubectl` is a program that takes notes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentci.deploy.writers.yaml import yaml_text
from tests.support.kubernetes_specs import GOOD
from tests.support.projects import QUIET_GIT, Project

MANIFEST = "deploy/shop/kubernetes/services/api/deployment.yaml"
KUBECTL = """#!/bin/sh
echo "$@" >> "$NOTES"
case "$*" in *" get "*) echo '{"items": []}';; esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with one deploy spec, and its files beside it."""
    folder = tmp_path / "project"
    folder.mkdir()
    found = Project(folder, env=QUIET_GIT)
    found.write("pipelines/.keep", "")
    content = GOOD["three services behind an ingress"]
    found.write("deploy/shop.yaml", yaml_text(content).decode())
    found.report("deploy", "render", "deploy/shop.yaml")
    return found


def test_what_is_rendered_is_checked_and_valid(project: Project) -> None:
    (checked,) = project.report("deploy", "check", "deploy/shop.yaml")["specs"]
    assert checked["drifts"] == []
    (valid,) = project.report("deploy", "validate", "deploy/shop.yaml", "--strict")["specs"]
    names = [(each["validator"], each["status"]) for each in valid["outcomes"]]
    assert names == [
        *(("drift", "ok"), ("rules", "ok"), ("schema", "ok")),
        *(("rules", "ok"), ("kubernetes-validate", "ok")),
    ]


def test_an_edit_is_drift_and_told_by_who_sees_it(project: Project) -> None:
    path = project.folder / MANIFEST
    path.write_text(path.read_text().replace("runAsNonRoot: true", "runAsNonRoot: false"))
    assert project.call("deploy", "check", "deploy/shop.yaml").code == 1
    (found,) = project.report("deploy", "validate", "deploy/shop.yaml", code=1)["specs"]
    codes = [each["rule"] for outcome in found["outcomes"] for each in outcome["diagnostics"]]
    assert "kubernetes-root" in codes


def test_it_is_applied_with_kubectl_and_taken_away_again(project: Project, tmp_path: Path) -> None:
    program, notes = tmp_path / "bin" / "kubectl", tmp_path / "notes"
    program.parent.mkdir()
    program.write_text(KUBECTL)
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    env = {"PATH": path, "NOTES": str(notes)}
    up = project.call("deploy", "up", "deploy/shop.yaml", env=env)
    assert up.code == 0, up.err
    down = project.call("deploy", "down", "deploy/shop.yaml", env=env)
    assert down.code == 0, down.err
    lines = notes.read_text().splitlines()
    assert lines[0] == "--namespace shop apply -k ."
    assert lines[-1].startswith("--namespace shop delete --ignore-not-found -f default-deny.yaml")
