"""Takes evaluations of other tools over: configs as suites, logs as results and datasets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from agentci.app import wiring
from agentci.app.eval_import_request import EvalImportRequest, EvalImportResult, folder_name
from agentci.app.project import open_project
from agentci.core.errors import FormatError, SafetyRefusal, UsageError

if TYPE_CHECKING:
    from agentci.core.effects import Files
    from agentci.core.json_types import JsonObject
    from agentci.evals.importers.findings import ImportedSuite, ReadFile

NOTES: Final = "import-notes.md"
_MODEL: Final = re.compile(r"([a-z][a-z0-9-]*):(.+)")


def import_evaluation(request: EvalImportRequest) -> EvalImportResult:
    """Take one file over.

    Raises:
        UsageError: when nothing in it can be evaluated, or an option does not fit.
        FormatError: when it is none of the formats, or damaged.
        SpecError: when it is no YAML or JSON.
        SafetyRefusal: when files that are there would be overwritten.
    """
    from agentci.evals.importers.registry import format_of  # noqa: PLC0415 - loads readers

    files = wiring.files()
    path = request.path
    data = files.read(path)
    kind = format_of(path.name, data)
    if kind is None:
        raise FormatError(
            f"`{path.as_posix()}` is of no format that is imported",
            code="ACI-F490",
            hint="promptfoo configs, Inspect logs (`.eval`, `.json`) and pydantic-evals datasets "
            "are; see docs/eval-imports.md",
        )
    if kind == "inspect":
        from agentci.app.eval_import_log import import_log  # noqa: PLC0415 - as above

        return import_log(request, data, files)
    if request.results is not None or request.dataset is not None:
        raise UsageError(
            "`--results` and `--dataset` are for logs, and this is a definition",
            code="ACI-U506",
            hint="`agentci eval import FILE` writes a suite of it",
        )
    return _import_suite(request, kind, data, files)


def _import_suite(
    request: EvalImportRequest, kind: str, data: bytes, files: Files
) -> EvalImportResult:
    project = open_project(request.start, files)
    name = folder_name(request)
    made = _read(kind, data, request, read=reader(request.path.parent, files), name=name)
    folder = project.pipelines / name
    contents = _contents(made, request.path.name)
    if files.list(folder) and not request.replace:
        raise SafetyRefusal(
            f"`{folder.as_posix()}` is there already",
            code="ACI-P491",
            hint="`--to NAME` takes another folder, `--replace` overwrites",
        )
    if not request.dry_run:
        for relative in sorted(contents):
            files.write_atomic(folder / relative, contents[relative])
    return EvalImportResult(
        format=made.format,
        source=request.path.as_posix(),
        folder=folder.as_posix(),
        files=tuple((folder / relative).as_posix() for relative in sorted(contents)),
        suites=made.suites,
        cases=made.cases,
        trials=0,
        expectations=made.expectations,
        notes=made.notes,
        dry_run=request.dry_run,
    )


def _read(
    kind: str, data: bytes, request: EvalImportRequest, *, read: ReadFile, name: str
) -> ImportedSuite:
    model = None if request.model is None else _model(request.model)
    if kind == "promptfoo":
        from agentci.evals.importers.promptfoo import import_promptfoo  # noqa: PLC0415

        return import_promptfoo(data, request.path.name, read=read, name=name, model=model)
    from agentci.evals.importers.pydantic_evals import import_pydantic_evals  # noqa: PLC0415

    return import_pydantic_evals(data, request.path.name, name=name)


def _model(text: str) -> JsonObject:
    match = _MODEL.fullmatch(text)
    if match is None:
        raise UsageError(
            f"`{text[:80]}` is no model",
            code="ACI-U507",
            hint="give provider and id, such as `openai:gpt-5-mini`",
        )
    return {"provider": match[1], "id": match[2]}


def reader(folder: Path, files: Files) -> ReadFile:
    """Return what reads files below `folder`, and nothing that a link leads to elsewhere."""
    from agentci.evals.importers.foreign_documents import outside  # noqa: PLC0415 - as above

    home = folder.resolve()

    def read(relative: str) -> bytes:
        path = folder / PurePosixPath(relative)
        if not path.resolve().is_relative_to(home):
            raise outside(relative)
        return files.read(path)

    return read


def _contents(made: ImportedSuite, source: str) -> Mapping[str, bytes]:
    from agentci.record.yaml_text import emit  # noqa: PLC0415 - needs a suite

    found = {
        path: content if isinstance(content, bytes) else emit(content).encode()
        for path, content in made.files.items()
    }
    return {**found, NOTES: _notes(made, source)} if made.notes else found


def _notes(made: ImportedSuite, source: str) -> bytes:
    lines = [
        f"# What was not taken over from `{source}`",
        "",
        "| place | what | why |",
        "|---|---|---|",
    ]
    lines += [f"| {_cell(n.place)} | {_cell(n.what)} | {_cell(n.why)} |" for n in made.notes]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def _cell(text: str) -> str:
    plain = "".join(char if char.isprintable() else " " for char in text)
    return plain.replace("|", "\\|")
