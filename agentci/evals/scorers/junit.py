"""Reads the JUnit XML that pytest writes. The file is hostile: the tested code may write it too.

No document type is accepted, so there are no entities to expand and nothing to fetch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, TypeAlias
from xml.parsers import expat

Outcome: TypeAlias = Literal["passed", "failed", "skipped"]
_WORST: Mapping[Outcome, int] = {"passed": 0, "skipped": 1, "failed": 2}


class NotJunit(Exception):
    """The file is not what pytest writes."""


@dataclass(frozen=True, slots=True)
class TestKey:
    """How JUnit XML names a test."""

    __test__ = False

    classname: str
    name: str

    @property
    def function(self) -> str:
        """The name without parameters."""
        return self.name.partition("[")[0]

    def __str__(self) -> str:
        """Return it for people."""
        return f"{self.classname}::{self.name}"


@dataclass(slots=True)
class TestOutcome:
    """What became of a test; of several reports the worst."""

    __test__ = False

    outcome: Outcome = "passed"
    message: str = ""


def key_of(node_id: str) -> TestKey:
    """Return how pytest's JUnit XML names a node id: `a/test_b.py::C::test_d[1]`.

    The rule is `mangle_test_address` of pytest's module `_pytest.junitxml`.
    """
    path, bracket, parameters = node_id.partition("[")
    first, *names = path.split("::")
    parts = [first.replace("/", ".").removesuffix(".py"), *names]
    return TestKey(".".join(parts[:-1]), f"{parts[-1]}{bracket}{parameters}")


def read_junit(data: bytes) -> Mapping[TestKey, TestOutcome]:
    """Return the outcome of each test, in the order of the file.

    Raises:
        NotJunit: when it is no XML, or has a document type.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise NotJunit(f"it is no XML: {error}") from error
    return reader.found


def _refuse(*_arguments: Any) -> NoReturn:
    raise NotJunit("it has a document type")


@dataclass(slots=True)
class _Reader:
    found: dict[TestKey, TestOutcome] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _case: TestOutcome | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._open.append(tag)
        if tag == "testcase":
            key = TestKey(attributes.get("classname", ""), attributes.get("name", ""))
            self._case = self.found.setdefault(key, TestOutcome())
        elif self._case is not None and self._open[-2:-1] == ["testcase"]:
            self._note(tag, attributes.get("message", ""))

    def end(self, tag: str) -> None:
        self._open.pop()
        if tag == "testcase":
            self._case = None

    def _note(self, tag: str, message: str) -> None:
        outcome = _OUTCOMES.get(tag)
        case = self._case
        if outcome is None or case is None or _WORST[outcome] <= _WORST[case.outcome]:
            return
        case.outcome, case.message = outcome, message


_OUTCOMES: Mapping[str, Outcome] = {"failure": "failed", "error": "failed", "skipped": "skipped"}
