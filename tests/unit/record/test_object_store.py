"""Objects lie under their digest and are checked when read."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentci.adapters.files import LocalFiles
from agentci.core.errors import FormatError, SafetyRefusal
from agentci.record.object_store import ObjectStore

FILES = LocalFiles()


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
