"""Which Compose this machine has: `docker compose`, else `docker-compose`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.core.programs import ProgramRequest, ProgramResult
from agentci.deploy.targets.compose_versions import ComposeVersion

if TYPE_CHECKING:
    from agentci.core.programs import Programs

_KINDS: Final = (("docker", "compose"), ("docker-compose",))
_NUMBER: Final = re.compile(r"v?([0-9]{1,4})\.([0-9]{1,4})\.")


@dataclass(frozen=True, slots=True)
class ComposeProgram:
    """A Compose that answers."""

    command: tuple[str, ...]
    version: ComposeVersion

    @property
    def name(self) -> str:
        """How a user types it."""
        return " ".join(self.command)

    def run(
        self, programs: Programs, arguments: tuple[str, ...], *, folder: Path, timeout: float
    ) -> ProgramResult:
        """Run it in `folder` with the arguments, without colours and questions."""
        return programs.run(ProgramRequest((*self.command, *arguments), folder, timeout))


def find_programs(programs: Programs, folder: Path) -> tuple[ComposeProgram, ...]:
    """Return every Compose of this machine, the preferred one first."""
    found: list[ComposeProgram] = []
    for command in _KINDS:
        if not programs.has(command[0]):
            continue
        asked = ProgramRequest((*command, "version", "--short"), folder, 60)
        answer = programs.run(asked)
        number = _NUMBER.match(answer.out.strip())
        if answer.exit_code == 0 and number is not None:
            version = ComposeVersion(int(number[1]), int(number[2]))
            found.append(ComposeProgram(command, version))
    return tuple(found)
