"""Each format of another tool, by a small example of it: detected by content, read without loss."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from agentci.core.errors import FormatError
from agentci.record.http.form import load_answer
from agentci.record.importers.recording import Recording
from agentci.record.importers.registry import read_foreign

URL = "https://api.openai.com/v1/chat/completions"
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
ANSWER = '{"id":"1","choices":[]}'


def read(document: Any, *, as_json: bool = False) -> tuple[str, tuple[Recording, ...]]:
    """Write a document as a tool would, and read it."""
    text = json.dumps(document) if as_json else yaml.safe_dump(document, sort_keys=False)
    found = read_foreign(text.encode(), "example")
    return found.format, found.recordings


def body_of(recording: Recording) -> bytes:
    """Return what a replay would answer."""
    return load_answer(recording.response).body


def vcrpy(
    body: Any = ANSWER, *, request: Mapping[str, Any] | None = None, **response: Any
) -> dict[str, Any]:
    """An interaction as vcrpy writes it."""
    return {
        "request": {
            "method": "POST",
            "uri": URL,
            "body": json.dumps(ASKED),
            "headers": {"Content-Type": ["application/json"], "authorization": ["Bearer x"]},
            **(request or {}),
        },
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["application/json"], "Set-Cookie": ["a=b"]},
            "body": {"string": body},
            **response,
        },
    }


@pytest.mark.parametrize("as_json", [False, True])
def test_vcrpy_in_yaml_and_json(as_json: bool) -> None:
    name, (recording,) = read({"version": 1, "interactions": [vcrpy()]}, as_json=as_json)
    assert name == "vcrpy v1"
    assert recording.kind == "model"
    assert recording.request["path"] == "/chat/completions"
    assert recording.request["body"] == ASKED
    assert recording.response["headers"] == {"content-type": "application/json"}
    assert body_of(recording) == ANSWER.encode()
    assert recording.url == URL


def test_vcrpy_without_a_version_and_with_binary_bodies() -> None:
    asked = json.dumps(ASKED).encode()
    item = vcrpy(
        gzip.compress(ANSWER.encode()),
        request={"body": asked},
        headers={"content-encoding": ["gzip"], "content-type": ["application/json"]},
    )
    _, (recording,) = read({"interactions": [item]})
    assert body_of(recording) == ANSWER.encode()
    assert recording.notes["decoded"] == "gzip"
    assert recording.response["headers"] == {"content-type": "application/json"}


def test_a_body_that_is_not_what_its_encoding_says_stays_as_it_is() -> None:
    damaged = gzip.compress(ANSWER.encode())[:-4]
    item = vcrpy(damaged, headers={"content-encoding": "gzip"})
    _, (recording,) = read({"interactions": [item]})
    assert body_of(recording) == damaged
    assert "not_decoded" in recording.notes
    assert load_answer(recording.response).headers["content-encoding"] == "gzip"


def test_parsed_body_replays_as_its_own_serializer_writes_it() -> None:
    parsed = {"text": "caf\u00e9", "n": [1, 2.5, None]}
    item = vcrpy(parsed_body=parsed)
    del item["response"]["body"], item["request"]["body"]
    item["request"]["parsed_body"] = ASKED
    name, (recording,) = read({"version": 1, "interactions": [item]})
    assert name == "vcrpy v1"
    assert body_of(recording) == json.dumps(parsed).encode()
    assert recording.request["body"] == ASKED


def test_what_older_vcrpy_wrote_for_httpx() -> None:
    item = vcrpy()
    item["response"] = {
        "content": ANSWER,
        "headers": {"Content-Type": ["application/json"]},
        "http_version": "HTTP/1.1",
        "status_code": 201,
    }
    _, (recording,) = read({"version": 1, "interactions": [item]})
    assert (recording.response["status"], body_of(recording)) == (201, ANSWER.encode())


def test_an_address_with_a_placeholder_in_it_is_kept() -> None:
    item = vcrpy(request={"uri": "<API_BASE>/chat/completions"})
    _, (recording,) = read({"version": 1, "interactions": [item]})
    assert (recording.kind, recording.url) == ("model", "<API_BASE>/chat/completions")


def test_go_vcr() -> None:
    item = {
        "id": 0,
        "request": {"method": "POST", "url": URL, "body": json.dumps(ASKED), "headers": {}},
        "response": {
            "body": "data: 1\n\ndata: [DONE]\n\n",
            "headers": {"Content-Type": ["text/event-stream"]},
            "status": "200 OK",
            "code": 200,
        },
    }
    name, (recording,) = read({"version": 2, "interactions": [item]})
    assert name == "go-vcr"
    assert load_answer(recording.response).chunks == (b"data: 1\n\n", b"data: [DONE]\n\n")


RUBY = """---
http_interactions:
- request:
    method: post
    uri: https://api.anthropic.com/v1/messages
    body:
      encoding: UTF-8
      string: '{"model":"claude","messages":[]}'
    headers: {}
  response:
    status: {code: 200, message: OK}
    headers:
      Content-Type: [text/plain]
    body:
      encoding: ASCII-8BIT
      string: !binary |-
        /9j/4A==
  recorded_at: Wed, 19 Aug 2026 14:35:06 GMT
- request: {method: get, uri: 'http://h/', body: {encoding: US-ASCII, string: ''}}
  response:
    status: {code: 200, message: OK}
    body: {encoding: ISO-8859-1, string: "caf\\u00e9"}
recorded_with: VCR 6.4.0
"""


def test_ruby_vcr_with_binary_and_named_encodings() -> None:
    found = read_foreign(RUBY.encode(), "ruby.yml")
    assert found.format == "Ruby VCR"
    assert [body_of(recording) for recording in found.recordings] == [
        b"\xff\xd8\xff\xe0",
        b"caf\xe9",
    ]
    assert found.recordings[0].request["path"] == "/v1/messages"


def test_langchain_pairs_in_gzip() -> None:
    pair = vcrpy(b"\x00\x01")
    text = yaml.safe_dump({"requests": [pair["request"]], "responses": [pair["response"]]})
    found = read_foreign(gzip.compress(text.encode()), "pairs.yaml.gz")
    assert found.format == "LangChain pairs"
    assert body_of(found.recordings[0]) == b"\x00\x01"


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(FormatError, match="1 requests and 0 responses"):
        read({"requests": [vcrpy()["request"]], "responses": []})


def test_a_placeholder_in_place_of_a_content_type_is_none() -> None:
    item = vcrpy("data: 1\n\n", headers={"content-type": ["**REDACTED**"]})
    _, (recording,) = read({"interactions": [item]})
    assert recording.response["headers"] == {"content-type": "text/event-stream"}
    assert recording.notes["inferred"] == "content-type"


def test_single_pair() -> None:
    binary = base64.b64encode(b"\x00\xff").decode()
    document: dict[str, Any] = {
        "request": {"method": "POST", "url": URL, "headers": {}, "body": json.dumps(ASKED)},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Encoding": "gzip", "Content-Type": "application/json"},
            "body": ANSWER,
        },
    }
    name, (recording,) = read(document, as_json=True)
    assert (name, body_of(recording)) == ("single pair", ANSWER.encode())
    document["response"]["body"] = f"base64:{binary}"
    assert body_of(read(document, as_json=True)[1][0]) == b"\x00\xff"


def test_nock() -> None:
    scopes = [
        {
            "scope": "https://api.openai.com:443",
            "method": "POST",
            "path": "/v1/chat/completions",
            "body": ASKED,
            "status": 200,
            "response": {"id": "caf\u00e9", "n": 1},
            "rawHeaders": ["Content-Type", "application/json", "X-Request-Id", "1"],
            "responseIsBinary": False,
        },
        {
            "scope": "http://h:80",
            "method": "GET",
            "path": "/?a=1",
            "status": 201,
            "response": "00ff",
            "headers": {"content-type": "image/png"},
            "responseIsBinary": True,
        },
        {
            "scope": "http://h:80",
            "path": "/z",
            "response": [gzip.compress(b"one")[:8].hex(), gzip.compress(b"one")[8:].hex()],
            "rawHeaders": [["Content-Encoding", "gzip"]],
        },
    ]
    name, recordings = read(scopes, as_json=True)
    assert name == "nock"
    assert [body_of(recording) for recording in recordings] == [
        '{"id":"caf\u00e9","n":1}'.encode(),
        b"\x00\xff",
        b"one",
    ]
    assert recordings[0].kind == "model"
    assert recordings[1].request["url"] == "http://h/?a=1"


def test_a_request_that_was_kept_in_base64_is_read_as_its_parts() -> None:
    plain = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--b--\r\n'
    item = vcrpy(
        request={
            "uri": "https://api.openai.com/v1/files",
            "body": base64.b64encode(plain).decode(),
            "headers": {"content-type": ["multipart/form-data; boundary=b"]},
        }
    )
    _, (recording,) = read({"interactions": [item]})
    assert recording.request["parts"] == [
        {"headers": {"content-disposition": 'form-data; name="x"'}, "text": "1"}
    ]


def test_credentials_in_an_address_are_left_out_and_noted() -> None:
    item = vcrpy(request={"uri": "https://h/x?key=not-kept&a=1", "method": "GET", "body": None})
    _, (recording,) = read({"interactions": [item]})
    assert recording.request["url"] == recording.url == "https://h/x?a=1"
    assert recording.notes["left_out"] == "credentials in the address"


OBJECT = """interactions:
- request:
    body: null
    headers:
      ? !!python/object/apply:multidict._multidict.istr [Accept]
      : ['*/*']
    method: GET
    uri: http://h/
"""


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        (OBJECT, "ACI-F162", "`!!python/object/apply:multidict._multidict.istr` in line 5"),
        ("a: !ruby/object:Gem::Requirement {}", "ACI-F162", "`!ruby/object:Gem::Requirement`"),
        ("a: !!python/name:os.system ''", "ACI-F162", "!!python/name:os.system"),
        ("interactions: {}", "ACI-F163", "without entries"),
        ("interactions: [{kind: m, direction: sent, data: {}}]", "ACI-F163", "WebSocket"),
        ("- request: {}\n  response: {}", "ACI-F163", "before version 1"),
        ("interactions: [{a: 1}]", "ACI-F163", "no HTTP exchanges"),
        ('{"name": "package"}', "ACI-F160", "no recording"),
        ("", "ACI-F160", "no recording"),
        ("just a text", "ACI-F160", "no recording"),
        ("format: agentci/cassette\nversion: 1\n", "ACI-F160", "already"),
        ("a: [", "ACI-F161", "cannot be read"),
        ("a: 1\n--- \nb: 2", "ACI-F161", "more than one document"),
        ("[" * 100_000, "ACI-F161", "cannot be read"),
        ('{"a": ' * 100_000, "ACI-F161", "cannot be read"),
        ("&a [*a]", "ACI-F161", "or for itself"),
    ],
)
def test_what_is_not_read_is_named_with_why(text: str, code: str, reason: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_foreign(text.encode(), "example.yaml")
    assert (caught.value.code, reason in caught.value.message) == (code, True)
    assert "`example.yaml`" in caught.value.message
    assert caught.value.hint


def test_bytes_that_are_no_text_are_named() -> None:
    for data in (b"\xff\xfe\x00", gzip.compress(b"{}")[:-2]):
        with pytest.raises(FormatError, match="cannot be read") as caught:
            read_foreign(data, "x")
        assert caught.value.code == "ACI-F161"


def test_a_broken_interaction_is_named_with_its_number() -> None:
    broken = vcrpy()
    del broken["response"]["status"]
    with pytest.raises(FormatError, match=r"interaction 2 cannot be read: `response\.status`"):
        read({"interactions": [vcrpy(), broken]})


def test_aliases_are_followed_within_bounds() -> None:
    shared = vcrpy()
    _, recordings = read({"interactions": [shared, shared]})
    assert len(recordings) == 2
    levels = ["a0: &a0 xxxxxxxxxx"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(FormatError, match="beyond all bounds"):
        read_foreign("\n".join(levels).encode(), "bomb.yaml")
