"""Where scorers look at files and run commands: a workspace of their own, and the sandbox.

What a command prints is masked before anybody sees it, so that equal answers have equal scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from posixpath import normpath
from typing import Any, Final, Literal

from pydantic import Field

from agentci.core.effects import CommandRequest, Workspace
from agentci.core.errors import EnvironmentProblem
from agentci.evals.case import Subject
from agentci.evals.scorers.protocol import ScorerServices
from agentci.spec.pipeline import Model, Seconds
from agentci.tools.masking import Masker
from agentci.tools.protocol import ToolProblem
from agentci.tools.workspace_files import WorkspaceFiles

NOT_FOUND: Final = 127


class WorkplaceOptions(Model):
    """Options of scorers that work on files."""

    tree: Literal["after", "before"] = Field(
        "after", description="The files as the target left them, or as it got them."
    )
    overlay: str | None = Field(
        None,
        description="Folder, relative to the suite's, whose files are put over the workspace "
        "first: tests that the target has not seen.",
    )
    patch: str | None = Field(
        None,
        description="A patch to apply before that, for example `${{ output.patch }}`; where it "
        "does not apply, the score is 0.",
    )
    timeout: Seconds = Field(
        600, description="Seconds, after which everything that was started is killed."
    )


class NotReady(Exception):
    """The answer has left the files in a state in which they cannot be judged."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did."""

    exit_code: int
    printed: str
    """Standard output as it is: what differs between two runs is still in it."""
    stdout: str
    """Masked."""
    stderr: str
    """Masked."""
    timed_out: bool

    @property
    def tail(self) -> str:
        """The last lines that it printed."""
        text = self.stderr if self.stderr.strip() else self.stdout
        return " | ".join(line.strip() for line in text.strip().splitlines()[-3:])


class Workplace:
    """A workspace and the sandbox that commands run in."""

    def __init__(self, workspace: Workspace, services: ScorerServices) -> None:
        """Take an open workspace."""
        self._workspace = workspace
        self._services = services

    @property
    def files(self) -> WorkspaceFiles:
        """The files, none outside of the workspace."""
        return WorkspaceFiles(self._workspace.folder())

    @property
    def folder(self) -> Path:
        """The folder with the files."""
        return self._workspace.folder()

    @cached_property
    def _environment(self) -> Mapping[str, str]:
        return self._services.command_environment()

    @cached_property
    def _masker(self) -> Masker:
        home = Path(self._environment.get("HOME", "/nonexistent"))
        return Masker(root=self._workspace.path, home=home)

    def put(self, overlay: str) -> None:
        """Put the files of a folder of the suite's over those of the workspace.

        Raises:
            NotReady: where something stands in the way.
        """
        prefix = normpath(overlay)
        for path in self._services.list_files(prefix):
            inner = path.removeprefix(f"{prefix}/")
            try:
                self.files.write(inner, self._services.read(path))
            except ToolProblem as error:
                raise NotReady(f"`{inner}` cannot be put in its place: {error}") from error

    async def run(
        self,
        argv: tuple[str, ...],
        *,
        timeout: float,  # noqa: ASYNC109 - the sandbox kills what it has started
        folder: str = ".",
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> Ran:
        """Run a command to its end, or to its timeout.

        Raises:
            EnvironmentProblem: when the machine has no such program.
            SafetyRefusal: when there is no sandbox.
        """
        environment = {**self._environment, **(env or {})}
        result = await self._services.sandbox().run(
            CommandRequest(
                argv=argv,
                root=self._workspace.folder(),
                timeout=timeout,
                env=environment,
                folder=folder,
                stdin=stdin,
            )
        )
        missing = f"agentci: {argv[0]}: command not found\n".encode()
        if result.exit_code == NOT_FOUND and result.stderr == missing and "/" not in argv[0]:
            raise EnvironmentProblem(
                f"the program `{argv[0]}` of a scorer is not there",
                code="ACI-S504",
                hint="install it, or name a sandbox that has it as the suite's `sandbox`",
            )
        return Ran(
            result.exit_code,
            result.stdout.decode("utf-8", "replace"),
            self.mask(result.stdout),
            self.mask(result.stderr),
            result.timed_out,
        )

    def mask(self, text: bytes) -> str:
        """Return text of a command without what differs between two runs."""
        return self._masker.mask(text)


@contextmanager
def workplace(
    subject: Subject, services: ScorerServices, *, tree: Literal["after", "before"] = "after"
) -> Iterator[Workplace]:
    """Open a workspace with the files after or before the target's work, and close it again."""
    workspace = services.workspace()
    try:
        if tree == "before" and subject.base_tree:
            workspace.reset(subject.base_tree)
        yield Workplace(workspace, services)
    finally:
        workspace.close()


async def prepare(place: Workplace, options: WorkplaceOptions) -> None:
    """Apply the options' patch, then put their files over the workspace.

    Raises:
        NotReady: when one of both is not possible.
    """
    # only where the options have one
    from agentci.evals.scorers.patches import apply_patch, read_patch  # noqa: PLC0415

    if options.patch is not None:
        text = read_patch(options.patch)
        if not text:
            raise NotReady("the answer holds no patch")
        applied = await apply_patch(place, text, timeout=options.timeout)
        if applied.problem:
            raise NotReady(f"the patch does not apply: {applied.problem}")
    if options.overlay is not None:
        place.put(options.overlay)


def overlay_files(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the folder that raw options put over the workspace, as `Scorer.files` names it."""
    overlay = options.get("overlay")
    return (f"{normpath(overlay)}/",) if isinstance(overlay, str) else ()
