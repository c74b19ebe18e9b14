"""Hostile files end in an error with a name, or in recordings that hold; never in anything else."""

from __future__ import annotations

import copy
import json
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentci.core.digest import digest_bytes
from agentci.core.errors import FormatError
from agentci.core.lane import Lane
from agentci.record.document import encode
from agentci.record.http.form import load_answer
from agentci.record.importers.foreign_yaml import ForeignYamlError, parse_foreign
from agentci.record.importers.registry import read_foreign
from agentci.record.interaction import Address, Interaction
from agentci.record.keys import interaction_key
from tests.support.foreign_seeds import SEEDS

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.sampled_from(["gzip", "br", "zstd", "multipart/form-data; boundary=a", "text/event-stream"]),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)
SLOW = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)


def check(data: bytes) -> None:
    """Read a file; whatever comes of it can be kept and answers."""
    try:
        found = read_foreign(data, "hostile")
    except FormatError:
        return
    for recording in found.recordings:
        key = interaction_key(recording.request)
        address = Address(Lane("x"), key, 1)
        encode(
            Interaction(address, recording.kind, recording.request, recording.response),
            digest_bytes,
        )
        load_answer(recording.response)


@SLOW
@given(data=st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    check(data)


@SLOW
@given(text=st.text(alphabet="{}[]:,-&*!|>'\"? \n\tabc0159.", max_size=120))
def test_any_text_that_looks_like_yaml_or_json(text: str) -> None:
    check(text.encode())
    try:
        parse_foreign(text)
    except ForeignYamlError:
        return


@st.composite
def _changed(draw: st.DrawFn) -> Any:
    """A real document with values replaced, removed or doubled at any depth."""
    document = copy.deepcopy(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        at: Any = document
        while True:
            places = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not places:
                break
            place = draw(st.sampled_from(places))
            if isinstance(at[place], dict | list) and draw(st.booleans()):
                at = at[place]
                continue
            if draw(st.booleans()):
                at[place] = draw(ODD)
            else:
                del at[place]
            break
    return document


@SLOW
@given(document=_changed())
def test_any_change_of_a_recording(document: Any) -> None:
    check(yaml.safe_dump(document).encode())
    try:
        text = json.dumps(document)
    except TypeError:  # bytes are for YAML
        return
    check(text.encode("utf-8", "surrogatepass"))


@SLOW
@given(
    seed=st.sampled_from(SEEDS),
    cut=st.floats(0, 1),
    insert=st.binary(max_size=8),
    drop=st.integers(0, 9),
)
def test_any_damage_to_the_bytes(seed: Any, cut: float, insert: bytes, drop: int) -> None:
    data = yaml.safe_dump(seed).encode()
    at = int(len(data) * cut)
    check(data[:at] + insert + data[at + drop :])
