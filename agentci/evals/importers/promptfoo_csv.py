"""Rows of a promptfoo CSV as tests: `__expected` columns are assertions, the rest variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from agentci.core.json_types import JsonValue
from agentci.evals.importers.findings import NotImportable
from agentci.evals.importers.promptfoo_assertions import comma_separated

_PREFIXES: Final = {
    "javascript:": "javascript",
    "fn:": "javascript",
    "eval:": "javascript",
    "grade:": "llm-rubric",
    "llm-rubric:": "llm-rubric",
    "python:": "python",
}
_ASSERTION: Final = re.compile(
    r"(?P<type>(?:not-)?[a-z][a-z-]*(?::[a-z-]+)?)"
    r"(?:\((?P<limit>[0-9]+(?:\.[0-9]+)?)\))?(?::(?P<value>[\s\S]*))?",
    re.ASCII,
)
_TYPES: Final = frozenset(
    {
        "agent-rubric", "answer-relevance", "bleu", "classifier", "contains", "contains-all",
        "contains-any", "contains-html", "contains-json", "contains-sql", "contains-xml",
        "context-faithfulness", "context-recall", "context-relevance", "conversation-relevance",
        "cost", "equals", "factuality", "finish-reason", "g-eval", "gleu", "guardrails",
        "icontains", "icontains-all", "icontains-any", "is-html", "is-json", "is-refusal",
        "is-sql", "is-valid-function-call", "is-valid-openai-function-call",
        "is-valid-openai-tools-call", "is-xml", "javascript", "latency", "levenshtein",
        "llm-rubric", "meteor", "model-graded-closedqa", "model-graded-factuality", "moderation",
        "perplexity", "perplexity-score", "pi", "python", "regex", "rouge-n", "ruby",
        "search-rubric", "similar", "skill-used", "starts-with", "tool-call-f1",
        "trace-error-spans", "trace-span-count", "trace-span-duration", "webhook", "word-count",
    }
)  # fmt: skip
_LISTS: Final = frozenset({"contains-all", "contains-any", "icontains-all", "icontains-any"})
_WITH_LIMIT: Final = frozenset(
    {
        "answer-relevance", "classifier", "context-faithfulness", "context-recall",
        "context-relevance", "cost", "latency", "levenshtein", "perplexity", "perplexity-score",
        "rouge-n", "similar", "starts-with",
    }
)  # fmt: skip
_DEFAULT_LIMIT: Final = 0.75
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LIMIT_COLUMN: Final = re.compile(r"__config:__expected([1-9][0-9]{0,3})?:threshold")


def test_of_row(row: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a row as a test of a config.

    Raises:
        NotImportable: when a special column means what is not taken over.
    """
    variables: dict[str, JsonValue] = {}
    assertions: list[dict[str, JsonValue]] = []
    limits: dict[int, float] = {}
    found: dict[str, JsonValue] = {"vars": variables, "assert": assertions}
    for name, value in row.items():
        text = str(value)
        column = _LIMIT_COLUMN.fullmatch(name)
        if name.startswith("__expected"):
            assertions += [assertion_of_text(text.strip())] if text.strip() else []
        elif column:
            limits[int(column[1] or 1) - 1] = _needed(name, text)
        elif name.startswith("__"):
            found |= _special(name, text)
        else:
            variables[name] = text
    for index, limit in limits.items():
        if index < len(assertions):
            assertions[index]["threshold"] = limit
    return found


def _special(name: str, text: str) -> dict[str, JsonValue]:
    """Return what a special column sets."""
    if name in {"__prefix", "__suffix"}:
        return {"options": {name[2:]: text}} if text else {}
    if name == "__description":
        return {"description": text}
    if name == "__threshold":
        return {"threshold": _number(text)}
    if name == "__metric" or name.startswith("__metadata"):
        return {}
    raise NotImportable(f"the column `{name[:60]}`")


def _needed(name: str, text: str) -> float:
    number = _number(text)
    if number is None:
        raise NotImportable(f"`{name}` is no number")
    return number


def assertion_of_text(text: str) -> dict[str, JsonValue]:
    """Return the assertion that a cell of a column `__expected` stands for."""
    for prefix, kind in _PREFIXES.items():
        if text.startswith(prefix):
            return {"type": kind, "value": text.removeprefix(prefix)}
    if text.startswith("file://"):
        return {"type": "python" if ".py" in text else "javascript", "value": text}
    match = _ASSERTION.fullmatch(text)
    name = match["type"].removeprefix("not-") if match else ""
    if match is None or name not in _TYPES:
        return {"type": "equals", "value": text}
    found: dict[str, JsonValue] = {"type": match["type"]}
    value = match["value"]
    if value is not None:
        if name in _LISTS:
            found["value"] = list(comma_separated(value)) if value else value
        else:
            found["value"] = value if name in {"is-json", "contains-json"} else value.strip()
    if name in _WITH_LIMIT:
        found["threshold"] = float(match["limit"]) if match["limit"] else _DEFAULT_LIMIT
    return found


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text.strip()) else None
