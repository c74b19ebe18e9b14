"""Reads `pipeline.yaml` into a `PipelineSpec`. Knows nothing of what the steps mean together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.core.digest import Digest, digest_bytes
from agentci.core.errors import UsageError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.spec.explanation import Explained
from agentci.spec.format_header import check_format
from agentci.spec.pipeline import STEP_KINDS, PipelineSpec
from agentci.spec.suggestion import did_you_mean
from agentci.spec.validation import validate
from agentci.spec.yaml_document import Positions, parse_document

if TYPE_CHECKING:
    from agentci.core.effects import Files

PIPELINE_FILE = "pipeline.yaml"


@dataclass(frozen=True, slots=True)
class LoadedPipeline:
    """A pipeline definition as it was read."""

    spec: PipelineSpec
    path: Path
    """The YAML file."""
    folder: Path
    raw: JsonObject
    """The parsed YAML."""
    digest: Digest
    """Of the file's bytes."""
    positions: Positions


def load_pipeline(path: Path, files: Files) -> LoadedPipeline:
    """Read the pipeline at `path`, its folder or its YAML file.

    Raises:
        SpecError: when the definition is invalid; carries every problem with its place.
        FormatError: when it is of another format, or of a version that this release cannot read.
        UsageError: when there is no such pipeline.
        StorageError: when the file cannot be read.
    """
    file = path if path.suffix in {".yaml", ".yml"} else path / PIPELINE_FILE
    if not files.exists(file):
        message = f"there is no pipeline at `{path.as_posix()}`"
        hint = f"give a folder with a `{PIPELINE_FILE}`, or make one with `agentci init`"
        raise UsageError(message, code="ACI-U110", hint=hint)
    data = files.read(file)
    document = parse_document(data, file.as_posix())
    check_format(document, "agentci/pipeline", 1)
    spec = validate(document, PipelineSpec, explain_union=_explain_step)
    raw = document.value if isinstance(document.value, Mapping) else {}
    return LoadedPipeline(
        spec, file, file.parent, raw=raw, digest=digest_bytes(data), positions=document.positions
    )


def _explain_step(value: JsonValue) -> Explained:
    kinds = ", ".join(f"`{kind}`" for kind in STEP_KINDS)
    if not isinstance(value, Mapping):
        return Explained(
            "ACI-D112", "a step has to be a mapping", f"give it an `id` and one of {kinds}"
        )
    named = [key for key in value if key in STEP_KINDS]
    if len(named) > 1:
        shown = " and ".join(f"`{kind}`" for kind in named)
        message = f"a step has one kind, and this one names {shown}"
        return Explained("ACI-D115", message, "make two steps of it", key=named[1])
    title = f"the step `{value['id']}`" if isinstance(value.get("id"), str) else "a step"
    known = _step_keys()
    for key in value:
        if key not in known and (hint := did_you_mean(key, STEP_KINDS)):
            return Explained("ACI-D114", f"{title} has no kind; unknown key `{key}`", hint, key=key)
    return Explained("ACI-D114", f"{title} names no kind", f"add one of {kinds}")


def _step_keys() -> frozenset[str]:
    models = STEP_KINDS.values()
    return frozenset(
        info.alias or name for model in models for name, info in model.model_fields.items()
    )
