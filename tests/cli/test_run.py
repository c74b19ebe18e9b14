"""The commands around a run, from the first call to a replay of the accepted one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import agentci
from tests.support.small_project import make_small_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_small_project(tmp_path)


def _json(*arguments: str, folder: Path, code: int = 0) -> Any:
    done = agentci(*arguments, "--json", folder=folder)
    assert done.code == code, done.err
    return json.loads(done.out)


@pytest.fixture
def accepted(project: Path) -> Path:
    """The project after a run that was approved, resumed and accepted."""
    assert agentci("run", "small", folder=project).code == 8
    (approval,) = _json("approve", folder=project)["waiting"]
    assert agentci("approve", approval["token"], "--by", "someone", folder=project).code == 0
    assert agentci("resume", folder=project).code == 0
    assert agentci("accept", folder=project).code == 0
    return project


def test_a_run_stops_for_a_person_and_says_how_to_answer(project: Path) -> None:
    done = agentci("run", "pipelines/small", folder=project)
    assert done.code == 8
    (approval,) = _json("approve", folder=project)["waiting"]
    assert f"agentci approve {approval['token']}" in done.err
    assert approval["question"] == "Is it good?"
    assert "waiting   ask" in done.err
    assert "+hello" in done.out


def test_an_accepted_run_replays_to_the_same_digest(accepted: Path) -> None:
    done = agentci("run", "small", "--mode", "replay", "--no-cache", folder=accepted)
    assert done.code == 0
    assert "the run digest equals the accepted one" in done.out
    result = _json("run", "small", folder=accepted)
    assert result["matches_lock"] is True
    assert {"run_digest", "commit", "mode", "steps"} <= set(result)
    assert [step["lane"] for step in result["steps"]] == ["write", "ask", "commit"]


def test_in_ci_the_default_is_replay(accepted: Path) -> None:
    done = agentci("run", "small", "--json", folder=accepted, env={"CI": "true"})
    assert json.loads(done.out)["mode"] == "replay"


def test_an_edit_voids_the_approval(project: Path) -> None:
    agentci("run", "small", folder=project)
    (approval,) = _json("approve", folder=project)["waiting"]
    place = project / "pipelines" / "small" / "pipeline.yaml"
    place.write_text(place.read_text().replace("Written", "Other"))
    assert agentci("approve", approval["token"], folder=project).code == 8


def test_a_denied_run_does_not_pass(project: Path) -> None:
    agentci("run", "small", folder=project)
    (approval,) = _json("approve", folder=project)["waiting"]
    assert agentci("approve", approval["token"], "--deny", folder=project).code == 0
    done = agentci("resume", folder=project)
    assert (done.code, "`denied`" in done.err) == (1, True)


def test_a_replay_without_a_recording_is_a_miss(project: Path) -> None:
    done = agentci("run", "small", "--mode", "replay", folder=project)
    assert (done.code, "error[ACI-R" in done.err) == (4, True)


def test_runs_show_and_why_look_back(accepted: Path) -> None:
    agentci("run", "small", folder=accepted)
    runs = _json("runs", folder=accepted)["runs"]
    assert [run["verdict"] for run in runs] == ["passed", "passed"]
    assert runs[0]["run_digest"] == runs[1]["run_digest"]
    shown = _json("show", runs[0]["run_id"], folder=accepted)
    assert shown["run_digest"] == runs[0]["run_digest"]
    assert "someone" in agentci("show", "--outputs", folder=accepted).out
    why = agentci("why", "last", "write", folder=accepted)
    assert why.out.startswith("write (run): cached, done\nbecause nothing")


def test_a_changed_definition_is_explained(accepted: Path) -> None:
    place = accepted / "pipelines" / "small" / "pipeline.yaml"
    place.write_text(place.read_text().replace("> b.txt", ">b.txt"))
    agentci("run", "small", folder=accepted)
    changes = _json("why", "last", "write", folder=accepted)["changes"]
    assert "definition.run" in [change["field"] for change in changes]


def test_plan_runs_nothing(project: Path) -> None:
    steps = _json("run", "small", "--plan", folder=project)["steps"]
    assert [(step["lane"], step["action"]) for step in steps] == [
        ("write", "execute"),
        ("ask", "wait"),
        ("commit", "execute"),
    ]
    assert _json("runs", folder=project)["runs"] == []


def test_cassette_list_counts_approvals(accepted: Path) -> None:
    (lane,) = _json("cassette", "list", folder=accepted)["lanes"]
    assert (lane["lane"], lane["approvals"], lane["model_calls"]) == ("ask", 1, 0)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run",), 2),
        (("run", "smal"), 5),
        (("run", "small", "--mode", "fast"), 2),
        (("run", "small", "--set", "word"), 2),
        (("run", "small", "--set", "word=a", "--set", "word=b"), 2),
        (("run", "small", "--set", "wrod=a"), 2),
        (("run", "small", "--all"), 2),
        (("run", "small", "--jobs", "0"), 2),
        (("run", "small", "--repo", "nowhere"), 2),
        (("resume", "nothing"), 5),
        (("show",), 5),
        (("why", "last", "x"), 5),
        (("accept",), 5),
        (("approve", "0123456789abcdef"), 5),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_calls_say_what_to_do(project: Path, arguments: tuple[str, ...], code: int) -> None:
    done = agentci(*arguments, folder=project)
    assert done.code == code, done.err
    assert done.out == ""
    assert done.err.startswith("error[ACI-")
    assert "hint: " in done.err


def test_outside_a_git_repository_a_run_says_so(tmp_path: Path) -> None:
    place = tmp_path / "pipelines" / "small"
    place.mkdir(parents=True)
    (place / "pipeline.yaml").write_text(
        "format: agentci/pipeline\nversion: 1\nname: small\nsteps: [{id: a, run: [true]}]\n"
        .replace("[true]", "['true']")
    )  # fmt: skip
    done = agentci("run", "small", folder=tmp_path)
    assert done.code in {2, 6}
    assert "not in a git repository" in done.err
