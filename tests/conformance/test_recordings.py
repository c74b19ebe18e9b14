"""Answers that real endpoints gave, recorded by other projects, decode or explain themselves.

They are not part of the repository: the test runs where a copy lies beside it.
"""

from __future__ import annotations

import pytest

from agentci.core.errors import ProviderError
from agentci.core.messages import ModelRequest
from agentci.core.wire import WireResponse
from tests.support.conversations import BLOBS, QUESTION
from tests.support.recorded_traffic import FOLDER, Recording, recordings

if not FOLDER.is_dir():
    pytest.skip("no recordings of other projects beside the repository", allow_module_level=True)

_RECORDINGS = tuple(recordings())
_NUMBERS_FOR_NAMES = "test_tool_events_with_completion_hook"
"""One recording of another Google API, which was asked to write enumerations as numbers."""
_ERRORS = tuple(r for r in _RECORDINGS if r.response.status >= 400 or _NUMBERS_FOR_NAMES in r.file)
_ANSWERS = tuple(r for r in _RECORDINGS if r not in _ERRORS)


def test_there_are_recordings_of_every_dialect() -> None:
    names = {recording.dialect.name for recording in _RECORDINGS}
    assert names == {"openai-chat", "openai-responses", "anthropic-messages", "gemini"}


@pytest.mark.parametrize("recording", _ERRORS, ids=lambda recording: recording.name)
def test_a_recorded_error_is_explained(recording: Recording) -> None:
    with pytest.raises(ProviderError) as caught:
        recording.dialect.decode(recording.response)
    assert "no explanation" not in caught.value.message


@pytest.mark.parametrize("recording", _ANSWERS, ids=lambda recording: recording.name)
def test_a_recorded_answer_is_read_and_can_be_sent_back(recording: Recording) -> None:
    answer = recording.dialect.decode(recording.response)
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens >= 0
    assert answer.model
    request = ModelRequest("m", (QUESTION, answer.message))
    recording.dialect.encode(request, BLOBS.__getitem__)


@pytest.mark.parametrize("recording", _ANSWERS, ids=lambda recording: recording.name)
def test_a_recorded_stream_may_be_cut_anywhere(recording: Recording) -> None:
    body = recording.response.body
    whole = recording.dialect.decode(recording.response)
    for size in (1, 7, 1000) if len(body) < 20_000 else (7, 1000):
        chunks = tuple(body[i : i + size] for i in range(0, len(body), size))
        recut = WireResponse(200, recording.response.headers, chunks)
        assert recording.dialect.decode(recut) == whole
