"""From inputs of the Action to command lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from agentci.app.github_action import ActionInputs, read_inputs
from agentci.core.errors import NothingMatched, UsageError
from tests.support.memory_files import MemoryFiles

START = Path("/project")
FOLDER = Path("/reports")


class _Env:
    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given

    def get(self, name: str) -> str | None:
        return self._given.get(name.removeprefix("AGENTCI_INPUT_"))


def _read(files: MemoryFiles | None = None, **given: str) -> ActionInputs:
    return read_inputs(_Env(given), files or MemoryFiles({}), start=START)


def test_without_inputs_all_suites_are_judged_and_nothing_else() -> None:
    inputs = _read()
    assert inputs.judges
    assert inputs.replays() == ()
    line = inputs.gate(FOLDER)
    assert line[0] == "gate"
    assert "--github" in line
    assert {"--base", "--mode", "--policy", "--results"}.isdisjoint(line)


def test_inputs_become_options() -> None:
    inputs = _read(
        SUITES="triage\n  bugfix/hard", BASE="main", MODE="live", POLICY="p.yaml", ARGS="-j 2 'a b'"
    )
    line = inputs.gate(FOLDER)
    assert line[:3] == ("gate", "triage", "bugfix/hard")
    for name, value in (("--base", "main"), ("--mode", "live"), ("--policy", "p.yaml")):
        assert line[line.index(name) + 1] == value
    assert line[-3:] == ("-j", "2", "a b")


def test_every_report_has_a_file_of_its_own() -> None:
    line = _read().gate(FOLDER)
    files = [word for word in line if word.startswith(str(FOLDER))]
    assert len(files) == len(set(files)) == 5


def test_pipelines_are_replayed_one_by_one() -> None:
    assert _read(PIPELINES="one two").replays() == (
        ("run", "one", "--mode", "replay"),
        ("run", "two", "--mode", "replay"),
    )


def test_a_shard_is_evaluated_and_has_an_artifact_of_its_own() -> None:
    inputs = _read(SHARD="2/4", SUITES="triage", ARTIFACT="backend")
    line = inputs.evaluation(FOLDER / "out.json")
    assert line == (
        "eval", "triage", "--shard", "2/4", "--mode", "replay", "--out", "/reports/out.json"
    )  # fmt: skip
    assert inputs.artifact_name == "backend-shard-2-of-4"


def test_results_are_all_json_of_a_folder() -> None:
    files = MemoryFiles({"/project/s/b.json": "", "/project/s/a.json": "", "/project/s/c.txt": ""})
    inputs = _read(files, RESULTS="s")
    assert inputs.results == (Path("/project/s/a.json"), Path("/project/s/b.json"))
    assert inputs.gate(FOLDER).count("--results") == 2


def test_no_suites_is_a_word_of_its_own() -> None:
    assert not _read(SUITES="none").judges


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"ARGS": "'"}, "ACI-U510"),
        ({"SHARD": "1/2", "RESULTS": "s"}, "ACI-U511"),
        ({"SUITES": "ok --mode=live"}, "ACI-U512"),
        ({"PIPELINES": "-C"}, "ACI-U512"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: Mapping[str, str], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_inputs(_Env(given), MemoryFiles({}), start=START)
    assert caught.value.code == code


def test_missing_results_are_refused() -> None:
    with pytest.raises(NothingMatched, match="no results of shards"):
        _read(RESULTS="nowhere")
