"""The smaller parts of a recording: lanes as paths, deltas, blobs, objects, results, secrets."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentci.adapters.byte_store import DiskByteStore
from agentci.adapters.files import LocalFiles
from agentci.core.canonical import canonical_bytes
from agentci.core.digest import Digest, digest_bytes
from agentci.core.errors import FormatError, SafetyRefusal
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import ROOT, Lane, child_lane, iteration_lane, sample_lane
from agentci.record.action_cache import ActionCache, ActionResult
from agentci.record.blob_refs import OPAQUE_LIMIT, TEXT_LIMIT, move_in, move_out
from agentci.record.delta import Delta, arrange, restore, shrink
from agentci.record.lane_path import lane_path
from agentci.record.object_store import ObjectStore
from agentci.record.yaml_read import BlobReference
from tests.support.recordings import request_of, user

FILES = LocalFiles()


# --- lanes as paths ---------------------------------------------------------------------------


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


# --- deltas -----------------------------------------------------------------------------------


def test_a_turn_stores_only_its_new_messages() -> None:
    first = request_of(user("one " * 80))
    second = request_of(user("one " * 80), user("two"), user("three"))
    delta = shrink(second, first)
    assert delta == Delta({"body": {"messages": [user("two"), user("three")]}}, {"messages": 2})
    assert restore(delta, first) == second


def test_true_and_one_are_never_taken_for_each_other() -> None:
    one = request_of(user("x" * 400), flag=1, items=[1, {"a": 1}])
    true = request_of(user("x" * 400), flag=True, items=[True, {"a": True}])
    delta = shrink(true, one)
    assert delta is not None
    assert canonical_bytes(restore(delta, one)) == canonical_bytes(true)


def test_what_saves_nothing_is_stored_whole() -> None:
    assert shrink({"body": {"a": 1}}, {"body": {"b": 2}}) is None
    assert shrink({"tool": "t", "arguments": {}}, {"tool": "u", "arguments": {}}) is None


def test_a_delta_to_the_wrong_parent_is_refused() -> None:
    with pytest.raises(ValueError, match="does not have"):
        restore(Delta({}, {"messages": 9}), request_of())


values: st.SearchStrategy[JsonValue] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.sampled_from(["a", "long " * 50])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)
requests = st.dictionaries(
    st.sampled_from(["method", "body", "tool"]),
    st.one_of(values, st.dictionaries(st.sampled_from(["messages", "tools", "x"]), values)),
)


@given(requests, requests)
@settings(max_examples=400, deadline=None)
def test_any_delta_gives_back_exactly_the_request(request: JsonObject, parent: JsonObject) -> None:
    for one, other in ((request, parent), (request, {**request, **parent}), (request, request)):
        delta = shrink(one, other)
        if delta is not None:
            assert canonical_bytes(restore(delta, other)) == canonical_bytes(one)


@given(values)
def test_arranging_changes_the_order_of_keys_only_and_always_to_the_same(value: JsonValue) -> None:
    assert canonical_bytes(arrange(value)) == canonical_bytes(value)
    assert str(arrange(arrange(value))) == str(arrange(value))


# --- blobs ------------------------------------------------------------------------------------

PNG = b"\x89PNG\r\n" + bytes(range(256)) * 20


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(PNG).decode(),
        "data:image/png;base64," + base64.b64encode(PNG).decode(),
        base64.urlsafe_b64encode(PNG * 3).decode(),
        "x" * OPAQUE_LIMIT,
        "line\n" * TEXT_LIMIT,
        "é " * TEXT_LIMIT,
        "a" * (OPAQUE_LIMIT + 1),
        "data:nonsense," + "_" * 3000,
    ],
)
def test_large_and_binary_texts_move_out_and_come_back(text: str, tmp_path: Path) -> None:
    objects = ObjectStore(FILES, tmp_path)
    value: JsonObject = {"a": [{"b": text}, "small"], "c": {"d": 1}}
    moved = move_out(value, objects.put)
    assert len(str(moved)) < 400
    assert isinstance(moved, dict)
    assert moved["c"] is value["c"]
    assert move_in(moved, objects) == value


def test_a_picture_is_stored_as_the_picture(tmp_path: Path) -> None:
    objects = ObjectStore(FILES, tmp_path)
    move_out({"url": "data:image/png;base64," + base64.b64encode(PNG).decode()}, objects.put)
    assert [objects.get(digest) for digest in objects.digests()] == [PNG]


@pytest.mark.parametrize(
    "text", ["word " * 1000, "\ud800" * TEXT_LIMIT, "short", "two words " * 2000]
)
def test_what_a_reviewer_reads_stays(text: str, tmp_path: Path) -> None:
    value: JsonObject = {"a": text}
    assert move_out(value, ObjectStore(FILES, tmp_path).put) is value


@pytest.mark.parametrize("digest", ["x", "sha256:00", f"sha256:{'0' * 64}", 5])
def test_a_reference_to_nothing_is_a_format_error(digest: JsonValue, tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        move_in(BlobReference({"$blob": digest}), ObjectStore(FILES, tmp_path))


# --- objects ----------------------------------------------------------------------------------


def test_objects_lie_under_their_digest_and_are_checked(tmp_path: Path) -> None:
    objects = ObjectStore(FILES, tmp_path)
    digest = objects.put(b"data")
    hexadecimal = digest.removeprefix("sha256:")
    path = tmp_path / "objects-v1" / hexadecimal[:2] / hexadecimal[2:]
    assert path.read_bytes() == b"data"
    assert objects.get(digest) == b"data"
    assert objects.put(b"data") == digest
    assert objects.verify() == ()
    path.write_bytes(b"tampered")
    assert objects.verify() == (digest,)
    with pytest.raises(SafetyRefusal):
        objects.get(digest)
    objects.remove(digest)
    assert not objects.has(digest)
    with pytest.raises(FormatError):
        objects.get(digest)
    (tmp_path / "objects-v1" / "stray").write_bytes(b"")
    assert list(objects.digests()) == []


# --- results of actions -----------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ActionCache]:
    store = DiskByteStore(tmp_path / "actions")
    yield ActionCache(store, ObjectStore(FILES, tmp_path))
    store.close()


def action(name: str) -> Digest:
    return digest_bytes(name.encode())


def test_a_result_is_served_while_its_objects_are_there(cache: ActionCache) -> None:
    blob = cache.objects.put(b"patch")
    result = ActionResult({"output": {"a": 1.5}, "tree": "x"}, (blob,))
    cache.put(action("a"), result)
    assert cache.get(action("a")) == result
    assert cache.get(action("b")) is None
    assert cache.verify() == ()
    cache.objects.remove(blob)
    assert cache.get(action("a")) is None
    assert [problem.key for problem in cache.verify()] == [action("a")]


def test_a_damaged_or_exchanged_result_is_never_served(cache: ActionCache, tmp_path: Path) -> None:
    cache.put(action("a"), ActionResult({"output": 1}))
    store = DiskByteStore(tmp_path / "actions")
    good = store.get(action("a"))
    assert good is not None
    store.put(action("b"), good)
    store.put(action("a"), good.replace(b'"output":1', b'"output":2'))
    store.put(action("c"), b"")
    store.close()
    assert [cache.get(action(name)) for name in "abc"] == [None, None, None]
    assert len(cache.verify()) == 3


def test_collecting_garbage_keeps_what_can_be_served(cache: ActionCache) -> None:
    used, unused = cache.objects.put(b"used"), cache.objects.put(b"unused")
    gone = cache.objects.put(b"gone")
    cache.put(action("good"), ActionResult({}, (used,)))
    cache.put(action("bad"), ActionResult({}, (gone,)))
    cache.objects.remove(gone)
    removed = cache.gc()
    assert (removed.results, removed.objects) == (1, 1)
    assert cache.get(action("good")) is not None
    assert not cache.objects.has(unused)
    assert cache.gc() == type(removed)(0, 0, 0, 0)
    cleared = cache.clear()
    assert (cleared.results, cleared.objects) == (1, 1)
    assert cache.stats() == type(removed)(0, 0, 0, 0)
