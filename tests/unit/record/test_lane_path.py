"""Every lane has a file of its own, wherever the repository is checked out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from agentci.core.lane import ROOT, Lane, child_lane, iteration_lane, sample_lane
from agentci.record.lane_path import lane_path


def test_a_lane_reads_as_a_path() -> None:
    assert str(lane_path(Lane("fix[2]/code/coder"))) == "fix.2/code/coder.yaml"
    assert str(lane_path(Lane("fleet[calc]/review#1/reviewer~2"))) == (
        "fleet.calc/review+1/reviewer~2.yaml"
    )
    assert str(lane_path(ROOT)) == "=.yaml"


TRAPS = ["a", "A", "a.yaml", "a[yaml]", "a[b]", "a[b", "a]b", "a.b", "a[b][c]", "a[b[c]", "a[b#1]",
         "a[b]#1", "a#1[b]", "a[b~2]", "a[b]~2", "Ab", "aB", "é", "e\u0301", "%2f", "%", "..", ".",
         "", "objects-v1", "=", "=41", ",", "a,1", "x" * 300, "x" * 301, "X" * 300, "\ud800", "con",
         "a b", "\n", "a+1", "+"]  # fmt: skip


def ancestors_and_self(path: Path) -> Iterator[Path]:
    yield path
    yield from path.parents


@given(st.sets(st.lists(st.one_of(st.sampled_from(TRAPS), st.text(max_size=6)), min_size=1,
                        max_size=3).map("/".join), max_size=8))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_no_two_lanes_meet_on_any_file_system(lanes: set[str]) -> None:
    paths = {lane: lane_path(Lane(lane)) for lane in lanes}
    names = [str(path) for path in paths.values()]
    assert len({name.casefold() for name in names}) == len(lanes)
    for name in names:
        assert name.isascii()
        assert all(len(part) < 255 for part in name.split("/"))
        assert ".." not in name.split("/")
        assert not name.startswith(("/", "objects-v1/"))
        assert not any(other.startswith(name + "/") for other in names)


def test_the_traps_are_told_apart_pairwise() -> None:
    paths = {str(lane_path(Lane(f"{trap}{end}"))) for trap in TRAPS for end in ("", "/x")}
    assert len({path.casefold() for path in paths}) == 2 * len(TRAPS)


def test_item_keys_cannot_leave_the_folder() -> None:
    lane = child_lane(sample_lane(iteration_lane(Lane("each"), "../../etc/passwd"), 1), "agent")
    assert lane_path(lane).parts == ("each.=2e=2e%2f=2e=2e%2fetc%2fpasswd+1", "agent.yaml")
