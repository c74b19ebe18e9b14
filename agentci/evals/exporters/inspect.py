"""Results of a suite as a log of Inspect, which `inspect view` and `inspect_ai.log` read.

Source of the format: `EvalLog`, version 2, of inspect_ai 0.3.285. Times are those of the epoch and
ids are digests, so that equal results are equal bytes.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from struct import pack
from typing import Final, Literal

from agentci.core.digest import digest_json, hex_of
from agentci.core.json_types import JsonObject, JsonValue
from agentci.evals.results import CaseResult, SuiteResult, TrialResult
from agentci.evals.scorers.answers import json_safe, text_of

_TIME: Final = "1970-01-01T00:00:00+00:00"
_DOS_TIME: Final = (0, 33)
"""The first time that a ZIP archive can have: 1980-01-01."""
_MODEL: Final = "agentci/recorded"
_UTF8: Final = 0x800


@dataclass(frozen=True, slots=True)
class CaseSource:
    """What results do not keep of a case."""

    input: JsonValue = None
    expected: JsonValue = None


@dataclass(frozen=True, slots=True)
class _Log:
    suite: SuiteResult
    sources: Mapping[str, CaseSource]
    scorers: tuple[str, ...] = field(default=())


def inspect_log(
    suite: SuiteResult, sources: Mapping[str, CaseSource], *, form: Literal["eval", "json"]
) -> bytes:
    """Return the log; `sources` by the cases' ids, as far as they are known."""
    names = sorted({name for case in suite.cases for trial in case.trials for name in trial.scores})
    log = _Log(suite, sources, tuple(names))
    samples = [_sample(log, case, trial) for case in suite.cases for trial in case.trials]
    header = _header(log)
    if form == "json":
        return _json({**header, "samples": samples})
    entries = {"header.json": _json(header), "summaries.json": _json(_summaries(samples))}
    entries["_journal/start.json"] = _json(
        {name: header[name] for name in ("version", "eval", "plan")}
    )
    for sample in samples:
        entries[f"samples/{sample['id']}_epoch_{sample['epoch']}.json"] = _json(sample)
    return _zip(entries)


def _json(value: JsonValue) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=True, default=dict) + "\n").encode()


def _identity(log: _Log, part: str) -> str:
    return hex_of(digest_json([part, log.suite.suite, dict(log.suite.digests)]))[:22]


def _header(log: _Log) -> JsonObject:
    suite = log.suite
    trials = [trial for case in suite.cases for trial in case.trials]
    judged = sum(trial.status == "judged" for trial in trials)
    return {
        "version": 2,
        "status": "success" if judged else "error",
        "eval": {
            "eval_id": _identity(log, "eval"),
            "run_id": _identity(log, "run"),
            "created": _TIME,
            "task": re.sub(r"[^\w./-]", "-", suite.name, flags=re.ASCII) or "suite",
            "task_id": _identity(log, "task"),
            "task_version": 0,
            "task_attribs": {},
            "task_args": {},
            "dataset": {
                "name": suite.suite,
                "samples": len(suite.cases),
                "sample_ids": [case.case for case in suite.cases],
                "shuffled": False,
            },
            "model": _MODEL,
            "model_args": {},
            "config": {"epochs": suite.trials},
            "packages": {},
            "scorers": [{"name": name, "options": {}, "metadata": {}} for name in log.scorers],
            "metadata": {"live": suite.live, "digests": dict(suite.digests)},
        },
        "plan": {"name": "plan", "steps": [], "config": {}},
        "results": {
            "total_samples": len(trials),
            "completed_samples": judged,
            "scores": [_metric(name, trials) for name in log.scorers],
        },
        "stats": {"started_at": _TIME, "completed_at": _TIME, "model_usage": {}},
    }


def _metric(name: str, trials: Sequence[TrialResult]) -> JsonObject:
    values = [trial.scores[name].value for trial in trials if name in trial.scores]
    mean = sum(values) / len(values)
    return {
        "name": name,
        "scorer": name,
        "scored_samples": len(values),
        "unscored_samples": len(trials) - len(values),
        "params": {},
        "metrics": {"mean": {"name": "mean", "value": mean, "params": {}}},
    }


def _sample(log: _Log, case: CaseResult, trial: TrialResult) -> JsonObject:
    source = log.sources.get(case.case, CaseSource())
    asked, answer = text_of(source.input), text_of(json_safe(trial.output))
    asked = "" if source.input is None else asked
    answer = "" if trial.output is None else answer
    expected = source.expected
    target: JsonValue = "" if expected is None else text_of(expected)
    if isinstance(expected, list | tuple):
        target = [text_of(each) for each in expected]
    found: dict[str, JsonValue] = {
        "id": case.case,
        "epoch": trial.trial,
        "input": asked,
        "target": target,
        "messages": [
            {"role": "user", "content": asked},
            {"role": "assistant", "content": answer},
        ],
        "output": {
            "model": _MODEL,
            "choices": [
                {
                    "message": {"role": "assistant", "content": answer},
                    "stop_reason": "stop",
                }
            ],
            "completion": answer,
        },
        "scores": {
            name: {"value": score.value, "answer": answer, "explanation": score.explanation}
            for name, score in sorted(trial.scores.items())
        },
        "metadata": _metadata(case, trial),
        "store": {},
        "events": [],
        "model_usage": {},
        "attachments": {},
        "uuid": hex_of(digest_json([log.suite.suite, case.case, trial.trial]))[:22],
    }
    if "latency" in trial.metrics:
        found["working_time"] = trial.metrics["latency"]
    if trial.status != "judged":
        message = f"{trial.status}: {trial.reason}"
        found["error"] = {"message": message, "traceback": "", "traceback_ansi": ""}
    return found


def _metadata(case: CaseResult, trial: TrialResult) -> JsonObject:
    return {
        "status": trial.status,
        "passed": trial.passed,
        "key": trial.key,
        "group": case.group,
        "tags": list(case.tags),
        "metrics": dict(sorted(trial.metrics.items())),
    }


def _summaries(samples: Sequence[JsonObject]) -> JsonValue:
    kept = ("id", "epoch", "input", "target", "metadata", "scores", "model_usage", "uuid")
    found: list[JsonValue] = []
    for sample in samples:
        summary: dict[str, JsonValue] = {name: sample[name] for name in kept}
        summary |= {"completed": True, "retries": 0, "message_count": 2}
        error = sample.get("error")
        if isinstance(error, Mapping):
            summary["error"] = error["message"]
        found.append(summary)
    return found


def _zip(entries: Mapping[str, bytes]) -> bytes:
    """Return a deflated ZIP archive in the order given, the same bytes for the same entries.

    Python's `zipfile` writes which system made an archive; this does not.
    Source: PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16.
    """
    body, directory = bytearray(), bytearray()
    for name, data in entries.items():
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush()
        path = name.encode("utf-8", "replace")
        common = pack(
            "<5H3I2H", 20, _UTF8, 8, *_DOS_TIME, zlib.crc32(data), len(packed), len(data),
            len(path), 0,
        )  # fmt: skip
        directory += b"PK\x01\x02" + pack("<H", 20) + common
        directory += pack("<3H2I", 0, 0, 0, 0, len(body)) + path
        body += b"PK\x03\x04" + common + path + packed
    end = pack("<4H2IH", 0, 0, len(entries), len(entries), len(directory), len(body), 0)
    return bytes(body + directory) + b"PK\x05\x06" + end
