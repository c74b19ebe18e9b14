"""Inspect logs as results of a suite, and their samples as a dataset.

Source of the format: `EvalLog` and `EvalSample` of inspect_ai.log, version 2, read in 0.3.285.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from agentci.core.digest import Digest, digest_json
from agentci.core.json_types import JsonObject, JsonValue
from agentci.evals.importers.findings import Notes
from agentci.evals.importers.inspect_archive import damaged, open_archive, parse
from agentci.evals.results import CaseResult, Score, SuiteResult, TrialResult
from agentci.evals.scorers.answers import json_safe, text_of

_VERSIONS: Final = frozenset({1, 2})
_WORDS: Final = {
    "C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0,
    "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0,
}  # fmt: skip
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_ATTACHMENT: Final = "attachment://"
_MAX_EPOCHS: Final = 1000
_LONGEST_ID: Final = 200


@dataclass(frozen=True, slots=True)
class InspectLog:
    """What a log holds of its task and samples."""

    file: str
    task: str
    model: str
    status: str
    samples: tuple[JsonObject, ...]
    dataset: str
    header: JsonObject = field(default_factory=dict)


def read_log(data: bytes, file: str) -> InspectLog:
    """Return a log in either form.

    Raises:
        FormatError: when it is damaged, too large, no Inspect log, or of another version.
    """
    if data.startswith(b"PK"):
        archive = open_archive(data, file)
        if "header.json" not in archive.entries:
            raise damaged(file, "it has no `header.json`: the evaluation did not end")
        header = archive.json("header.json")
        names = sorted(name for name in archive.entries if name.startswith("samples/"))
        samples: JsonValue = [archive.json(name) for name in names if name.endswith(".json")]
    else:
        header = parse(data, file)
        samples = header.get("samples") if isinstance(header, Mapping) else None
    if not isinstance(header, Mapping):
        raise damaged(file, "it is no mapping")
    version, task = header.get("version"), _mapping(header.get("eval"))
    if not isinstance(version, int) or version not in _VERSIONS or not task:
        raise damaged(file, f"version {str(version)[:20]} is not known")
    if not isinstance(samples, Sequence) or isinstance(samples, str) or not samples:
        raise damaged(file, "it has no samples")
    return InspectLog(
        file=file,
        task=str(task.get("task") or "task"),
        model=str(task.get("model") or ""),
        status=str(header.get("status") or ""),
        samples=tuple(_sample(each, file) for each in samples),
        dataset=str(_mapping(task.get("dataset")).get("name") or ""),
        header={name: value for name, value in header.items() if name in {"eval", "plan"}},
    )


def _sample(value: JsonValue, file: str) -> JsonObject:
    sample = _mapping(value)
    if not isinstance(sample.get("id"), str | int) or not isinstance(sample.get("epoch"), int):
        raise damaged(file, "a sample has no `id` or `epoch`")
    return sample


def log_results(log: InspectLog, *, suite: str, threshold: float, notes: Notes) -> SuiteResult:
    """Return a log's samples as cases and their epochs as trials.

    Every value of every scorer is a score of its own and gates; a sample passes where all of them
    reach `threshold`. Values that are no share (numbers outside of 0 to 1, words other than
    Inspect's) are noted and left out, and so is a sample without any.

    Raises:
        FormatError: when two samples have one id and epoch.
    """
    by_case: dict[str, dict[int, JsonObject]] = {}
    for sample in log.samples:
        epoch = sample["epoch"]
        assert isinstance(epoch, int)
        if not 1 <= epoch <= _MAX_EPOCHS:
            raise damaged(log.file, f"the epoch {str(epoch)[:20]} is none")
        trials = by_case.setdefault(case_id(sample), {})
        if epoch in trials:
            raise damaged(log.file, f"the sample `{case_id(sample)}` is there twice")
        trials[epoch] = sample
    epochs = max(max(trials) for trials in by_case.values())
    reader = _Trials(log, threshold, notes)
    return SuiteResult(
        suite=suite,
        name=suite.rpartition("/")[2],
        trials=epochs,
        digests=_digests(log, by_case),
        cases=tuple(reader.case(name, by_case[name]) for name in sorted(by_case)),
        live=True,
    )


def case_id(sample: JsonObject) -> str:
    """Return a sample's id as one that a case can have."""
    text = "".join(char if char.isprintable() else " " for char in str(sample["id"])).strip()
    if text and len(text) <= _LONGEST_ID:
        return text
    return f"{text[: _LONGEST_ID - 18]}~{digest_json(str(sample['id']))[-16:]}"


def dataset_rows(log: InspectLog) -> Iterator[JsonObject]:
    """Yield the samples as rows of a dataset, each once, in order of their ids."""
    seen = {case_id(sample): sample for sample in reversed(log.samples)}
    for name in sorted(seen):
        sample = seen[name]
        row: dict[str, JsonValue] = {"id": name, "input": _input(sample)}
        target = sample.get("target")
        if target is not None and target != "":
            row["expected"] = json_safe(target)
        metadata = sample.get("metadata")
        if isinstance(metadata, Mapping) and metadata:
            row["metadata"] = json_safe(metadata)
        yield row


@dataclass(frozen=True, slots=True)
class _Trials:
    log: InspectLog
    threshold: float
    notes: Notes

    def case(self, name: str, samples: Mapping[int, JsonObject]) -> CaseResult:
        first = samples[min(samples)]
        return CaseResult(
            case=name,
            row=digest_json({"input": _input(first), "target": json_safe(first.get("target"))}),
            trials=tuple(self.trial(epoch, samples[epoch]) for epoch in sorted(samples)),
        )

    def trial(self, epoch: int, sample: JsonObject) -> TrialResult:
        error = sample.get("error")
        scores = {} if error else self._scores(sample)
        output = _output(sample)
        judged = bool(scores)
        failing = tuple(name for name in sorted(scores) if not scores[name].passed)
        reason = "" if judged else "it has no score"
        if error:
            reason = str(_mapping(error).get("message") or "it failed")[:1000]
        return TrialResult(
            trial=epoch,
            status="judged" if judged else "error",
            key=digest_json(
                ["inspect", self.log.task, self.log.model, case_id(sample), epoch, output]
            ),
            reason=reason,
            scores=scores,
            passed=judged and not failing,
            failing=failing,
            output=output if judged else None,
            output_digest=digest_json(output) if judged else None,
            metrics=_metrics(sample),
        )

    def _scores(self, sample: JsonObject) -> dict[str, Score]:
        found = _mapping(sample.get("scores"))
        single = sample.get("score")
        if not found and isinstance(single, Mapping):  # version 1 had one
            found = {"score": single}
        scores: dict[str, Score] = {}
        for scorer, value in found.items():
            score = _mapping(value)
            for name, part in _parts(str(scorer), score.get("value")):
                number = _share(part)
                if number is None:
                    told = f"{text_of(part)[:60]} is no share"
                    self.notes.add(self.log.file, f"score `{name[:80]}`", told)
                    continue
                passed = number >= self.threshold
                why = score.get("explanation") or score.get("answer") or ""
                told = "" if passed else " ".join(str(why).split())[:400]
                scores[name] = Score(number, passed, told)
        return dict(sorted(scores.items()))


def _parts(scorer: str, value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield f"{scorer}/{name}", part
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, part in enumerate(value):
            yield f"{scorer}/{index}", part
    else:
        yield scorer, value


def _share(value: JsonValue) -> float | None:
    """Return a score's value from 0 to 1 as Inspect's `value_to_float` has it, else None."""
    if isinstance(value, str):
        known = _WORDS.get(value, _WORDS.get(value.lower()))
        if known is not None:
            return known
        value = float(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float) and math.isfinite(value) and 0 <= value <= 1:
        return float(value)
    return None


def _metrics(sample: JsonObject) -> dict[str, float]:
    found: dict[str, float] = {}
    usages = [_mapping(usage) for usage in _mapping(sample.get("model_usage")).values()]
    if usages:
        found["tokens"] = sum(
            _positive(usage.get(name))
            for usage in usages
            for name in (
                "input_tokens",
                "output_tokens",
                "input_tokens_cache_read",
                "input_tokens_cache_write",
            )
        )
        costs = [usage.get("total_cost") for usage in usages]
        if all(isinstance(cost, int | float) for cost in costs):
            found["cost"] = sum(map(_positive, costs))
    turns = sample.get("turn_count")
    if turns is not None:
        found["steps"] = _positive(turns)
    if sample.get("working_time") is not None:
        found["latency"] = _positive(sample.get("working_time"))
    return dict(sorted(found.items()))


def _positive(value: JsonValue) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        return 0.0
    return float(value)


def _output(sample: JsonObject) -> JsonValue:
    output = _mapping(sample.get("output"))
    completion = output.get("completion")
    if not isinstance(completion, str):
        choices = output.get("choices")
        first = choices[0] if isinstance(choices, list | tuple) and choices else None
        content = _mapping(_mapping(first).get("message")).get("content")
        completion = _content(content)
    return {"text": text_of(_attached(completion, sample))}


def _input(sample: JsonObject) -> JsonValue:
    value = sample.get("input")
    if isinstance(value, str):
        return json_safe(_attached(value, sample))
    found = []
    for message in value if isinstance(value, list | tuple) else ():
        fields = _mapping(message)
        text = _attached(_content(fields.get("content")), sample)
        found.append({"role": json_safe(fields.get("role")), "content": json_safe(text)})
    return found


def _content(content: JsonValue) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list | tuple) else ()
    return "\n".join(str(_mapping(part).get("text") or "") for part in parts)


def _attached(text: str, sample: JsonObject) -> str:
    """Return a text that Inspect keeps once for the whole sample."""
    if not text.startswith(_ATTACHMENT):
        return text
    found = _mapping(sample.get("attachments")).get(text.removeprefix(_ATTACHMENT))
    return found if isinstance(found, str) else text


def _digests(
    log: InspectLog, by_case: Mapping[str, Mapping[int, JsonObject]]
) -> Mapping[str, Digest]:
    task = _mapping(log.header.get("eval"))
    rows = {
        name: json_safe([_input(samples[min(samples)]), samples[min(samples)].get("target")])
        for name, samples in by_case.items()
    }
    return {
        "dataset": digest_json(rows),
        "models": digest_json([log.model, json_safe(task.get("model_generate_config"))]),
        "scorers": digest_json(json_safe(task.get("scorers"))),
        "suite": digest_json(log.task),
        "target": digest_json(json_safe(log.header.get("plan"))),
    }


def _mapping(value: JsonValue) -> JsonObject:
    return value if isinstance(value, Mapping) else {}


def jsonl(rows: Iterator[JsonObject]) -> bytes:
    """Return rows as JSON Lines."""
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()
