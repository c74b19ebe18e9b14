"""A promptfoo config as a pipeline's folder with suites: one for each prompt and provider."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from agentci.core.digest import digest_json, hex_of
from agentci.core.errors import FormatError, UsageError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.evals.importers.findings import (
    ImportedSuite,
    Notes,
    NotImportable,
    ReadFile,
)
from agentci.evals.importers.foreign_documents import Spot, read_spot
from agentci.evals.importers.promptfoo_assertions import AssertionReader, Rubric, number
from agentci.evals.importers.promptfoo_prompts import ForeignPrompt, PromptReader, PromptValues
from agentci.evals.importers.promptfoo_providers import ForeignModel, model_of
from agentci.evals.importers.promptfoo_tests import ForeignTest, TestReader

FORMAT: Final = "promptfoo"
DATASET: Final = "cases.jsonl"
_JUDGE: Final = "judge"
_READ: Final = frozenset(
    {"assertionTemplates", "defaultTest", "evaluateOptions", "prompts", "providers", "scenarios",
     "targets", "tests"}
)  # fmt: skip
_HARMLESS: Final = frozenset(
    {"$schema", "commandLineOptions", "description", "metadata", "outputPath", "sharing", "tags",
     "writeLatestResults"}
)  # fmt: skip
_LONGEST_ID: Final = 80


@dataclass(slots=True)
class _Cases:
    """Rows of the dataset."""

    rows: list[JsonObject] = field(default_factory=list)
    rules: int = 0
    rubrics: int = 0
    """The most that one case has."""
    graders: list[JsonValue] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)


def import_promptfoo(
    data: bytes, file: str, *, read: ReadFile, name: str, model: JsonObject | None = None
) -> ImportedSuite:
    """Return the suites of a config; `model` is evaluated instead of its providers.

    Raises:
        SpecError: when it is no YAML or JSON.
        UsageError: when nothing of it can be evaluated, or a file lies outside of its folder.
    """
    notes = Notes()
    config = read_spot(data, file)
    _note_rest(config, notes)
    values = PromptValues()
    prompts = PromptReader(config, read, notes, values).prompts()
    models = _models(config, notes, model)
    tests = TestReader(config, read, notes).tests()
    cases = _cases(tests, config, read=read, notes=notes, values=values)
    if not prompts or not models or not cases.rows:
        missing = "prompt" if not prompts else "provider" if not models else "test"
        first = next((f": {note.why}" for note in notes.found if note.what == missing), "")
        raise UsageError(
            f"no {missing} of `{file}` can be taken over{first}",
            code="ACI-U504",
            hint="`--model openai:gpt-5-mini` evaluates that model instead"
            if missing == "provider"
            else "see what the formats hold in docs/eval-imports.md",
        )
    files = _Folder(
        name, prompts, models, cases, config, notes, tuple(sorted(values.names.values()))
    ).files()
    return ImportedSuite(
        FORMAT,
        files,
        cases=len(cases.rows),
        suites=len(prompts) * len(models),
        expectations=cases.rules,
        notes=tuple(notes.found),
    )


def _note_rest(config: Spot, notes: Notes) -> None:
    if not isinstance(config.value, Mapping):
        raise FormatError(f"`{config.place}` is no promptfoo config", code="ACI-F492")
    for name in config.value:
        if name not in _READ | _HARMLESS:
            notes.add(config.at(name).place, f"`{name}`", "has no equal here")
    options = config.at("evaluateOptions").value
    for name in options if isinstance(options, Mapping) else ():
        if name not in {"repeat", "maxConcurrency", "cache", "showProgressBar", "delay"}:
            place = config.at("evaluateOptions", name).place
            notes.add(place, f"`evaluateOptions.{name}`", "has no equal here")


def _models(config: Spot, notes: Notes, model: JsonObject | None) -> tuple[ForeignModel, ...]:
    if model is not None:
        return (ForeignModel("model", model),)
    given = config.at("providers")
    given = config.at("targets") if given.value is None else given
    found: list[ForeignModel] = []
    for spot in given.items():
        try:
            made = model_of(spot.value, name=f"model-{len(found) + 1}")
        except NotImportable as problem:
            notes.add(spot.place, "provider", str(problem))
            continue
        found.append(made)
        for setting in made.unsent:
            notes.add(spot.place, f"`{setting}`", "keys and addresses come from the environment")
    return tuple(found)


def _cases(
    tests: Sequence[ForeignTest],
    config: Spot,
    *,
    read: ReadFile,
    notes: Notes,
    values: PromptValues,
) -> _Cases:
    templates = config.at("assertionTemplates").value
    cases = _Cases()
    for test in tests:
        reader = AssertionReader(
            test.variables, read, templates if isinstance(templates, Mapping) else {}
        )
        _add_case(cases, test, reader, notes=notes, values=values)
    return cases


def _add_case(
    cases: _Cases,
    test: ForeignTest,
    reader: AssertionReader,
    *,
    notes: Notes,
    values: PromptValues,
) -> None:
    rules: list[JsonValue] = []
    rubrics: list[Rubric] = []
    left_out = 0
    for spot in test.assertions:
        try:
            made = reader.assertion(spot)
        except NotImportable as problem:
            left_out += 1
            notes.add(spot.place, f"assertion of the test at {test.place}", str(problem))
            continue
        if isinstance(made, Rubric):
            rubrics.append(made)
        else:
            rules.append(made)
    why = ""
    threshold = None
    try:
        threshold = number({"threshold": test.threshold}, "threshold")
    except NotImportable as problem:
        why = str(problem)
    if threshold is not None and (left_out or rubrics):
        why = "its `threshold` counts assertions that are not taken over"
    elif left_out and not rules and not rubrics:
        why = "none of its assertions is taken over"
    if why:
        notes.add(test.place, "test", why)
        return
    cases.rules += len(rules) + len(rubrics)
    cases.rubrics = max(cases.rubrics, len(rubrics))
    cases.graders += [rubric.provider or test.grader for rubric in rubrics]
    row: dict[str, JsonValue] = {
        "id": _id(cases, test),
        "input": values.of(test.variables),
        "rules": rules,
        "threshold": threshold,
        "rubrics": [rubric.text for rubric in rubrics],
    }
    cases.rows.append(row)


def _id(cases: _Cases, test: ForeignTest) -> str:
    """Return an id that stays where tests come and go around it."""
    described = " ".join(re.sub(r"[^\w .,:;()+*/=-]", " ", test.description).split())
    base = described[:_LONGEST_ID].strip()
    if not base:
        base = f"case-{hex_of(digest_json(_plain(test.variables)))[:10]}"
    count = cases.ids[base] = cases.ids.get(base, 0) + 1
    return base if count == 1 else f"{base} #{count}"


def _plain(values: Mapping[str, JsonValue]) -> JsonValue:
    """Return values as texts where they cannot be digested otherwise."""
    return {name: json.dumps(value, sort_keys=True) for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class _Folder:
    """The files of a pipeline's folder."""

    name: str
    prompts: tuple[ForeignPrompt, ...]
    models: tuple[ForeignModel, ...]
    cases: _Cases
    config: Spot
    notes: Notes
    names: tuple[str, ...]
    """The values that prompts name."""

    def files(self) -> dict[str, bytes | JsonObject]:
        found: dict[str, bytes | JsonObject] = {"pipeline.yaml": self._pipeline()}
        for prompt in self.prompts:
            found[f"prompts/{prompt.name}.md"] = prompt.user.encode()
            if prompt.system is not None:
                found[f"prompts/{prompt.name}-system.md"] = prompt.system.encode()
        rows = [
            json.dumps(row, ensure_ascii=False, separators=(", ", ": ")) for row in self.cases.rows
        ]
        found[DATASET] = "".join(f"{row}\n" for row in rows).encode("utf-8", "surrogatepass")
        alone = len(self.prompts) == len(self.models) == 1
        for model in self.models:
            for prompt in self.prompts:
                name = f"{model.name}-{prompt.name}"
                path = "suite.yaml" if alone else f"suites/{name}/suite.yaml"
                found[path] = self._suite(model, prompt, name=self.name if alone else name)
        return found

    def _pipeline(self) -> JsonObject:
        models: dict[str, JsonValue] = {model.name: model.spec for model in self.models}
        if self.cases.rubrics:
            models[_JUDGE] = self._judge()
        agents: dict[str, JsonValue] = {}
        for model in self.models:
            for prompt in self.prompts:
                agent: dict[str, JsonValue] = {"model": model.name}
                if prompt.system is not None:
                    agent["system"] = f"prompts/{prompt.name}-system.md"
                agents[f"{model.name}-{prompt.name}"] = agent
        first = f"{self.models[0].name}-{self.prompts[0].name}"
        step: dict[str, JsonValue] = {
            "id": "answer",
            "agent": first,
            "prompt": f"prompts/{self.prompts[0].name}.md",
            "with": {name: f"${{{{ inputs.values.{name} }}}}" for name in self.names},
        }
        return {
            "format": "agentci/pipeline",
            "version": 1,
            "name": self.name,
            "description": "Imported from promptfoo.",
            "inputs": {"values": {"type": "object", "default": dict.fromkeys(self.names, "")}},
            "models": models,
            "agents": agents,
            "steps": [step],
            "output": {"answer": "${{ steps.answer.output }}"},
        }

    def _judge(self) -> JsonObject:
        wanted = [grader for grader in self.cases.graders if grader is not None]
        for grader in wanted:
            try:
                return model_of(grader, name=_JUDGE).spec
            except NotImportable as problem:
                self.notes.add(self.config.place, "grader", str(problem))
        told = "no grader that is known here is named, so the model under test judges itself"
        self.notes.add(self.config.place, "`llm-rubric`", told)
        return self.models[0].spec

    def _suite(self, model: ForeignModel, prompt: ForeignPrompt, *, name: str) -> JsonObject:
        scorers: list[JsonValue] = [
            {
                "kind": "promptfoo",
                "with": {"rules": "${{ case.rules }}", "threshold": "${{ case.threshold }}"},
            }
        ]
        scorers += [
            {
                "kind": "judge",
                "name": f"rubric-{index + 1}",
                "with": {"rubric": f"${{{{ case.rubrics[{index}] }}}}", "models": [_JUDGE]},
                "when": f"${{{{ case.rubrics | length > {index} }}}}",
            }
            for index in range(self.cases.rubrics)
        ]
        alone = len(self.prompts) == len(self.models) == 1
        repeat = self.config.at("evaluateOptions", "repeat").value
        trials = repeat if isinstance(repeat, int) and 1 <= repeat <= 1000 else 1
        found: dict[str, JsonValue] = {
            "format": "agentci/suite",
            "version": 1,
            "name": name,
            "description": _description(self.config),
            "target": {
                "agent": {
                    "agent": f"{model.name}-{prompt.name}",
                    "prompt": f"prompts/{prompt.name}.md",
                }
            },
            "dataset": {"path": DATASET if alone else f"../../{DATASET}"},
            "scorers": scorers,
        }
        return found if trials == 1 else {**found, "trials": trials}


def _description(config: Spot) -> str:
    text = config.at("description").value
    return " ".join(text.split())[:500] if isinstance(text, str) else "Imported from promptfoo."
