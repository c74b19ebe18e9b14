"""The folders of runs, `.agentci/runs/<id>/`: their names, files and order.

Nothing in them is needed to replay; they are what `resume`, `show`, `why` and `accept` read.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app.state_folder import STATE_FOLDER
from agentci.core.errors import FormatError, NothingMatched, UsageError

if TYPE_CHECKING:
    from agentci.core.effects import Clock, Files, Random
    from agentci.core.json_types import JsonObject, JsonValue

_RUN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder."""

    path: Path
    files: Files

    @property
    def run_id(self) -> str:
        """The run's id: UTC time of its start and a random part."""
        return self.path.name

    @property
    def journal(self) -> Path:
        """The append-only event log."""
        return self.path / "journal.jsonl"

    @property
    def store(self) -> Path:
        """Where the run keeps its git objects and workspaces."""
        return self.path

    @property
    def home(self) -> Path:
        """HOME of the run's commands."""
        return self.path / "home"

    @property
    def lock(self) -> Path:
        """Held by the process that works on the run."""
        return self.path / "lock"

    def write(self, name: str, content: JsonObject) -> None:
        """Write a JSON file of the run."""
        head: dict[str, JsonValue] = {"format": f"agentci/run-{name}", "version": _VERSION}
        text = json.dumps({**head, **content}, indent=2, ensure_ascii=False, default=dict)
        self.files.write_atomic(self.path / f"{name}.json", (text + "\n").encode())

    def read(self, name: str) -> JsonObject | None:
        """Return a JSON file of the run, or None where it was never written.

        Raises:
            FormatError: when it is damaged or of a newer version.
        """
        path = self.path / f"{name}.json"
        if not self.files.exists(path):
            return None
        hint = f"start a new run, and remove `{self.path}` when you do not need it"
        try:
            content = json.loads(self.files.read(path))
            version = int(content["version"])
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"`{path}` is damaged", code="ACI-F132", hint=hint) from error
        if version > _VERSION:
            raise FormatError(
                f"`{path}` has version {version}; this agentci reads up to {_VERSION}",
                code="ACI-F133",
                hint="upgrade agentci",
            )
        found: JsonObject = content
        return found


def new_run(project: Path, files: Files, *, clock: Clock, random: Random) -> RunFolder:
    """Return the folder of a new run; it is made with the first file written to it.

    Names sort by time to a 256th of a second, so that two runs in one second keep their order.
    """
    now = clock.now()
    time = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    name = f"{time}-{int(now % 1 * 256):02x}{random.token(2).hex()}"
    return RunFolder(project.resolve() / STATE_FOLDER / "runs" / name, files)


def all_runs(project: Path, files: Files) -> tuple[RunFolder, ...]:
    """Return the folders of all runs, the newest first."""
    top = project.resolve() / STATE_FOLDER / "runs"
    if not files.exists(top):
        return ()
    names = sorted((path.name for path in top.iterdir()), reverse=True)
    return tuple(RunFolder(top / name, files) for name in names if _RUN_ID.fullmatch(name))


def find_run(project: Path, files: Files, name: str | None) -> RunFolder:
    """Return the run whose id starts or ends with `name`, or the newest one for None or `last`.

    Raises:
        NothingMatched: when there is no such run.
        UsageError: when several match.
    """
    runs = all_runs(project, files)
    if not runs:
        raise NothingMatched(
            "there are no runs here yet", code="ACI-N110", hint="agentci run pipelines/<name>"
        )
    if name is None or name == "last":
        return runs[0]
    found = [run for run in runs if run.run_id.startswith(name) or run.run_id.endswith(name)]
    if not found:
        raise NothingMatched(
            f"there is no run `{name}`", code="ACI-N111", hint="list them with `agentci runs`"
        )
    if len(found) > 1:
        shown = ", ".join(f"`{run.run_id}`" for run in found[:5])
        raise UsageError(
            f"`{name}` fits {len(found)} runs: {shown}",
            code="ACI-U140",
            hint="give more of the id",
        )
    return found[0]
