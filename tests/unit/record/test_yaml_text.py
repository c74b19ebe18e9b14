"""The emitted text is YAML that every reader understands as the value that was written."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agentci.core.json_types import JsonObject, JsonValue
from agentci.record.yaml_read import BLOB_FIELD, JSON_FIELD, BlobReference, YamlProblem, parse
from agentci.record.yaml_text import emit, emit_field

HOSTILE = [
    "",
    " ",
    "\n",
    "\n\n",
    " \n",
    "\t",
    "a\n",
    "a\n\n",
    "a\n\n\n",
    "\na",
    "\n\n a",
    " a",
    "  a\nb",
    "a\n  b\n c",
    "a \nb ",
    "a\n \nb",
    "a\n   ",
    "a\n   \n",
    "\ta\n\tb\n",
    "a\tb",
    "a\t\n\tb\t\n",
    "---",
    "---\nkey: x\n...\n",
    "...\n---\n",
    "a\n---\nb\n",
    "a\n...\n",
    "%YAML 1.1\n---\n",
    "a\r\nb\r\n",
    "a\rb",
    "\r",
    "a\x85b\nc",
    "a\u2028b\nc",
    "a\u2029b",
    "\ufeffa\nb",
    "a\ufeff",
    "\x00",
    "a\x07b\n",
    "\x1b[31mred\x1b[0m\n",
    "\x7f",
    "\x9f\n",
    "\u200b\u202eabc\n",
    "\U000e0041\n",
    "\ufffe\uffff",
    "\U0001ffff\n",
    "\ud800",
    "a\n\udfff\n",
    "😀",
    "👩‍👩‍👧 family\nnext\n",
    "é\nü\n",
    "# no comment",
    "a # b",
    "a: b",
    "a:",
    ":a",
    "- a",
    "-",
    "? a",
    "key: |\n  text\n",
    "'",
    '"',
    "it's",
    'it\'s "it"',
    "\\",
    "it's \\n",
    "&a",
    "*a",
    "!tag",
    "@a",
    "`a`",
    "%a",
    "|",
    ">",
    "{a}",
    "[a]",
    "a, b",
    "a]",
    "null",
    "Null",
    "~",
    "true",
    "True",
    "no",
    "NO",
    "y",
    "on",
    "0",
    "07",
    "0x1f",
    "1e3",
    "1_000",
    "1:30",
    "1.5",
    ".5",
    ".inf",
    ".nan",
    "-.inf",
    "+1",
    "=",
    "<<",
    "2026-11-23",
    "2026-11-23T00:00:00Z",
    "$json",
    "$blob",
    "x" * 5000,
    "word " * 2000,
    ("y" * 3000 + "\n") * 3,
    "a" + " " * 300 + "b",
]

texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(),
    st.text(alphabet=" \t\n\r\x85\u2028\ufeff-.:#'\"|>[]{}ab0", max_size=12),
    st.lists(st.sampled_from(HOSTILE), max_size=4).map("\n".join),
)
numbers = st.one_of(st.integers(), st.floats(allow_nan=False), st.sampled_from([1e-7, 1e16, -0.0]))
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values: st.SearchStrategy[JsonValue] = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


def plain(value: object) -> object:
    """Undo `$json`, as a reader that knows nothing else of us would."""
    if isinstance(value, dict):
        if list(value) == [JSON_FIELD]:
            return json.loads(value[JSON_FIELD])
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def exact(value: object) -> str:
    """A form in which True is not 1 and 1 is not 1.0."""
    return json.dumps(value)


@given(values)
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@example("\ud800")
@example([["a\n", []], {}, {"": {"a b": [{"x": ["q: r", ["\n "]]}]}}])
@example({"k" * 300: 1})
@example({"$json": "1"})
@example({"$blob": "sha256:00"})
def test_what_is_emitted_is_read_back_by_us_and_by_any_yaml_reader(value: JsonValue) -> None:
    document: dict[str, JsonValue] = {"value": value}
    data = emit(document).encode()
    assert exact(parse(data)) == exact(document)
    assert exact(plain(yaml.load(data, yaml.CSafeLoader))) == exact(document)
    assert exact(plain(yaml.safe_load(data))) == exact(document)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("wrap", [lambda t: {"a": t}, lambda t: [t, [t], {"b": t, "c": [t]}]])
def test_every_hostile_text_survives_in_every_position(text: str, wrap: object) -> None:
    value = wrap(text)  # type: ignore[operator]  # a lambda of the table above
    data = emit_field("value", value).encode()
    for loaded in (parse(data), plain(yaml.safe_load(data))):
        assert exact(loaded) == exact({"value": value})


@given(values)
@settings(max_examples=200, deadline=None)
def test_no_line_of_a_value_can_be_taken_for_a_document_mark_or_a_field(value: JsonValue) -> None:
    lines = emit({"value": value}).split("\n")
    assert not [line for line in lines[1:] if re.match(r"---|\.\.\.|[a-z]", line)]


@given(values)
@settings(max_examples=200, deadline=None)
def test_a_reviewer_sees_every_character(value: JsonValue) -> None:
    shown = emit({"value": value})
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\xa0\u200b\u202a-\u202e\u2028\u2029\ufeff]", shown
    )


def test_prose_and_code_stand_as_blocks() -> None:
    value: JsonObject = {
        "content": "Use it like this:\n\n    run --all\n",
        "note": "it's fine",
        "n": [1, "a"],
    }
    assert emit(value) == (
        "content: |\n  Use it like this:\n\n      run --all\nnote: it's fine\n'n': [1, a]\n"
    )


def test_a_deeply_nested_value_is_written_and_read() -> None:
    value: JsonValue = "leaf"
    for _ in range(300):
        value = {"a": [value]}
    assert parse(emit({"value": value}).encode()) == {"value": value}


def test_a_blob_reference_is_told_from_a_text_that_looks_like_one() -> None:
    look_alike: dict[str, JsonValue] = {BLOB_FIELD: "sha256:00", "bytes": 1}
    value: JsonObject = {"ours": BlobReference(look_alike), "theirs": look_alike}
    data = parse(emit(value).encode())
    assert isinstance(data, dict)
    assert isinstance(data["ours"], BlobReference)
    assert not isinstance(data["theirs"], BlobReference)
    assert data["theirs"] == look_alike


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: !!python/object:os.system x", "tag"),
        ("a: !blob x", "tag"),
        ("a: &x [1]\nb: [*x, *x, *x, *x, *x, *x, *x, *x, *x, *x, *x, *x, *x]", "alias"),
        ("a: 1\na: 2", "twice"),
        ("1: 2", "key"),
        ("? [a]\n: 2", "key"),
        ("a: [", "line"),
        ("a: \x00", "control characters"),
        ("$json: '{'", "JSON"),
        ("$json: [1]", "JSON"),
        ("a: 1\n---\nb: 2", "document"),
    ],
)
def test_what_json_does_not_have_is_refused(text: str, reason: str) -> None:
    with pytest.raises(YamlProblem, match=reason):
        parse(text.encode())


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(YamlProblem, match="alias"):
        parse("\n".join(lines).encode())


@pytest.mark.parametrize(
    "text",
    [
        b"a: " + b"[" * 200_000,
        b"a: " + b"[a," * 200_000,
        b"\n".join(b" " * depth + b"a:" for depth in range(3_000)),
    ],
    ids=["open", "filled", "indented"],
)
def test_nesting_that_would_overflow_the_stack_of_libyaml_is_refused(text: bytes) -> None:
    with pytest.raises(YamlProblem, match="deeper than"):
        parse(text)


def test_scalars_mean_what_json_and_yaml_1_2_say() -> None:
    text = b"a: no\nb: 2026-11-23\nc: 012\nd: 1e3\ne: 0x1f\nf: ~\ng: -0.5\nh: 1:30\ni: =\n"
    assert parse(text) == {
        "a": "no",
        "b": "2026-11-23",
        "c": "012",
        "d": 1000.0,
        "e": "0x1f",
        "f": None,
        "g": -0.5,
        "h": "1:30",
        "i": "=",
    }
