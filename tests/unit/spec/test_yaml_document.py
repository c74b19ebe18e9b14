"""Reading YAML: what is taken, what is refused, and where each value stands."""

from __future__ import annotations

import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.errors import Problem, SpecError
from agentci.core.json_types import JsonValue
from agentci.spec import yaml_document
from agentci.spec.yaml_document import MAX_DEPTH, MAX_VALUES, parse_document


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here runs with the C parser and with the pure one."""
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML has no C parser here")
    monkeypatch.setattr(yaml_document, "_LOADER", getattr(yaml, request.param))


def _value(text: str) -> JsonValue:
    return parse_document(text.encode(), "f.yaml").value


def _problem(data: bytes) -> Problem:
    with pytest.raises(SpecError) as caught:
        parse_document(data, "f.yaml")
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("tRue", "tRue"),
        ("null", None),
        ("~", None),
        ("", None),
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01 10:00:00", "2020-01-01 10:00:00"),
        ("12:30:00", "12:30:00"),
        ("1_000", "1_000"),
        ("=", "="),
        ("0", 0),
        ("-4", -4),
        ("+5", 5),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("-1.5E-2", -0.015),
        ("1.2.3", "1.2.3"),
        ("e3", "e3"),
        (".", "."),
        ("-", [None]),
        ("'1'", "1"),
        ('"true"', "true"),
        ("|\n  1\n", "1\n"),
        ('"\\u00e9\\U0001F600"', "é😀"),
        ("9007199254740993", 9007199254740993),
    ],
)
def test_scalars_are_those_of_json(text: str, value: JsonValue) -> None:
    found = _value(f"a:{chr(10) if text == '-' else ' '}{text}\n")
    assert found == {"a": value}
    assert isinstance(found, dict)
    assert type(found["a"]) is type(value)


@pytest.mark.parametrize("text", ["010", "-007", "0x1F", "0o17", "0b11", ".inf", "-.INF", ".nan"])
def test_what_readers_disagree_about_is_refused(text: str) -> None:
    problem = _problem(f"a: {text}\n".encode())
    assert problem.code == "ACI-D107"
    assert f"`{text}`" in problem.message
    assert f'"{text}"' in (problem.hint or "")
    assert _value(f"a: '{text}'\n") == {"a": text}


@pytest.mark.parametrize("text", ["1e999", "9" * 5000, "1" * 200 + ".0"])
def test_numbers_that_no_machine_holds_are_refused(text: str) -> None:
    assert _problem(f"a: {text}\n".encode()).code == "ACI-D107"


def test_keys_are_always_text() -> None:
    assert _value("1: a\ntrue: b\non: c\n~: d\n") == {"1": "a", "true": "b", "on": "c", "~": "d"}


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        (b"a: 1\nb: 2\na: 3\n", "ACI-D106", "f.yaml:3:1"),
        (b"x: {b: 1, b: 2}\n", "ACI-D106", "f.yaml:1:11"),
        (b"1: a\n'1': b\n", "ACI-D106", "f.yaml:2:1"),
        (b"a: caf\xe9\n", "ACI-D102", "f.yaml:1:7"),
        (b"a: 1\nb: \xff\n", "ACI-D102", "f.yaml:2:4"),
        ("a: 1".encode("utf-16"), "ACI-D102", "f.yaml:1:1"),
        (b"", "ACI-D103", "f.yaml:1:1"),
        (b"# nothing\n", "ACI-D103", "f.yaml:1:1"),
        (b"a: 1\n---\nb: 2\n", "ACI-D105", "f.yaml:2:1"),
        (b"a: \x00\n", "ACI-D101", "f.yaml:1:4"),
        (b"a: 1\nb: \x07\n", "ACI-D101", "f.yaml:2:4"),
        (b"a:\n\tb: 1\n", "ACI-D101", "f.yaml:2:1"),
        (b"a: b: c\n", "ACI-D101", "f.yaml:1:5"),
        (b"a: [1, 2\n", "ACI-D101", "f.yaml:2:1"),
        (b"? [a]\n: 1\n", "ACI-D101", "f.yaml:1:3"),
        (b"a: &k x\n*k : 1\n", "ACI-D101", "f.yaml:2:1"),
        (b"a: *zz\n", "ACI-D109", "f.yaml:1:4"),
        (b"a: &a [*a]\n", "ACI-D109", "f.yaml:1:8"),
        (b"a: &x {b: 1}\nc:\n  <<: *x\n", "ACI-D108", "f.yaml:3:3"),
        (b"a: !!python/object/apply:os.system ['x']\n", "ACI-D108", "f.yaml:1:4"),
        (b"a: !!str 1\n", "ACI-D108", "f.yaml:1:4"),
        (b"!x {a: 1}\n", "ACI-D108", "f.yaml:1:1"),
    ],
)
def test_what_is_not_the_dialect_is_named_with_its_place(
    data: bytes, code: str, place: str
) -> None:
    problem = _problem(data)
    assert (problem.code, str(problem.location)) == (code, place)


@pytest.mark.parametrize("data", [b"[" * 5000, b"{a: " * 5000, b"- " * 3000, b"? " * 3000])
def test_depth_is_limited(data: bytes) -> None:
    problem = _problem(data)
    assert problem.code in {"ACI-D104", "ACI-D101"}
    assert str(MAX_DEPTH) in problem.message or "key" in problem.message


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    problem = _problem("\n".join(lines).encode())
    assert problem.code == "ACI-D104"
    assert "aliases expanded" in problem.message


def test_size_is_limited() -> None:
    assert _problem(b"a: " + b"x" * 2_000_001).code == "ACI-D104"
    assert _problem(b"[" + b"1," * (MAX_VALUES + 1) + b"]").code == "ACI-D104"


def test_a_tab_is_called_a_tab() -> None:
    problem = _problem(b"a:\n\tb: 1\n")
    assert "a tab cannot indent" in problem.message
    assert problem.hint == "indent with spaces"


@pytest.mark.parametrize("text", ["a: {{ x }}", "a: [${{ x }}]"])
def test_an_unquoted_expression_gets_the_hint_to_quote_it(text: str) -> None:
    assert "quotes" in (_problem(text.encode()).hint or "")


def test_a_byte_order_mark_and_crlf_are_taken() -> None:
    document = parse_document(b"\xef\xbb\xbfa: 1\r\nb: |\r\n  x\r\n  y\r\n", "f.yaml")
    assert document.value == {"a": 1, "b": "x\ny\n"}


def test_an_alias_gives_the_same_value() -> None:
    assert _value("a: &x {b: [1]}\nc: *x\nd: &n 5\ne: *n\n") == {
        "a": {"b": [1]},
        "c": {"b": [1]},
        "d": 5,
        "e": 5,
    }


def test_positions_lead_to_keys_and_values() -> None:
    text = "a: 1\nsteps:\n  - id: x\n    loop:\n      max: 3\n  - {id: y, run: z}\n"
    positions = parse_document(text.encode(), "p.yaml").positions
    assert str(positions.locate(())) == "p.yaml:1:1"
    assert str(positions.locate(("steps", 0, "loop", "max"))) == "p.yaml:5:12"
    assert str(positions.locate(("steps", 0, "loop", "max"), key=True)) == "p.yaml:5:7"
    assert str(positions.locate(("steps", 1))) == "p.yaml:6:5"
    assert str(positions.locate(("steps", 1, "run"))) == "p.yaml:6:18"


def test_the_place_of_what_is_missing_is_that_of_what_is_around_it() -> None:
    positions = parse_document(b"a:\n  b:\n    c: 1\n", "p.yaml").positions
    assert str(positions.locate(("a", "b", "d"))) == "p.yaml:2:3"
    assert str(positions.locate(("a", "b", "c", 0, "x"))) == "p.yaml:3:5"
    assert str(positions.locate(("z",))) == "p.yaml:1:1"


_TEXT = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff"
    )
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(value=_JSON)
def test_json_is_yaml_and_comes_back_unchanged(value: JsonValue) -> None:
    text = json.dumps({"a": value}, ensure_ascii=False)
    found = _value(text)
    assert json.dumps(found, ensure_ascii=False) == text or _equal(found, {"a": value})


def _equal(left: JsonValue, right: JsonValue) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=0, abs_tol=0)
    return left == right


@given(
    data=st.binary(max_size=200)
    | st.text("a: -[]{},&*!|>'\"%@`#\n\t0", max_size=60).map(str.encode)
)
def test_any_bytes_give_a_document_or_a_problem(data: bytes) -> None:
    try:
        parse_document(data, "f.yaml")
    except SpecError as error:
        problem = error.problems[0]
        assert problem.location.line is not None
        assert problem.message


@pytest.mark.parametrize("text", ['a: "x\\0"', '"\\0": 1', '- "\\x00"'])
def test_the_one_character_that_no_path_or_argument_can_carry_is_refused(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_document(text.encode(), "f.yaml")
    assert caught.value.code == "ACI-D101"
    assert "U+0000" in caught.value.message
