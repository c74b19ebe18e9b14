"""What `use` takes, and what it makes of vcrpy's arguments."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentci.cassettes.arguments import UseArguments, folder_of, foreign_of, resolve_mode
from agentci.core.errors import UsageError
from agentci.record.session import Mode


@pytest.mark.parametrize(
    ("given", "mode", "record_all"),
    [
        ("none", Mode.REPLAY, False),
        ("once", Mode.AUTO, False),
        ("new_episodes", Mode.AUTO, False),
        ("all", Mode.RECORD, True),
        ("rewrite", Mode.RECORD, True),
    ],
)
def test_record_modes_of_vcrpy_have_a_mode_here(given: str, mode: Mode, record_all: bool) -> None:
    resolved = resolve_mode(None, {"record_mode": given})
    assert (resolved.mode, resolved.record_all) == (mode, record_all)


def test_the_own_mode_counts_more_than_that_of_vcrpy() -> None:
    assert resolve_mode("replay", {"record_mode": "all"}).mode is Mode.REPLAY


def test_without_a_mode_there_is_a_default() -> None:
    assert resolve_mode(None, {}, default=Mode.REPLAY).mode is Mode.REPLAY


@pytest.mark.parametrize(
    "arguments",
    [{"mode": "rec"}, {"unplayed": "warn"}, {"options": {"record_mode": "sometimes"}}],
)
def test_a_wrong_value_is_named(arguments: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        UseArguments(**arguments)  # type: ignore[arg-type]  # wrong on purpose


def test_an_argument_that_there_is_not_is_named() -> None:
    with pytest.raises(UsageError, match="`persister`"):
        UseArguments(options={"persister": object()})


def test_filters_go_on_and_the_rest_does_not() -> None:
    options = {"filter_headers": ["a"], "match_on": ["uri"], "ignore_localhost": True}
    assert UseArguments(options=options).filters == {
        "filter_headers": ["a"],
        "ignore_localhost": True,
    }


def test_the_file_of_another_recorder_has_a_folder_beside_it() -> None:
    assert folder_of(Path("fixtures/x.yaml"), {}) == Path("fixtures/x.cassette")
    assert foreign_of(Path("fixtures/x.yaml"), {}) == (Path("fixtures/x.yaml"),)
    assert folder_of(Path("x.json"), {"cassette_library_dir": "lib"}) == Path("lib/x.cassette")


def test_a_path_without_suffix_is_the_folder(tmp_path: Path) -> None:
    assert folder_of(tmp_path / "x", {}) == tmp_path / "x"
    assert foreign_of(tmp_path / "x", {}) == ()
    (tmp_path / "x").write_text("a file that vcrpy wrote without a suffix")
    assert foreign_of(tmp_path / "x", {}) == (tmp_path / "x",)
