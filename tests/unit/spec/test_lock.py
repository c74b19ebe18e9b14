"""The lock file: one form, sealed entries, and what happens to a changed one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.digest import digest_bytes, digest_json
from agentci.core.errors import AgentciError, FormatError, SafetyRefusal
from agentci.spec.lock import (
    Lock,
    PipelineLock,
    differences,
    dump_lock,
    load_lock,
    read_lock,
)
from agentci.spec.suite_lock import SuiteLock, TrialLock, suite_differences
from tests.support.memory_files import MemoryFiles


def _entry(mark: str = "x") -> PipelineLock:
    names = ("definition", "prompts", "models", "tools", "cassettes", "inputs", "run_digest")
    digests: Any = {name: digest_bytes(f"{mark}{name}".encode()) for name in names}
    return PipelineLock(**digests, base="a" * 40, commit="b" * 40)


LOCK = Lock({"pipelines/b": _entry("b"), "pipelines/a": _entry("a")})


def _changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    content = json.loads(dump_lock(LOCK))
    change(content)
    return json.dumps(content).encode()


def test_what_is_written_is_read() -> None:
    assert read_lock(dump_lock(LOCK), "agentci.lock") == Lock(dict(sorted(LOCK.pipelines.items())))


def test_the_bytes_are_in_one_form() -> None:
    data = dump_lock(LOCK)
    assert data == dump_lock(Lock(dict(sorted(LOCK.pipelines.items()))))
    assert data.endswith(b"}\n")
    assert b"\r" not in data
    content = json.loads(data)
    assert list(content) == ["format", "version", "pipelines"]
    assert list(content["pipelines"]) == ["pipelines/a", "pipelines/b"]
    assert list(content["pipelines"]["pipelines/a"]) == [
        "definition", "prompts", "models", "tools", "cassettes", "inputs", "asked", "base",
        "run_digest", "commit", "seal",
    ]  # fmt: skip


def test_no_file_is_an_empty_lock() -> None:
    assert load_lock(Path("agentci.lock"), MemoryFiles()) == Lock()
    files = MemoryFiles({"agentci.lock": dump_lock(LOCK)})
    assert load_lock(Path("agentci.lock"), files).pipelines["pipelines/a"] == _entry("a")


@pytest.mark.parametrize("field", ["definition", "run_digest", "cassettes"])
def test_an_edited_entry_is_refused(field: str) -> None:
    other = digest_bytes(b"other")
    data = _changed(lambda c: c["pipelines"]["pipelines/a"].update({field: other}))
    with pytest.raises(SafetyRefusal, match="`pipelines/a` does not match its seal") as caught:
        read_lock(data, "agentci.lock")
    assert caught.value.exit_code == 8
    assert "git checkout" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["pipelines"]["pipelines/a"].update(commit=None),
        lambda c: c["pipelines"]["pipelines/a"].update(base="c" * 40),
        lambda c: c["pipelines"]["pipelines/a"].update(note="added"),
        lambda c: c["pipelines"]["pipelines/a"].pop("seal"),
        lambda c: c["pipelines"].update({"pipelines/c": c["pipelines"]["pipelines/a"]}),
        lambda c: c["pipelines"].update({"pipelines/b": c["pipelines"]["pipelines/a"]}),
    ],
)
def test_a_seal_covers_every_field_and_the_name(change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(SafetyRefusal):
        read_lock(_changed(change), "agentci.lock")


def test_entries_of_two_branches_can_be_merged() -> None:
    ours = json.loads(dump_lock(Lock({"a": _entry("a")})))
    theirs = json.loads(dump_lock(Lock({"b": _entry("b")})))
    ours["pipelines"].update(theirs["pipelines"])
    assert set(read_lock(json.dumps(ours).encode(), "l").pipelines) == {"a", "b"}


def test_fields_of_later_revisions_are_kept() -> None:
    entry = replace(_entry(), extra={"grade": "R2", "a": [1]})
    lock = Lock({"p": entry}, extra={"deployments": {"s": {"scores": 1}}})
    read = read_lock(dump_lock(lock), "agentci.lock")
    assert read == lock
    updated = read.with_pipeline("p", _entry("new"))
    assert updated.pipelines["p"].extra == entry.extra
    assert updated.pipelines["p"].run_digest == _entry("new").run_digest
    assert updated.extra == lock.extra


def test_the_fields_that_differ_are_named_in_order() -> None:
    old = _entry()
    new = replace(old, run_digest=digest_bytes(b""), prompts=digest_bytes(b""), commit=None)
    assert differences(old, new) == ("prompts", "run_digest", "commit")
    assert differences(old, old) == ()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "ACI-F103"),
        (b"[]", "ACI-F103"),
        (b"{", "ACI-F103"),
        (b"\xff", "ACI-F103"),
        (b"[" * 100_000, "ACI-F103"),
        (b'{"a": NaN}', "ACI-F103"),
        (b'{"format": 1, "format": 2}', "ACI-F103"),
        (b"{}", "ACI-F101"),
        (b'{"format": "agentci/pipeline", "version": 1}', "ACI-F101"),
        (b'{"format": "agentci/lock"}', "ACI-F102"),
        (b'{"format": "agentci/lock", "version": 2}', "ACI-F102"),
        (b'{"format": "agentci/lock", "version": true}', "ACI-F102"),
        (b'{"format": "agentci/lock", "version": 1}', "ACI-F103"),
        (b'{"format": "agentci/lock", "version": 1, "pipelines": {"a": 1}}', "ACI-F103"),
        (b'{"format": "agentci/lock", "version": 1, "pipelines": {"a": {}}}', "ACI-F103"),
        (b'{\n<<<<<<< HEAD\n"a": 1\n=======\n>>>>>>> b\n}', "ACI-F103"),
        (_changed(lambda c: c["pipelines"]["pipelines/a"].update(base=1)), "ACI-F103"),
        (_changed(lambda c: c["pipelines"]["pipelines/a"].update(z="\ud800")), "ACI-F103"),
    ],
)
def test_what_is_no_lock_file_is_named(data: bytes, code: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_lock(data, "agentci.lock")
    assert caught.value.code == code
    assert str(caught.value.location) == "agentci.lock"


def test_a_merge_conflict_is_named_with_the_way_out() -> None:
    with pytest.raises(FormatError, match="unresolved merge conflict") as caught:
        read_lock(b"{\n<<<<<<< HEAD\n", "agentci.lock")
    assert "agentci accept" in (caught.value.hint or "")


@given(position=st.integers(0, len(dump_lock(LOCK)) - 1), byte=st.integers(0, 255))
def test_any_changed_byte_is_refused_or_changes_nothing_but_form(position: int, byte: int) -> None:
    data = bytearray(dump_lock(LOCK))
    data[position] = byte
    try:
        found = read_lock(bytes(data), "agentci.lock")
    except AgentciError:
        return
    assert found.pipelines == LOCK.pipelines


def _suite_lock(**changes: object) -> SuiteLock:
    trials = (
        TrialLock(digest_json(1), passed=True, scores={"right": 1.0}, output=digest_json("a")),
        TrialLock(
            digest_json(2),
            passed=False,
            scores={"right": 0.25},
            failing=("right",),
            recordings=digest_json("r"),
            metrics={"tokens": 12.0},
        ),
    )
    fields: dict[str, Any] = {
        "digests": {"suite": digest_json("s"), "dataset": digest_json("d")},
        "passed": 1,
        "cases": {"b": trials, "a": trials[:1]},
        **changes,
    }
    return SuiteLock(**fields)


def test_a_suite_has_one_line_for_each_case_and_is_read_as_it_was() -> None:
    lock = Lock({"p": _entry()}).with_suite("pipelines/p", _suite_lock())
    data = dump_lock(lock)
    assert read_lock(data, "agentci.lock") == lock
    lines = [line for line in data.decode().splitlines() if '"right"' in line]
    assert [line.strip()[:4] for line in lines] == ['"a":', '"b":']
    assert '"passed": "1 of 2"' in data.decode()


def test_an_edited_result_of_a_suite_is_refused() -> None:
    data = dump_lock(Lock().with_suite("pipelines/p", _suite_lock()))
    for old, new in ((b"0.25", b"1.0"), (b'"1 of 2"', b'"2 of 2"'), (b"false", b"true")):
        assert old in data
        with pytest.raises(SafetyRefusal, match="changed by hand"):
            read_lock(data.replace(old, new), "agentci.lock")


@pytest.mark.parametrize(
    "cases", [[], {"a": []}, {"a": [1]}, {"a": [{"passed": 1}]}, {"a": [{"passed": True}]}]
)
def test_malformed_results_of_a_suite_are_named(cases: object) -> None:
    content = json.loads(dump_lock(Lock().with_suite("pipelines/p", _suite_lock())))
    content["suites"]["pipelines/p"]["cases"] = cases
    with pytest.raises(FormatError, match="pipelines/p"):
        read_lock(json.dumps(content).encode(), "agentci.lock")


def test_what_differs_between_two_results_of_a_suite_is_named() -> None:
    old = _suite_lock()
    assert suite_differences(old, old) == ()
    new = _suite_lock(digests={**old.digests, "dataset": digest_json("new")}, cases={})
    assert suite_differences(old, new) == ("dataset", "results")


def test_two_branches_that_accept_different_suites_change_different_lines() -> None:
    base = Lock().with_suite("s/b", _suite_lock())
    both = dump_lock(base.with_suite("s/a", _suite_lock()).with_suite("s/c", _suite_lock()))
    for name in ("s/a", "s/c"):
        one = dump_lock(base.with_suite(name, _suite_lock())).decode().splitlines()
        assert {line.rstrip(",") for line in one} <= {
            line.rstrip(",") for line in both.decode().splitlines()
        }


@pytest.mark.parametrize("number", [7, 7.0, 0.25])
def test_a_number_is_written_alike_before_and_after_it_was_read(number: float) -> None:
    row = TrialLock(
        digest_json(1), passed=True, scores={"exact": number}, metrics={"tokens": number}
    )
    data = dump_lock(Lock(suites={"pipelines/a": _suite_lock(cases={"one": (row,)})}))
    assert dump_lock(read_lock(data, "agentci.lock")) == data
    assert b'{"tokens": 7}' in data or number == 0.25


def test_a_number_that_no_program_can_hold_is_malformed() -> None:
    row = TrialLock(digest_json(1), passed=True, scores={"exact": 12345})
    data = dump_lock(Lock(suites={"pipelines/a": _suite_lock(cases={"one": (row,)})}))
    with pytest.raises(FormatError):
        read_lock(data.replace(b"12345", b"9" * 400), "agentci.lock")
