"""What the dialects write, judged by the providers' SDKs.

The OpenAI and Anthropic SDKs take dictionaries of the wire format: the body has to fit their typed
dictionaries without an unknown key, and what they send for it has to equal what we send. The
Google SDK takes objects of its own: the test says each case with them, and the bodies must be
equal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import UsageError
from agentci.core.json_types import JsonValue
from agentci.core.messages import (
    BlobPart,
    ModelRequest,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from agentci.core.wire import WireRequest
from tests.support.answers import ANSWERS
from tests.support.canned_endpoint import CannedEndpoint, Received, canned_endpoint
from tests.support.conversations import BLOBS, CASES, DIALECTS, Case
from tests.support.typed_dicts import findings

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

_NO_SEED = {"openai-responses", "anthropic-messages"}
_CARRIED = [(name, case) for name in DIALECTS for case in CASES if name in case.carried_by]
_REFUSED = [(name, case) for name in DIALECTS for case in CASES if name not in case.carried_by]


def _id(value: Any) -> str:
    return value.name if isinstance(value, Case) else str(value)


def _encode(name: str, request: ModelRequest) -> WireRequest:
    return DIALECTS[name].encode(request, BLOBS.__getitem__)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[CannedEndpoint]:
    with canned_endpoint() as running:
        yield running


def _sent(endpoint: CannedEndpoint, name: str, *, stream: bool) -> None:
    """Prepare the endpoint's answer, so that the SDK's call succeeds."""
    case = next(case for case in ANSWERS if case.dialect == name)
    endpoint.answer = case.stream if stream else case.json
    endpoint.received.clear()


def _by_openai(endpoint: CannedEndpoint, name: str, body: Any) -> Received:
    openai = pytest.importorskip("openai")
    _sent(endpoint, name, stream=body.get("stream", False))
    with openai.OpenAI(api_key="key", base_url=f"{endpoint.url}/v1", max_retries=0) as client:
        resource = client.chat.completions if name == "openai-chat" else client.responses
        result = resource.create(**body)
        if body.get("stream"):
            assert list(result)
    return endpoint.received[-1]


def _by_anthropic(endpoint: CannedEndpoint, name: str, body: Any) -> Received:
    anthropic = pytest.importorskip("anthropic")
    _sent(endpoint, name, stream=body.get("stream", False))
    # Its typed call no longer takes sampling parameters, which the wire format still has.
    sampling = {k: v for k, v in body.items() if k in {"temperature", "top_p", "top_k"}}
    typed = {k: v for k, v in body.items() if k not in sampling}
    with anthropic.Anthropic(api_key="key", base_url=endpoint.url, max_retries=0) as client:
        result = client.messages.create(**typed, extra_body=sampling or None)
        if body.get("stream"):
            assert list(result)
    return endpoint.received[-1]


def _google_part(types: Any, part: Part) -> Any:
    match part:
        case TextPart():
            return types.Part.from_text(text=part.text)
        case BlobPart():
            return types.Part.from_bytes(data=BLOBS[part.digest], mime_type=part.media_type)
        case ToolCallPart():
            call = types.FunctionCall(id=part.id, name=part.name, args=part.arguments)
            return types.Part(function_call=call)
        case ToolResultPart():
            response = {"error" if part.is_error else "output": part.content}
            answer = types.FunctionResponse(id=part.id, name=part.name, response=response)
            return types.Part(function_response=answer)
        case ThinkingPart():
            pytest.fail("no case has one")


def _google_contents(types: Any, request: ModelRequest) -> list[Any]:
    contents: list[Any] = []
    for message in request.messages:
        role = "model" if message.role == "assistant" else "user"
        parts = [_google_part(types, part) for part in message.parts]
        if contents and contents[-1].role == role:
            contents[-1].parts.extend(parts)
        else:
            contents.append(types.Content(role=role, parts=parts))
    return contents


def _google_config(types: Any, request: ModelRequest) -> Any:
    parameters = request.parameters
    stop = parameters.get("stop")
    structured = request.output_schema if not request.tools else None
    tools = [
        types.FunctionDeclaration(
            name=tool.name, description=tool.description, parameters_json_schema=tool.parameters
        )
        for tool in request.tools
    ]
    return types.GenerateContentConfig(
        system_instruction=request.system or None,
        tools=[types.Tool(function_declarations=tools)] if tools else None,
        max_output_tokens=parameters.get("max_tokens"),
        temperature=parameters.get("temperature"),
        top_p=parameters.get("top_p"),
        top_k=parameters.get("top_k"),
        stop_sequences=[stop] if stop else None,
        seed=request.seed,
        response_mime_type="application/json" if structured else None,
        response_json_schema=structured,
    )


def _by_google(endpoint: CannedEndpoint, name: str, request: ModelRequest) -> Received:
    genai = pytest.importorskip("google.genai")
    types = genai.types
    _sent(endpoint, name, stream=request.stream)
    client = genai.Client(api_key="key", http_options=types.HttpOptions(base_url=endpoint.url))
    given = {
        "model": request.model,
        "contents": _google_contents(types, request),
        "config": _google_config(types, request),
    }
    if request.stream:
        assert list(client.models.generate_content_stream(**given))
    else:
        client.models.generate_content(**given)
    client.close()
    received = endpoint.received[-1]
    # The SDK sends an empty configuration, and two fields under their other accepted names.
    body = {k: v for k, v in received.body.items() if (k, v) != ("generationConfig", {})}
    text = json.dumps(body)
    for theirs, ours in (
        ("parameters_json_schema", "parametersJsonSchema"),
        ("mime_type", "mimeType"),
    ):
        text = text.replace(f'"{theirs}":', f'"{ours}":')
    return replace(received, body=json.loads(text))


@pytest.mark.parametrize(("name", "case"), _CARRIED, ids=_id)
def test_the_sdk_sends_the_same(name: str, case: Case, endpoint: CannedEndpoint) -> None:
    wire = _encode(name, case.request)
    body = json.loads(canonical_bytes(wire.body))
    match name:
        case "openai-chat" | "openai-responses":
            received = _by_openai(endpoint, name, body)
            prefix = "/v1"
        case "anthropic-messages":
            received = _by_anthropic(endpoint, name, body)
            prefix = ""
        case _:
            received = _by_google(endpoint, name, case.request)
            prefix = ""
    assert canonical_bytes(received.body) == canonical_bytes(wire.body)
    assert (received.method, received.path) == (wire.method, prefix + wire.path)
    assert received.headers["content-type"] == wire.headers["content-type"]
    for header, value in DIALECTS[name].auth_headers("key").items():
        if name != "anthropic-messages":  # the SDK also knows another header for the same key
            assert received.headers[header] == value


def test_the_api_version_of_anthropic_is_the_newest_that_takes_the_request(
    endpoint: CannedEndpoint,
) -> None:
    plain, sampling = (
        _encode("anthropic-messages", next(c for c in CASES if c.name == name).request)
        for name in ("one question", "sampling")
    )
    received = _by_anthropic(endpoint, "anthropic-messages", plain.body)
    assert plain.headers["anthropic-version"] == received.headers["anthropic-version"]
    assert sampling.headers["anthropic-version"] == "2023-06-01"


@pytest.mark.parametrize(("name", "case"), _CARRIED, ids=_id)
def test_the_body_has_the_types_of_the_sdk(name: str, case: Case) -> None:
    body = json.loads(canonical_bytes(_encode(name, case.request).body))
    match name:
        case "openai-chat":
            module = pytest.importorskip("openai.types.chat.completion_create_params")
            hint = module.CompletionCreateParams
        case "openai-responses":
            module = pytest.importorskip("openai.types.responses.response_create_params")
            hint = module.ResponseCreateParams
        case "anthropic-messages":
            module = pytest.importorskip("anthropic.types.message_create_params")
            hint = module.MessageCreateParams
            for sampling in ("temperature", "top_p", "top_k"):
                body.pop(sampling, None)
        case _:
            return  # its SDK takes objects, and the other test compares what it makes of them
    assert findings(body, hint) == []


@pytest.mark.parametrize(("name", "case"), _REFUSED, ids=_id)
def test_what_a_format_has_no_field_for_is_refused(name: str, case: Case) -> None:
    with pytest.raises(UsageError, match=name) as caught:
        _encode(name, case.request)
    assert caught.value.hint


@pytest.mark.parametrize("name", DIALECTS)
def test_a_seed_is_sent_where_the_format_has_one_and_nowhere_else(name: str) -> None:
    case = next(case for case in CASES if case.name == "a seed")
    text = canonical_bytes(_encode(name, case.request).body)
    assert (b"1234" in text) is DIALECTS[name].seed_support
    assert DIALECTS[name].seed_support is (name not in _NO_SEED)


@pytest.mark.parametrize("case", CASES, ids=_id)
@pytest.mark.parametrize("name", DIALECTS)
def test_encoding_depends_on_the_request_alone(name: str, case: Case) -> None:
    if name in case.carried_by:
        first, second = (_encode(name, case.request) for _ in range(2))
        assert canonical_bytes(first.body) == canonical_bytes(second.body)
        assert first == second


@pytest.mark.parametrize("name", DIALECTS)
def test_the_order_in_which_parameters_are_given_does_not_matter(name: str) -> None:
    given: dict[str, JsonValue] = {
        "temperature": 0.5,
        "max_tokens": 9,
        "some_field": {"b": 1, "a": 2},
    }
    message = CASES[0].messages
    forwards = ModelRequest("m", message, parameters=given)
    backwards = ModelRequest("m", message, parameters=dict(reversed(list(given.items()))))
    encoded = [canonical_bytes(_encode(name, r).body) for r in (forwards, backwards)]
    assert encoded[0] == encoded[1]
    assert json.loads(encoded[0])["some_field"] == {"b": 1, "a": 2}
