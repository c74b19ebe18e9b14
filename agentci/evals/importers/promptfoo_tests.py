"""The tests of a promptfoo config: inline, from files, from scenarios, with what all have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from agentci.core.errors import AgentciError, UsageError
from agentci.core.json_types import JsonValue
from agentci.evals.datasets import csv_rows, jsonl
from agentci.evals.importers.findings import Notes, NotImportable, ReadFile
from agentci.evals.importers.foreign_documents import PREFIX, Spot, read_spot, referenced
from agentci.evals.importers.nunjucks import Reference, pieces, written
from agentci.evals.importers.promptfoo_csv import test_of_row
from agentci.spec.yaml_document import Mark, Positions

MAX_TESTS: Final = 100_000
_OPTIONS: Final = frozenset({"disableVarExpansion", "disableDefaultAsserts", "provider"})
_FIELDS: Final = frozenset({"vars", "assert", "options", "description", "threshold", "metadata"})
_ROUNDS: Final = 5
"""How often promptfoo fills variables into variables."""


@dataclass(frozen=True, slots=True)
class ForeignTest:
    """One test with one value for each variable."""

    spot: Spot
    variables: Mapping[str, JsonValue]
    assertions: tuple[Spot, ...]
    threshold: JsonValue
    description: str
    grader: JsonValue
    """The provider that judges rubrics."""

    @property
    def place(self) -> str:
        """Where it stands."""
        return self.spot.place


@dataclass(frozen=True, slots=True)
class TestReader:
    """Reads all tests of one config."""

    config: Spot
    read: ReadFile
    notes: Notes

    def tests(self) -> tuple[ForeignTest, ...]:
        """Return the tests; those that cannot be taken over are noted."""
        found: list[ForeignTest] = []
        for spot in self._spots():
            try:
                for test in self._expanded(spot):
                    found.append(test)
                    if len(found) > MAX_TESTS:
                        raise _too_many(spot)
            except NotImportable as problem:
                self.notes.add(spot.place, "test", str(problem))
        return tuple(found)

    def _spots(self) -> Iterator[Spot]:
        tests = self.config.at("tests")
        for item in tests.items():
            yield from self._of(item)
        for scenario in self.config.at("scenarios").items():
            yield from self._scenario(scenario)
        if tests.value is None and self.config.at("scenarios").value is None:
            yield Spot({}, self.config.positions, self.config.path)

    def _of(self, item: Spot) -> Iterator[Spot]:
        if not isinstance(item.value, str):
            yield item
            return
        try:
            yield from self._from_file(item.value)
        except NotImportable as problem:
            self.notes.add(item.place, "tests", str(problem))

    def _from_file(self, name: str) -> Iterator[Spot]:
        if "://" in name.removeprefix(PREFIX):
            raise NotImportable("tests from the network")
        path = referenced(name)
        data = self.read(path)
        if path.endswith((".csv", ".jsonl")):
            reader = csv_rows.read if path.endswith(".csv") else jsonl.read
            for row in reader(data, path):
                positions = Positions(path, row.fields, Mark(row.line - 1, 0), {})
                try:
                    fields = test_of_row(row.fields) if path.endswith(".csv") else row.fields
                except NotImportable as problem:
                    self.notes.add(f"{path}:{row.line}", "test", str(problem))
                    continue
                yield Spot(fields, positions)
        elif path.endswith((".yaml", ".yml", ".json")):
            yield from read_spot(data, path).items()
        else:
            raise NotImportable(f"tests in a file like `{path}`")

    def _scenario(self, scenario: Spot) -> Iterator[Spot]:
        configs, tests = scenario.at("config"), scenario.at("tests")
        if not isinstance(configs.value, Sequence) or isinstance(configs.value, str):
            self.notes.add(scenario.place, "scenario", "its `config` is no list")
            return
        for config in configs.items():
            base = config.value if isinstance(config.value, Mapping) else {}
            for outer in tests.items() or (Spot({}, tests.positions, tests.path),):
                for test in self._of(outer):
                    fields = test.value if isinstance(test.value, Mapping) else {}
                    yield Spot(_merged(base, fields), test.positions, test.path)

    def _expanded(self, spot: Spot) -> Iterator[ForeignTest]:
        shared = self._shared()
        fields, common = spot.fields(), shared.fields()
        unknown = sorted((set(fields) | set(common)) - _FIELDS)
        if unknown:
            raise NotImportable(f"a test with `{unknown[0]}`")
        options = {**_mapping(common, "options"), **_mapping(fields, "options")}
        odd = sorted(name for name, value in options.items() if value and name not in _OPTIONS)
        if odd:
            raise NotImportable(f"a test with the option `{odd[0]}`")
        spots = spot.at("assert").items()
        if not options.get("disableDefaultAsserts"):
            spots = (*shared.at("assert").items(), *spots)
        threshold = fields.get("threshold")
        variables = {**self._variables(common), **self._variables(fields)}
        for combined in _combinations(variables, keep=bool(options.get("disableVarExpansion"))):
            yield ForeignTest(
                spot=spot,
                variables=self._resolved(combined),
                assertions=spots,
                threshold=common.get("threshold") if threshold is None else threshold,
                description=str(fields.get("description") or ""),
                grader=options.get("provider"),
            )

    def _shared(self) -> Spot:
        shared = self.config.at("defaultTest")
        if isinstance(shared.value, str):
            path = referenced(shared.value)
            return read_spot(self.read(path), path)
        return shared

    def _variables(self, fields: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        found = fields.get("vars")
        if isinstance(found, str):
            path = referenced(found)
            found = read_spot(self.read(path), path).value
        if found is None:
            return {}
        if not isinstance(found, Mapping):
            raise NotImportable("`vars` that are no mapping")
        return found

    def _resolved(self, values: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        found = {name: self._loaded(value) for name, value in values.items()}
        for _round in range(_ROUNDS):
            before = dict(found)
            for name, value in found.items():
                if isinstance(value, str):
                    found[name] = _filled(value, found)
            if found == before:
                break
        for name, value in found.items():
            if isinstance(value, str) and any(mark in value for mark in ("{{", "{%", "{#")):
                raise NotImportable(f"the variable `{name[:60]}` is a template itself")
        return found

    def _loaded(self, value: JsonValue) -> JsonValue:
        if not isinstance(value, str):
            return value
        if value.startswith("package:"):
            raise NotImportable("a package of npm, which is never executed")
        if not value.startswith(PREFIX):
            return value.removesuffix("\n")
        path = referenced(value)
        data = self.read(path)
        if path.endswith((".yaml", ".yml")):
            return _compact_json(read_spot(data, path).value)
        try:
            return data.decode("utf-8").strip()
        except UnicodeDecodeError:
            raise NotImportable(f"`{path}` is no text") from None


def _filled(value: str, values: Mapping[str, JsonValue]) -> str:
    """Return a variable with the variables in it, where it names only such."""
    try:
        parts = pieces(value)
    except NotImportable:
        return value
    if any(isinstance(part, Reference) and part.path for part in parts):
        return value
    return "".join(
        part
        if isinstance(part, str)
        else written(values[part.name])
        if values.get(part.name) is not None
        else f"{{{{ {part.name} }}}}"
        for part in parts
    )


def _combinations(
    variables: Mapping[str, JsonValue], *, keep: bool
) -> Iterator[dict[str, JsonValue]]:
    """Yield a test for each combination of what variables list; lists of texts are such lists."""
    choices: list[Sequence[JsonValue]] = []
    count = 1
    for value in variables.values():
        choice: Sequence[JsonValue] = [value]
        if isinstance(value, list | tuple) and not keep and isinstance((*value, None)[0], str):
            choice = value
        choices.append(choice)
        count *= len(choices[-1])
    if count > MAX_TESTS:
        raise NotImportable(f"its variables make {count:,} tests, more than {MAX_TESTS:,}")
    for combination in product(*choices):
        yield dict(zip(variables, combination, strict=True))


def _merged(base: Mapping[str, JsonValue], over: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    merged = {**base, **over}
    for name in ("vars", "options", "metadata"):
        if name in base and name in over:
            merged[name] = {**_mapping(base, name), **_mapping(over, name)}
    if "assert" in base:
        merged["assert"] = [*_list(base.get("assert")), *_list(over.get("assert"))]
    return merged


def _mapping(fields: Mapping[str, JsonValue], name: str) -> Mapping[str, JsonValue]:
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise NotImportable(f"`{name}` that is no mapping")
    return value


def _list(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list | tuple) else []


def _compact_json(value: JsonValue) -> str:
    import json  # noqa: PLC0415 - beside its only use

    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _too_many(spot: Spot) -> AgentciError:
    return UsageError(
        f"more than {MAX_TESTS:,} tests", code="ACI-U503", hint=f"see {spot.place}; import parts"
    )
