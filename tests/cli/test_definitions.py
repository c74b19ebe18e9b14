"""`check`, `graph` and `schema`: commands that read definitions and run nothing."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.support.command_line import agentci

MINIMAL = """\
format: agentci/pipeline
version: 1
name: small
steps:
  - id: one
    run: [echo, hello]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "pipelines" / "small"
    folder.mkdir(parents=True)
    (folder / "pipeline.yaml").write_text(MINIMAL)
    return tmp_path


def _write(project: Path, text: str | bytes, name: str = "small") -> None:
    place = project / "pipelines" / name / "pipeline.yaml"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(text if isinstance(text, bytes) else text.encode())


def test_a_sound_pipeline_is_named(project: Path) -> None:
    done = agentci("check", folder=project)
    assert (done.code, done.err) == (0, "")
    assert done.out == "ok: pipelines/small (1 step, 0 agents)\n"


def test_check_can_be_asked_for_one_by_name_folder_or_file(project: Path) -> None:
    _write(project, "broken: [", "other")
    for name in ("small", "pipelines/small", "pipelines/small/pipeline.yaml"):
        assert agentci("check", name, folder=project).code == 0
    assert agentci("check", folder=project).code == 2


def test_a_mistake_has_its_place_and_a_suggestion(project: Path) -> None:
    _write(project, MINIMAL.replace("name: small", "nmae: small"))
    done = agentci("check", folder=project)
    assert done.code == 2
    assert "  --> pipelines/small/pipeline.yaml:3:1\n" in done.err
    assert " 3 | nmae: small\n" in done.err
    assert "did you mean `name`?" in done.err


def test_all_problems_of_all_pipelines_are_listed(project: Path) -> None:
    _write(project, MINIMAL.replace("format", "fromat"))
    _write(project, MINIMAL.replace("run: [echo, hello]", "rnu: x"), "other")
    _write(project, MINIMAL.replace("small", "third"), "third")
    done = agentci("check", "--json", folder=project)
    assert done.code == 2
    files = {p["location"]["file"] for p in json.loads(done.out)["error"]["problems"]}
    assert files == {"pipelines/other/pipeline.yaml", "pipelines/small/pipeline.yaml"}
    assert "ok: pipelines/third" in agentci("check", folder=project).out


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"- a list\n",
        b"a: [\n",
        b"a: &x [*x]\n",
        b"a: 1\na: 2\n",
        b"? [a, b]\n: c\n",
        b"format: agentci/pipeline\nversion: 99\n",
        b"!!python/object/apply:os.system [echo]\n",
        b"a: " + b"[" * 5000,
        b"\n".join([b"a0: &a0 [x, x]", *(b"a%d: &a%d [*a%d, *a%d]" % (i, i, i - 1, i - 1)
                                         for i in range(1, 60))]),
    ],
    ids=lambda content: repr(content[:24]),
)  # fmt: skip
def test_bad_files_are_usage_errors_without_a_traceback(project: Path, content: bytes) -> None:
    _write(project, content)
    done = agentci("check", folder=project)
    assert done.code == 2
    assert done.err.startswith("error[ACI-")
    assert "Traceback" not in done.err


def test_nothing_to_check_is_exit_code_5(tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    done = agentci("check", folder=tmp_path)
    assert done.code == 5
    assert "agentci init" in done.err


def test_outside_any_project_check_says_what_to_do(tmp_path: Path) -> None:
    done = agentci("check", folder=tmp_path)
    assert (done.code, "agentci init" in done.err) == (5, True)


def test_an_unknown_pipeline_is_answered_with_the_nearest(project: Path) -> None:
    done = agentci("check", "smal", folder=project)
    assert (done.code, "did you mean `small`?" in done.err) == (5, True)


def test_places_are_shown_from_where_the_call_was_made(project: Path) -> None:
    done = agentci("check", folder=project / "pipelines" / "small")
    assert done.out.startswith("ok: ../../pipelines/small ")
    done = agentci("-C", project.name, "check", folder=project.parent)
    assert done.out.startswith(f"ok: {project.name}/pipelines/small ")


def test_shared_options_stand_before_or_after_the_command(project: Path) -> None:
    before = agentci("-C", project.name, "check", folder=project.parent)
    after = agentci("check", "-C", project.name, folder=project.parent)
    assert before == after


def test_wrong_settings_are_reported_with_their_place(project: Path) -> None:
    (project / "agentci.yaml").write_text("format: agentci/config\nversion: 1\npipeline: x\n")
    done = agentci("check", folder=project)
    assert (done.code, "agentci.yaml:3:1" in done.err) == (2, True)


def test_graph_draws_both_kinds_of_picture(project: Path) -> None:
    assert agentci("graph", "small", folder=project).out.startswith("flowchart ")
    assert agentci("graph", "small", "--format", "dot", folder=project).out.startswith("digraph ")
    picture = json.loads(agentci("graph", "small", "--json", folder=project).out)
    assert picture["pipeline"] == "small"


def test_graph_needs_no_inputs(project: Path) -> None:
    _write(project, MINIMAL + "inputs: {task: {type: string}, n: {type: integer}}\n")
    assert agentci("graph", "small", folder=project).code == 0


def test_schema_lists_names_and_prints_one(project: Path) -> None:
    names = agentci("schema", folder=project).out.split()
    assert {"config", "pipeline", "script"} <= set(names)
    schema = json.loads(agentci("schema", "pipeline", folder=project).out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(MINIMAL), schema)


def test_schema_writes_all_for_an_editor(project: Path) -> None:
    done = agentci("schema", "-o", "schemas", folder=project)
    assert "schemas/pipeline.schema.json" in done.out.split()
    assert json.loads((project / "schemas" / "config.schema.json").read_text())


def test_an_unknown_schema_is_answered_with_the_nearest(project: Path) -> None:
    done = agentci("schema", "pipelin", folder=project)
    assert (done.code, "did you mean `pipeline`?" in done.err) == (5, True)


def test_a_definition_that_init_wrote_fits_the_schema(tmp_path: Path) -> None:
    agentci("init", folder=tmp_path)
    schema = json.loads(agentci("schema", "pipeline", folder=tmp_path).out)
    definition = yaml.safe_load((tmp_path / "pipelines/bugfix/pipeline.yaml").read_text())
    jsonschema.validate(definition, schema)
