"""Templates that only name values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.json_types import JsonObject
from agentci.evals.importers.findings import NotImportable
from agentci.evals.importers.nunjucks import Reference, mapped, render

VALUES: JsonObject = {
    "x": 1.0,
    "t": True,
    "none": None,
    "user": {"name": "Bob", "tags": ["a", "b"]},
    "list": [1, [2, None], "x"],
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ x }} {{x}}", "1 1"),
        ("{{ t }}", "true"),
        ("{{ gone }}|{{ user.gone.more }}", "|"),
        ("{{ user.name }}{{ user['name'] }}", "BobBob"),
        ("{{ user.tags[1] }}{{ user.tags[7] }}", "b"),
        ("{{ user.tags.length }}", "2"),
        ("{{ user }}", "[object Object]"),
        ("{{ list }}", "1,2,,x"),
        ("plain } text }}", "plain } text }}"),
        ("open {{ x", "open {{ x"),
        ("line {{ x }}\n{% open", "line {{ x }}\n{% open"),
    ],
)
def test_values_are_written_as_javascript_does(template: str, text: str) -> None:
    assert render(template, VALUES) == text


@pytest.mark.parametrize(
    "template",
    ["{{ x | upper }}", "{% if x %}a{% endif %}", "{# note #}", "{{ x + 1 }}", "{{- x }}",
     "{{ env.HOME }}", "{{ f() }}", "{{ true }}", "{{ 'a' }}"],
)  # fmt: skip
def test_anything_else_is_refused(template: str) -> None:
    with pytest.raises(NotImportable):
        render(template, VALUES)


def test_a_template_is_rewritten_with_other_names_and_literal_braces() -> None:
    names = {Reference("user", ("name",)): "user_name"}
    assert mapped("Hi {{ user.name }}!", names.__getitem__) == "Hi {{ user_name }}!"
    assert mapped("Hi {{ user.name", names.__getitem__) == 'Hi {{ "{{" }} user.name'


@given(st.text(alphabet="{}%#a. []'\"|-\n", max_size=30))
def test_any_text_is_rendered_or_refused(template: str) -> None:
    try:
        render(template, {"a": {"a": "x"}})
    except NotImportable:
        return
