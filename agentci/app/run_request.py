"""How a run is asked for, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentci.core.errors import UsageError
from agentci.record.session import Mode

if TYPE_CHECKING:
    from agentci.core.digest import Digest
    from agentci.core.effects import Env
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.engine.executor import RunVerdict
    from agentci.steps.results import StepRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A run of a pipeline."""

    project: Path
    """Folder of the project: where `cassettes/`, `.agentci/` and `agentci.lock` are."""
    pipeline: Path
    """Folder of the pipeline."""
    repository: Path | None = None
    """From `--repo`; else what the definition says, else the project's own repository."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """From `--set name=value`, not parsed yet."""
    mode: str | None = None
    record_all: bool = False
    """In mode `record`: ask for every answer again, not only for those that are missing."""
    seed: int | None = None
    jobs: int | None = None
    sandbox: str | None = None
    execute_tools: bool = False
    cassette: str | None = None
    """Name of the folder below `cassettes/`; default: by the pipeline and its inputs."""
    branch: str | None = None
    """Branch of the target repository that gets the run's last commit."""
    use_cache: bool = True
    note: str = ""
    """Goes into the header of new cassettes, for example where their answers come from."""
    redact: bool = False
    """Whether secrets are replaced in new recordings; else a recording with one is refused."""


@dataclass(frozen=True, slots=True)
class LockComparison:
    """How a run compares with what `agentci.lock` has for its pipeline."""

    matches: bool | None
    """None where there is nothing to compare with."""
    note: str
    """Why it does not match, or cannot be compared."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run, as it ended."""

    run_id: str
    pipeline: str
    mode: Mode
    verdict: RunVerdict
    run_digest: Digest
    lock: LockComparison
    base: str
    """Commit that the run started from."""
    commit: str | None
    tree: str
    patch: str
    """From the base to the end, readable."""
    output: JsonValue
    records: tuple[StepRecord, ...]
    stopped: StepRecord | None
    lock_entry: JsonObject
    """What `agentci accept` writes to `agentci.lock`."""
    unplayed: tuple[str, ...]
    """Recordings that were not used."""
    cassettes: str
    """Their folder, as the user would type it."""
    notes: tuple[str, ...]
    """What a reader should know: files left out, seeds ignored, files dropped."""

    @property
    def reproducible(self) -> bool:
        """Whether every outside answer of the run is recorded and used."""
        return self.mode is not Mode.LIVE and not self.unplayed


def resolve_mode(flag: str | None, configured: str | None, env: Env) -> Mode:
    """Return the mode of a run: as asked for, else `replay` in CI and `auto` elsewhere.

    Raises:
        UsageError: when there is no such mode.
    """
    text = flag or configured
    if text is None:
        in_ci = (env.get("CI") or "").lower() not in {"", "0", "false"}
        return Mode.REPLAY if in_ci else Mode.AUTO
    try:
        return Mode(text)
    except ValueError:
        known = ", ".join(f"`{mode}`" for mode in Mode)
        raise UsageError(
            f"there is no mode `{text}`; the modes are {known}",
            code="ACI-U141",
            hint="leave `--mode` out to replay what is recorded",
        ) from None


def request_json(request: RunRequest) -> JsonObject:
    """Return what a resumed run has to know of how it was asked for."""
    return {
        "pipeline": str(request.pipeline.resolve()),
        "repository": str(request.repository.resolve()) if request.repository else None,
        "settings": dict(request.settings),
        "mode": request.mode,
        "record_all": request.record_all,
        "seed": request.seed,
        "jobs": request.jobs,
        "sandbox": request.sandbox,
        "execute_tools": request.execute_tools,
        "cassette": request.cassette,
        "branch": request.branch,
        "use_cache": request.use_cache,
        "note": request.note,
        "redact": request.redact,
    }


def read_request(content: JsonObject, project: Path) -> RunRequest:
    """Return the request that `request_json` wrote."""
    data: dict[str, Any] = {
        key: value for key, value in content.items() if key not in {"format", "version"}
    }
    pipeline, repository = Path(data.pop("pipeline")), data.pop("repository")
    return RunRequest(
        project=project,
        pipeline=pipeline,
        repository=Path(repository) if repository else None,
        **data,
    )
