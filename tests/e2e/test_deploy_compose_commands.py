"""`agentci deploy` as users call it, and the same bytes wherever it is called."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.command_line import ROOT, agentci
from tests.support.deploy_specs import GOOD, changed, spec_text
from tests.support.hostile_texts import HOSTILE
from tests.support.projects import QUIET_GIT, Project
from tests.support.sandbox_tools import missing

COMPOSE = "deploy/shop/compose/compose.yaml"
LOCK = "deploy/agentci.deploy.lock.json"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with one deploy spec, and its files beside it."""
    found = Project(tmp_path, env=QUIET_GIT)
    found.write("pipelines/.keep", "")
    found.write("deploy/shop.yaml", spec_text(GOOD))
    found.write("deploy/notes.yaml", "of: somebody else\n")
    found.report("deploy", "render")
    return found


def _spec(project: Project, spec: Mapping[str, Any]) -> None:
    project.write("deploy/shop.yaml", spec_text(spec))


def _drifts(project: Project, code: int) -> list[tuple[str, str]]:
    report = project.report("deploy", "check", code=code)
    return [(each["kind"], each["file"]) for each in report["specs"][0]["drifts"]]


def _tree(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in (folder / "deploy").rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_rendering_again_writes_nothing(project: Project) -> None:
    before = _tree(project.folder)
    (spec,) = project.report("deploy", "render")["specs"]
    assert spec["written"] == []
    assert _tree(project.folder) == before
    assert _drifts(project, 0) == []


def _change_spec(project: Project) -> None:
    _spec(project, changed(("services", "api", "env", "MODE"), "other"))


def _edit_file(project: Project) -> None:
    path = project.folder / COMPOSE
    path.write_text(path.read_text().replace("read_only: true", "read_only: false"))


def _edit_lock(project: Project) -> None:
    path = project.folder / LOCK
    content = json.loads(path.read_text())
    content["specs"]["shop.yaml"]["generators"]["compose"]["version"] = 3
    path.write_text(json.dumps(content, indent=2) + "\n")


@pytest.mark.parametrize(
    ("edit", "code", "kind", "file"),
    [
        (_change_spec, 1, "spec changed", "shop.yaml"),
        (_edit_file, 1, "file edited by hand", "shop/compose/compose.yaml"),
        (_edit_lock, 8, "lock edited", "agentci.deploy.lock.json"),
    ],
)
def test_what_happened_is_told_by_text_and_exit_code(
    project: Project, edit: Callable[[Project], None], code: int, kind: str, file: str
) -> None:
    edit(project)
    assert _drifts(project, code) == [(kind, file)]
    shown = project.call("deploy", "check")
    assert shown.code == code
    assert kind in shown.out


def test_a_changed_generator_is_told(project: Project) -> None:
    source = project.folder / "source"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "agentci", source / "agentci", ignore=ignored)
    module = source / "agentci/deploy/targets/compose_service.py"
    module.write_text(module.read_text().replace('"unless-stopped"', '"always"'))
    done = subprocess.run(
        [sys.executable, "-m", "agentci", "deploy", "check"],
        cwd=project.folder,
        env={"PYTHONPATH": str(source), "PATH": "/usr/bin:/bin", **QUIET_GIT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("generator changed[ACI-S603]")


def test_a_patch_shows_what_rendering_would_change(project: Project) -> None:
    assert project.call("deploy", "diff").code == 0
    _change_spec(project)
    shown = project.call("deploy", "diff")
    assert shown.code == 1
    assert "-      MODE: plain\n+      MODE: other\n" in shown.out


def test_a_file_that_is_no_longer_rendered_is_removed(project: Project) -> None:
    spec = changed(("secrets", "db-key"), {"from": "file", "ref": "db-key"})
    _spec(project, spec)
    (report,) = project.report("deploy", "render")["specs"]
    assert report["removed"] == ["deploy/shop/compose/.gitignore"]
    assert not (project.folder / "deploy/shop/compose/.gitignore").exists()
    assert _drifts(project, 0) == []


def test_a_hand_edit_is_overwritten_and_said(project: Project) -> None:
    _edit_file(project)
    shown = project.call("deploy", "render")
    assert f"note: `{COMPOSE}` was edited by hand" in shown.err
    assert _drifts(project, 0) == []


def test_a_spec_that_was_removed_leaves_nothing_unsaid(project: Project) -> None:
    project.write("deploy/other.yaml", spec_text(changed(("name",), "other")))
    project.report("deploy", "render")
    (project.folder / "deploy/other.yaml").unlink()
    report = project.report("deploy", "check", code=1)
    assert [each["spec"] for each in report["specs"] if each["drifts"]] == ["deploy/other.yaml"]


def test_two_specs_of_one_name_are_refused(project: Project) -> None:
    project.write("deploy/other.yaml", spec_text(GOOD))
    refused = project.call("deploy", "render")
    assert refused.code == 2
    assert "ACI-D627" in refused.err


def test_a_link_that_leads_elsewhere_is_refused(project: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.rmtree(project.folder / "deploy/shop")
    (project.folder / "deploy/shop").symlink_to(elsewhere)
    refused = project.call("deploy", "render")
    assert refused.code == 8
    assert "ACI-P603" in refused.err
    assert not list(elsewhere.iterdir())


def test_every_mistake_of_a_spec_has_its_path_and_line(project: Project) -> None:
    spec = changed(("services", "api", "depends_on", "dbs"), "started")
    _spec(project, changed(("services", "api", "user"), "0:0", base=spec))
    refused = project.report("deploy", "render", code=2)
    messages = [each["message"] for each in refused["error"]["problems"]]
    assert messages[0].startswith("`services.api.depends_on.dbs`: ")
    assert messages[1].startswith("`services.api.user`: ")
    assert all(each["location"]["line"] for each in refused["error"]["problems"])


def test_a_missing_tool_is_said_and_fails_where_that_is_asked(project: Project) -> None:
    tools = project.folder / "bin"
    tools.mkdir()
    env = {"PATH": str(tools)}
    report = project.report("deploy", "validate", env=env)
    skipped = [each for each in report["specs"][0]["outcomes"] if each["status"] == "skipped"]
    assert [each["validator"] for each in skipped] == ["compose config"]
    assert skipped[0]["detail"].startswith("tool missing")
    assert project.call("deploy", "validate", "--strict", env=env).code == 1


def test_validation_names_rule_path_and_line(project: Project) -> None:
    _spec(project, changed(("services", "api", "image"), {"ref": "registry.example/api:1"}))
    project.report("deploy", "render")
    report = project.report("deploy", "validate", code=1)
    found = [each for each in report["specs"][0]["outcomes"] if each["status"] == "failed"]
    diagnostics = [each for outcome in found for each in outcome["diagnostics"]]
    assert [(each["rule"], each["spec_path"]) for each in diagnostics] == [
        ("image-digest", "services.api.image")
    ]


def test_a_waived_finding_is_told_and_stops_nothing(project: Project) -> None:
    waiver = {
        "rule": "image-digest",
        "path": "services.api.image",
        "reason": "until the registry has digests",
        "expires": "2999-12-31",
    }
    spec = changed(("services", "api", "image"), {"ref": "registry.example/api:1"})
    _spec(project, changed(("policy", "waivers"), [waiver], base=spec))
    project.report("deploy", "render")
    shown = project.call("deploy", "validate")
    assert shown.code == 0, shown.out
    assert "waived until 2999-12-31: image-digest at `services.api.image`" in shown.err


def test_a_broken_rule_stops_a_deployment(project: Project) -> None:
    spec = changed(("gate",), {"ungated": "nothing to evaluate yet"})
    image = {"ref": "registry.example/api:1"}
    _spec(project, changed(("services", "api", "image"), image, base=spec))
    project.report("deploy", "render")
    refused = project.call("deploy", "up")
    assert refused.code == 1
    assert "ACI-S605" in refused.err


@pytest.mark.parametrize("link", ["deploy/db-key", "tools"])
def test_a_link_to_files_of_the_machine_stops_a_deployment(project: Project, link: str) -> None:
    spec = changed(("secrets", "db-key"), {"from": "file", "ref": "db-key"})
    _spec(project, changed(("gate",), {"ungated": "nothing to evaluate yet"}, base=spec))
    (project.folder / link).symlink_to("/etc/hostname")
    project.report("deploy", "render")
    refused = project.call("deploy", "up")
    assert (refused.code, "ACI-P605" in refused.err) == (8, True)


def test_drift_stops_a_deployment(project: Project) -> None:
    _edit_file(project)
    refused = project.call("deploy", "up")
    assert (refused.code, "ACI-S602" in refused.err) == (1, True)
    _edit_lock(project)
    refused = project.call("deploy", "up")
    assert (refused.code, "ACI-P602" in refused.err) == (8, True)


def test_an_image_that_was_built_is_kept_until_it_is_taken_back(project: Project) -> None:
    digest = f"sha256:{'cd' * 32}"
    project.report("deploy", "render", "shop", "--image", f"tools={digest}")
    assert f"image: {digest}" in (project.folder / COMPOSE).read_text()
    project.report("deploy", "render")
    assert _drifts(project, 0) == []
    assert f"image: {digest}" in (project.folder / COMPOSE).read_text()
    project.report("deploy", "render", "shop", "--image", "tools=")
    assert digest not in (project.folder / COMPOSE).read_text()
    assert project.call("deploy", "render", "shop", "--image", "api=x").code == 2
    assert project.call("deploy", "render", "shop", "--image", f"db={digest}").code == 2


def test_another_folder_has_files_and_a_lock_of_its_own(project: Project) -> None:
    project.report("deploy", "render", "shop", "--out", "preview/here")
    assert (project.folder / "preview/here/shop/compose/compose.yaml").is_file()
    assert project.call("deploy", "check", "shop", "--out", "preview/here").code == 0
    text = (project.folder / "preview/here/shop/compose/compose.yaml").read_text()
    assert "dockerfile: preview/here/shop/compose/tools.Dockerfile" in text
    refused = project.call("deploy", "render", "--out", "../elsewhere")
    assert (refused.code, "ACI-U604" in refused.err) == (2, True)


def test_without_a_spec_there_is_nothing_to_do(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("pipelines/.keep", "")
    assert project.call("deploy", "check").code == 5
    assert project.call("deploy", "render", "shop").code == 5


def _answers(kind: tuple[str, ...]) -> bool:
    if shutil.which(kind[0]) is None:
        return False
    return subprocess.run([*kind, "version"], capture_output=True, check=False).returncode == 0


def test_compose_itself_reads_hostile_texts_as_they_were(project: Project) -> None:
    """`config` prints what it has read, with each dollar doubled again."""
    kinds = {
        ("docker", "compose"): ("config", "--format", "json"),  # its YAML loses first line feeds
        ("docker-compose",): ("config",),
    }
    if not any(_answers(kind) for kind in kinds):
        missing("neither `docker compose` nor `docker-compose` is installed")
    # 1.29 prints NEL as a line end; what it reads is right, but cannot be seen from here
    texts = {f"X{number}": text for number, text in enumerate(HOSTILE) if text != "\u0085"}
    _spec(project, changed(("services", "api", "env"), texts))
    project.report("deploy", "render")
    for kind in filter(_answers, kinds):
        done = subprocess.run(
            [*kind, "-p", "shop", "-f", "compose.yaml", *kinds[kind]],
            cwd=project.folder / "deploy/shop/compose",
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        as_json = "json" in kinds[kind]
        # texts alone: nothing is made of them
        content = json.loads(done.stdout) if as_json else yaml.load(done.stdout, yaml.BaseLoader)
        read = content["services"]["api"]["environment"]
        assert {name: read[name].replace("$$", "$") for name in texts} == texts


PYTHONS = sorted(
    {path for name in ("python3.11", "python3.12", "python3.13") if (path := shutil.which(name))}
)
_VARIETY = (
    {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "Asia/Tokyo"},
    {"PYTHONHASHSEED": "4242", "LC_ALL": "C.UTF-8", "TZ": "America/Lima", "HOME": "/nonexistent"},
    {"PYTHONHASHSEED": "random", "LANG": "tr_TR.UTF-8", "PYTHONUTF8": "0"},
)


@pytest.mark.slow
@pytest.mark.parametrize("env", _VARIETY, ids=["c-locale", "utf-8", "turkish"])
def test_the_same_bytes_come_out_in_other_folders_and_environments(
    project: Project, tmp_path_factory: pytest.TempPathFactory, env: Mapping[str, str]
) -> None:
    other = tmp_path_factory.mktemp("Ein anderer Ört") / "deep" / "er"
    (other / "deploy").mkdir(parents=True)
    (other / "pipelines").mkdir()
    shutil.copy(project.folder / "deploy/shop.yaml", other / "deploy")
    shutil.copy(project.folder / "deploy/notes.yaml", other / "deploy")
    done = agentci("deploy", "render", folder=other, env=env)
    assert done.code == 0, done.err
    assert _tree(other) == _tree(project.folder)


@pytest.mark.slow
@pytest.mark.parametrize("python", PYTHONS)
def test_the_shipped_files_come_out_of_every_python(python: str, tmp_path: Path) -> None:
    needed = subprocess.run(
        [python, "-c", "import pydantic, yaml, typer"], capture_output=True, check=False
    )
    executable = python if needed.returncode == 0 else sys.executable
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("busybox"))
    (tmp_path / "pipelines").mkdir()
    before = _tree(tmp_path)
    for path in before:
        if "/compose/" in path:
            (tmp_path / path).unlink()
    done = subprocess.run(
        [executable, "-m", "agentci", "deploy", "render", "status", "--json"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["specs"][0]["written"]
    made = {path: data for path, data in _tree(tmp_path).items() if path != LOCK}
    assert made == {path: data for path, data in before.items() if path != LOCK}
