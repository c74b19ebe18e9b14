"""What is found and what is not, that it does not depend on cuts, and that the work is linear."""

from __future__ import annotations

import base64
import gzip
import json
import re
import re._constants as sre  # type: ignore[import-not-found] # typeshed has no stubs for it
import re._parser as sre_parser  # type: ignore[import-not-found]
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentci.app.cassette_scan import find_in_file
from agentci.record.secrets.placeholder import placeholder
from agentci.record.secrets.redactor import Redactor
from agentci.record.secrets.rules import RULES, Rule
from agentci.record.secrets.scan import spot
from agentci.record.secrets.search import Searcher
from tests.support.command_line import ROOT
from tests.support.planted_secrets import PLANTED, drawn

CORPUS = ROOT.parent / "shared" / "corpus"
HARMLESS = (
    "sk-" + "x" * 40,
    "AKIAIOSFODNN7" + "EXAMPLE",
    "ask-me-anything-about-this-long-name",
    "sk-some-long-css-class-name-here-too",
    "a disk-1234567890abcdefghij",
    "sha256:" + "ab" * 32,
    "Bearer <token>",
    "Authorization: Bearer test_aws_authorization",
    "-----BEGIN PUBLIC KEY-----",
    "-----BEGIN " + "PRIVATE KEY-----\n...\n",
    "call_aB3dE6gH9jK2mN5pQ8sTuV1wX4yZ",
    "password = os.environ['DB_PASSWORD']",
    "password: str = ''",
    "api_key = get_secret('openai_api_key_v2')",
    "OPENAI_API_KEY=your-api-key-goes-here-1234",
    "export TOKEN=${GITHUB_TOKEN_2}",
    '"token": " Hello"',
    '"max_tokens": 4096, "prompt_tokens": 128',
    '"next_page_token": "CAUQAA3f9d8a7b6c5d4e3f"',
    '"model": "claude-3-5-sonnet-20241022"',
    "postgres://user:password@localhost:5432/app",
    "https://example.com/a:b@c",
    "chatcmpl-9yZ8xW7vU6tS5rQ4pO3nM2lK1jI0",
    "5f2d8a1c-7b3e-4c9d-8e6f-1a2b3c4d5e6f",
    "the secret: keep it simple and short",
    "git commit 4fda38988f2939fa6ea9cdefcf120693e10ef491",
    placeholder("openai-key", 3),
)
TEXT = "".join(f"note {n}: {each.text}\n" for n, each in enumerate(PLANTED[:8]))


@pytest.mark.parametrize("text", HARMLESS)
def test_placeholders_references_and_plain_words_pass(text: str) -> None:
    assert list(spot({"text": text, "other": f"see {text}, then"})) == []


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("Authorization", f"Token {drawn('t', 24)}", "header-credential"),
        ("x-api-key", drawn("k", 32), "header-credential"),
        ("password", "hunter2!", "password"),
        ("DB_PASSWORD", "s3cret-sauce", "password"),
        ("refresh_token", drawn("r", 40), "assigned-secret"),
        ("Set-Cookie", f"id={drawn('c', 24)}; Path=/; HttpOnly", "cookie"),
    ],
)
def test_the_name_of_a_field_tells_of_its_value(field: str, value: str, kind: str) -> None:
    for holder in ({field: value}, {field: [value]}, {"name": field, "value": value}):
        assert [found.kind for found in spot({"a": [holder]})] == [kind]


def test_headers_in_a_flat_list_are_told_apart() -> None:
    flat = ["accept", "*/*", "cookie", f"a={drawn('c', 20)}", "x-api-key", drawn("k", 30)]
    assert [found.kind for found in spot({"raw": flat})] == ["cookie", "header-credential"]


def test_a_finding_names_the_place_and_never_the_secret() -> None:
    secret = PLANTED[0].text
    (found,) = spot({"messages": [{"content": [{"text": f"x {secret}"}]}]}, path=("request",))
    assert found.path == "request.messages[0].content[0].text"
    assert secret not in repr(found)
    (named,) = spot({secret: 1})
    assert secret not in named.path


@given(st.lists(st.integers(0, len(TEXT)), max_size=12))
def test_cuts_between_chunks_do_not_matter(cuts: list[int]) -> None:
    chunks = [TEXT[a:b] for a, b in pairwise([0, *sorted(cuts), len(TEXT)])]
    whole = [(found.kind, found.secret) for found in spot({"chunks": [TEXT]})]
    assert [(found.kind, found.secret) for found in spot({"chunks": chunks})] == whole
    redacted: Any = Redactor().redact({"chunks": chunks})
    assert "".join(redacted["chunks"]) == Redactor().redact({"chunks": TEXT})["chunks"]
    assert len(redacted["chunks"]) == len(chunks)


@given(st.data())
@settings(max_examples=40)
def test_a_streamed_text_may_be_spelled_in_any_pieces(data: st.DataObject) -> None:
    secret = data.draw(st.sampled_from(PLANTED)).text
    text = f"look: {secret} ok"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=1, max_size=8)))
    stream = "".join(
        f"data: {json.dumps({'delta': {'text': text[a:b]}, 'index': 0})}\n\n"
        for a, b in pairwise([0, *cuts, len(text)])
    )
    redacted = Redactor().redact({"chunks": [stream[:40], stream[40:]]})
    after = "".join(map(str, redacted["chunks"]))  # type: ignore[arg-type]
    said = "".join(json.loads(line[6:])["delta"]["text"] for line in after.split("\n") if line)
    assert said == Redactor().redact_text(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40)
    | st.sampled_from([*HARMLESS, *(each.text for each in PLANTED)]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4))
@settings(max_examples=150, deadline=None)
def test_redacting_leaves_nothing_to_find_and_harmless_text_alone(value: dict[str, Any]) -> None:
    before = json.dumps(value)
    found = list(spot(value))
    redacted = Redactor().redact(value)
    assert json.dumps(value) == before
    assert (redacted is value) == (not found)
    assert not list(spot(redacted))
    assert Redactor().redact(redacted) is redacted


@pytest.mark.parametrize("text", [drawn("prose", 5000, "etaoin shrdlu"), "a=b&c=%41;\\u0041" * 99])
def test_text_without_a_finding_is_the_same_object(text: str) -> None:
    value = {"a": text}
    assert Redactor().redact(value) is value


HOSTILE = (
    "a", "%41", "\\u0041", "sk-", "sk-a-", "eyJ.", "eyJaaaaaaaaaaa.", "://a:a://a:b", "password=",
    "-----BEGIN PRIVATE KEY-----", 'token"""""', "key=        ", "sig=%41", "QUFB", "{", "\\",
    'data: {"a":"b"}\n\n', "session=a;", "bearer  ", "H4sIAAAAAAAA", "Q" * 76 + "\n",
    "mistral_", "secret_access_key=",
)  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_the_work_grows_with_the_text_and_not_faster(unit: str) -> None:
    counts = []
    for size in (50_000, 200_000):
        searcher = Searcher()
        searcher.search((unit * (size // len(unit) + 1))[:size])
        counts.append(searcher.steps)
    assert counts[1] <= 4.2 * counts[0]
    assert counts[1] <= 60 * 200_000


def test_packed_many_times_over_is_given_up_in_time() -> None:
    data = b"a" * 2_000_000
    for _ in range(4):
        data = base64.b64encode(gzip.compress(data))
    searcher = Searcher()
    searcher.search(" ".join([data.decode()] * 30))
    assert searcher.steps < 400_000_000


def _paths(tree: Any) -> int:
    """Return an upper bound for the ways to match at one place that a matcher may try."""
    total = 1
    for operator, argument in tree:
        if operator in {sre.MAX_REPEAT, sre.MIN_REPEAT}:
            low, high, inner = argument
            assert high < sre.MAXREPEAT, "without a bound"
            total *= (high - low + 1) * max(_paths(inner), 1) ** (1 if _paths(inner) == 1 else high)
        elif operator is sre.SUBPATTERN:
            total *= _paths(argument[-1])
        elif operator is sre.BRANCH:
            total *= max(_paths(branch) for branch in argument[1])
        elif operator in {sre.ASSERT, sre.ASSERT_NOT}:
            total *= _paths(argument[1])
        elif operator is sre.POSSESSIVE_REPEAT:
            assert argument[1] < sre.MAXREPEAT, "without a bound"
    return total


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_no_shape_can_be_made_to_try_for_long(rule: Rule) -> None:
    tree = sre_parser.parse(rule.shape.pattern, rule.shape.flags & ~re.UNICODE)
    assert tree.getwidth()[1] <= 25_000
    assert _paths(tree) <= 30_000
    assert all(word == word.lower() for word in rule.words) or not rule.any_case


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings of other projects are not here")
def test_real_recordings_of_others_have_at_most_one_false_finding_for_a_megabyte() -> None:
    files = [path for path in sorted(CORPUS.rglob("*")) if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    found = [each.finding for path in files for each in find_in_file(path.read_bytes(), path.name)]
    assert len(found) <= max(size / 1_000_000, 1), found


def test_files_of_any_kind_are_looked_into(tmp_path: Path) -> None:
    secret = PLANTED[1].text
    for data, line in (
        (f"a\nb {secret}\n".encode(), 2),
        (json.dumps({"a": [secret]}, indent=1).encode(), 3),
        (gzip.compress(f"x: 1\ny: '{secret}'\n".encode()), 2),
        (b"\xff\xfe\x00 " + secret.encode(), 1),
        (f"- !!python/object:x {{a: '{secret}'}}\n".encode(), 1),
    ):
        (found,) = find_in_file(data, "f")
        assert (found.finding.kind, found.finding.line) == ("openai-key", line)
