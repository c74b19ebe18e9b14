"""The file with results that an evaluation leaves for other programs, and putting shards together.

`agentci/eval-results`, version 1: JSON in one fixed form, so that equal results are equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentci.app.eval_request import EvaluatedSuite
from agentci.core.errors import FormatError, Location, UsageError
from agentci.evals.results_json import read_suite, suite_json
from agentci.evals.shards import Shard, merge_suites
from agentci.spec.suite import QuarantineSpec

if TYPE_CHECKING:
    from agentci.core.effects import Files
    from agentci.core.json_types import JsonObject

FORMAT: Final = "agentci/eval-results"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class ResultsFile:
    """What a file of results holds."""

    suites: tuple[EvaluatedSuite, ...]
    """In order of their paths."""
    shard: Shard | None = None
    """Which part of the cases it has; None for all."""


def results_json(content: ResultsFile) -> JsonObject:
    """Return results as one JSON object."""
    shard = content.shard
    return {
        "format": FORMAT,
        "version": VERSION,
        "shard": None if shard is None else str(shard),
        "suites": [_suite_json(each) for each in content.suites],
    }


def _suite_json(each: EvaluatedSuite) -> JsonObject:
    quarantine = [entry.model_dump(mode="json") for entry in each.quarantine]
    return {**suite_json(each.result), "quarantine": quarantine}


def write_results(files: Files, path: Path, content: ResultsFile) -> None:
    """Write a file of results, atomically."""
    text = json.dumps(results_json(content), indent=1, ensure_ascii=True, default=dict)
    files.write_atomic(path, (text + "\n").encode())


def read_results(files: Files, path: Path) -> ResultsFile:
    """Read a file of results.

    Raises:
        StorageError: when there is none.
        FormatError: when it is damaged, of another format or of a newer version.
    """
    data = files.read(path)
    try:
        content = json.loads(data)
        known, version = content["format"] == FORMAT, int(content["version"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path) from error
    if not known:
        raise _damaged(path)
    if version > VERSION:
        raise FormatError(
            f"`{path.as_posix()}` has version {version}; this agentci reads up to {VERSION}",
            code="ACI-F471",
            hint="upgrade agentci",
        )
    try:
        return _read(content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path) from error


def _read(content: Any) -> ResultsFile:
    shard = None
    if content["shard"] is not None:
        index, count = (int(part) for part in content["shard"].split("/"))
        shard = Shard(index, count)
    suites = tuple(
        EvaluatedSuite(
            read_suite(each),
            tuple(QuarantineSpec.model_validate(entry) for entry in each["quarantine"]),
        )
        for each in content["suites"]
    )
    return ResultsFile(suites, shard)


def _damaged(path: Path) -> FormatError:
    return FormatError(
        f"`{path.as_posix()}` is no file of results",
        code="ACI-F470",
        hint="`agentci eval --out FILE` writes one",
        location=Location(path.as_posix()),
    )


def merge(parts: Sequence[ResultsFile]) -> ResultsFile:
    """Put the shards of one evaluation together: the same bytes as without shards.

    Raises:
        UsageError: when a shard is missing or there twice, or they are not of one state.
    """
    shards = [part.shard for part in parts if part.shard is not None]
    if len(shards) != len(parts):
        raise UsageError(
            "a file holds all cases, not a shard",
            code="ACI-U474",
            hint="write shards with `agentci eval --shard 1/2 --out FILE`",
        )
    count = shards[0].count
    found = sorted(str(shard) for shard in shards)
    wanted = sorted(f"{index}/{count}" for index in range(1, count + 1))
    if found != wanted:
        missing = [each for each in wanted if each not in found]
        told = f"missing: {', '.join(missing)}" if missing else f"given: {', '.join(found)}"
        raise UsageError(
            f"the files are not the shards 1 to {count} of one evaluation; {told}",
            code="ACI-U479",
            hint="give the file of every shard once",
        )
    by_suite: dict[str, list[EvaluatedSuite]] = {}
    for part in parts:
        for each in part.suites:
            by_suite.setdefault(each.result.suite, []).append(each)
    return ResultsFile(
        tuple(
            EvaluatedSuite(
                merge_suites([each.result for each in by_suite[suite]]),
                by_suite[suite][0].quarantine,
            )
            for suite in sorted(by_suite)
        )
    )
