"""An imported call of a model has the key that the gateway computes for the same body."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentci.core.digest import Digest
from agentci.core.json_types import JsonObject
from agentci.core.messages import Message, ModelRequest, TextPart
from agentci.models.dialect import Dialect
from agentci.models.registry import Provider, find_provider, load_dialect
from agentci.record.exporters.vcr import export_vcr
from agentci.record.importers.call_ids import original_ids, restore_ids
from agentci.record.importers.dialects import DIALECT_ROWS, model_request
from agentci.record.importers.registry import read_foreign
from agentci.record.interaction import Address, Interaction
from agentci.record.keys import canonical_request, interaction_key, rename_call_ids
from agentci.record.session import Mode
from tests.support.gateway_bench import DIALECTS, LANE, WORKING, Bench, spec, two_turns
from tests.support.model_server import ModelServer

PROVIDERS = ("openai", "openai-responses", "anthropic", "gemini", "groq", "openrouter", "mistral")
"""One of every dialect, and some at other addresses."""


def _no_blob(digest: Digest) -> bytes:
    raise AssertionError(digest)


def _request(model: str, *, stream: bool) -> ModelRequest:
    message = Message(role="user", parts=(TextPart("say hello"),))
    return ModelRequest(
        model=model, messages=(message,), parameters={"max_tokens": 50}, stream=stream
    )


def _parts(provider: str) -> tuple[Provider, Dialect]:
    row = find_provider(provider)
    return row, load_dialect(row.dialect)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("model", ["some-model-1.5", "some-model-latest"])
def test_the_table_makes_the_request_that_the_gateway_makes(
    provider: str, model: str, stream: bool
) -> None:
    row, dialect = _parts(provider)
    wire = dialect.encode(_request(model, stream=stream), _no_blob)
    imported = model_request("POST", f"{row.base_url}{wire.path}", wire.body)
    assert imported == canonical_request(f"{dialect.name}/{dialect.version}", wire)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", DIALECTS)
def test_a_conversation_goes_to_vcrpy_and_back_and_replays_through_the_gateway(
    tmp_path: Path, provider: str, stream: bool
) -> None:
    work = two_turns(spec(provider, stream=stream))
    here, there = Bench(tmp_path / "here"), Bench(tmp_path / "there")
    with ModelServer(WORKING) as server:
        recorded = here.record(server, work)
    session = here.session(Mode.REPLAY)
    found = [session.lookup(answer.address) for answer in recorded]
    exported = export_vcr(interaction for interaction in found if interaction is not None)
    assert (exported.interactions, exported.left_out) == (2, ())
    session = there.session(Mode.AUTO)
    for imported in read_foreign(exported.data, "exported.yaml").recordings:
        key = interaction_key(imported.request)
        session.append(
            Interaction(Address(LANE, key, 1), imported.kind, imported.request, imported.response)
        )
    replayed = there.replay(work)
    assert [answer.response for answer in replayed] == [answer.response for answer in recorded]
    assert [answer.address for answer in replayed] == [answer.address for answer in recorded]


def test_every_row_is_a_dialect_of_ours() -> None:
    known = {f"{d.name}/{d.version}" for d in (_parts(name)[1] for name in PROVIDERS)}
    assert {row.dialect for row in DIALECT_ROWS} == known


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("GET", "https://api.openai.com/v1/chat/completions", {"messages": []}),
        ("POST", "https://api.openai.com/v1/embeddings", {"input": "x"}),
        ("POST", "https://example.com/surveys/1/responses", {"answers": []}),
        ("POST", "https://api.openai.com/v1/chat/completions", ["messages"]),
        ("POST", "https://api.anthropic.com/v1/messages/batches", {"messages": []}),
    ],
)
def test_other_traffic_is_no_call_of_a_model(method: str, url: str, body: JsonObject) -> None:
    assert model_request(method, url, body) is None


def test_the_version_in_a_path_of_gemini_does_not_count() -> None:
    host = "https://generativelanguage.googleapis.com"
    body: JsonObject = {"contents": []}
    paths = [
        (model_request("POST", f"{host}/{version}/models/m:{call}", body) or {}).get("path")
        for version in ("v1", "v1beta")
        for call in ("generateContent", "streamGenerateContent?alt=sse&x=1")
    ]
    assert (
        paths
        == [
            "/v1/models/m:generateContent",
            "/v1/models/m:streamGenerateContent?alt=sse",
        ]
        * 2
    )


def test_ids_of_tool_calls_can_be_restored() -> None:
    body: JsonObject = {
        "messages": [
            {"role": "assistant", "tool_calls": [{"id": "toolu_9", "function": {"name": "id"}}]},
            {"role": "tool", "tool_call_id": "toolu_9", "content": "call-1"},
        ]
    }
    renamed = rename_call_ids(body)
    ids = original_ids(body, renamed)
    assert ids == {"call-1": "toolu_9"}
    assert restore_ids(renamed, ids) == body
