"""The form of the kind `http`: what makes two requests the same, and what a response keeps."""

from __future__ import annotations

import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.errors import FormatError
from agentci.core.json_types import JsonObject
from agentci.record.http.form import (
    HttpAnswer,
    canonical_url,
    http_request,
    infer_content_type,
    load_answer,
    reason_of,
    request_body,
    store_answer,
)
from agentci.record.keys import interaction_key

URL = "https://api.example.com/v1/files"


def _upload(boundary: str) -> JsonObject:
    lines = (
        f"--{boundary}",
        'Content-Disposition: form-data; name="file"; filename="a.bin"',
        "Content-Type: application/octet-stream",
        "",
        "\x00\x01",
        f"--{boundary}",
        'Content-Disposition: form-data; name="purpose"',
        "",
        "vision",
        f"--{boundary}--",
        "",
    )
    return http_request(
        "post",
        URL,
        body="\r\n".join(lines).encode(),
        content_type=f"multipart/form-data; boundary={boundary}",
    )


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTPS://API.Example.com:443/v1?a=1#x", "https://api.example.com/v1?a=1"),
        ("http://localhost:8000", "http://localhost:8000/"),
        ("https://u:p@h/x?key=1&alt=sse&SIG=2", "https://h/x?alt=sse"),
        ("http://[::1]:80/x?b=2&a=1", "http://[::1]/x?b=2&a=1"),
        ("<API_BASE>/chat/completions?key=1", "<API_BASE>/chat/completions"),
    ],
)
def test_an_address_is_kept_without_what_does_not_count(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical
    assert canonical_url(canonical) == canonical


@pytest.mark.parametrize("url", ["", "https://", "#x", "http://h:99999/", "http://[::1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical_url(url)


def test_a_request_is_the_same_however_its_json_is_written() -> None:
    keys = {
        interaction_key(http_request("POST", URL, body=body))
        for body in (b'{"a": 1, "b": "\\u00e9"}', '{\n "b":"\u00e9","a":1}'.encode())
    }
    assert len(keys) == 1


def test_a_request_is_the_same_whatever_the_boundary_of_its_parts() -> None:
    first, second = _upload("one"), _upload("quite-another")
    assert first == second
    assert len({interaction_key(first), interaction_key(second)}) == 1
    parts = first["parts"]
    assert isinstance(parts, list)
    assert parts[0]["text"] == "\x00\x01"
    assert parts[1] == {
        "headers": {"content-disposition": 'form-data; name="purpose"'},
        "text": "vision",
    }


def test_parts_are_put_together_as_a_mail_parser_reads_them() -> None:
    head = b"Content-Type: multipart/form-data; boundary=agentci-boundary\r\n\r\n"
    parsed = email.message_from_bytes(
        head + request_body(_upload("x")), policy=email.policy.default
    )
    assert [part.get_payload(decode=True) for part in parsed.walk()][1:] == [
        b"\x00\x01",
        b"vision",
    ]


@given(body=st.binary(max_size=120), kind=st.sampled_from(["", "text/plain", "multipart/mixed"]))
def test_any_body_makes_a_request_that_gives_it_back(body: bytes, kind: str) -> None:
    request = http_request("POST", URL, body=body, content_type=kind)
    again = http_request("POST", URL, body=request_body(request))
    assert interaction_key(again) == interaction_key(request)


def test_only_headers_that_clients_act_on_are_kept() -> None:
    answer = HttpAnswer(
        429, {"retry-after": "2", "set-cookie": "a=b", "x-request-id": "1"}, (b"slow down",)
    )
    assert store_answer(answer) == {
        "status": 429,
        "headers": {"retry-after": "2"},
        "text": "slow down",
    }


def test_a_stream_that_was_joined_is_cut_at_its_events() -> None:
    body = "data: \u00e9\n\nevent: x\r\ndata: 2\r\n\r\n\n\ndata: [DONE]".encode()
    stored = store_answer(HttpAnswer(200, {"content-type": "text/event-stream"}, (body,)))
    assert load_answer(stored).chunks == (
        "data: \u00e9\n\n".encode(),
        b"event: x\r\ndata: 2\r\n\r\n",
        b"\n\n",
        b"data: [DONE]",
    )


def test_a_stream_with_boundaries_keeps_them() -> None:
    chunks = (b"data: a", b"bc\n\ndata: \xc3", b"\xa9\n\n")
    stored = store_answer(HttpAnswer(200, {"content-type": "text/event-stream"}, chunks))
    loaded = load_answer(stored).chunks
    assert b"".join(loaded) == b"".join(chunks)
    assert len(loaded) == 3


def test_lines_of_json_are_cut_at_line_ends() -> None:
    answer = HttpAnswer(200, {"content-type": "application/x-ndjson"}, (b'{"a":1}\n{"b":2}\n',))
    assert load_answer(store_answer(answer)).chunks == (b'{"a":1}\n', b'{"b":2}\n')


@given(
    body=st.binary(max_size=200),
    kind=st.sampled_from(
        [
            "",
            "application/json",
            "text/event-stream",
            "application/x-ndjson",
            "application/vnd.amazon.eventstream",
        ]
    ),
)
def test_any_answer_comes_back(body: bytes, kind: str) -> None:
    stored = store_answer(HttpAnswer(200, {"content-type": kind}, (body,)))
    assert load_answer(stored).body == body


def test_the_phrase_of_a_status_is_kept_where_it_is_not_the_usual_one() -> None:
    assert "reason" not in store_answer(HttpAnswer(404, {}, (b"",), "Not Found"))
    assert reason_of({"status": 404}) == "Not Found"
    assert reason_of(store_answer(HttpAnswer(299, {}, (b"",), "Odd"))) == "Odd"


def test_a_body_without_a_type_tells_what_it_is() -> None:
    assert infer_content_type(b"data: {}\n\n") == "text/event-stream"
    assert infer_content_type(b'{"a": 1}') == "application/json"
    assert infer_content_type(b"hello") is None
    assert infer_content_type(b"\x00\x00\x00\x10") is None


def test_a_damaged_answer_is_named() -> None:
    damaged: tuple[JsonObject, ...] = (
        {},
        {"status": 200, "headers": {}},
        {"status": 200, "headers": [], "text": ""},
    )
    for stored in damaged:
        with pytest.raises(FormatError):
            load_answer(stored)
