"""`${{ }}` and prompt templates: values, errors, limits, and what a text refers to."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.errors import AgentciError, SpecError, StepFailed
from agentci.core.json_types import JsonObject, JsonValue
from agentci.spec.expressions import (
    Reference,
    evaluate,
    is_expression,
    references,
    render_prompt,
    resolve,
    split_expressions,
    truth,
)

SCOPE: JsonObject = {
    "steps": {
        "review": {
            "outcome": "done",
            "output": {"approved": True, "items": [1, 2, {"a": "x"}], "note": None, "keys": 4},
        },
        "code-x": {"output": {"k": 1}},
    },
    "inputs": {"n": 3, "task": "fix it", "list": ["b", "a"], "f": 1.5},
    "result": {"z": 5},
    "run": {"seed": 1},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{{ not.ours }}", "{{ not.ours }}"),
        ("${{ steps.review.output.approved }}", True),
        ("${{inputs.n}}", 3),
        ("${{\n  inputs.n ==\n  3 }}", True),
        ("${{ steps['code-x'] }}", {"output": {"k": 1}}),
        ("${{ steps.review.output.items }}", [1, 2, {"a": "x"}]),
        ("${{ steps.review.output.keys }}", 4),
        ("${{ steps['code-x'].output.k }}", 1),
        ("${{ steps.review.output.items[2].a }}", "x"),
        ("${{ steps.review.output.items[-1]['a'] }}", "x"),
        ("${{ steps.review.output.note }}", None),
        ("${{ result.z | abs }}", 5),
        ("${{ inputs.n == 3 and not steps.review.output.approved }}", False),
        ("${{ inputs.task if inputs.n > 2 else nothing.here }}", "fix it"),
        ("${{ inputs.list | sort | join(', ') }}", "a, b"),
        ("${{ inputs.list | map('upper') }}", ["B", "A"]),
        ("${{ inputs.list + ['c'] }}", ["b", "a", "c"]),
        ("${{ [inputs.n, {'a': {'b': true}}] }}", [3, {"a": {"b": True}}]),
        ("${{ {'a': {'b': inputs.n}} }}", {"a": {"b": 3}}),
        ("${{ '}}' ~ \"${{\" }}", "}}${{"),
        ("${{ range(3) }}", [0, 1, 2]),
        ("${{ inputs.zz | default('d') }}", "d"),
        ("${{ inputs.get('zz', 4) }}", 4),
        ("${{ inputs.zz is defined }}", False),
        ("${{ inputs.task.upper()[0:3] }}", "FIX"),
        ("${{ inputs.list | tojson }}", '["b", "a"]'),
        ("${{ 7 // 2 * 2 ** 3 % 5 }}", 4),
        ("a ${{ inputs.n }}b${{ inputs.task }}", "a 3bfix it"),
        ("${{ inputs.n }} ", "3 "),
        ("is ${{ steps.review.output.approved }}", "is true"),
        ("none: ${{ steps.review.output.note }}!", "none: !"),
        ("l: ${{ inputs.list }} ${{ inputs.f }}", 'l: ["b", "a"] 1.5'),
        ("${{ inputs.n }} }} {{ b", "3 }} {{ b"),
        ("${ inputs.n }", "${ inputs.n }"),
    ],
)
def test_a_text_has_a_value(text: str, value: JsonValue) -> None:
    found = evaluate(text, SCOPE)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${{ steps.review.output.aproved }}", "no `aproved` (did you mean `approved`?)"),
        ("${{ step.review }}", "there is no `step` (did you mean `steps`?)"),
        ("${{ inputs.zz }}", "there is no `zz`; there is `n`, `task`"),
        ("${{ inputs.n.x }}", "there is no `x` in a number"),
        ("${{ inputs.list[7] }}", "there is no `7` in a list"),
        ("${{ steps.review.output.note.x }}", "there is no `x` in null"),
        ("${{ inputs.list.zip }}", "there is no `zip` in a list"),
        ("a ${{ inputs.zz }} b", "there is no `zz`"),
        ("${{ inputs.n + 'a' }}", "unsupported operand"),
        ("${{ inputs.n / 0 }}", "division by zero"),
        ("${{ inputs.task.upper }}", "is not JSON"),
        ("${{ range }}", "is not JSON"),
        ("${{ 1e999 }}", "not a finite number"),
        ("${{ '\\ud800' }}", "surrogate"),
        ("${{ {1: 2} }}", "key that is not text"),
        ("${{ lipsum() }}", "there is no `lipsum`"),
        ("${{ now() }}", "there is no `now`"),
        ("${{ inputs.n.bit_length() }}", "there is no `bit_length`"),
    ],
)
def test_what_has_no_value_fails_the_step_and_quotes_the_expression(
    text: str, message: str
) -> None:
    with pytest.raises(StepFailed) as caught:
        evaluate(text, SCOPE)
    assert message in caught.value.message
    assert "`${{ " in caught.value.message
    assert caught.value.code == "ACI-S120"


@pytest.mark.parametrize(
    "text",
    [
        "${{ inputs.n",
        "${{ 'a }}",
        "${{ }}",
        "${{ inputs. }}",
        "${{ foo( }}",
        "${{ a b }}",
        "${{ 1, 2 }}",
        "${{ [x for x in y] }}",
        "${{ lambda: 1 }}",
        "${{ inputs.n | nosuch }}",
        "${{ inputs.n | random }}",
        "${{ inputs.n | attr('x') }}",
        "${{ inputs.n | pprint }}",
        "${{ inputs.n is callable }}",
        "${{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    ],
)
def test_what_is_malformed_or_not_available_is_an_invalid_definition(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        references(text)
    assert caught.value.problems[0].code == "ACI-D120"
    with pytest.raises(AgentciError):
        evaluate(text, SCOPE)


@pytest.mark.parametrize(
    "source",
    [
        "''.__class__",
        "inputs.__class__",
        "inputs['__class__']",
        "inputs | map(attribute='__class__') | list",
        "inputs.task.format",
        "'{0.__class__}'.format(1)",
        "'%s' % inputs",
        "inputs.list.append(1)",
        "inputs.pop('n')",
        "inputs.update({'a': 1})",
        "range.__globals__",
        "(inputs.keys).__self__",
        "inputs.keys.__self__",
        "cycler",
        "namespace()",
        "self",
        "dict(a=1)",
        "inputs.task.encode()",
    ],
)
def test_there_is_no_way_to_python(source: str) -> None:
    with pytest.raises(AgentciError):
        evaluate("${{ " + source + " }}", SCOPE)


@pytest.mark.parametrize(
    "source",
    [
        "'a' * 1000000000",
        "[1] * 1000000000",
        "1000000000 * 'a'",
        "2 ** 100000",
        "2 ** 1000 ** 100",
        "10.0 ** 400",
        "range(1000000000)",
        "range(1000000000) | list",
        "'%1000000000d' % 1",
        "'x' | center(1000000000)",
        "'x' | indent(1000000000) | replace('', 'y' * 5)",
        "1.5 | round(1000000000, 'floor') | string * 5",
        "range(200000) | list + range(200000) | list",
        "range(100000) | join('" + "x" * 100 + "')",
        "'" + "a" * 5000 + "' | replace('a', '" + "b" * 5000 + "')",
        "9" * 6000,
        "[" * 500 + "]" * 500,
    ],
)
def test_what_would_grow_too_large_ends_at_once(source: str) -> None:
    with pytest.raises(AgentciError):
        evaluate("${{ " + source + " }}", SCOPE)


def test_a_dash_that_was_meant_as_part_of_a_name_gets_a_hint() -> None:
    with pytest.raises(StepFailed) as caught:
        evaluate("${{ steps.code-x.output.k }}", SCOPE)
    assert caught.value.hint == 'a name with `-` is written `steps["code-x"]`'


def test_a_scope_key_named_as_a_python_method_wins() -> None:
    assert evaluate("${{ a.items }}", {"a": {"items": 1}}) == 1
    assert evaluate("${{ a.items | abs }}", {"a": {"items": 1}}) == 1


def test_resolve_goes_into_lists_and_mappings_and_leaves_keys() -> None:
    value: JsonValue = {
        "${{ x }}": ["${{ inputs.n }}", {"a": "n=${{ inputs.n }}", "b": 1, "c": None}]
    }
    assert resolve(value, SCOPE) == {"${{ x }}": [3, {"a": "n=3", "b": 1, "c": None}]}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (True, True),
        (False, False),
        ("${{ inputs.n > 2 }}", True),
        (" ${{ inputs.n > 2 }}", None),
        ("${{ inputs.n }}", None),
        ("${{ inputs.list }}", None),
        ("${{ steps.review.output.note }}", None),
        ("${{ steps.review.outcome }}", None),
        ("true", None),
        ("", None),
        ("${{ inputs.zz }}", None),
    ],
)
def test_only_true_and_false_are_conditions(condition: str | bool, expected: bool | None) -> None:
    if expected is None:
        with pytest.raises(StepFailed):
            truth(condition, SCOPE)
    else:
        assert truth(condition, SCOPE) is expected


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("no marks\r\nat all\r", "no marks\nat all\n"),
        ("x {{ inputs.n }}!\n", "x 3!\n"),
        ("{{inputs.task}}\r\n\r\n", "fix it\n\n"),
        ("{{ none }}{{ true }}{{ {'a': 1.0} }}", 'true{"a": 1.0}'),
        ("{{ steps.review.output.note }}|", "|"),
        (
            "{% for i in inputs.list %}\n- {{ i }} {{ loop.index }}\n{% endfor %}\nend\n",
            "- b 1\n- a 2\nend\n",
        ),
        ("{% if inputs.n > 2 %}\nyes\n{% else %}\nno\n{% endif %}\n", "yes\n"),
        ("{% if steps.review.output.zz is defined %}a{% else %}b{% endif %}", "b"),
        ("{% set x = inputs.n + 1 %}{{ x }}", "4"),
        ("{# gone #}x{{ inputs.task -}}   y", "xfix ity"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        (
            "{% for k, v in inputs.items() %}{{ k }}={{ v }};{% endfor %}",
            'n=3;task=fix it;list=["b", "a"];f=1.5;',
        ),
        ("{{ inputs.list | tojson(indent=2) }}", '[\n  "b",\n  "a"\n]'),
        ("{{ 'a\nb' | indent(2) }}", "a\n  b"),
        ("<b>{{ '<&>' }}</b>", "<b><&></b>"),
        ("a }} b", "a }} b"),
        ("é {{ inputs.n }}", "é 3"),
    ],
)
def test_prompts_are_rendered(text: str, rendered: str) -> None:
    assert render_prompt(text, SCOPE, name="p.md") == rendered


def test_a_prompt_error_has_the_line() -> None:
    with pytest.raises(StepFailed, match="there is no `zz`") as caught:
        render_prompt("a\nb\n{{ inputs.zz.y }}\n", SCOPE, name="p.md")
    assert str(caught.value.location) == "p.md:3"
    with pytest.raises(SpecError) as malformed:
        render_prompt("a\n{% for %}\n", SCOPE, name="p.md")
    assert str(malformed.value.location) == "p.md:2"


@pytest.mark.parametrize(
    "text",
    [
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% macro f() %}{% endmacro %}",
        "{% block x %}{% endblock %}",
        "{% set x %}{% endset %}",
        "{% filter upper %}x{% endfilter %}",
        "{% for a in b recursive %}{% endfor %}",
        "{% call f() %}{% endcall %}",
        "{% with %}{% endwith %}",
        "{% do x %}",
        "{{ x }",
        "{% if %}",
        "{{ x | nosuch }}",
    ],
)
def test_prompts_have_few_statements(text: str) -> None:
    with pytest.raises(SpecError):
        render_prompt(text, SCOPE, name="p.md")
    with pytest.raises(SpecError):
        references(text, prompt=True)


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in range(150000) %}{% for j in range(150000) %}{% endfor %}{% endfor %}",
        "{% for a in inputs.list * 5 %}{% endfor %}",
        "{% for i in range(10000) %}{{ '" + "x" * 5000 + "' }}{% endfor %}",
        "{% for i in range(500) %}{% for j in range(500) %}{% endfor %}{% endfor %}",
    ],
)
def test_prompts_end(text: str) -> None:
    with pytest.raises(AgentciError):
        render_prompt(text, SCOPE, name="p.md")


def _paths(text: str, *, prompt: bool = False) -> list[str]:
    return [".".join(found.path) for found in references(text, prompt=prompt)]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("plain", []),
        ("${{ true and 'a' }}", []),
        ("a ${{ steps.a.output.b }} ${{ inputs.x }}", ["steps.a.output.b", "inputs.x"]),
        ("${{ steps['a-b'].c[0].d }}", ["steps.a-b.c.0.d"]),
        ("${{ inputs.a if inputs.b == 'x' else inputs.c }}", ["inputs.a", "inputs.b", "inputs.c"]),
        ("${{ steps[inputs.n].c }}", ["steps", "inputs.n"]),
        ("${{ inputs.x.upper() ~ run.seed }}", ["inputs.x", "run.seed"]),
        ("${{ range(3) | list }}", []),
        ("${{ f(inputs.x) }}", ["f", "inputs.x"]),
    ],
)
def test_references_of_texts(text: str, paths: list[str]) -> None:
    assert sorted(_paths(text)) == sorted(paths)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("plain ${{ x }}", ["x"]),
        ("{{ a.b }} {{ c }}", ["a.b", "c"]),
        ("{% for c in a.items() %}{{ c.text }}{{ d }}{% endfor %}", ["a", "d"]),
        ("{% set z = q %}{{ z.k }}", ["q"]),
        ("{% for x in xs %}{{ loop.index }}{% endfor %}", ["xs"]),
        ("{# {{ a }} #}{% raw %}{{ b }}{% endraw %}", []),
    ],
)
def test_references_of_prompts(text: str, paths: list[str]) -> None:
    assert _paths(text, prompt=True) == paths


def test_a_reference_with_a_provision_for_its_absence_is_optional() -> None:
    text = "${{ inputs.x | default(inputs.y) }} ${{ inputs.z is defined and inputs.n }}"
    found = {reference.path[1]: reference.optional for reference in references(text)}
    assert found["x"] is True
    assert found["z"] is True
    assert found["n"] is False


@pytest.mark.parametrize(
    "text",
    ["x ${{ steps.a }} ${{ inputs.b == run.seed }}", "x ${{ a.b |\n abs }} ${{ c | abs }}"],
)
def test_offsets_lead_to_the_reference(text: str) -> None:
    found = references(text)
    assert found
    for reference in found:
        assert text[reference.offset :].startswith(reference.path[0])
    assert Reference(("steps", "a"), 6) in references("x ${{ steps.a }}")


def test_pieces_joined_are_the_text() -> None:
    text = "a ${{ '}}' }}b${{ x }}"
    pieces = split_expressions(text)
    assert [piece.is_expression for piece in pieces] == [False, True, False, True]
    assert [piece.text for piece in pieces] == ["a ", "${{ '}}' }}", "b", "${{ x }}"]
    assert is_expression("${{ x }}")
    assert not is_expression("${{ x }} ")


@given(st.text("${} 'ab.|\"", max_size=40))
def test_any_text_evaluates_or_is_refused(text: str) -> None:
    for call in (
        lambda: evaluate(text, SCOPE),
        lambda: references(text),
        lambda: render_prompt(text, SCOPE, name="p"),
        lambda: references(text, prompt=True),
        lambda: truth(text, SCOPE),
    ):
        with contextlib.suppress(AgentciError):
            call()


def test_common_expressions_do_without_jinja() -> None:
    code = (
        "import sys; from agentci.spec.expressions import *\n"
        "s = {'steps': {'a': {'output': {'ok': True, 'n': 1}}}}\n"
        't = "${{ steps.a.output.ok and steps.a.output.n == 1 }}"\n'
        "assert truth(t, s) and references(t)\n"
        "assert render_prompt('x {{ steps.a.output.n }}', s, name='p') == 'x 1'\n"
        "assert references('x {{ steps.a.output.n }}', prompt=True)\n"
        "assert not [m for m in sys.modules if m.startswith(('jinja2', 'pydantic', 'yaml'))]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
