"""The table of commands: a new command is one file and one row here.

The table holds import strings, so that `agentci --help` loads no command. It must not import any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command of the command line."""

    name: str
    summary: str
    """One line for `agentci --help`."""
    section: str
    target: str
    """`module:function`; a function is a command, a `typer.Typer` a group of commands."""


_WRITE: Final = "Write and check"
_RUN: Final = "Run"
_LOOK: Final = "Look into runs"
_KEEP: Final = "Storage and machine"

COMMANDS: Final[tuple[CommandRow, ...]] = (
    CommandRow("init", "write a first pipeline into a repository", _WRITE, "init:init"),
    CommandRow("check", "check definitions without running them", _WRITE, "check:check"),
    CommandRow("graph", "draw a pipeline as Mermaid or DOT", _WRITE, "graph:graph"),
    CommandRow("schema", "print the JSON Schema of a file, for editors", _WRITE, "schema:schema"),
    CommandRow("run", "run, record or replay a pipeline", _RUN, "run:run"),
    CommandRow("record", "run any program and record its model calls", _RUN, "record:record"),
    CommandRow("replay", "run any program with recorded answers", _RUN, "replay:replay"),
    CommandRow("resume", "continue a run that was stopped", _RUN, "resume:resume"),
    CommandRow("approve", "answer a run that waits for a person", _RUN, "approve:approve"),
    CommandRow("eval", "evaluate suites: replay, score, list what failed", _RUN, "eval:app"),
    CommandRow("gate", "judge a change against its merge base", _RUN, "gate:gate"),
    CommandRow("report", "show a decision that the gate has kept", _RUN, "report:report"),
    CommandRow("deploy", "render, check, validate and bring up deployments", _RUN, "deploy:app"),
    CommandRow("accept", "make a run the one that agentci.lock expects", _RUN, "accept:accept"),
    CommandRow("hook", "look at what a commit touches, before it is made", _RUN, "hook:app"),
    CommandRow("github", "the steps of the GitHub Action", _RUN, "github:app"),
    CommandRow("runs", "list the runs on this machine", _LOOK, "runs:runs"),
    CommandRow("show", "show a run: steps, lanes, outputs, digests", _LOOK, "show:show"),
    CommandRow("why", "say why a step ran, was replayed or came from the cache", _LOOK, "why:why"),
    CommandRow("cassette", "list, show and verify recordings", _KEEP, "cassette:app"),
    CommandRow("cache", "look into and clean the cache", _KEEP, "cache:app"),
    CommandRow(
        "doctor", "say what is installed and what to do about the rest", _KEEP, "doctor:doctor"
    ),
)
"""In the order in which help shows them."""
