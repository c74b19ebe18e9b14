"""Rows of JSON Lines, JSON, YAML and CSV: their lines, their digests, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.digest import digest_json
from agentci.core.errors import Location, SpecError
from agentci.evals.datasets.registry import file_endings, rows_reader
from agentci.evals.datasets.rows import Row

ENDINGS = file_endings()


def rows(name: str, data: bytes | str) -> tuple[Row, ...]:
    read = rows_reader(name)
    assert read is not None
    return tuple(read(data if isinstance(data, bytes) else data.encode(), name))


def refusal(name: str, data: bytes | str) -> tuple[str, str, Location]:
    with pytest.raises(SpecError) as caught:
        rows(name, data)
    problem = caught.value.problems[0]
    return problem.code, problem.message, problem.location


def lines_of(found: tuple[Row, ...]) -> list[int]:
    return [row.line for row in found]


def test_json_lines_have_the_lines_of_the_file_and_empty_ones_are_left_out() -> None:
    found = rows("a.jsonl", '{"a": 1}\n\n  \n{"a": 2}\r\n{"a": 3}')
    assert lines_of(found) == [1, 4, 5]
    assert [row.fields["a"] for row in found] == [1, 2, 3]


def test_rows_of_a_json_list_begin_where_their_objects_do() -> None:
    found = rows("a.json", '[\n  {"a": 1,\n   "b": 2}, {"a": 3},\n\n  {"a": 4}\n]\n')
    assert lines_of(found) == [2, 3, 5]


def test_rows_of_yaml_begin_where_their_mappings_do() -> None:
    found = rows("a.yaml", "# cases\n- a: 1\n  b: x\n- {a: 2}\n")
    assert lines_of(found) == [2, 4]
    assert rows("a.yml", "- a: 1\n") == (Row({"a": 1}, 1, digest_json({"a": 1}), "a.yml"),)


def test_records_of_csv_may_span_lines_and_stay_texts() -> None:
    found = rows("a.csv", 'id,n\n1,"two\nlines"\n\n2,007\n')
    assert lines_of(found) == [2, 5]
    assert [dict(row.fields) for row in found] == [
        {"id": "1", "n": "two\nlines"},
        {"id": "2", "n": "007"},
    ]


def test_the_digest_of_a_row_is_that_of_its_fields_in_whatever_order() -> None:
    first, second = rows("a.jsonl", '{"a": 1, "b": 2}\n{"b":2,"a":1}\n')
    assert first.digest == second.digest == digest_json({"a": 1, "b": 2})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '{"a": "é"}'),
        ("a.json", '[{"a": "é"}]'),
        ("a.yaml", "- a: é"),
        ("a.csv", "a\né\n"),
    ],
)
def test_a_byte_order_mark_is_no_part_of_the_data(name: str, text: str) -> None:
    assert rows(name, b"\xef\xbb\xbf" + text.encode())[0].fields == {"a": "é"}


@pytest.mark.parametrize("text", ["[]", " [ ] \n"])
def test_an_empty_list_has_no_rows(text: str) -> None:
    assert rows("a.json", text) == rows("a.yaml", text) == rows("a.jsonl", "") == ()


@pytest.mark.parametrize(
    ("name", "text", "code", "line", "says"),
    [
        ("a.jsonl", '{"a": 1}\n{"a": }', "ACI-F165", 2, "not valid JSON"),
        ("a.jsonl", '{"a": 1}\n{"a": 1} x', "ACI-F165", 2, "extra data"),
        ("a.jsonl", "{}\n[1]", "ACI-F166", 2, "has to be a mapping, not a list"),
        ("a.jsonl", '{}\n{"a": NaN}', "ACI-F167", 2, "`NaN` is no JSON number"),
        ("a.jsonl", '{"a": 1e999}', "ACI-F167", 1, "too large"),
        ("a.jsonl", '{"a": -Infinity}', "ACI-F167", 1, "`-Infinity`"),
        ("a.jsonl", '{"a": ' + "9" * 5000 + "}", "ACI-F167", 1, "5,000 digits"),
        ("a.jsonl", '{}\n\n{"a": 1, "a": 2}', "ACI-F167", 3, "the key `a` is written twice"),
        ("a.jsonl", '{"a": "\\u0000"}', "ACI-F167", 1, "U+0000"),
        ("a.jsonl", '{"a\\u0000": 1}', "ACI-F167", 1, "U+0000"),
        ("a.jsonl", '{"a": "\\ud800"}', "ACI-F167", 1, "surrogate"),
        ("a.jsonl", '{"a": "\0"}', "ACI-F165", 1, "control character"),
        ("a.jsonl", '{"a": ' + "[" * 61 + "]" * 61 + "}", "ACI-F168", 1, "60 levels"),
        ("a.jsonl", "[" * 100_000, "ACI-F168", 1, "60 levels"),
        ("a.json", '{"a": 1}', "ACI-F165", 1, "has to be a list"),
        ("a.json", "", "ACI-F165", 1, "has to be a list"),
        ("a.json", '[\n{"a": 1}\n{"a": 2}]', "ACI-F165", 3, "expecting `,`"),
        ("a.json", '[\n{"a": 1},\n]', "ACI-F165", 3, "not valid JSON"),
        ("a.json", '[{"a": 1}]\n\nx', "ACI-F165", 3, "more after the list"),
        ("a.json", '[\n\n{"a": 1,\n "a": 2}]', "ACI-F167", 3, "written twice"),
        ("a.json", '[\n{"a": 1},\n{"a": \n x}]', "ACI-F165", 4, "not valid JSON"),
        ("a.json", "[{},\n 1]", "ACI-F166", 2, "not a number"),
        ("a.json", "[" + "[" * 100_000, "ACI-F168", 1, "60 levels"),
        ("a.yaml", "a: 1", "ACI-F166", 1, "has to be a list, not a mapping"),
        ("a.yaml", "- a: 1\n- 2", "ACI-F166", 2, "not a number"),
        ("a.yaml", "- a: 1\n  a: 2", "ACI-D106", 2, "written twice"),
        ("a.yaml", "- a: .nan", "ACI-D107", 1, ".nan"),
        ("a.yaml", '- a: "\\0"', "ACI-D101", 1, "U+0000"),
        ("a.yaml", "- a: !!python/name:os.system x", "ACI-D108", 1, "not allowed"),
        ("a.csv", "", "ACI-F166", 1, "empty"),
        ("a.csv", "a,a\n", "ACI-F169", 1, "named twice"),
        ("a.csv", "a,\n", "ACI-F169", 1, "column 2 has no name"),
        ("a.csv", "a,b\n1,2\n1,2,3\n", "ACI-F169", 3, "3 values"),
        ("a.csv", 'a,b\n"x\ny",2\n1\n', "ACI-F169", 4, "1 values"),
        ("a.csv", 'a\n1\n"x" y\n', "ACI-F165", 3, "not valid CSV"),
        ("a.csv", 'a\n"x', "ACI-F165", 2, "not valid CSV"),
        ("a.csv", "a\nb\0c\n", "ACI-F167", 2, "U+0000"),
        ("a.csv", "a\n" + "x" * 200_000, "ACI-F165", 2, "field larger"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    name: str, text: str, code: str, line: int, says: str
) -> None:
    found, message, place = refusal(name, text)
    assert (found, place.file, place.line) == (code, name, line)
    assert says in message


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_what_is_no_text_is_told_with_its_line(name: str) -> None:
    start = {"a.jsonl": b'{"a": 1}\n', "a.json": b"[\n", "a.csv": b"a\n"}[name]
    code, message, place = refusal(name, start + b'{"a": "\xff"}')
    assert (code, place.line) == ("ACI-F165", 2)
    assert "not UTF-8: byte 0xff" in message


def test_yaml_that_expands_without_end_is_refused_before_it_does() -> None:
    bomb = "- &a [x, x, x, x, x, x, x, x, x]\n"
    for index in range(1, 9):
        name, before = chr(ord("a") + index), chr(ord("a") + index - 1)
        bomb += f"- &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    assert refusal("a.yaml", bomb)[0] == "ACI-D104"


def test_large_integers_stay_exact() -> None:
    assert rows("a.jsonl", '{"a": 123456789012345678901234567890}')[0].fields == {
        "a": 123456789012345678901234567890
    }


def test_rows_come_one_by_one_so_that_an_error_late_in_a_file_does_not_hide_what_is_before() -> (
    None
):
    read = rows_reader("a.jsonl")
    assert read is not None
    found: Iterator[Row] = read(b'{"a": 1}\n{', "a.jsonl")
    assert next(found).fields == {"a": 1}
    with pytest.raises(SpecError):
        next(found)


_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_ROWS = st.lists(st.dictionaries(_TEXT, _JSON, max_size=3), max_size=4)


@given(_ROWS, st.booleans())
def test_json_and_json_lines_give_back_what_was_written(
    written: list[object], escaped: bool
) -> None:
    lines = "\n".join(json.dumps(row, ensure_ascii=escaped) for row in written)
    whole = json.dumps(written, ensure_ascii=escaped, indent=1)
    expected = [digest_json(row) for row in json.loads(whole)]
    assert [row.digest for row in rows("a.jsonl", lines)] == expected
    assert [row.digest for row in rows("a.json", whole)] == expected


def place_of_refusal(name: str, data: bytes) -> Location | None:
    try:
        rows(name, data)
    except SpecError as error:
        return error.problems[0].location
    return None


_LOOKS_LIKE_DATA = st.text("{}[]\",:\\ \n\r\0-.eE0123456789naNtrufls&*#|>'é\u2028", max_size=40)


@given(st.sampled_from(ENDINGS), st.binary(max_size=60) | _LOOKS_LIKE_DATA.map(str.encode))
def test_no_bytes_bring_a_reader_down(ending: str, data: bytes) -> None:
    place = place_of_refusal(f"a{ending}", data)
    assert place is None or (place.file == f"a{ending}" and place.line is not None)
