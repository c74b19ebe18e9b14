"""The scorer `json_schema`: the answer is JSON that fits a schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from pydantic import Field

from agentci.core.errors import UsageError
from agentci.core.json_types import JsonObject
from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.answers import AnswerOptions, json_of
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.schema_process import find_violations
from agentci.evals.scorers.wording import cut

LIMIT: Final = 4_000_000
"""Characters of an answer that are read."""

_LISTED: Final = 20


class JsonSchemaOptions(AnswerOptions):
    """The answer is JSON, alone or in one fenced block, and fits a JSON Schema."""

    # the name is the one that pipelines have for it; pydantic's old method is not used
    schema_: dict[str, Any] | str = Field(
        alias="schema",
        description="JSON Schema, or a file with it, relative to the suite's folder. What it "
        "refers to has to be in it: nothing is fetched.",
    )


class JsonSchema:
    """Checks a JSON Schema."""

    kind: ClassVar[str] = "json_schema"
    version: ClassVar[int] = 1
    options: ClassVar[type[JsonSchemaOptions]] = JsonSchemaOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name the file with the schema."""
        schema = options.get("schema")
        return (schema,) if isinstance(schema, str) else ()

    async def score(
        self, subject: Subject, options: JsonSchemaOptions, services: ScorerServices
    ) -> Score:
        """Check."""
        schema = _schema(options.schema_, services)
        answer = json_of(options.judged(subject), limit=LIMIT)
        if answer.problem:
            return Score(0.0, passed=False, explanation=answer.problem)
        try:
            found = await find_violations(schema, answer.value)
        except RecursionError:
            return Score(0.0, passed=False, explanation="the answer nests too deep")
        if not found:
            return Score(1.0, passed=True)
        told = [f"`{cut(item.path) or '/'}` {cut(item.text, 200)}" for item in found[:_LISTED]]
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        return Score(0.0, False, f"{told[0]}{more}", {"violations": told})


def _schema(schema: Any, services: ScorerServices) -> JsonObject:
    if not isinstance(schema, str):
        found: JsonObject = schema
        return found
    try:
        value = json.loads(services.read(schema))
    except ValueError as error:
        raise UsageError(f"`{schema}` is not JSON: {error}", code="ACI-U465") from error
    if not isinstance(value, dict):
        raise UsageError(f"`{schema}` is not a JSON object", code="ACI-U465")
    return value
