"""Datasets that are folders of tasks: `<tasks>/<id>/` with the task's own files.

A task is described by `task.yaml`: agentci's own fields, or those of Terminal-Bench 1 and LongCLI
(`instruction`, `difficulty`, `category`, `tags`); or by `task.toml` with `instruction.md`, as
Harbor and Terminal-Bench 2 have it. `repository/` holds the files to work on, where there is one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Protocol

from agentci.core.digest import digest_json
from agentci.evals.datasets.json_text import decode_text
from agentci.evals.datasets.rows import refuse, row_digest, sound_row
from agentci.spec.yaml_document import parse_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentci.core.digest import Digest
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.evals.datasets.rows import Row

YAML_FILE: Final = "task.yaml"
TOML_FILE: Final = "task.toml"
REPOSITORY: Final = "repository"
FOLDER_FIELD: Final = "task_folder"
"""Field of a case with its folder, relative to the dataset's."""

_INSTRUCTIONS: Final = ("instruction.md", "INSTRUCTION.md")
_LEFT_OUT: Final = frozenset({".git", "__pycache__", ".pytest_cache", ".DS_Store"})
"""What tools leave behind; no part of a task."""
_TAG_FIELDS: Final = ("difficulty", "category")


class TaskSource(Protocol):
    """The files below the dataset's folder."""

    @property
    def paths(self) -> Sequence[str]:
        """Their paths in it, with `/`, sorted."""

    def read(self, path: str) -> bytes:
        """Return a file; raises StorageError where it cannot be read."""

    def digest(self, path: str) -> Digest | None:
        """Return a file's digest; None for a link that leads to nothing."""

    def shown(self, path: str) -> str:
        """Return a path as the user would type it."""


def read(source: TaskSource) -> Iterator[Row]:
    """Yield one row for each task, by the name of its folder.

    Folders that begin with `.` or `_`, and files beside the tasks, belong to no task.

    Raises:
        SpecError: at the first task that is wrong, when it is reached.
        StorageError: when a file cannot be read.
    """
    tasks: dict[str, list[str]] = {}
    for path in source.paths:
        name, inside, _rest = path.partition("/")
        if inside and not name.startswith((".", "_")) and not _LEFT_OUT & set(path.split("/")):
            tasks.setdefault(name, []).append(path)
    for name in sorted(tasks):
        yield _task(name, tasks[name], source)


def _task(name: str, paths: Sequence[str], source: TaskSource) -> Row:
    if f"{name}/{YAML_FILE}" in paths:
        row = _from_yaml(name, source)
    elif f"{name}/{TOML_FILE}" in paths:
        row = _from_toml(name, source)
    else:
        hint = f"add one, or begin the folder's name with `_`: `{name}` is then no task"
        message = f"the task `{name}` has no `{YAML_FILE}` and no `{TOML_FILE}`"
        refuse("ACI-F166", message, source.shown(name), line=1, hint=hint)
    instruction = row.fields.get("instruction")
    written = [path for path in _INSTRUCTIONS if f"{name}/{path}" in paths]
    if instruction is None and written:
        path = f"{name}/{written[0]}"
        instruction = decode_text(source.read(path), file=source.shown(path))
        row_digest(instruction, file=source.shown(path), line=1)
    digests: dict[str, Digest | None] = {
        PurePosixPath(path).relative_to(name).as_posix(): source.digest(path) for path in paths
    }
    repository = f"{name}/{REPOSITORY}"
    has_repository = any(path.startswith(f"{repository}/") for path in paths)
    return replace(
        row,
        name=name,
        input=instruction,
        digest=digest_json({"fields": row.digest, "files": digests}),
        repository=repository if has_repository else None,
        extra={FOLDER_FIELD: name},
    )


def _from_yaml(name: str, source: TaskSource) -> Row:
    path = f"{name}/{YAML_FILE}"
    file = source.shown(path)
    document = parse_document(source.read(path), file)
    line = document.positions.locate(()).line or 1
    row = sound_row(document.value, file=file, line=line)
    return replace(row, tags=_tags(row.fields))


def _from_toml(name: str, source: TaskSource) -> Row:
    import tomllib  # noqa: PLC0415 - few datasets have any

    path = f"{name}/{TOML_FILE}"
    file = source.shown(path)
    text = decode_text(source.read(path), file=file)
    try:
        fields = _plain(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        refuse("ACI-F165", f"not valid TOML: {error}", file, line=_line_of(str(error)))
    except (ValueError, RecursionError) as error:
        refuse("ACI-F165", f"not valid TOML: {error}", file, line=1)
    row = sound_row(fields, file=file, line=1)
    metadata, task = row.fields.get("metadata"), row.fields.get("task")
    tags = _tags(metadata if isinstance(metadata, Mapping) else {})
    if isinstance(task, Mapping):
        tags += _texts(task.get("keywords"))
    if isinstance(metadata, Mapping):
        tags += _texts(metadata.get("tags"))
    return replace(row, tags=tags)


def _tags(fields: JsonObject) -> tuple[str, ...]:
    return tuple(value for name in _TAG_FIELDS for value in _texts(fields.get(name)))


def _texts(value: JsonValue) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple):
        return tuple(each for each in value if isinstance(each, str))
    return ()


def _plain(value: Any) -> JsonValue:
    """Return what TOML has and JSON has not as text: dates and times."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value  # type: ignore[no-any-return]  # the rest of TOML is JSON


def _line_of(reason: str) -> int:
    _before, _at, number = reason.partition("(at line ")
    digits = number.partition(",")[0]
    return int(digits) if digits.isdigit() else 1
