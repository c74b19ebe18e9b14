"""Templates rendered without Jinja look as Jinja renders them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentci.core.json_types import JsonObject
from agentci.spec import jinja_references, jinja_sandbox, simple_templates
from agentci.spec.expression_values import Malformed, NoValue
from agentci.spec.simple_expressions import NotSimple

SCOPE: JsonObject = {
    "a": {"b": 1, "c": [1, None, {"d": "x"}], "t": True},
    "s": "te<x>t\n",
    "l": ["p", "q"],
    "none_": None,
    "e": [],
}

_PIECE = st.sampled_from(
    [
        "text", " ", "  ", "\n", "\n\n", "\r\n", "\t", "{{ a.b }}", "{{a.c}}", "{{ s }}", "{{ x }}",
        "{{ l | join(', ') }}", "{{ l|length }}", "{{ a.zz | default('d') }}", "{{ none_ }}",
        "{% if a.t %}", "{% if e %}", "{% if x == 'p' %}", "{% if zz %}", "{% elif l %}",
        "{% else %}", "{% endif %}", "{% for x in l %}", "{% for x in a.c %}", "{% for x in e %}",
        "{%for l in l%}", "{% endfor %}", "{%- if a.t -%}", "{# c #}", "{{ 'x' }}", "{{- s -}}",
        "{% for k in a %}", "{% for x in l if x %}", "{{ loop.index }}", "}}", "{", "%}",
        "{% set y = 1 %}", "{{ y }}", "{% raw %}", '{{ "%}" }}', "{% if a.t+%}", "{%+ if l %}",
    ]
)  # fmt: skip
_BLOCK = st.recursive(
    st.lists(_PIECE, max_size=4).map("".join),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(
            lambda p: f"{{% if a.t %}}{p[0]}{{% else %}}\n{p[1]}{{% endif %}}"
        ),
        st.tuples(inner, inner).map(lambda p: f"  {{% if e %}}\n{p[0]}{{% endif %}}\n{p[1]}"),
        inner.map(lambda body: f"{{% for x in l %}}\n{body}\n  {{% endfor %}}\n"),
        inner.map(lambda body: f" {{% for y in a.c %}} {body}{{{{ y }}}}{{% endfor %}} "),
    ),
    max_leaves=4,
)


def _agree(text: str) -> None:
    try:
        mine = simple_templates.render(text, SCOPE)
    except NotSimple:
        return
    assert mine == jinja_sandbox.render(text, SCOPE)


@settings(max_examples=500, deadline=None)
@given(text=_BLOCK)
def test_both_render_the_same(text: str) -> None:
    _agree(text)


@settings(max_examples=300, deadline=None)
@given(text=st.text("{%}# if l x\n-'\"", max_size=30))
def test_both_render_any_text_the_same(text: str) -> None:
    _agree(text)


@settings(max_examples=300, deadline=None)
@given(text=_BLOCK)
def test_both_find_the_same_references(text: str) -> None:
    try:
        mine = {chain.path for chain in simple_templates.chains(text)}
    except NotSimple:
        return
    try:
        tree = jinja_sandbox.syntax_tree(text, prompt=True)
    except (Malformed, NoValue) as error:
        pytest.fail(f"{text!r} is simple but not Jinja: {error}")
    theirs = {found.path for found in jinja_references.found_in(tree, jinja_sandbox.FUNCTIONS)}
    # Jinja tells names apart by the whole template, so it also reports a loop's own name where
    # the same name is read outside of the loop
    assert mine <= theirs
    assert {path[0] for path in mine} == {path[0] for path in theirs}
    for chain in simple_templates.chains(text):
        assert text[chain.offset :].startswith(chain.path[0])


@pytest.mark.parametrize(
    "text",
    [
        "{{ a.b }}",
        "plain",
        "{% if a.t %}\n x\n{% elif s %}\n y\n{% else %}\n z\n{% endif %}\n",
        "{% for x in l %}\n- {{ x }}\n{% endfor %}\n",
        "  {% for x in l %}  \n- {{ x }}\n\t{% endfor %}\n",
        '({{ l | join(", ") }})',
    ],
)
def test_the_common_kind_is_done_without_jinja(text: str) -> None:
    assert simple_templates.render(text, SCOPE) == jinja_sandbox.render(text, SCOPE)
