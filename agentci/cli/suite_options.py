"""What commands on suites have in common on the command line."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import typer

SuitesArgument: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SUITE]...", help="Names or folders; default: all.", show_default=False
    ),
]
"""Which suites."""

JobsOption: TypeAlias = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, help="Trials at the same time.", show_default=False),
]
"""How many trials run at the same time."""

SandboxOption: TypeAlias = Annotated[
    Literal["docker", "bwrap", "process"] | None,
    typer.Option(help="Where all commands run.", show_default=False),
]
"""Where commands of targets and scorers run."""
