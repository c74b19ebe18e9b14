"""Every version of the cassette and journal formats that was ever released stays readable.

The files in `v1/` are frozen: they are never written again. `interactions.json` says what they
hold. While version 1 is the current one, writing the same content must also give the same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agentci.adapters.files import LocalFiles
from agentci.core.digest import Digest
from agentci.core.lane import Lane
from agentci.record.header import VERSION
from agentci.record.interaction import Address, Interaction
from agentci.record.journal import Journal, read_journal
from agentci.record.keys import interaction_key
from agentci.record.session import Mode, RecordingSession

FOLDER = Path(__file__).parent
VERSIONS = sorted(path.name for path in FOLDER.glob("v*"))


def expected(version: str) -> list[Interaction]:
    rows: list[Any] = json.loads((FOLDER / version / "interactions.json").read_bytes())
    return [
        Interaction(
            address=Address(Lane(row["lane"]), Digest(row["key"]), row["occurrence"]),
            kind=row["kind"],
            request=row["request"],
            response=row["response"],
            notes=row["notes"],
            provenance=row["provenance"],
        )
        for row in rows
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_released_cassette_is_read_as_it_was_written(version: str) -> None:
    session = RecordingSession(LocalFiles(), FOLDER / version / "cassettes", mode=Mode.REPLAY)
    interactions = expected(version)
    assert len(interactions) >= 8
    for interaction in interactions:
        found = session.lookup(session.reserve(interaction.address.lane, interaction.address.key))
        assert found == interaction
        assert found is not None
        assert json.dumps(found.response) == json.dumps(interaction.response)
        assert interaction_key(found.request) == interaction.address.key
    assert session.unplayed() == ()
    assert session.notes == ()
    digest = (FOLDER / version / "digest.txt").read_text().strip()
    assert session.seal() == digest


@pytest.mark.skipif(VERSION != 1, reason="version 1 is no longer written")
def test_the_current_version_still_writes_the_same_bytes(tmp_path: Path) -> None:
    note = "An example with every shape of the format."
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.RECORD, note=note)
    for interaction in expected("v1"):
        session.reserve(interaction.address.lane, interaction.address.key)
        session.append(interaction)
    session.seal()
    frozen = FOLDER / "v1" / "cassettes"
    for path in sorted(path for path in frozen.rglob("*") if path.is_file()):
        assert (tmp_path / path.relative_to(frozen)).read_bytes() == path.read_bytes(), path


@pytest.mark.parametrize("version", VERSIONS)
def test_every_released_journal_is_read_as_it_was_written(version: str) -> None:
    content = read_journal(LocalFiles(), FOLDER / version / "journal.jsonl")
    events = json.loads((FOLDER / version / "events.json").read_bytes())
    assert [content.header, *content.events] == events
    assert not content.torn


def test_the_current_journal_still_has_the_same_bytes(tmp_path: Path) -> None:
    header, *events = json.loads((FOLDER / "v1" / "events.json").read_bytes())
    journal = Journal.create(LocalFiles(), tmp_path / "journal", header)
    for event in events:
        journal.write(event)
    journal.close()
    assert (tmp_path / "journal").read_bytes() == (FOLDER / "v1" / "journal.jsonl").read_bytes()
