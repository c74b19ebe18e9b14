"""What of a promptfoo config becomes a suite, and what is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentci.core.errors import AgentciError, StorageError, UsageError
from agentci.evals.importers.findings import ImportedSuite
from agentci.evals.importers.promptfoo import import_promptfoo

PROVIDER = "openai:chat:gpt-4o-mini"


def imported(
    config: Mapping[str, Any] | str, files: Mapping[str, str] | None = None
) -> ImportedSuite:
    def read(path: str) -> bytes:
        if files is None or path not in files:
            raise StorageError(f"no `{path}`")
        return files[path].encode()

    if not isinstance(config, str):
        config = yaml.safe_dump(
            {"prompts": ["{{ q }}"], "providers": [PROVIDER], **config}, sort_keys=False
        )
    return import_promptfoo(config.encode(), "promptfooconfig.yaml", read=read, name="qa")


def rows(suite: ImportedSuite) -> list[dict[str, Any]]:
    data = suite.files["cases.jsonl"]
    assert isinstance(data, bytes)
    return [json.loads(line) for line in data.splitlines()]


def whys(suite: ImportedSuite) -> str:
    return "\n".join(f"{note.place} {note.what}: {note.why}" for note in suite.notes)


def test_a_test_has_what_all_have_before_its_own() -> None:
    suite = imported(
        {
            "defaultTest": {"vars": {"q": "a", "z": "b"}, "assert": [{"type": "is-json"}]},
            "tests": [
                {"vars": {"q": "c"}, "assert": [{"type": "contains", "value": "{{q}}{{z}}"}]}
            ],
        }
    )
    assert rows(suite)[0]["rules"] == [{"type": "is-json"}, {"type": "contains", "value": "cb"}]
    assert rows(suite)[0]["input"] == {"q": "c"}
    assert not suite.notes


def test_lists_of_texts_make_a_test_for_each_combination() -> None:
    suite = imported({"tests": [{"vars": {"q": ["a", "b"], "r": ["c", "d"], "n": [1, 2]}}]})
    assert len(rows(suite)) == 4
    kept = imported(
        {"tests": [{"vars": {"q": ["a", "b"]}, "options": {"disableVarExpansion": True}}]}
    )
    assert rows(kept)[0]["input"] == {"q": "a,b"}


def test_variables_are_filled_into_variables() -> None:
    suite = imported({"tests": [{"vars": {"q": "say {{r}}", "r": "{{ s }}!", "s": "hi"}}]})
    assert rows(suite)[0]["input"] == {"q": "say hi!"}


def test_csv_columns_are_variables_and_assertions() -> None:
    text = (
        "q,__expected,__expected2,__threshold,__description,__config:__expected:threshold\n"
        'a,levenshtein: abc,"contains-any:x, ""y,z""",0.5,first,2\n'
        "b,plain text,,,,3\n"
        "c,javascript: output,,,,1\n"
    )
    suite = imported({"tests": "file://t.csv"}, {"t.csv": text})
    first, second = rows(suite)
    assert first["id"] == "first"
    assert first["threshold"] == 0.5
    assert first["rules"] == [
        {"type": "levenshtein", "value": "abc", "threshold": 2.0},
        {"type": "contains-any", "value": ["x", "y,z"]},
    ]
    assert second["rules"] == [{"type": "equals", "value": "plain text", "threshold": 3.0}]
    assert "t.csv:4" in whys(suite)
    assert "never executed" in whys(suite)


def test_tests_come_from_yaml_json_and_json_lines() -> None:
    test = {"vars": {"q": "a"}, "assert": [{"type": "is-json"}]}
    files = {
        "a.yaml": yaml.safe_dump([test]),
        "b.json": json.dumps([test]),
        "c.jsonl": json.dumps(test) + "\n",
    }
    suite = imported({"tests": [f"file://{name}" for name in files]}, files)
    assert [row["rules"] for row in rows(suite)] == [[{"type": "is-json"}]] * 3
    assert len({row["id"] for row in rows(suite)}) == 3


def test_scenarios_combine_configs_with_tests() -> None:
    scenario = {
        "config": [{"vars": {"q": "a"}}, {"vars": {"q": "b"}, "assert": [{"type": "is-json"}]}],
        "tests": [{"assert": [{"type": "contains", "value": "{{ q }}"}]}],
    }
    found = rows(imported({"scenarios": [scenario]}))
    assert [row["input"]["q"] for row in found] == ["a", "b"]
    assert [len(row["rules"]) for row in found] == [1, 2]


@pytest.mark.parametrize(
    "assertion",
    [
        {"type": "javascript", "value": "true"},
        {"type": "python", "value": "file://x.py"},
        {"type": "webhook", "value": "https://example.org"},
        {"type": "similar", "value": "x"},
        {"type": "contains", "value": ""},
        {"type": "contains", "value": "file://x.js"},
        {"type": "contains", "value": "{{ q | upper }}"},
        {"type": "contains", "value": "a", "transform": "output.x"},
        {"type": "cost"},
        {"type": "regex", "value": "(a)\\1"},
        {"type": "is-json", "value": {"type": "object", "formatt": 1}},
        {"type": "is-json", "value": {"$schema": "https://json-schema.org/draft/2020-12/schema"}},
        {"type": "not-llm-rubric", "value": "x"},
        {"type": "levenshtein", "value": "a", "threshold": "x"},
        {"value": "a"},
    ],
)
def test_what_cannot_be_taken_over_is_named_with_its_line(assertion: dict[str, Any]) -> None:
    kept = {"type": "contains", "value": "k"}
    suite = imported({"tests": [{"vars": {"q": "a"}, "assert": [kept, assertion]}]})
    assert rows(suite)[0]["rules"] == [kept]
    assert len(suite.notes) == 1
    assert suite.notes[0].place.startswith("promptfooconfig.yaml:")


def test_a_threshold_over_what_is_missing_leaves_the_test_out() -> None:
    judged = {"vars": {"q": "a"}, "assert": [{"type": "is-json"}]}
    mixed = {"threshold": 0.5, "assert": [{"type": "is-json"}, {"type": "python", "value": "1"}]}
    suite = imported({"tests": [judged, mixed, {"assert": [{"type": "python", "value": "1"}]}]})
    assert len(rows(suite)) == 1
    assert "`threshold` counts" in whys(suite)
    assert "none of its assertions" in whys(suite)


def test_rubrics_are_judged_by_the_grader_of_the_config() -> None:
    suite = imported(
        {
            "defaultTest": {"options": {"provider": "anthropic:messages:judge"}},
            "tests": [
                {"vars": {"q": "a"}, "assert": [{"type": "llm-rubric", "value": "be {{q}}"}]}
            ],
        }
    )
    pipeline, definition = suite.files["pipeline.yaml"], suite.files["suite.yaml"]
    assert isinstance(pipeline, Mapping)
    assert isinstance(definition, Mapping)
    models: Any = pipeline["models"]
    assert models["judge"]["provider"] == "anthropic"
    scorers: Any = definition["scorers"]
    assert [each["kind"] for each in scorers] == ["promptfoo", "judge"]
    assert rows(suite)[0]["rubrics"] == ["be a"]


def test_prompts_and_providers_make_a_suite_each() -> None:
    chat = [{"role": "system", "content": "S {{ q }}"}, {"role": "user", "content": "U"}]
    suite = imported(
        {
            "prompts": ["file://p.txt", "file://chat.json", "{% if q %}x{% endif %}"],
            "providers": [PROVIDER, {"id": "ollama:chat:qwen", "config": {"top_p": 1}}, "echo"],
            "tests": [{"vars": {"q": "a"}}],
        },
        {"p.txt": " one {{ q }}\r\n---\ntwo {{ user.name }} ", "chat.json": json.dumps(chat)},
    )
    assert suite.suites == 6
    assert suite.files["prompts/prompt-1.md"] == b"one {{ q }}"
    assert suite.files["prompts/prompt-2.md"] == b"two {{ user_name }}"
    assert suite.files["prompts/prompt-3-system.md"] == b"S {{ q }}"
    assert rows(suite)[0]["input"] == {"q": "a", "user_name": ""}
    assert "`{%`" in whys(suite)
    assert "`echo`" in whys(suite)


@pytest.mark.parametrize("name", ["../x.txt", "/etc/passwd", "a/../../x.txt", "..\\x.txt"])
def test_files_outside_of_the_folder_are_refused(name: str) -> None:
    for config in (
        {"prompts": [f"file://{name}"]},
        {"tests": f"file://{name}"},
        {"tests": [{"vars": {"q": f"file://{name}"}}]},
        {"tests": [{"assert": [{"type": "equals", "value": f"file://{name}"}]}]},
        {"defaultTest": f"file://{name}"},
    ):
        with pytest.raises(UsageError, match="leads out of"):
            imported(config)


def test_ids_stay_where_tests_come_and_go() -> None:
    one = imported({"tests": [{"vars": {"q": "a"}}, {"vars": {"q": "b"}}]})
    more = imported({"tests": [{"vars": {"q": "0"}}, {"vars": {"q": "a"}}, {"vars": {"q": "b"}}]})
    assert [row["id"] for row in rows(one)] == [row["id"] for row in rows(more)][1:]


def test_too_many_combinations_are_refused() -> None:
    values = [str(number) for number in range(100)]
    test = {"vars": {"q": values, "r": values, "s": values}}
    suite = imported({"tests": [test, {"vars": {"q": "a"}}]})
    assert len(rows(suite)) == 1
    assert "1,000,000 tests" in whys(suite)


@pytest.mark.parametrize(
    "text",
    [
        "[]", "prompts: [", "a: &a [x, x]\nb: &b [*a, *a]\nprompts: *b", "prompts: {}\ntests: {}",
        "prompts: [x]\nproviders: [echo]\ntests: [{vars: {q: a}}]", "prompts: 1\ntests: 1",
        "prompts: [x]\nproviders: [openai:gpt-4]\ntests: [{vars: 1}]", "",
        "tests: " + "[" * 500, "prompts: [x]\nproviders: [openai:x]\ndefaultTest: 1\ntests: [1]",
        "prompts: [x]\nproviders: [openai:x]\ntests: [{vars: {}, options: 1}]",
    ],
)  # fmt: skip
def test_hostile_configs_give_errors(text: str) -> None:
    with pytest.raises(AgentciError):
        imported(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab{}%.:/\n\"'$\\ud800", max_size=6).filter(lambda t: "\ud800" not in t),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["type", "value", "vars", "assert", "threshold", "weight", "options", "q", "id",
             "config", "tests", "$ref", "provider", "role", "content"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


PARTS = (
    "prompts",
    "providers",
    "tests",
    "defaultTest",
    "scenarios",
    "assertionTemplates",
    "evaluateOptions",
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=150)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(PARTS, JSON)))
def test_any_config_is_imported_or_refused(config: dict[str, Any]) -> None:
    whole = {"prompts": ["{{ q }}"], "providers": [PROVIDER], **config}
    data = json.dumps(whole).encode()
    try:
        import_promptfoo(data, "c.json", read=lambda _: b"- {a: 1}", name="x")
    except AgentciError:
        return
