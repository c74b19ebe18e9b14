"""Running commands of a step: argument lists, the fixed environment, masked output."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentci.core.effects import CommandRequest
from agentci.spec.expressions import split_expressions
from agentci.tools.environment import fixed_environment

if TYPE_CHECKING:
    from agentci.core.effects import CommandResult
    from agentci.spec.pipeline import SideEffects
    from agentci.steps.context import StepContext

DEFAULT_TIMEOUT = 3600.0
"""Seconds for a command of a step without `timeout`."""


def split_words(text: str) -> list[str]:
    """Split a command text into words as a shell would, expressions kept whole.

    A value that an expression gives stays one word, so that no answer of a model can add
    arguments to a command.

    Raises:
        ValueError: for unbalanced quotes.
    """
    pieces = split_expressions(text)
    marked = "".join(
        f"\ue000{index}\ue001" if piece.is_expression else piece.text
        for index, piece in enumerate(pieces)
    )
    words = shlex.split(marked)
    for index, piece in enumerate(pieces):
        if piece.is_expression:
            words = [word.replace(f"\ue000{index}\ue001", piece.text) for word in words]
    return words


def render_words(run: tuple[str, ...] | str, context: StepContext) -> tuple[str, ...]:
    """Return the program and arguments of a `run` step with all expressions evaluated."""
    words = split_words(run) if isinstance(run, str) else list(run)
    return tuple(context.text(word) for word in words)


@dataclass(frozen=True, slots=True)
class StepCommand:
    """A command as a step declares it, expressions evaluated."""

    argv: tuple[str, ...]
    folder: str = "."
    env: Mapping[str, str] | None = None
    stdin: str = ""
    sandbox: str | None = None
    timeout: float = DEFAULT_TIMEOUT


def environment(context: StepContext, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the complete environment of a step's commands.

    git looks for a repository no further up than the run's folder: that lies in the user's own
    repository, which a command of a run must not find.
    """
    services = context.services
    return {
        **fixed_environment(
            home=services.home,
            source_date_epoch=services.repository.base_date,
            path=services.search_path,
        ),
        "GIT_CEILING_DIRECTORIES": str(services.home.parent.resolve()),
        **(extra or {}),
    }


def passed_environment(names: tuple[str, ...], context: StepContext) -> dict[str, str]:
    """Return the declared variables of the caller's environment that are set."""
    env = context.services.effects.env
    values = {name: env.get(name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


async def run_command(command: StepCommand, context: StepContext) -> CommandResult:
    """Run `command` in the workspace's folder, in the sandbox that the step asks for."""
    services = context.services
    sandbox = services.open_sandbox(services.sandbox_override or command.sandbox or "process")
    return await sandbox.run(
        CommandRequest(
            argv=command.argv,
            root=context.workspace.folder(),
            timeout=command.timeout,
            env=environment(context, command.env),
            folder=command.folder,
            stdin=command.stdin.encode(),
        )
    )


def settle_files(context: StepContext, side_effects: SideEffects) -> tuple[str, ...]:
    """Keep or drop what a command changed, as declared, and return the paths that it changed."""
    before = context.workspace.tree
    change = context.workspace.snapshot()
    if change.before == change.after:
        return ()
    paths = context.services.repository.changed_paths(change.before, change.after)
    if side_effects != "workspace":
        context.workspace.reset(before)
    return paths
