"""The store of results: quick, safe with several processes, and never wrong."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from agentci.app import wiring
from agentci.app.eval_store import PackedLog, SuiteStore
from agentci.core.digest import Digest, digest_bytes
from agentci.evals.keys import EvalKey
from agentci.evals.results import Score, TrialResult


def _key(number: int) -> Digest:
    return digest_bytes(b"%d" % number)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "results.jsonl"


def _log(path: Path) -> PackedLog:
    return PackedLog(wiring.files(), path)


def _fill(path: Path, start: int, count: int) -> None:
    log = _log(path)
    for number in range(start, start + count):
        log.put(_key(number), {"n": number, "text": "x" * 50 + "é\n"})
    log.close()


def test_what_was_put_is_there_for_everyone(path: Path) -> None:
    assert _log(path).get(_key(1)) is None
    log = _log(path)
    log.put(_key(1), {"a": [1, 2.5, None, "é"]})
    assert log.get(_key(1)) == {"a": [1, 2.5, None, "é"]}
    assert _log(path).get(_key(1)) == {"a": [1, 2.5, None, "é"]}
    assert _key(1) in _log(path)
    assert _key(2) not in _log(path)
    log.close()


def test_the_last_value_wins(path: Path) -> None:
    _fill(path, 1, 3)
    log = _log(path)
    log.put(_key(2), "new")
    log.close()
    assert _log(path).get(_key(2)) == "new"


def test_half_a_line_is_passed_over_and_written_after(path: Path) -> None:
    _fill(path, 0, 3)
    whole = path.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in (last + 5, last + 70, last + 90, len(whole) - 1):
        path.write_bytes(whole[:cut])
        log = _log(path)
        assert log.get(_key(1)) == {"n": 1, "text": "x" * 50 + "é\n"}
        assert log.get(_key(2)) in (None, {"n": 2, "text": "x" * 50 + "é\n"})
        log.put(_key(9), 9)
        log.close()
        again = _log(path)
        assert (again.get(_key(1)) or {}).get("n") == 1
        assert again.get(_key(9)) == 9


def test_a_damaged_line_is_no_result(path: Path) -> None:
    _fill(path, 0, 2)
    path.write_bytes(path.read_bytes().replace(b'"n":1', b'"n":7'))
    assert _log(path).get(_key(1)) is None
    assert _log(path).get(_key(0)) is not None


def test_a_file_of_another_release_starts_anew(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'{"format":"agentci/eval-cache","version":99}\n' + b"x" * 100 + b"\n")
    log = _log(path)
    assert log.get(_key(1)) is None
    log.put(_key(1), 1)
    log.close()
    assert _log(path).get(_key(1)) == 1


def test_several_processes_write_at_the_same_time(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_fill, args=(path, 100 * n, 100)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    log = _log(path)
    assert all(log.get(_key(n)) is not None for n in range(400))


def test_tidying_keeps_what_is_used_and_what_is_new(path: Path) -> None:
    _fill(path, 0, 2_500)
    log = _log(path)
    log.tidy([_key(3)])
    again = _log(path)
    assert again.get(_key(3)) is not None
    assert again.get(_key(4)) is None
    assert again.get(_key(2_499)) is not None
    log.put(_key(4), "back")
    assert _log(path).get(_key(4)) == "back"
    log.close()


def test_little_is_left_alone(path: Path) -> None:
    _fill(path, 0, 50)
    before = path.read_bytes()
    _log(path).tidy([])
    assert path.read_bytes() == before


def test_a_suite_keeps_results_and_the_parts_of_their_keys(tmp_path: Path) -> None:
    common = {f"part {n}": _key(n) for n in range(20)}
    store = SuiteStore.open(wiring.files(), tmp_path, "pipelines/a")
    for trial in (1, 2):
        fields = {**common, "trial": _key(100 + trial)}
        if trial == 2:
            del fields["part 3"]
        result = TrialResult(trial, "judged", _key(trial), scores={"s": Score(1.0, True)})
        store.keep("case", result, EvalKey(_key(trial), fields))
    store.close()
    again = SuiteStore.open(wiring.files(), tmp_path, "pipelines/a")
    found = again.result(EvalKey(_key(1), {}))
    assert found is not None
    assert found.scores == {"s": Score(1.0, True)}
    assert again.last_key("case", 1) == {**common, "trial": _key(101)}
    second = {name: each for name, each in common.items() if name != "part 3"}
    assert again.last_key("case", 2) == {**second, "trial": _key(102)}
    assert again.last_key("case", 3) is None
