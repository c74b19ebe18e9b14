"""The arguments of `use`: ours, and those of vcrpy's `use_cassette`, read into one request.

A suite that moves over keeps its arguments. Those that change what is asked or kept go on to
vcrpy; those that agentci has its own answer to are taken and change nothing; the rest is refused
by name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agentci.core.errors import UsageError
from agentci.core.lane import Lane
from agentci.record.session import Mode

MAIN: Final = Lane("main")
FOREIGN_SUFFIXES: Final = (".yaml", ".yml", ".json")

FILTERS: Final = frozenset(
    {
        "before_record", "before_record_request", "before_record_response",
        "filter_post_data_parameters", "filter_nested_post_data_parameters",
        "filter_query_parameters", "filter_headers", "ignore_hosts", "ignore_localhost",
    }
)  # fmt: skip
"""Options of vcrpy that are as they were."""
WITHOUT_EFFECT: Final = frozenset(
    {
        "additional_matchers", "decode_compressed_response", "drop_unused_requests", "match_on",
        "record_on_exception", "serializer", "with_current_defaults",
    }
)  # fmt: skip
"""Options of vcrpy that are taken: a request is matched whole, bodies are decoded, answers are kept
as they come, recordings that are not used fail."""
OTHERS: Final = frozenset({"allow_playback_repeats", "cassette_library_dir", "inject_cassette"})
_RECORD_MODES: Final[Mapping[str, str]] = {
    "none": "replay",
    "once": "auto",
    "new_episodes": "auto",
    "any": "auto",
    "all": "record-all",
    "rewrite": "record-all",
}


@dataclass(frozen=True, slots=True)
class UseArguments:
    """What `use` was called with."""

    path: Path | None = None
    mode: str | None = None
    lane: Lane = MAIN
    unplayed: str = "fail"
    keep_headers: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    """Patterns of what does not count in requests, as under `mask` of a pipeline's step."""
    redact: bool = False
    """Whether secrets are replaced; else a recording with one is refused."""
    root: Path | None = None
    """Folder that recordings show as the workspace; None for the working directory."""
    options: Mapping[str, Any] = field(default_factory=dict)
    rerecord: str = 'mode="record"'
    foreign: tuple[Path, ...] = ()
    """Files of another recorder besides the one that `path` names."""

    def __post_init__(self) -> None:
        known = FILTERS | WITHOUT_EFFECT | OTHERS | {"record_mode"}
        unknown = sorted(set(self.options) - known)
        if unknown:
            raise UsageError(
                f"`use` takes no argument `{unknown[0]}`",
                code="ACI-U190",
                hint="see `docs/in-process.md` for what is taken of vcrpy's arguments",
            )
        if self.unplayed not in {"fail", "ignore"}:
            raise UsageError(
                f'`unplayed` is "fail" or "ignore", not `{self.unplayed}`', code="ACI-U191"
            )
        resolve_mode(self.mode, self.options)
        if self.mask:
            from agentci.record.masking_rules import check_rules  # noqa: PLC0415 - most have none

            check_rules(self.mask)

    @property
    def filters(self) -> dict[str, Any]:
        """The options that go on to vcrpy."""
        return {name: value for name, value in self.options.items() if name in FILTERS}


@dataclass(frozen=True, slots=True)
class Resolved:
    """A mode, and whether everything is recorded anew."""

    mode: Mode
    record_all: bool = False


def resolve_mode(
    mode: str | None, options: Mapping[str, Any], *, default: Mode = Mode.AUTO
) -> Resolved:
    """Return the mode: the one that is given, vcrpy's `record_mode`, or the default.

    Raises:
        UsageError: when there is no such mode.
    """
    given = mode
    if given is None and options.get("record_mode") is not None:
        name = options["record_mode"]
        given = _RECORD_MODES.get(str(getattr(name, "value", name)), str(name))
    if given is None:
        return Resolved(default)
    if given == "record-all":
        return Resolved(Mode.RECORD, record_all=True)
    try:
        return Resolved(Mode(given))
    except ValueError:
        names = ", ".join(f"`{each}`" for each in (*Mode, "record-all"))
        message = f"there is no mode `{given}`"
        raise UsageError(message, code="ACI-U192", hint=f"there are {names}") from None


def folder_of(path: Path, options: Mapping[str, Any]) -> Path:
    """Return the folder of the recordings that a path means, which may name another tool's file."""
    library = options.get("cassette_library_dir")
    if library is not None:
        path = Path(os.fspath(library)) / path
    return path.with_suffix(".cassette") if path.suffix in FOREIGN_SUFFIXES else path


def foreign_of(path: Path, options: Mapping[str, Any]) -> tuple[Path, ...]:
    """Return the files in which another recorder may have left what a path means."""
    library = options.get("cassette_library_dir")
    if library is not None:
        path = Path(os.fspath(library)) / path
    if path.suffix in FOREIGN_SUFFIXES:
        return (path,)
    # vcrpy takes the path as it is; without a suffix that is a file without one
    return (path,) if path.is_file() else ()
