"""Inspect logs become results and datasets; damaged and hostile ones are refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.errors import FormatError
from agentci.evals.importers import inspect_archive
from agentci.evals.importers.findings import Notes
from agentci.evals.importers.inspect_log import dataset_rows, jsonl, log_results, read_log
from agentci.evals.results import SuiteResult


def sample(name: Any, epoch: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "epoch": epoch,
        "input": "ask",
        "target": "T",
        "output": {"completion": "said"},
        "scores": {"match": {"value": "C", "explanation": "because"}},
        **more,
    }


def header(**more: Any) -> dict[str, Any]:
    return {"version": 2, "status": "success", "eval": {"task": "t", "model": "m"}, **more}


def archived(samples: list[dict[str, Any]], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("header.json", json.dumps(header()))
        for each in samples:
            archive.writestr(f"samples/{each['id']}_epoch_{each['epoch']}.json", json.dumps(each))
    return out.getvalue()


def plain(samples: list[dict[str, Any]]) -> bytes:
    return json.dumps(header(samples=samples)).encode()


def results(data: bytes, *, threshold: float = 1.0, notes: Notes | None = None) -> SuiteResult:
    log = read_log(data, "x")
    return log_results(log, suite="imported/t", threshold=threshold, notes=notes or Notes())


def in_zstd(data: bytes) -> bytes:
    """Return the stored archive `data` with its entries as zstd frames."""
    out, directory = bytearray(), bytearray()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = [(info, archive.read(info)) for info in archive.infolist()]
    for info, content in infos:
        packed = zstandard.compress(content)
        name = info.filename.encode()
        middle = b"".join(
            number.to_bytes(size, "little")
            for number, size in (
                (63, 2), (0x800, 2), (93, 2), (0, 2), (33, 2), (info.CRC, 4), (len(packed), 4),
                (len(content), 4), (len(name), 2), (0, 2),
            )
        )  # fmt: skip
        directory += b"PK\x01\x02\x3f\x00" + middle + bytes(10) + len(out).to_bytes(4, "little")
        directory += name
        out += b"PK\x03\x04" + middle + name + packed
    end = b"PK\x05\x06" + bytes(4) + len(infos).to_bytes(2, "little") * 2
    end += len(directory).to_bytes(4, "little") + len(out).to_bytes(4, "little") + bytes(2)
    return bytes(out + directory + end)


SAMPLES = [sample("a/b \u00fc", 2), sample("a/b \u00fc"), sample(7, scores={"m": {"value": "I"}})]


def test_all_forms_of_a_log_give_the_same() -> None:
    stored = archived(SAMPLES, method=zipfile.ZIP_STORED)
    forms = (plain(SAMPLES), archived(SAMPLES), stored, in_zstd(stored))
    found = [results(data) for data in forms]
    assert found[1:] == found[:-1]
    assert [case.case for case in found[0].cases] == ["7", "a/b \u00fc"]
    assert [trial.trial for trial in found[0].cases[1].trials] == [1, 2]
    assert found[0].trials == 2
    assert [case.passes for case in found[0].cases] == [0, 2]


@pytest.mark.parametrize(
    ("value", "share"),
    [("C", 1.0), ("I", 0.0), ("P", 0.5), ("N", 0.0), (True, 1.0), (0.25, 0.25), (1, 1.0),
     ("0.75", 0.75), ("yes", 1.0), ("False", 0.0)],
)  # fmt: skip
def test_values_are_shares(value: Any, share: float) -> None:
    (case,) = results(plain([sample(1, scores={"m": {"value": value}})]), threshold=0.5).cases
    assert case.trials[0].scores["m"].value == share
    assert case.trials[0].passed == (share >= 0.5)


@pytest.mark.parametrize("value", [7, -1, "good", None, "1e999", 10**40])
def test_values_that_are_no_share_are_named_and_never_pass(value: Any) -> None:
    notes = Notes()
    data = plain([sample(1, scores={"m": {"value": value}})])
    (case,) = results(data, notes=notes).cases
    assert case.trials[0].status == "error"
    assert not case.trials[0].passed
    assert "no share" in next(iter(notes.found)).why


def test_each_value_of_a_scorer_is_a_score() -> None:
    scores = {"two": {"value": {"a": 1, "b": 0.5}}, "list": {"value": [1, 0]}}
    (case,) = results(plain([sample(1, scores=scores)])).cases
    assert case.trials[0].failing == ("list/1", "two/b")


def test_a_failed_sample_is_an_error() -> None:
    (case,) = results(plain([sample(1, error={"message": "no network"})])).cases
    assert (case.trials[0].status, case.trials[0].reason) == ("error", "no network")
    assert not case.judged


def test_usage_and_time_are_metrics() -> None:
    usage = {"m": {"input_tokens": 3, "output_tokens": 4, "total_cost": 0.5}}
    data = plain([sample(1, model_usage=usage, working_time=1.5, turn_count=2)])
    (case,) = results(data).cases
    assert case.trials[0].metrics == {"tokens": 7, "cost": 0.5, "latency": 1.5, "steps": 2}


def test_samples_are_a_dataset() -> None:
    chat = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    long: dict[str, Any] = {
        "input": "attachment://k",
        "attachments": {"k": "long"},
        "metadata": {"x": 1},
    }
    log = read_log(plain([sample("b", input=chat), sample("a", **long), sample("a", 2)]), "x")
    assert [json.loads(line) for line in jsonl(dataset_rows(log)).splitlines()] == [
        {"id": "a", "input": "long", "expected": "T", "metadata": {"x": 1}},
        {"id": "b", "input": [{"role": "user", "content": "hi"}], "expected": "T"},
    ]


@pytest.mark.parametrize(
    "log",
    [
        {}, [], 1, {"version": 3, "eval": {"task": "t"}}, header(), header(samples=[]),
        header(samples=[1]), header(samples=[{"id": 1}]), header(samples=[sample(1), sample(1)]),
        header(samples=[sample(1, 0)]), header(samples=[sample(1, 10**9)]), header(samples="x"),
        header(samples=[sample([])]),
    ],
)  # fmt: skip
def test_what_is_no_log_is_refused(log: Any) -> None:
    with pytest.raises(FormatError):
        results(json.dumps(log).encode())


def test_huge_numbers_and_deep_nesting_are_refused() -> None:
    for text in ("1" * 10_000, "1e999", "[" * 100_000):
        with pytest.raises(FormatError):
            read_log(b'{"version": 2, "x": ' + text.encode(), "x")


def test_an_entry_that_says_to_be_too_large_is_not_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inspect_archive, "MAX_ENTRY", 1000)
    data = archived([sample("x", input="a" * 100_000)])
    assert len(data) < 2000
    with pytest.raises(FormatError, match="has more than"):
        read_log(data, "x")


def test_an_entry_that_unpacks_to_more_than_it_says_is_refused() -> None:
    data = bytearray(archived([sample("x", input="a" * 100_000)]))
    size = len(json.dumps(sample("x", input="a" * 100_000)))
    while (at := bytes(data).find(size.to_bytes(4, "little"))) >= 0:
        data[at : at + 4] = (50).to_bytes(4, "little")
    with pytest.raises(FormatError, match="checksum"):
        read_log(bytes(data), "x")


def test_names_of_entries_are_only_names() -> None:
    (case,) = results(archived([sample("../../../etc/passwd")])).cases
    assert case.case == "../../../etc/passwd"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(noise: bytes) -> None:
    for data in (noise, b"PK" + noise):
        with pytest.raises(FormatError):
            read_log(data, "x")


@given(st.integers(0, 2000), st.integers(0, 255))
def test_any_damage_is_refused_or_harmless(place: int, value: int) -> None:
    data = bytearray(in_zstd(archived([sample("a")], method=zipfile.ZIP_STORED)))
    data[place % len(data)] = value
    try:
        results(bytes(data))
    except FormatError:
        return


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["input", "target", "output", "scores", "score", "error", "metadata",
                         "model_usage", "working_time", "turn_count", "attachments"]),
        JSON,
    )
)  # fmt: skip
def test_any_sample_is_taken_over_or_refused(fields: Mapping[str, Any]) -> None:
    data = json.dumps(header(samples=[sample(1) | dict(fields)])).encode()
    try:
        log = read_log(data, "x")
        log_results(log, suite="s", threshold=1, notes=Notes())
    except FormatError:
        return
    jsonl(dataset_rows(log))
