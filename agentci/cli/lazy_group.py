"""A group of commands that imports a command's module only when the command is called."""

from __future__ import annotations

import difflib
import gc
import importlib
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from agentci.cli.commands import COMMANDS, CommandRow
from agentci.cli.invocation import GROUP_SETTINGS, shared_options
from agentci.core.errors import UsageError

_TyperUsageError: type[Exception] = typer.BadParameter.__mro__[1]  # not exported by its name


class ParserError(Exception):
    """The command line is wrong."""

    def __init__(self, message: str, command: str) -> None:
        """Take the parser's words, and the command that they are about."""
        super().__init__(message)
        self.message = message
        self.command = command


_HELP = """Run multi-agent pipelines, record every outside answer once, replay offline to the bit.

Example: agentci run pipelines/bugfix
"""
_OBJECTS_BETWEEN_LOOKS = 50_000
"""New objects after which cycles are looked for; 700 cost a replay 3 % of its time."""
_EPILOG = "`agentci COMMAND --help` shows the options of a command and an example."


class LazyGroup(TyperGroup):
    """The root group. Names and one-line helps come from a table, the rest on demand."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the parser's signature
        """Return all names, in the table's order."""
        return [row.name for row in COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the parser's signature
        """Load a command.

        Raises:
            UsageError: where there is none of that name.
        """
        row = next((row for row in COMMANDS if row.name == cmd_name), None)
        if row is None:
            raise _unknown(cmd_name)
        command = _load(row)
        if not gc.isenabled():  # loading is done; what is loaded stays and needs no more looking at
            gc.freeze()
            gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
            gc.enable()
        _share_options(command, self)
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the parser's signature
        """Write the table, without loading a single command."""
        for section in dict.fromkeys(row.section for row in COMMANDS):
            rows = [(row.name, row.summary) for row in COMMANDS if row.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)


def build_group() -> LazyGroup:
    """Return the root group; no command is loaded."""
    root = typer.Typer(cls=LazyGroup, help=_HELP, epilog=_EPILOG, **GROUP_SETTINGS)
    root.callback()(shared_options)
    group = get_command(root)
    assert isinstance(group, LazyGroup)
    return group


def invoke(group: LazyGroup, arguments: list[str]) -> int:
    """Parse `arguments`, call the command and return its exit code.

    Raises:
        ParserError: for a wrong command line.
        AgentciError: whatever the command raises.
    """
    if not arguments:
        arguments = ["--help"]
    try:
        with group.make_context("agentci", list(arguments)) as context:
            code = group.invoke(context)
    except typer.Exit as exit_:
        return exit_.exit_code
    except _TyperUsageError as error:
        raise _parser_error(error) from error
    return code if isinstance(code, int) else 0


def _parser_error(error: Exception) -> ParserError:
    shown = getattr(error, "format_message", error.__str__)()
    context = getattr(error, "ctx", None)
    return ParserError(shown, context.command_path if context is not None else "agentci")


def _load(row: CommandRow) -> Any:
    module_name, _, attribute = row.target.partition(":")
    target = getattr(importlib.import_module(f"agentci.cli.{module_name}"), attribute)
    if isinstance(target, typer.Typer):
        target.info.name = row.name
        return get_command(target)
    single = typer.Typer(**GROUP_SETTINGS)
    single.command(row.name)(target)
    return get_command(single)


def _share_options(command: Any, root: LazyGroup) -> None:
    """Let the root's options stand behind a command's name, too."""
    if isinstance(command, TyperGroup):
        for child in command.commands.values():
            _share_options(child, root)
        return
    command.params.extend(root.params)


def _unknown(name: str) -> UsageError:
    close = difflib.get_close_matches(name, [row.name for row in COMMANDS], n=1)
    hint = f"did you mean `agentci {close[0]}`?" if close else "`agentci --help` lists them"
    return UsageError(f"there is no command `{name}`", code="ACI-U102", hint=hint)
