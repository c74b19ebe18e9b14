"""JSON is held against shapes of models, enums included."""

from __future__ import annotations

from typing import Any

import pytest

from agentci.adapters.botocore_models import service_shapes
from agentci.core.errors import EnvironmentProblem
from agentci.deploy.embedded.finding import shown
from agentci.deploy.embedded.shapes import check_shape

SHAPES: dict[str, Any] = {
    "Box": {
        "type": "structure",
        "required": ["name"],
        "members": {
            "name": {"shape": "Name"},
            "kind": {"shape": "Kind"},
            "lids": {"shape": "Lids"},
            "labels": {"shape": "Labels"},
            "size": {"shape": "Size"},
            "open": {"shape": "Open"},
            "weight": {"shape": "Weight"},
        },
    },
    "Name": {"type": "string", "min": 1, "max": 5},
    "Kind": {"type": "string", "enum": ["WOOD", "PAPER"]},
    "Lids": {"type": "list", "member": {"shape": "Lid"}, "max": 2},
    "Lid": {"type": "structure", "members": {"color": {"shape": "Kind"}}},
    "Labels": {"type": "map", "key": {"shape": "Kind"}, "value": {"shape": "Name"}},
    "Size": {"type": "integer", "min": 1, "max": 10},
    "Open": {"type": "boolean"},
    "Weight": {"type": "double"},
}


def told(value: object) -> list[tuple[str, str]]:
    """Return where and what is wrong."""
    return [(shown(each.path), each.message) for each in check_shape(SHAPES, "Box", value)]


def test_what_fits_has_no_mistake() -> None:
    whole = {
        "name": "a",
        "kind": "WOOD",
        "lids": [{"color": "PAPER"}, {}],
        "labels": {"WOOD": "x"},
        "size": 10,
        "open": False,
        "weight": 2,
    }
    assert told(whole) == []
    assert told({"name": "a", "kind": None, "lids": None}) == []


@pytest.mark.parametrize(
    ("value", "place", "words"),
    [
        ([], "", "a list where an object"),
        ({}, "", "`name` is missing"),
        ({"name": None}, "", "`name` is missing"),
        ({"name": "a", "Kind": "WOOD"}, "Kind", "no `Kind`"),
        ({"name": "a", "kind": "WOD"}, "kind", "none of WOOD, PAPER"),
        ({"name": "a", "kind": 1}, "kind", "a number where a text"),
        ({"name": ""}, "name", "0 characters are too few: 1 to 5"),
        ({"name": "abcdef"}, "name", "6 characters are too many"),
        ({"name": "a", "lids": {}}, "lids", "an object where a list"),
        ({"name": "a", "lids": [{}, {}, {}]}, "lids", "3 entries are too many: at most 2"),
        ({"name": "a", "lids": [{"color": "RED"}]}, "lids[0].color", "none of"),
        ({"name": "a", "labels": {"RED": "x"}}, "labels.RED", "none of"),
        ({"name": "a", "labels": {"WOOD": 1}}, "labels.WOOD", "a number where a text"),
        ({"name": "a", "labels": []}, "labels", "a list where an object"),
        ({"name": "a", "size": "1"}, "size", "a text where a whole number"),
        ({"name": "a", "size": True}, "size", "a truth value where a whole number"),
        ({"name": "a", "size": 1.5}, "size", "a number where a whole number"),
        ({"name": "a", "size": 11}, "size", "11 is out of range: 1 to 10"),
        ({"name": "a", "open": "true"}, "open", "a text where a truth value"),
        ({"name": "a", "weight": "1"}, "weight", "a text where a number"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(value: object, place: str, words: str) -> None:
    ((found, message),) = told(value)
    assert found == place
    assert words in message


def test_a_near_name_is_offered() -> None:
    (mistake,) = check_shape(SHAPES, "Box", {"name": "a", "weigth": 1})
    assert mistake.hint == "did you mean `weight`?"


def test_a_real_container_definition_fits_its_model() -> None:
    shapes = service_shapes("ecs")
    good = {"name": "web", "image": "x", "portMappings": [{"containerPort": 80}]}
    assert list(check_shape(shapes, "ContainerDefinitions", [good])) == []
    bad = {"image": "x", "secrets": [{"name": "KEY"}], "healthCheck": {"command": "probe"}}
    found = {
        (shown(each.path), each.message)
        for each in check_shape(shapes, "ContainerDefinitions", [bad])
    }
    assert found == {
        ("[0]", "`name` is missing"),
        ("[0].secrets[0]", "`valueFrom` is missing"),
        ("[0].healthCheck.command", "a text where a list has to be"),
    }


def test_a_service_that_is_not_known_is_told() -> None:
    with pytest.raises(EnvironmentProblem) as error:
        service_shapes("no-such-service")
    assert error.value.code == "ACI-E659"
