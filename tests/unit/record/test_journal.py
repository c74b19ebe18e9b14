"""The journal keeps every event in order, survives a killed writer and shows every change."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentci.adapters.files import LocalFiles
from agentci.core.errors import FormatError, SafetyRefusal, UsageError
from agentci.core.json_types import JsonObject
from agentci.record.journal import Journal, read_journal

FILES = LocalFiles()


def written(path: Path, count: int = 5) -> bytes:
    journal = Journal.create(FILES, path, {"run": "1"})
    for number in range(count):
        journal.write({"event": "step", "number": number, "text": "line\nbreak \u2028 é"})
    journal.close()
    return path.read_bytes()


def test_events_come_back_in_order_with_the_header(tmp_path: Path) -> None:
    path = tmp_path / "run" / "journal.jsonl"
    written(path)
    content = read_journal(FILES, path)
    assert content.header == {"format": "agentci/journal", "run": "1", "version": 1}
    assert [event["number"] for event in content.events] == [0, 1, 2, 3, 4]
    assert not content.torn


def test_an_opened_journal_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    written(path)
    journal = Journal.open(FILES, path)
    assert len(journal.content.events) == 5
    head = journal.write({"event": "end"}, sync=True)
    journal.sync()
    journal.close()
    journal.close()
    content = read_journal(FILES, path)
    assert content.head == head
    assert content.events[-1] == {"event": "end"}


def test_equal_events_give_equal_files(tmp_path: Path) -> None:
    assert written(tmp_path / "a") == written(tmp_path / "b")


def test_every_line_is_json_that_other_tools_read(tmp_path: Path) -> None:
    lines = written(tmp_path / "a").splitlines()
    assert [sorted(json.loads(line)) for line in lines] == [["chain", "event"]] * 6


def test_half_a_last_line_is_ignored_and_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    data = written(path)
    whole = data[: data.rindex(b"\n", 0, -1) + 1]
    for cut in range(len(whole) + 1, len(data)):
        path.write_bytes(data[:cut])
        content = read_journal(FILES, path)
        assert content.torn
        assert len(content.events) == 4
    journal = Journal.open(FILES, path)
    journal.write({"event": "step", "number": 4, "text": "line\nbreak \u2028 é"})
    journal.close()
    assert path.read_bytes() == data


def test_any_changed_missing_or_moved_line_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    lines = written(path).splitlines(keepends=True)
    changed = [
        [*lines[:2], lines[2].replace(b'"number":1', b'"number":7'), *lines[3:]],
        [*lines[:2], *lines[3:]],
        [*lines[:2], lines[3], lines[2], *lines[4:]],
        [*lines[:2], lines[1], *lines[2:]],
        [lines[0].replace(b'"run":"1"', b'"run":"2"'), *lines[1:]],
        [*lines[:2], b"\n", *lines[2:]],
        [*lines[:2], b"{}\n", *lines[2:]],
        [*lines[:2], lines[2][:-2] + b" }\n", *lines[3:]],
    ]
    for case in changed:
        path.write_bytes(b"".join(case))
        with pytest.raises(SafetyRefusal) as caught:
            Journal.open(FILES, path)
        assert caught.value.exit_code == 8
        assert caught.value.location is not None


@pytest.mark.parametrize("data", [b"", b"{}\n", b"hello\n", b"\xff\n\n", b"half"])
def test_what_is_no_journal_is_named(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(data)
    with pytest.raises(FormatError):
        read_journal(FILES, tmp_path / "journal")


def test_a_newer_version_or_another_format_is_refused(tmp_path: Path) -> None:
    for name, value, code in (("VERSION", 2, "ACI-F131"), ("FORMAT", "other/log", "ACI-F130")):
        path = tmp_path / name
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"agentci.record.journal.{name}", value)
            written(path)
        with pytest.raises(FormatError) as caught:
            read_journal(FILES, path)
        assert caught.value.code == code


def test_a_second_writer_is_turned_away(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal.create(FILES, path, {})
    with pytest.raises(UsageError, match="another process"):
        Journal.open(FILES, path)
    assert read_journal(FILES, path).events == ()
    journal.close()
    Journal.open(FILES, path).close()
    with pytest.raises(UsageError, match="already"):
        Journal.create(FILES, path, {})
    with pytest.raises(UsageError, match="no journal"):
        Journal.open(FILES, tmp_path / "none")


events = st.dictionaries(
    st.text(), st.one_of(st.text(), st.integers(), st.none(), st.lists(st.booleans())), max_size=4
)


@given(st.lists(events, max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_events_are_kept_exactly(
    tmp_path_factory: pytest.TempPathFactory, chosen: list[JsonObject]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal"
    journal = Journal.create(FILES, path, {})
    heads = [journal.write(event) for event in chosen]
    journal.close()
    content = read_journal(FILES, path)
    assert list(content.events) == chosen
    assert len(set(heads)) == len(heads)


def test_an_event_costs_at_most_0_3_milliseconds(tmp_path: Path) -> None:
    event: JsonObject = {"event": "step_finished", "lane": "a/b", "output": {"text": "word " * 60}}
    journal = Journal.create(FILES, tmp_path / "journal", {})
    best = 1.0
    for _ in range(5):
        began = time.process_time()
        for _ in range(200):
            journal.write(event)
        best = min(best, (time.process_time() - began) / 200)
    journal.close()
    assert best < 0.0003
