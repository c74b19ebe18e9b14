"""The byte store keeps bytes, also with several processes, and never unpickles."""

from __future__ import annotations

import pickle
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from agentci.adapters.byte_store import DiskByteStore
from agentci.core.errors import SafetyRefusal, StorageError


class Exploit:
    def __reduce__(self) -> tuple[object, ...]:
        return (exec, ("raise SystemExit('unpickled')",))


def test_small_and_large_values_come_back(tmp_path: Path) -> None:
    store = DiskByteStore(tmp_path)
    large = bytes(range(256)) * 1000
    store.put("b", large)
    store.put("a", b"")
    store.put("a", b"\x00small")
    assert store.get("a") == b"\x00small"
    assert store.get("b") == large
    assert store.get("none") is None
    assert list(store.keys()) == ["a", "b"]
    store.delete("a")
    store.delete("a")
    assert list(store.keys()) == ["b"]
    store.close()
    assert DiskByteStore(tmp_path).get("b") == large


@pytest.mark.parametrize("value", ["text", 1, 1.5, None, [b"x"], Exploit()])
def test_nothing_but_bytes_goes_in(value: object, tmp_path: Path) -> None:
    store = DiskByteStore(tmp_path)
    with pytest.raises(SafetyRefusal):
        store.put("k", value)  # type: ignore[arg-type]  # what is tested
    store.close()


@pytest.mark.parametrize("mode", [3, 4, 99])
def test_a_planted_pickle_is_refused_and_not_run(mode: int, tmp_path: Path) -> None:
    store = DiskByteStore(tmp_path)
    store.put("k", b"x")
    with sqlite3.connect(tmp_path / "cache.db") as database:
        database.execute(
            "UPDATE Cache SET mode = ?, value = ?", (mode, sqlite3.Binary(pickle.dumps(Exploit())))
        )
    database.close()
    with pytest.raises(SafetyRefusal) as caught:
        store.get("k")
    assert caught.value.code == "ACI-P125"
    store.close()


def test_a_planted_pickled_key_is_refused(tmp_path: Path) -> None:
    store = DiskByteStore(tmp_path)
    store.put("k", b"x")
    with sqlite3.connect(tmp_path / "cache.db") as database:
        database.execute(
            "UPDATE Cache SET raw = 0, key = ?", (sqlite3.Binary(pickle.dumps(Exploit())),)
        )
    database.close()
    with pytest.raises(SafetyRefusal):
        list(store.keys())
    store.close()


def test_a_damaged_database_is_a_storage_error_with_the_way_out(tmp_path: Path) -> None:
    DiskByteStore(tmp_path).close()
    (tmp_path / "cache.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError) as caught:
        DiskByteStore(tmp_path).get("k")
    assert "cache clear" in str(caught.value.hint)


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from agentci.adapters.byte_store import DiskByteStore\n"
        "store = DiskByteStore(Path(sys.argv[1]))\n"
        "for n in range(25): store.put(f'{sys.argv[2]}-{n}', sys.argv[2].encode() * n)\n"
        "store.close()"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in "abcd"
    ]
    assert [worker.wait() for worker in workers] == [0, 0, 0, 0]
    store = DiskByteStore(tmp_path)
    assert len(list(store.keys())) == 100
    assert store.get("c-24") == b"c" * 24
    store.close()
