"""What every command is given: where it works, how much it says, and where its output goes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import typer

from agentci import __version__


@dataclass(slots=True)
class Invocation:
    """One call of the command line."""

    directory: Path = Path()
    """Where the call works, as if it had been started there (`-C`)."""
    verbosity: int = 0
    """Below 0: no notes; above 0: more than usual."""

    def path(self, text: str | Path) -> Path:
        """Return a path that the user typed, seen from `directory`."""
        return self.directory / Path(text).expanduser()

    def print(self, text: str) -> None:
        """Write data to standard output."""
        sys.stdout.write(text if text.endswith("\n") or not text else f"{text}\n")

    def note(self, text: str, *, level: int = 0) -> None:
        """Write something about the work to standard error, where the verbosity is at `level`."""
        if self.verbosity >= level:
            sys.stderr.write(f"{text}\n")


def invocation_of(context: typer.Context) -> Invocation:
    """Return what the root command made of the options that all commands share."""
    return context.find_root().ensure_object(Invocation)


def _set_directory(context: typer.Context, value: Path | None) -> None:
    if value is None:
        return
    if not value.is_dir():
        message = f"`{value}` is not a folder"
        raise typer.BadParameter(message)
    invocation_of(context).directory = value


def _set_quiet(context: typer.Context, value: bool) -> None:
    if value:
        invocation_of(context).verbosity -= 1


def _set_verbose(context: typer.Context, value: int) -> None:
    invocation_of(context).verbosity += value


def _show_version(value: bool) -> None:
    if value:
        sys.stdout.write(f"agentci {__version__}\n")
        raise typer.Exit


def shared_options(
    _directory: Annotated[
        Path | None,
        typer.Option(
            "-C",
            "--directory",
            metavar="FOLDER",
            callback=_set_directory,
            expose_value=False,
            show_default=False,
            help="Work as if started in FOLDER.",
        ),
    ] = None,
    _quiet: Annotated[
        bool,
        typer.Option(
            "-q",
            "--quiet",
            callback=_set_quiet,
            expose_value=False,
            help="Print results and errors only.",
        ),
    ] = False,
    _verbose: Annotated[
        int,
        typer.Option(
            "-v",
            "--verbose",
            count=True,
            callback=_set_verbose,
            expose_value=False,
            show_default=False,
            help="Say more; may be repeated.",
        ),
    ] = 0,
    _version: Annotated[
        bool,
        typer.Option(
            "-V",
            "--version",
            callback=_show_version,
            expose_value=False,
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """Declare the options that stand before or after the name of any command."""


JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON object instead of text.")
]
"""`--json`, the same on every command whose output is data."""

RunArgument: TypeAlias = Annotated[
    str | None,
    typer.Argument(help="Id of a run, or part of it; default: the last.", show_default=False),
]
"""A run on this machine."""

GROUP_SETTINGS: Final[dict[str, Any]] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
"""How every group and command of ours is set up: plain text, no tracebacks of the parser's own."""
