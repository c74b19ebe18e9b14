"""A decision as JSON: `agentci/decision`, version 1, for scripts and for what is kept of a gate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from agentci.core.errors import FormatError
from agentci.gate.decision import Decision
from agentci.report.dataclass_json import Misfit, from_plain, schema_of, to_plain
from agentci.report.transcripts import Report, Transcript

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject, JsonValue

FORMAT: Final = "agentci/decision"
VERSION: Final = 1


def decision_json(decision: Decision) -> JsonObject:
    """Return a decision with all its parts, in the order of their definition."""
    content = to_plain(decision)
    assert isinstance(content, dict)
    return {"format": FORMAT, "version": VERSION, "blocks": decision.blocks, **content}


def report_json(report: Report) -> str:
    """Return the text of a file that keeps a decision with its transcripts."""
    transcripts: list[JsonValue] = [
        {"suite": suite, "case": case, "base": each.base, "head": each.head}
        for (suite, case), each in sorted(report.transcripts.items())
    ]
    content = {**decision_json(report.decision), "transcripts": transcripts}
    return json.dumps(content, indent=1) + "\n"


def read_decision(data: bytes, *, name: str = "the file") -> Decision:
    """Return the decision that `decision_json` wrote. Raises what `read_report` raises."""
    return read_report(data, name=name).decision


def read_report(data: bytes, *, name: str = "the file") -> Report:
    """Return what `report_json` wrote; `agentci gate --json` prints the same, less transcripts.

    Args:
        data: the content of the file.
        name: of the file, for messages.

    Raises:
        FormatError: when it is damaged, of another format, or of a newer version.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _damaged(name, "it is not JSON") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _damaged(name, f"its format is not `{FORMAT}`")
    version = content.get("version")
    if not isinstance(version, int):
        raise _damaged(name, "it has no version")
    if version > VERSION:
        raise FormatError(
            f"`{name}` has version {version}; this agentci reads up to {VERSION}",
            code="ACI-F481",
            hint="upgrade agentci",
        )
    try:
        decision = from_plain(Decision, content)
        return Report(decision, dict(map(_transcript, content.get("transcripts", ()))))
    except (Misfit, RecursionError) as error:
        raise _damaged(name, str(error)) from error
    except (KeyError, TypeError) as error:
        raise _damaged(name, "its transcripts are damaged") from error


def decision_schema() -> JsonObject:
    """Return the JSON Schema of what `decision_json` and `report_json` write."""
    own = schema_of(Decision)
    text: JsonObject = {"type": ["string", "null"]}
    names: JsonObject = {"suite": {"type": "string"}, "case": {"type": "string"}}
    head: dict[str, JsonValue] = {
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        "blocks": {"description": "Whether the merge has to wait.", "type": "boolean"},
    }
    transcripts: JsonObject = {
        "description": "What the agents of changed cases said, where it is known.",
        "type": "array",
        "items": {
            "type": "object",
            "properties": {**names, "base": text, "head": text},
            "required": ["suite", "case", "base", "head"],
        },
    }
    properties, required = own["properties"], own["required"]
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    return {
        **own,
        "description": "What `agentci gate` has decided, as `--json` and `--out` have it.",
        "properties": {**head, **properties, "transcripts": transcripts},
        "required": [*head, *required],
    }


def _transcript(data: Mapping[str, Any]) -> tuple[tuple[str, str], Transcript]:
    for name in ("suite", "case"):
        if not isinstance(data[name], str):
            raise TypeError(name)
    for name in ("base", "head"):
        if not isinstance(data[name], str | None):
            raise TypeError(name)
    return (data["suite"], data["case"]), Transcript(data["base"], data["head"])


def _damaged(name: str, reason: str) -> FormatError:
    return FormatError(
        f"`{name}` holds no decision: {reason}",
        code="ACI-F480",
        hint="`agentci gate --out FILE` writes one",
    )
