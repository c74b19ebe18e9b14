"""Whatever a spec's texts hold, a cluster gets exactly them."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import example, given, settings

from agentci.deploy.targets.kubernetes_pod import without_expansion
from agentci.spec.yaml_document import parse_document
from tests.support.hostile_texts import HOSTILE, texts
from tests.support.kubernetes_specs import rendered, service, spec


def expanded(text: str, variables: dict[str, str]) -> str:
    """What the kubelet makes of an argument, after its documentation."""
    found, rest = "", text
    while rest:
        if rest[0] != "$" or len(rest) == 1:
            found, rest = found + rest[0], rest[1:]
        elif rest[1] == "$":
            found, rest = found + "$", rest[2:]
        elif rest[1] == "(" and ")" in rest:
            name, _, rest = rest[2:].partition(")")
            found += variables.get(name, f"$({name})")
        else:
            found, rest = found + rest[:2], rest[2:]
    return found


def parsed(data: bytes) -> Any:
    """Read a file with two loaders, which have to agree."""
    strict = parse_document(data, "x.yaml").value
    assert yaml.safe_load(data) == strict
    return strict


@settings(max_examples=60, deadline=None)
@given(variable=texts(), argument=texts(), check=texts())
@example(variable="$(HOME)", argument="$(HOME)", check="$$(HOME)")
def test_variables_arguments_and_checks_arrive_as_they_are(
    variable: str, argument: str, check: str
) -> None:
    content = spec(
        {
            "api": service(
                env={"HOME": "/root", "TEXT": variable},
                command=["run", argument],
                health={"cmd": ["check", check]},
            )
        }
    )
    files = rendered(content)
    data = parsed(files["services/api/configmap.yaml"])["data"]
    assert data == {"HOME": "/root", "TEXT": variable}
    deployment = parsed(files["services/api/deployment.yaml"])
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert expanded(container["args"][1], data) == argument
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert expanded(container[probe]["exec"]["command"][1], data) == check


def test_every_hostile_text_arrives_as_it_is() -> None:
    named = {f"V{index}": text for index, text in enumerate(HOSTILE)}
    annotations = {f"example.org/n{index}": text for index, text in enumerate(HOSTILE)}
    files = rendered(
        spec(
            {"api": service(env=named, command=[*HOSTILE], health={"cmd": [*HOSTILE]})},
            target={"identities": {"api": annotations}},
        )
    )
    assert parsed(files["services/api/configmap.yaml"])["data"] == named
    deployment = parsed(files["services/api/deployment.yaml"])
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert [expanded(each, named) for each in container["args"]] == [*HOSTILE]
    command = container["livenessProbe"]["exec"]["command"]
    assert [expanded(each, named) for each in command] == [*HOSTILE]
    account = parsed(files["services/api/serviceaccount.yaml"])
    assert annotations.items() <= account["metadata"]["annotations"].items()


@settings(max_examples=60, deadline=None)
@given(annotation=texts(), description=texts())
def test_annotations_arrive_as_they_are_and_descriptions_nowhere(
    annotation: str, description: str
) -> None:
    content = spec(
        {"api": service(description=description)},
        target={"identities": {"api": {"example.org/role": annotation}}},
        description=description,
    )
    files = rendered(content)
    account = parsed(files["services/api/serviceaccount.yaml"])
    assert account["metadata"]["annotations"]["example.org/role"] == annotation
    plain = rendered(spec({"api": service()}))
    assert [name for name in files if name.endswith(".yaml")] == [
        name for name in plain if name.endswith(".yaml")
    ]


@given(text=texts())
def test_nothing_is_replaced_in_an_argument(text: str) -> None:
    assert expanded(without_expansion(text), {"HOME": "replaced", "": "replaced"}) == text
