"""`agentci cassette import` and `agentci cassette export`, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.command_line import agentci
from tests.support.foreign_seeds import SEEDS

NAMES = ("vcrpy", "parsed", "go", "ruby", "pairs", "single", "nock")
OBJECT = "interactions: [!!python/object/new:os.system [id]]\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a folder of recordings of every format."""
    (tmp_path / "agentci.yaml").write_text("format: agentci/config\nversion: 1\n")
    for name, seed in zip(NAMES, SEEDS, strict=True):
        file = tmp_path / "old" / "deep" / f"test_{name}[v1].yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(seed))
    (tmp_path / "old" / "README.md").write_text("recordings")
    return tmp_path


def _import(project: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = agentci("cassette", "import", *arguments, "--json", folder=project)
    return done.code, json.loads(done.out)


def test_a_folder_is_imported_with_a_summary(project: Path) -> None:
    done = agentci("cassette", "import", "old", "--to", "unit", folder=project)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].split() == ["outcome", "format", "calls", "model", "bytes", "file"]
    assert lines[-1].startswith("imported 9 interactions (")
    assert lines[-1].endswith("of 7 from 7 files into `cassettes/unit`")
    assert agentci("cassette", "verify", "unit", folder=project).out.startswith("ok: 1 cassette, 9")
    shown = json.loads(agentci("cassette", "list", "unit", "--json", folder=project).out)
    lanes = {lane["lane"]: (lane["model_calls"], lane["http_calls"]) for lane in shown["lanes"]}
    assert lanes["deep/test_vcrpy[v1]"] == (1, 2)


def test_a_second_import_changes_nothing(project: Path) -> None:
    _import(project, "old")
    before = {p: p.read_bytes() for p in (project / "cassettes").rglob("*") if p.is_file()}
    code, result = _import(project, "old")
    assert code == 0
    assert {file["outcome"] for file in result["files"]} == {"unchanged"}
    assert before == {p: p.read_bytes() for p in (project / "cassettes").rglob("*") if p.is_file()}


def test_a_lane_with_other_answers_is_not_overwritten_unless_told(project: Path) -> None:
    _import(project, "old")
    file = project / "old" / "deep" / "test_go[v1].yaml"
    file.write_text(file.read_text().replace("data: 1", "data: 2"))
    code, result = _import(project, "old")
    refused = [one for one in result["files"] if one["outcome"] == "refused"]
    assert (code, [one["code"] for one in refused]) == (8, ["ACI-P330"])
    code, result = _import(project, "old", "--replace")
    assert (code, {one["outcome"] for one in result["files"]}) == (0, {"imported"})
    shown = agentci("cassette", "show", "imported", "deep/test_go[v1]", folder=project).out
    assert "data: 2" in shown
    assert "data: 1" not in shown


def test_a_dry_run_writes_nothing(project: Path) -> None:
    done = agentci("cassette", "import", "old", "--dry-run", folder=project)
    assert (done.code, "would import 9 interactions" in done.out) == (0, True)
    assert not (project / "cassettes").exists()


def test_every_file_that_is_not_read_is_named_with_why(project: Path) -> None:
    (project / "old" / "object.yaml").write_text(OBJECT)
    (project / "old" / "broken.yml").write_text("a: [")
    (project / "old" / "package.json").write_text('{"name": "x"}')
    done = agentci("cassette", "import", "old", folder=project)
    assert done.code == 2
    assert "of 7 from 10 files" in done.out
    assert "unreadable ACI-F162: `old/object.yaml`" in done.err
    assert "`!!python/object/new:os.system` in line 1" in done.err
    assert "unreadable ACI-F161: `old/broken.yml`" in done.err
    assert "skipped ACI-F160: `old/package.json`" in done.err
    assert "Traceback" not in done.err


def test_a_file_with_a_secret_is_refused_and_all_others_are_imported(project: Path) -> None:
    secret = "sk-ant-" + "a1B2c3D4e5F6g7H8i9J0k1"
    file = project / "old" / "deep" / "test_ruby[v1].yaml"
    file.write_text(file.read_text().replace("hi", f"my key is {secret}"))
    done = agentci("cassette", "import", "old", folder=project)
    assert (done.code, "of 6 from 7 files" in done.out) == (8, True)
    assert "ACI-P120" in done.err
    assert "`--redact`" in done.err
    assert secret not in done.out + done.err
    stored = [p for p in (project / "cassettes").rglob("*") if p.is_file()]
    assert not [path for path in stored if secret.encode() in path.read_bytes()]


def test_secrets_are_replaced_where_that_is_asked_for(project: Path) -> None:
    secret = "sk-ant-" + "a1B2c3D4e5F6g7H8i9J0k1"
    file = project / "old" / "deep" / "test_ruby[v1].yaml"
    file.write_text(file.read_text().replace("hi", f"my key is {secret}"))
    code, result = _import(project, "old", "--redact")
    assert (code, {one["outcome"] for one in result["files"]}) == (0, {"imported"})
    stored = [p for p in (project / "cassettes").rglob("*") if p.is_file()]
    assert not [path for path in stored if secret.encode() in path.read_bytes()]
    assert agentci("cassette", "verify", folder=project).code == 0
    code, result = _import(project, "old", "--redact")
    assert (code, {one["outcome"] for one in result["files"]}) == (0, {"unchanged"})


def test_one_lane_takes_the_files_in_the_order_of_the_call(project: Path) -> None:
    go, ruby = (f"old/deep/test_{name}[v1].yaml" for name in ("go", "ruby"))
    code, result = _import(project, ruby, go, "--lane", "suite")
    assert (code, [file["lane"] for file in result["files"]]) == (0, ["suite", "suite"])
    shown = agentci("cassette", "show", "imported", "suite", "--json", folder=project)
    interactions = json.loads(shown.out)["lanes"][0]["interactions"]
    assert [one["occurrence"] for one in interactions] == [1, 2]
    assert [one["provenance"]["imported"] for one in interactions] == ["Ruby VCR", "go-vcr"]


def test_two_files_of_one_lane_are_not_mixed_by_accident(project: Path) -> None:
    (project / "other").mkdir()
    (project / "other" / "test_go[v1].json").write_text(json.dumps(SEEDS[2]))
    code, result = _import(project, "old/deep", "other")
    assert (code, result["files"][-1]["code"]) == (8, "ACI-U322")


def test_wrong_calls_are_answered_with_the_next_thing_to_do(project: Path) -> None:
    done = agentci("cassette", "import", "nowhere", folder=project)
    assert (done.code, "there is no file or folder `nowhere`" in done.err) == (2, True)
    done = agentci("cassette", "import", "old", "--to", "../up", folder=project)
    assert (done.code, "no name for a folder" in done.err) == (2, True)
    (project / "empty").mkdir()
    assert agentci("cassette", "import", "empty", folder=project).code == 5


def test_an_export_is_read_back_and_overwrites_nothing(project: Path) -> None:
    _import(project, "old", "--to", "unit")
    done = agentci("cassette", "export", "--vcr", "unit", "--to", "out", folder=project)
    assert (done.code, "exported 9 interactions of 7 lanes" in done.out) == (0, True)
    again = agentci("cassette", "export", "unit", "--to", "out", folder=project)
    assert (again.code, "is there already" in again.err) == (8, True)
    assert agentci("cassette", "export", "--to", "out", "--replace", folder=project).code == 0
    code, result = _import(project, "out", "--to", "again")
    assert (code, result["interactions"]) == (0, 9)
