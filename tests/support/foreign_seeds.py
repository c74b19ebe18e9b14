"""One small document of every foreign format, for tests that damage them."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from typing import Any

_URL = "https://api.openai.com/v1/chat/completions"
_ASKED = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
_PARTS = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--b--\r\n'


def _event(payload: bytes) -> bytes:
    headers = b"\x0b:event-type\x07\x00\x01x"
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    head = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return head + struct.pack(">I", zlib.crc32(head))


def _request(**changes: Any) -> dict[str, Any]:
    request = {
        "method": "POST",
        "uri": _URL,
        "body": _ASKED,
        "headers": {"content-type": ["application/json"]},
    }
    return {**request, **changes}


def _response(body: Any, content_type: str = "application/json", **headers: str) -> dict[str, Any]:
    return {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": [content_type], **{k: [v] for k, v in headers.items()}},
        "body": {"string": body},
    }


_VCRPY = {
    "version": 1,
    "interactions": [
        {"request": _request(), "response": _response('{"a": [1, 2.5, "x"]}')},
        {
            "request": _request(
                uri="https://h/files?key=1",
                body=_PARTS,
                headers={"content-type": ["multipart/form-data; boundary=b"]},
            ),
            "response": _response(gzip.compress(b"{}", mtime=0), **{"content-encoding": "gzip"}),
        },
        {
            "request": _request(uri="https://h/model/x/converse-stream"),
            "response": _response(_event(b"{}") * 2, "application/vnd.amazon.eventstream"),
        },
    ],
}
_PARSED = {
    "version": 1,
    "interactions": [
        {
            "request": {"method": "POST", "uri": _URL, "parsed_body": json.loads(_ASKED)},
            "response": {"status": {"code": 200, "message": "OK"}, "parsed_body": {"é": [1.5]}},
        }
    ],
}
_GO = {
    "version": 2,
    "interactions": [
        {
            "id": 0,
            "request": {"method": "POST", "url": _URL, "body": _ASKED, "headers": {}},
            "response": {
                "body": "data: 1\n\ndata: [DONE]\n\n",
                "headers": {"Content-Type": ["text/event-stream"]},
                "status": "200 OK",
                "code": 200,
            },
        }
    ],
}
_RUBY = {
    "http_interactions": [
        {
            "request": {
                "method": "post",
                "uri": _URL,
                "body": {"encoding": "UTF-8", "string": _ASKED},
                "headers": {},
            },
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {},
                "body": {"encoding": "ISO-8859-1", "string": "é"},
            },
        }
    ],
    "recorded_with": "VCR 6.4.0",
}
_PAIRS = {"requests": [_request()], "responses": [_response(b"\x00\x01")]}
_SINGLE = {
    "request": {"method": "POST", "url": _URL, "headers": {}, "body": _ASKED},
    "response": {"status": {"code": 200}, "headers": {"x": "y"}, "body": "base64:AAE="},
}
_NOCK = [
    {
        "scope": "https://api.openai.com:443",
        "method": "POST",
        "path": "/v1/chat/completions",
        "body": json.loads(_ASKED),
        "status": 200,
        "response": [gzip.compress(b"{}", mtime=0).hex()],
        "rawHeaders": ["Content-Encoding", "gzip"],
        "responseIsBinary": False,
    }
]

SEEDS: tuple[Any, ...] = (_VCRPY, _PARSED, _GO, _RUBY, _PAIRS, _SINGLE, _NOCK)
