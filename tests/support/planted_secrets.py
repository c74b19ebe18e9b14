"""Secrets that never were any, of every kind, and the places in a recording where one can stand.

Texts are put together from pieces here, so that this file itself holds no key.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

_MIXED = string.ascii_letters + string.digits


def drawn(name: str, length: int, alphabet: str = _MIXED) -> str:
    """Return characters that look drawn at random, the same in every run."""
    out = ""
    while len(out) < length:
        for byte in hashlib.sha256(f"{name} {len(out)}".encode()).digest():
            out += alphabet[byte % len(alphabet)]
    return out[:length]


def hexadecimal(name: str, length: int) -> str:
    return drawn(name, length, "0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Planted:
    """A secret, and the text that it comes in."""

    kind: str
    secret: str
    text: str
    """Holds the secret."""


def _alone(kind: str, secret: str) -> Planted:
    return Planted(kind, secret, secret)


def _token(part: Mapping[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _jwt(name: str) -> str:
    return ".".join((_token({"alg": "HS256"}), _token({"sub": name, "n": "1"}), drawn(name, 43)))


def _pem(name: str) -> str:
    body = "\n".join(drawn(f"{name} {line}", 64) for line in range(6))
    dashes = "-" * 5
    return f"{dashes}BEGIN PRIVATE KEY{dashes}\nMII{body}\n{dashes}END PRIVATE KEY{dashes}"


def _in(kind: str, before: str, secret: str, after: str = "") -> Planted:
    return Planted(kind, secret, f"{before}{secret}{after}")


PLANTED: tuple[Planted, ...] = (
    _alone("openai-key", "sk-" + drawn("oa", 48)),
    _alone("openai-key", "sk-proj-" + drawn("oap", 74)),
    _alone("anthropic-key", "sk-ant-" + "api03-" + drawn("an", 90)),
    _alone("google-key", "AIza" + drawn("g", 35)),
    _alone("groq-key", "gsk_" + drawn("gr", 52)),
    _alone("deepseek-key", "sk-" + hexadecimal("ds", 32)),
    _alone("xai-key", "xai-" + drawn("x", 80)),
    _alone("openrouter-key", "sk-or-" + "v1-" + hexadecimal("or", 64)),
    _alone("hugging-face-token", "hf_" + drawn("hf", 34)),
    _alone("replicate-token", "r8_" + drawn("r8", 37)),
    _in("mistral-key", "MISTRAL_API_KEY=", drawn("mi", 32)),
    _in("cohere-key", 'cohere_api_key: "', drawn("co", 40), '"'),
    _alone("azure-key", drawn("az", 52) + "JQQJ99" + drawn("az2", 26)),
    _in("assigned-secret", "AZURE_OPENAI_API_KEY=", hexadecimal("azh", 32)),
    _alone("aws-key-id", "AKIA" + drawn("ak", 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")),
    _in("aws-secret", "aws_secret_access_key = ", drawn("as", 40)),
    _alone("aws-session-token", "IQoJb3JpZ2lu" + drawn("st", 300)),
    _alone("github-token", "ghp_" + drawn("gh", 36)),
    _alone("github-token", "github_pat_" + drawn("gp", 82)),
    _alone("gitlab-token", "glpat-" + drawn("gl", 20)),
    _alone("slack-token", "xoxb-123456789012-" + drawn("sl", 24)),
    _alone("stripe-key", "sk_live_" + drawn("sp", 24)),
    _alone("google-oauth-token", "ya29." + drawn("ya", 120)),
    _alone("google-client-secret", "GOCSPX-" + drawn("gc", 28)),
    _in("azure-sas", "https://a.blob.core/x?sv=2024-11-04&se=2026&sig=", drawn("sas", 44) + "%3D"),
    _alone("jwt", _jwt("jwt")),
    _alone("private-key", _pem("pem")),
    _in("cookie", "__cf_bm=", drawn("cf", 43) + "-1721000000-1.0.1.1", "; path=/"),
    _in(
        "connection-string", "postgres://svc:", "Tr0ub4dor-" + drawn("cs", 6), "@db.local:5432/app"
    ),
    _in("bearer-token", "Authorization: Bearer ", drawn("be", 40)),
    _in("password", "password = ", "c0rrect-Horse!" + drawn("pw", 4)),
    _in("assigned-secret", '"client_secret": "', drawn("cl", 32), '"'),
)
"""More than 20 kinds."""


def _conversation(content: object) -> dict[str, Any]:
    return {"body": {"model": "m", "messages": [{"role": "user", "content": content}]}}


def _events(*pieces: str) -> list[str]:
    return [
        "data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": each}}]}) + "\n\n"
        for each in pieces
    ]


def _spelled(text: str) -> list[str]:
    third = len(text) // 3
    return _events("it is ", text[:third], text[third : 2 * third], text[2 * third :], " indeed")


def _cut(text: str) -> list[str]:
    """Return one event, cut into two chunks in the middle of the text."""
    (event,) = _events(f"it is {text} indeed")
    middle = len(event) // 2
    return [event[:middle], event[middle:]]


def _unpacked(text: str) -> str:
    return f"first line\nit is {text}\nlast line"


POSITIONS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "header": lambda text: {"request": {"headers": {"x-anything": [text]}}},
    "query": lambda text: {"request": {"path": f"/v1/models?a=1&value={quote(text, safe='')}&b=2"}},
    "body field": lambda text: {"request": {"body": {"model": "m", "metadata": {"note": text}}}},
    "prompt": lambda text: {"request": _conversation(f"Please look at this:\n{text}\nThanks.")},
    "tool result": lambda text: {
        "request": {
            "body": {"messages": [{"role": "tool", "content": json.dumps({"output": text})}]}
        }
    },
    "response": lambda text: {"response": {"body": {"content": [{"text": f"I see {text}."}]}}},
    "streamed": lambda text: {"response": {"chunks": _spelled(text)}},
    "cut chunks": lambda text: {"response": {"chunks": _cut(text)}},
    "base64": lambda text: {
        "request": _conversation(
            "data:text/plain;base64," + base64.b64encode(_unpacked(text).encode()).decode()
        )
    },
    "gzip": lambda text: {
        "response": {
            "base64": base64.b64encode(gzip.compress(_unpacked(text).encode(), mtime=0)).decode()
        }
    },
    "json in json": lambda text: {
        "response": {"body": {"arguments": json.dumps({"a": json.dumps({"b": text})})}}
    },
    "multipart": lambda text: {
        "request": {
            "text": f'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n{text}\r\n--x--\r\n'
        }
    },
}
"""Where a secret stands: gives the recording that holds a text there."""
