"""The evaluator without Jinja gives what Jinja gives, or leaves it to Jinja."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentci.core.json_types import JsonObject
from agentci.spec import jinja_references, jinja_sandbox
from agentci.spec import simple_expressions as simple
from agentci.spec.expression_values import Malformed, NoValue

SCOPE: JsonObject = {
    "a": {"b": 1, "c": [1, 2, {"d": "x"}], "items": "own", "t": True, "n": None},
    "s": "text",
    "f": 0.5,
    "l": [3, "x"],
}

_ATOMS = (
    "a.b a.c a.c[0] a.c[2].d a.items a.t a.n a.zz a['b'] a[\"t\"] s f l l[1] l[-1] zz true false "
    "none True None 1 0 2.5 'x' \"x\" '' a.keys s.upper 007 1.e3 .5"
)
_OPERATORS = "== != < <= > >= + - and or in * / % ~ | is ** //"
_ATOM = st.sampled_from(_ATOMS.split())
_OPERATOR = st.sampled_from([*_OPERATORS.split(), "not in", "is not"])
_EXPRESSION = st.recursive(
    _ATOM,
    lambda inner: (
        st.tuples(inner, _OPERATOR, inner).map(" ".join)
        | inner.map(lambda text: f"({text})")
        | inner.map(lambda text: f"not {text}")
        | inner.map(lambda text: f"-{text}")
        | inner.map(lambda text: f"[{text}]")
        | st.tuples(inner, inner, inner).map(lambda p: f"{p[0]} if {p[1]} else {p[2]}")
        | st.tuples(inner, inner).map("\n".join)
        | st.tuples(inner, inner).map("".join)
    ),
    max_leaves=6,
)


def _agree(source: str) -> None:
    try:
        mine = simple.evaluate(source, SCOPE)
    except simple.NotSimple:
        return
    theirs = jinja_sandbox.evaluate(source, SCOPE)
    assert mine == theirs
    assert type(mine) is type(theirs)


@settings(max_examples=400, deadline=None)
@given(source=_EXPRESSION)
def test_both_evaluators_agree_on_expressions(source: str) -> None:
    _agree(source)


@settings(max_examples=400, deadline=None)
@given(source=st.text("ab.cst'\" =<>!()[]01-+,not_if \n", max_size=25))
def test_both_evaluators_agree_on_any_text(source: str) -> None:
    _agree(source)


@settings(max_examples=300, deadline=None)
@given(source=_EXPRESSION)
@example(source="a.b if a.b else a.ba.b if false else true")
@example(source="b if false else true")
def test_both_readers_find_the_same_references(source: str) -> None:
    try:
        mine = {chain.path for chain in simple.chains(source)}
    except simple.NotSimple:
        return
    try:
        tree = jinja_sandbox.syntax_tree(source, prompt=False)
    except (Malformed, NoValue) as error:
        pytest.fail(f"{source!r} is simple but not Jinja: {error}")
    theirs = {found.path for found in jinja_references.found_in(tree, jinja_sandbox.FUNCTIONS)}
    assert mine == theirs
    for chain in simple.chains(source):
        assert source[chain.offset :].startswith(chain.path[0])


@pytest.mark.parametrize(
    "source",
    [
        "'a' 'b'", "'''a' \"b\"'''", '"""x" "y"""', "r'a'", "f'{a}'", "b'a'", "'\\x41'", "1_0",
        "0x1F", "1j", "2 ** 3 ** 2", "a # c", "a := 1", "a is none", "a, s", "lambda: 1",
        "[x for x in l]", "a.b.real", "s[0]", "s.upper", "{'a': 1}", "é", "print(s)", "a[0:1]", "",
        "a.class", "not", "007", "1.", ".5", "1.e3", "-1", "a & s", "a ; s", "a) + (s",
        "1if s else 2",
    ],
)  # fmt: skip
def test_what_python_reads_in_another_way_is_left_to_jinja(source: str) -> None:
    try:
        _agree(source)
    except (Malformed, NoValue) as error:
        pytest.fail(f"{source!r} is simple but not Jinja: {error}")
