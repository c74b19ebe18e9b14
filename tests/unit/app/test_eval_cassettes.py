"""Folders of a suite's recordings: one for each trial, whatever the ids are."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agentci.app import wiring
from agentci.app.eval_cassettes import (
    RecordingIndex,
    case_folder,
    flat_name,
    folder_name,
    recording_folders,
    recordings_of,
    trial_folder,
)

IDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200)


@given(IDS, IDS)
def test_ids_have_folders_of_their_own_on_every_file_system(one: str, other: str) -> None:
    first, second = case_folder(one), case_folder(other)
    assert "/" not in first
    assert first not in {"", ".", ".."}
    assert first.isascii()
    assert len(first) < 200
    assert (first.lower() == second.lower()) is (one == other)


def test_folders_of_suites_are_apart_from_those_of_pipelines() -> None:
    assert flat_name("pipelines/triage") == "pipelines.triage"
    assert flat_name("pipelines/a/suites/b") == "pipelines.a.suites.b"
    assert "." in flat_name("triage")


def test_each_trial_is_a_folder_of_recordings() -> None:
    paths = [
        ("bugfix", "plan", "planner.yaml"),
        ("pipelines.a", "one", "1", "target", "x.yaml"),
        ("pipelines.a", "one", "2", "target", "x.yaml"),
        ("own.name", "lane.yaml"),
        ("readme.md",),
    ]
    assert recording_folders(paths) == (
        "bugfix",
        "own.name",
        "pipelines.a/one/1",
        "pipelines.a/one/2",
    )
    assert folder_name(Path("/p/cassettes/pipelines.a/one/1")) == "pipelines.a/one/1"
    assert folder_name(Path("/p/cassettes/bugfix")) == "bugfix"


def test_recordings_are_digested_by_trial_and_kind(tmp_path: Path) -> None:
    folder = trial_folder(tmp_path, "a/b", 1)
    for name in ("target/x.yaml", "judge/s.yaml"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(f"# {name}\n")
    index = RecordingIndex.read(wiring.files(), tmp_path)
    found = index.of("a/b", 1)
    assert found == recordings_of(wiring.files(), folder)
    assert None not in {found.target, found.judges, found.all}
    (folder / "judge/s.yaml").write_text("# other\n")
    after = recordings_of(wiring.files(), folder)
    assert after.target == found.target
    assert after.judges != found.judges
    assert index.trials("a/b") == 1
    assert index.trials("nobody") == 0
    assert index.of("nobody", 1).all is None
