"""A call in process has the key that gateway, proxy and importers give it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.messages import Message, ModelRequest, TextPart
from agentci.core.serving import ServedRequest
from agentci.models.proxy_address import parse_target
from agentci.models.proxy_requests import read_request
from agentci.models.registry import find_provider, load_dialect
from agentci.record.importers.exchange import Body, Exchange
from agentci.record.importers.recording import to_recording
from agentci.record.keys import canonical_request
from agentci.record.read_call import ReadCall
from agentci.record.surroundings import Surroundings
from agentci.record.tape import SentRequest, canonical_call


def _sent(url: str, body: bytes, **headers: str) -> SentRequest:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return SentRequest("POST", url, fields, body)


@pytest.mark.parametrize("name", ["openai", "openai-responses", "anthropic", "gemini"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_model_call_has_the_key_of_the_gateway(name: str, stream: bool) -> None:
    provider = find_provider(name)
    dialect = load_dialect(provider.dialect)
    message = Message(role="user", parts=(TextPart("why?"),))
    wire = dialect.encode(ModelRequest("some-model", (message,), stream=stream), lambda _: b"")
    sent = _sent(f"{provider.base_url}{wire.path}", json.dumps(wire.body).encode())
    call = canonical_call(sent)
    assert call.kind == "model"
    assert call.canonical == canonical_request(f"{dialect.name}/{dialect.version}", wire)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(body=st.binary(max_size=60) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_any_call_has_the_key_of_the_importers(body: bytes) -> None:
    url = "https://api.example.test/v2/x?b=1&a=2&api_key=none"
    exchange = Exchange("POST", url, Body(body, is_text=False), 200, Body(b"ok"))
    recording = to_recording(exchange)
    assert canonical_call(_sent(url, body)) == ReadCall(recording.kind, recording.request)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/embeddings"])
def test_a_call_that_nothing_is_masked_in_has_the_key_of_the_proxy(path: str) -> None:
    body = json.dumps({"model": "m", "messages": [], "input": "why?"}).encode()
    address = parse_target(f"/token/lane/openai{path}")
    assert address is not None
    served = ServedRequest("POST", f"/token/lane/openai{path}", {}, body)
    provider = find_provider("openai")
    proxied = read_request(served, address, provider, around=Surroundings(), rules=())
    sent = _sent(f"https://api.openai.com{path}", body)
    assert canonical_call(sent) == ReadCall(proxied.read.kind, proxied.read.canonical)


def test_neither_spacing_nor_compression_nor_headers_count() -> None:
    url = "https://api.example.test/x"
    plain = canonical_call(_sent(url, b'{"a": 1, "b": [2]}'))
    packed = gzip.compress(b'{"b":[2],"a":1}')
    other = _sent(url, packed, content_encoding="gzip", authorization="Bearer x")
    assert canonical_call(other) == plain


def test_a_form_is_the_same_whatever_its_boundary() -> None:
    def form(boundary: str) -> Any:
        body = (
            f'--{boundary}\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--{boundary}--'
        )
        content_type = f"multipart/form-data; boundary={boundary}"
        return canonical_call(_sent("https://a.test/x", body.encode(), content_type=content_type))

    assert form("one") == form("another")
