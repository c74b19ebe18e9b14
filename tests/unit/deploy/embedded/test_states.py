"""State machines lead somewhere, and their states have the fields of their type."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from agentci.deploy.embedded.finding import shown
from agentci.deploy.embedded.states import check_states

GOOD: dict[str, Any] = {
    "Comment": "x",
    "StartAt": "Work",
    "States": {
        "Work": {
            "Type": "Task",
            "Resource": "arn",
            "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
            "Next": "Decide",
        },
        "Decide": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.x", "BooleanEquals": True, "Next": "Each"}],
            "Default": "Failed",
        },
        "Each": {
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "One",
                "States": {"One": {"Type": "Pass", "End": True}},
            },
            "Next": "Both",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1, "End": True}}},
                {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}},
            ],
            "End": True,
        },
        "Failed": {"Type": "Fail", "Error": "E", "Cause": "C"},
    },
}
Change: TypeAlias = Callable[[dict[str, Any]], object]


def told(value: object) -> list[tuple[str, str]]:
    """Return where and what is wrong."""
    return [(shown(each.path), each.message) for each in check_states(value)]


def test_a_good_machine_has_no_mistake() -> None:
    assert told(GOOD) == []


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        (lambda m: m.update(StartsAt="x"), "StartsAt", "no `StartsAt`"),
        (lambda m: m["States"]["Work"].update(Next="Decided"), "States.Work.Next", "`Decided`"),
        (lambda m: m["States"]["Work"]["Catch"][0].update(Next="X"),
         "States.Work.Catch[0].Next", "no state `X`"),
        (lambda m: m["States"]["Decide"].update(Default="X"), "States.Decide.Default", "`X`"),
        (lambda m: m["States"]["Decide"]["Choices"][0].pop("Next"),
         "States.Decide.Choices[0].Next", "no state `nothing`"),
        (lambda m: m["States"]["Work"].update(Type="Tsk"), "States.Work.Type", "`Tsk` is no type"),
        (lambda m: m["States"]["Work"].update(Timeout=1), "States.Work.Timeout", "no `Timeout`"),
        (lambda m: m["States"]["Work"].pop("Resource"), "States.Work", "`Resource` is missing"),
        (lambda m: m["States"]["Both"].pop("End"), "States.Both", "either `Next`, or `End`"),
        (lambda m: m["States"]["Both"].update(End=False), "States.Both", "either `Next`"),
        (lambda m: m["States"]["Failed"].update(Next="Work"), "States.Failed.Next", "no `Next`"),
        (lambda m: m["States"].update(Alone={"Type": "Succeed"}), "States.Alone", "leads here"),
        (lambda m: m["States"].update(Work=[]), "States.Work", "a list where a state"),
        (lambda m: m["States"]["Each"]["ItemProcessor"].update(StartAt="X"),
         "States.Each.ItemProcessor.StartAt", "no state `X`"),
        (lambda m: m["States"]["Each"].pop("ItemProcessor"),
         "States.Each.Iterator", "null where a state machine"),
        (lambda m: m["States"]["Both"]["Branches"][1].update(StartAt="A"),
         "States.Both.Branches[1].StartAt", "no state `A`"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(change: Change, place: str, words: str) -> None:
    machine = copy.deepcopy(GOOD)
    change(machine)
    assert any(found == place and words in message for found, message in told(machine))


@pytest.mark.parametrize("value", [None, [], {}, {"StartAt": "A", "States": {}}, {"States": []}])
def test_what_is_no_machine_is_told(value: object) -> None:
    assert told(value)
