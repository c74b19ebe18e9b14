"""Writes recordings as files of other tools; never over a file that is there, unless told to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agentci.app import wiring
from agentci.app.cassette import CassetteRequest, open_lanes
from agentci.core.errors import SafetyRefusal
from agentci.record.exporters.vcr import VcrExport, export_vcr
from agentci.record.lane_path import lane_path


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to write, and where."""

    start: Path
    out: Path
    """Folder; each cassette gets a folder in it, each lane a file."""
    cassette: str | None = None
    """Folder below `cassettes/`; None for all."""
    lane: str | None = None
    replace: bool = False
    """Whether files that are there make way."""


@dataclass(frozen=True, slots=True)
class ExportedLane:
    """What became of one lane."""

    cassette: str
    lane: str
    file: str
    """Empty where the lane has nothing that the format can hold."""
    interactions: int
    bytes: int
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The lanes, sorted by cassette and name."""

    lanes: tuple[ExportedLane, ...]


def export_recordings(request: ExportRequest) -> ExportResult:
    """Write recordings as cassettes of vcrpy.

    Raises:
        NothingMatched: when there are no such recordings.
        FormatError: when one is damaged; what comes before it is written.
        SafetyRefusal: when a file is there already; nothing is written.
    """
    files = wiring.files()
    lanes = open_lanes(
        CassetteRequest(start=request.start, cassette=request.cassette, lane=request.lane)
    )
    paths = [request.out / opened.cassette / lane_path(opened.lane) for opened in lanes]
    there = [path for path in paths if files.exists(path)]
    if there and not request.replace:
        raise SafetyRefusal(
            f"`{there[0].as_posix()}` is there already",
            code="ACI-P331",
            hint="`--replace` writes over it, `--to FOLDER` elsewhere",
        )
    done: list[ExportedLane] = []
    for opened, path in zip(lanes, paths, strict=True):
        export: VcrExport = export_vcr(opened.interactions())
        if export.data:
            files.write_atomic(path, export.data)
        done.append(
            ExportedLane(
                cassette=opened.cassette,
                lane=opened.lane,
                file=path.as_posix() if export.data else "",
                interactions=export.interactions,
                bytes=len(export.data),
                left_out=export.left_out,
            )
        )
    return ExportResult(tuple(done))
