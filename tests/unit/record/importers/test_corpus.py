"""Real recordings of other projects import without loss, through cassettes on a disk.

Each is compared with a second reading of its file (`tests/support/foreign_corpus.py`).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from agentci.adapters.files import LocalFiles
from agentci.core.errors import FormatError
from agentci.core.lane import Lane
from agentci.record.http.form import load_answer
from agentci.record.importers.registry import read_foreign
from agentci.record.interaction import Interaction
from agentci.record.keys import interaction_key
from agentci.record.session import Mode, RecordingSession
from tests.support.foreign_corpus import FOLDER, NEEDS_CORPUS, expected, files, is_http

pytestmark = NEEDS_CORPUS

LANE = Lane("imported")
FILES = files() if FOLDER.is_dir() else []
HTTP = [path for path in FILES if is_http(path)]


def _name(path: Path) -> str:
    return f"{path.parent.name}-{path.name[-50:]}"


@pytest.mark.parametrize("path", HTTP, ids=_name)
def test_every_answer_replays_byte_by_byte_with_its_boundaries(path: Path, tmp_path: Path) -> None:
    recordings = read_foreign(path.read_bytes(), path.name).recordings
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.AUTO)
    for recording in recordings:
        address = session.reserve(LANE, interaction_key(recording.request))
        session.append(Interaction(address, recording.kind, recording.request, recording.response))
    session.seal()
    wanted = list(expected(path))
    assert len(recordings) == len(wanted) > 0
    replay = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
    for recording, answer in zip(recordings, wanted, strict=True):
        found = replay.lookup(replay.reserve(LANE, interaction_key(recording.request)))
        assert found is not None
        assert dict(found.request) == recording.request
        loaded = load_answer(found.response)
        assert (loaded.status, loaded.body) == (answer.status, answer.body)
        if answer.boundaries is not None:
            assert loaded.chunks == answer.boundaries
        if "/" in answer.content_type:
            assert loaded.headers["content-type"] == answer.content_type
    assert replay.unplayed() == ()


def test_equal_requests_keep_their_order() -> None:
    repeated = 0
    for path in HTTP:
        recordings = read_foreign(path.read_bytes(), path.name).recordings
        counts = Counter(interaction_key(recording.request) for recording in recordings)
        repeated += sum(count > 1 for count in counts.values())
    assert repeated > 0  # the order itself is proved above: each answer replays in its turn


def test_everything_that_is_not_read_is_named() -> None:
    others = [path for path in FILES if path not in HTTP]
    assert len(FILES) == len(HTTP) + len(others)
    for path in others:
        with pytest.raises(FormatError) as caught:
            read_foreign(path.read_bytes(), path.name)
        assert caught.value.code == "ACI-F163"
