"""Reading the files of a config: YAML, JSON and text below its folder, with places for notes."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentci.core.errors import UsageError
from agentci.core.json_types import JsonValue
from agentci.evals.datasets.json_text import decode_text, decoder, refuse_json
from agentci.evals.datasets.rows import MAX_DEPTH, refuse
from agentci.evals.importers.findings import NotImportable, ReadFile
from agentci.spec.yaml_document import PathParts, Positions, parse_document

PREFIX: Final = "file://"
_YAML: Final = (".yaml", ".yml", ".json")
_PROGRAMS: Final = (".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".py", ".rb", ".go", ".sh")


@dataclass(frozen=True, slots=True)
class Spot:
    """A value of a config, and where it stands."""

    value: JsonValue
    positions: Positions
    path: PathParts = ()

    @property
    def place(self) -> str:
        """Return `file:line`."""
        where = self.positions.locate(self.path)
        return f"{where.file}:{where.line}"

    def at(self, *path: str | int) -> Spot:
        """Return a part of it; None where there is no such part."""
        value = self.value
        for part in path:
            if isinstance(value, Mapping) and isinstance(part, str):
                value = value.get(part)
            elif isinstance(value, Sequence) and not isinstance(value, str):
                value = value[part] if isinstance(part, int) and part < len(value) else None
            else:
                value = None
        return Spot(value, self.positions, (*self.path, *path))

    def items(self) -> tuple[Spot, ...]:
        """Return the items of a list; of anything else but nothing, the thing itself."""
        if self.value is None:
            return ()
        if isinstance(self.value, list | tuple):
            return tuple(self.at(index) for index in range(len(self.value)))
        return (self,)

    def fields(self) -> Mapping[str, JsonValue]:
        """Return the fields of a mapping.

        Raises:
            NotImportable: when it is none.
        """
        if self.value is None:
            return {}
        if not isinstance(self.value, Mapping):
            raise NotImportable("it has to be a mapping")
        return self.value


def read_spot(data: bytes, name: str) -> Spot:
    """Return a YAML or JSON file.

    Raises:
        SpecError: when it is neither, too large, nested too deep or full of aliases.
    """
    if name.endswith(".json"):
        text = decode_text(data, file=name)
        try:
            value: JsonValue = decoder().decode(text)
        except ValueError as error:
            refuse_json(error, text, file=name, line=1)
        except RecursionError:
            refuse("ACI-F168", f"nested deeper than {MAX_DEPTH} levels", name, line=1)
        # JSON is YAML, and the reader of YAML knows the places; what it refuses has none
        return Spot(value, _positions(data, name, value))
    document = parse_document(data, name)
    return Spot(document.value, document.positions)


def _positions(data: bytes, name: str, value: JsonValue) -> Positions:
    from agentci.core.errors import SpecError  # noqa: PLC0415 - beside its only use
    from agentci.spec.yaml_document import Mark  # noqa: PLC0415 - as above

    try:
        return parse_document(data, name).positions
    except SpecError:
        return Positions(name, value, Mark(0, 0), {})


def referenced(text: str, *, base: str = "") -> str:
    """Return the path in the config's folder that `file://...` names, seen from the folder `base`.

    Raises:
        NotImportable: when it is a pattern or a program.
        UsageError: when it leads out of the folder.
    """
    name = text.removeprefix(PREFIX)
    path = posixpath.normpath(posixpath.join(base, name))
    if posixpath.isabs(path) or path.startswith("..") or "\\" in name or "\0" in name:
        raise outside(text)
    if any(char in path for char in "*?[{"):
        raise NotImportable(f"the pattern `{text[:100]}`; name the files")
    program = path.partition(":")[0]
    if program.endswith(_PROGRAMS):
        raise NotImportable(f"the program `{program}`: nothing of a config is executed")
    return path


def outside(path: str) -> UsageError:
    """Return the refusal of a file that is not below the config's folder."""
    return UsageError(
        f"`{path[:200]}` leads out of the config's folder",
        code="ACI-U502",
        hint="only files below the folder of the config are read; copy it there",
    )


def read_reference(text: str, read: ReadFile) -> JsonValue:
    """Return a value from `file://...` as promptfoo does for assertions.

    YAML and JSON are parsed, texts lose white space at their ends.

    Raises:
        NotImportable, UsageError: as `referenced`; also for other kinds of files.
    """
    path = referenced(text)
    if path.endswith(_YAML):
        return read_spot(read(path), path).value
    if path.endswith(".txt"):
        return decode_text(read(path), file=path).strip()
    raise NotImportable(f"a file that is neither YAML, JSON nor `.txt`: `{path}`")
