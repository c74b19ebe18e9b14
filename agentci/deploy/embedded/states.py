"""State machines in Amazon States Language: states that exist, fields that they have, ways out.

After the specification at states-language.net. Paths and intrinsic functions are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agentci.deploy.embedded.finding import Mistake, Path, kind_of
from agentci.spec.suggestion import did_you_mean

_COMMON: Final = frozenset({"Type", "Comment", "QueryLanguage"})
_FLOW: Final = frozenset({"InputPath", "OutputPath", "Next", "End", "Assign", "Output"})
_RESULT: Final = frozenset({"ResultPath", "Parameters", "ResultSelector", "Arguments"})
_TRIES: Final = frozenset({"Retry", "Catch"})
_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "Task": _FLOW | _RESULT | _TRIES | {
        "Resource", "TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds",
        "HeartbeatSecondsPath", "Credentials",
    },
    "Parallel": _FLOW | _RESULT | _TRIES | {"Branches"},
    "Map": _FLOW | _RESULT | _TRIES | {
        "ItemProcessor", "Iterator", "ItemsPath", "Items", "ItemSelector", "ItemReader",
        "ItemBatcher", "ResultWriter", "MaxConcurrency", "MaxConcurrencyPath", "Label",
        "ToleratedFailurePercentage", "ToleratedFailurePercentagePath", "ToleratedFailureCount",
        "ToleratedFailureCountPath",
    },
    "Pass": _FLOW | _RESULT | {"Result"},
    "Wait": _FLOW | {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
    "Choice": (_FLOW - {"Next", "End"}) | {"Choices", "Default"},
    "Succeed": frozenset({"InputPath", "OutputPath", "Output"}),
    "Fail": frozenset({"Error", "ErrorPath", "Cause", "CausePath"}),
}  # fmt: skip
_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "Task": ("Resource",), "Parallel": ("Branches",), "Choice": ("Choices",),
}  # fmt: skip
_TOP: Final = ("Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version")
_NESTED_TOP: Final = (*_TOP, "ProcessorConfig")


def check_states(value: object, path: Path = ()) -> Iterator[Mistake]:
    """Yield what is wrong with a state machine, or with one inside of a state."""
    if not isinstance(value, dict):
        yield Mistake(path, f"{kind_of(value)} where a state machine has to be")
        return
    known = _NESTED_TOP if path else _TOP
    for key in sorted(value):
        if key not in known:
            yield Mistake((*path, key), f"there is no `{key}`", did_you_mean(key, known))
    states = value.get("States")
    if not isinstance(states, dict) or not states:
        yield Mistake((*path, "States"), "a state machine has states")
        return
    start = value.get("StartAt")
    if start not in states:
        yield _no_state(start, states, (*path, "StartAt"))
    for name in sorted(states):
        yield from _state(states[name], states, (*path, "States", name))
    for name in sorted(set(states) - _reached(start, states)):
        yield Mistake((*path, "States", name), "no state leads here")


def _state(state: object, states: Mapping[str, Any], path: Path) -> Iterator[Mistake]:
    if not isinstance(state, dict):
        yield Mistake(path, f"{kind_of(state)} where a state has to be")
        return
    kind = state.get("Type")
    fields = _FIELDS.get(kind) if isinstance(kind, str) else None
    if fields is None:
        hint = did_you_mean(str(kind), _FIELDS)
        yield Mistake((*path, "Type"), f"`{kind}` is no type of states", hint)
        return
    for key in sorted(set(state) - fields - _COMMON):
        yield Mistake((*path, key), f"a state `{kind}` has no `{key}`", did_you_mean(key, fields))
    for key in _REQUIRED.get(str(kind), ()):
        if not state.get(key):
            yield Mistake(path, f"`{key}` is missing")
    if "Next" in fields and ("Next" in state) == (state.get("End") is True):
        yield Mistake(path, "a state has either `Next`, or `End` that is true")
    for target, place in _ways_out(state):
        if target not in states:
            yield _no_state(target, states, (*path, *place))
    yield from _inner(state, str(kind), path)


def _inner(state: Mapping[str, Any], kind: str, path: Path) -> Iterator[Mistake]:
    if kind == "Parallel" and isinstance(state.get("Branches"), list):
        for index, branch in enumerate(state["Branches"]):
            yield from check_states(branch, (*path, "Branches", index))
    if kind == "Map":
        key = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
        yield from check_states(state.get(key), (*path, key))


def _ways_out(state: Mapping[str, Any]) -> Iterator[tuple[object, Path]]:
    """Yield each state that this one leads to, with the place that says so."""
    for key in ("Next", "Default"):
        if key in state:
            yield state[key], (key,)
    for key in ("Choices", "Catch"):
        found = state.get(key)
        for index, rule in enumerate(found if isinstance(found, list) else ()):
            yield (rule.get("Next") if isinstance(rule, dict) else None), (key, index, "Next")


def _reached(start: object, states: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if isinstance(name, str) and name in states and name not in found:
            found.add(name)
            state = states[name]
            waiting += [out for out, _ in _ways_out(state)] if isinstance(state, dict) else []
    return found


def _no_state(name: object, states: Mapping[str, Any], path: Path) -> Mistake:
    shown = name if isinstance(name, str) else "nothing"
    return Mistake(path, f"there is no state `{shown}`", did_you_mean(str(name), states))
