"""A config of promptfoo in which many assertions meet many answers, and how it is run for real."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.client_installs import install, node_folder

UNCLEAR: tuple[str, ...] = (
    "{ 'a': 1 } {{ x }}",
    "{a: 007, b: yes} text",
    "{{ x }} only",
    "{a: 1, <<: {b: 2}}",
)
"""YAML that readers disagree about: what looks for JSON in it gives no verdict."""

ANSWERS: tuple[str, ...] = (
    "Hello, World",
    "hello, world",
    "  Hello, World\n",
    "",
    "42",
    "42.0",
    "true",
    "null",
    '{"a": 1, "b": [1, 2]}',
    '{"a": 1.0, "b": [1, 2.0]}',
    '{"b": [1, 2], "a": 1, "c": "x"}',
    'Sure: {"a": "x"} and {a: 2} // end',
    "Use {placeholder} here",
    '```json\n{"a": 1,\n "b": []}\n```',
    '{"a": 1, "a": 2}',
    "[1, 2, 3]",
    '"text"',
    '{"a": ',
    "NaN",
    "caf\u00e9 stra\u00dfe \u0130stanbul",
    "CAF\u00c9 STRASSE",
    "\U0001f600 smile",
    "line one\nline two\r\nline three",
    "2026-11-23 and \u0663\u0664",
    'a,b,"c"',
    "I am an AI language model",
    "{b: yes, c: 0.5} text {c: http://x.y//z}",
    "{'it''s': don't} // {x: 1}",
    "text {a: {b: [1, {c: }]} and {d",
    *UNCLEAR,
)

_SCHEMA = {
    "type": "object",
    "required": ["a"],
    "properties": {"a": {"type": "number", "minimum": 1}, "b": {"type": "array"}},
    "additionalProperties": False,
}

ASSERTIONS: tuple[dict[str, Any], ...] = (
    {"type": "equals", "value": "Hello, World"},
    {"type": "equals", "value": 42},
    {"type": "equals", "value": True},
    {"type": "equals", "value": {"a": 1, "b": [1, 2]}},
    {"type": "equals", "value": [1, 2, 3]},
    {"type": "equals", "value": ""},
    {"type": "equals", "value": None},
    {"type": "not-equals", "value": "Hello, World"},
    {"type": "not-equals", "value": {"a": 2}},
    {"type": "contains", "value": "World"},
    {"type": "contains", "value": 42},
    {"type": "contains", "value": "{{ word }}"},
    {"type": "not-contains", "value": "AI"},
    {"type": "icontains", "value": "WORLD"},
    {"type": "icontains", "value": "STRASSE"},
    {"type": "icontains", "value": "i\u0307stanbul"},
    {"type": "not-icontains", "value": "ai language"},
    {"type": "contains-all", "value": ["Hello", "World"]},
    {"type": "contains-all", "value": 'Hello, "World"'},
    {"type": "contains-any", "value": ["42", "smile"]},
    {"type": "contains-any", "value": 'a,b,"line two"'},
    {"type": "not-contains-any", "value": ["a", "b"]},
    {"type": "icontains-all", "value": ["hello", "WORLD", ""]},
    {"type": "icontains-any", "value": ["CAF\u00c9", 42]},
    {"type": "not-icontains-all", "value": ["hello", "world"]},
    {"type": "starts-with", "value": "Hello"},
    {"type": "not-starts-with", "value": "{"},
    {"type": "regex", "value": r"^\w+, World$"},
    {"type": "regex", "value": r"^.*$"},
    {"type": "regex", "value": r"\d{2}"},
    {"type": "regex", "value": r"^\s"},
    {"type": "regex", "value": r"[^\x00-\x7f]"},
    {"type": "regex", "value": r"(?<year>\d{4})-(\d\d)"},
    {"type": "regex", "value": r"\bsmile\b|two\b"},
    {"type": "regex", "value": r"^[\s\S]{0,2}$"},
    {"type": "regex", "value": r"three$"},
    {"type": "regex", "value": r"\u00e9|\$|\/\/"},
    {"type": "not-regex", "value": "(?!x)[^]a"},
    {"type": "is-json"},
    {"type": "is-json", "value": _SCHEMA},
    {"type": "is-json", "value": "type: object\nrequired: [b]\n"},
    {"type": "not-is-json"},
    {"type": "not-is-json", "value": _SCHEMA},
    {"type": "contains-json"},
    {"type": "contains-json", "value": {"type": "object", "required": ["a"]}},
    {"type": "contains-json", "value": _SCHEMA},
    {"type": "not-contains-json"},
    {"type": "not-contains-json", "value": {"required": ["placeholder"]}},
    {"type": "is-json", "value": {"properties": {"c": {"pattern": "^x$"}}, "type": "object"}},
    {"type": "levenshtein", "value": "hello, world"},
    {"type": "levenshtein", "value": "\U0001f600\U0001f600 smile", "threshold": 1},
    {"type": "levenshtein", "value": "42", "threshold": 2},
    {"type": "not-levenshtein", "value": "hello", "threshold": 0},
    {"type": "latency", "threshold": 600000},
    {"type": "contains", "value": "World", "weight": 0},
    {
        "type": "assert-set",
        "threshold": 0.5,
        "assert": [
            {"type": "contains", "value": "World"},
            {"type": "is-json", "weight": 2},
            {"type": "regex", "value": "^[a-z]"},
        ],
    },
    {
        "type": "assert-set",
        "weight": 0,
        "assert": [{"type": "equals", "value": "42"}, {"type": "contains", "value": "4"}],
    },
)

MIXED: tuple[dict[str, Any], ...] = (
    {"threshold": 0.5, "assert": [ASSERTIONS[0], ASSERTIONS[9], ASSERTIONS[13]]},
    {"threshold": 0, "assert": [ASSERTIONS[0]]},
    {"threshold": 1, "assert": [ASSERTIONS[9], {**ASSERTIONS[38], "weight": 3}]},
    {"threshold": 0.6, "assert": [{**ASSERTIONS[9], "weight": 0.5}, ASSERTIONS[38]]},
    {"assert": []},
)
"""Tests with several assertions."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What promptfoo says of one test."""

    passed: bool
    score: float
    answer: str
    error: str


def config(tests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a config whose model answers with the variable `answer`."""
    return {
        "prompts": ["{{ answer }}|end"],
        "providers": [{"id": "openai:chat:echo"}],
        "tests": list(tests),
    }


def matrix() -> list[dict[str, Any]]:
    """Return a test for each assertion and answer."""
    tests = [{"assert": [assertion]} for assertion in ASSERTIONS]
    return [
        {**test, "vars": {"answer": str(index), "word": "World"}}
        for test in [*tests, *MIXED]
        for index in range(len(ANSWERS))
    ]


def run_promptfoo(folder: Path, base_url: str) -> list[Verdict]:
    """Run the config in `folder`, and return the verdicts in the order of the tests."""
    program = install("promptfoo") / "node_modules/promptfoo/dist/src/entrypoint.js"
    out = folder / "verdicts.json"
    done = subprocess.run(
        [
            *(str(node_folder() / "node"), str(program), "eval", "-c", "promptfooconfig.json"),
            *("-o", str(out), "--no-table", "--no-progress-bar", "--no-cache", "-j", "8"),
        ],
        cwd=folder,
        env={
            **os.environ,
            "OPENAI_BASE_URL": base_url,
            "OPENAI_API_KEY": "none",
            "PROMPTFOO_CONFIG_DIR": str(folder / "state"),
            "PROMPTFOO_DISABLE_TELEMETRY": "1",
            "PROMPTFOO_DISABLE_UPDATE": "1",
            "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
            "PROMPTFOO_SELF_HOSTED": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert out.exists(), (done.stdout + done.stderr)[-3000:]
    results = json.loads(out.read_text())["results"]["results"]
    return [
        Verdict(
            bool(each["success"]),
            float(each["score"]),
            str((each.get("response") or {}).get("output")),
            str(each.get("error") or ""),
        )
        for each in sorted(results, key=lambda each: each["testIdx"])
    ]
