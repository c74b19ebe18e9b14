"""Which of four things happened where rendered files are not what the spec says.

The spec was changed, a file was edited by hand, the generator was changed, or the lock was edited.
Pure: it compares digests and bytes that others have read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agentci.core.digest import Digest, digest_bytes
from agentci.deploy.artifact import RenderedProject
from agentci.deploy.lock import LOCK_FILE, DeployLock, LockEntry


class DriftKind(StrEnum):
    """What happened."""

    NOT_RENDERED = "not rendered"
    SPEC_CHANGED = "spec changed"
    FILE_EDITED = "file edited by hand"
    GENERATOR_CHANGED = "generator changed"
    LOCK_EDITED = "lock edited"


CODES: Final[Mapping[DriftKind, str]] = {
    DriftKind.NOT_RENDERED: "ACI-S600",
    DriftKind.SPEC_CHANGED: "ACI-S601",
    DriftKind.FILE_EDITED: "ACI-S602",
    DriftKind.GENERATOR_CHANGED: "ACI-S603",
    DriftKind.LOCK_EDITED: "ACI-P602",
}


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is not as it was rendered."""

    kind: DriftKind
    file: str
    """Path relative to the folder of the lock."""
    message: str
    hint: str

    @property
    def code(self) -> str:
        """The stable error code of its kind."""
        return CODES[self.kind]

    @property
    def exit_code(self) -> int:
        """A tampered lock is a refusal, everything else a no."""
        return 8 if self.kind is DriftKind.LOCK_EDITED else 1


@dataclass(frozen=True, slots=True)
class DriftResult:
    """What was found for one spec."""

    drifts: tuple[Drift, ...]
    note: str | None = None
    """What a person may want to know where nothing drifted."""


def find_drift(
    project: RenderedProject, *, on_disk: Mapping[str, bytes | None], lock: DeployLock | None
) -> DriftResult:
    """Compare what the spec renders to now with the files and the lock.

    Args:
        project: rendered in memory.
        on_disk: the files that the lock or the project names, None for what is not there.
        lock: None where there is no lock file.
    """
    file = project.deployment.file
    entry = None if lock is None else lock.specs.get(file)
    if lock is not None and (lock.edited or lock.reformatted):
        return DriftResult((_edited_lock(lock),))  # nothing that it says counts before it is mended
    if entry is None:
        drift = Drift(DriftKind.NOT_RENDERED, file, f"`{file}` was never rendered", f"`{_RENDER}`")
        return DriftResult((drift,))
    drifts: list[Drift] = []
    changed = entry.spec != project.deployment.digest
    if changed:
        message = f"`{file}` was changed since it was rendered{_listed(_outdated(project, entry))}"
        drifts.append(Drift(DriftKind.SPEC_CHANGED, file, message, f"`{_RENDER}`"))
    drifts += _edited_files(project, entry, on_disk)
    note = None
    if not changed and not drifts:
        outdated = _outdated(project, entry)
        generators = entry.generators != project.generators
        if outdated and generators:
            message = "this agentci renders other files than the one that rendered them"
            drifts.append(
                Drift(
                    DriftKind.GENERATOR_CHANGED,
                    outdated[0],
                    f"{message}{_listed(outdated)}",
                    f"read the difference with `agentci deploy diff`, then `{_RENDER}`",
                )
            )
        elif outdated:
            drifts.append(_edited(f"it has other digests than rendering gives{_listed(outdated)}"))
        elif generators:
            note = "another agentci rendered them; this one renders the same bytes"
    return DriftResult(tuple(drifts), note)


_RENDER: Final = "agentci deploy render"
_SHOWN: Final = 5


def _edited_lock(lock: DeployLock) -> Drift:
    names = ", ".join(f"`{name}`" for name in sorted(lock.edited))
    return _edited(
        f"the entry of {names} does not fit its seal"
        if names
        else "its bytes are not what agentci writes"
    )


def _edited(what: str) -> Drift:
    hint = f"take the committed lock back, or read the difference and run `{_RENDER}`"
    return Drift(DriftKind.LOCK_EDITED, LOCK_FILE, f"the lock was edited by hand: {what}", hint)


def _outdated(project: RenderedProject, entry: LockEntry) -> list[str]:
    """Return the files whose bytes, or being there, would change by rendering again."""
    now: dict[str, Digest] = {each.path: each.digest for each in project.artifacts}
    paths = sorted({*now, *entry.files})
    return [path for path in paths if now.get(path) != entry.files.get(path)]


def _edited_files(
    project: RenderedProject, entry: LockEntry, on_disk: Mapping[str, bytes | None]
) -> list[Drift]:
    rendered = {artifact.path: artifact.content for artifact in project.artifacts}
    found: list[Drift] = []
    for path, digest in sorted(entry.files.items()):
        data = on_disk.get(path)
        hint = f"put the change into the spec and run `{_RENDER}`, or take the file back"
        if data is None:
            found.append(Drift(DriftKind.FILE_EDITED, path, f"`{path}` was removed", hint))
        elif digest_bytes(data) != digest and data == rendered.get(path):
            found.append(_edited(f"it has another digest of `{path}` than that of its content"))
        elif digest_bytes(data) != digest:
            line = _first_difference(data, rendered.get(path))
            where = f" in line {line}" if line is not None else ""
            message = f"`{path}` was edited by hand{where}"
            found.append(Drift(DriftKind.FILE_EDITED, path, message, hint))
    return found


def _first_difference(data: bytes, rendered: bytes | None) -> int | None:
    """Return the first line that is not as rendered, counted from 1."""
    if rendered is None:
        return None
    ours, theirs = rendered.split(b"\n"), data.split(b"\n")
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False), start=1):
        if one != other:
            return number
    return min(len(ours), len(theirs))


def _listed(paths: list[str]) -> str:
    if not paths:
        return ""
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f"; other bytes: {', '.join(f'`{path}`' for path in paths[:_SHOWN])}{more}"
