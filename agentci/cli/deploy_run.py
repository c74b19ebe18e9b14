"""`agentci deploy up`, `down` and `evidence`."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from agentci.cli.invocation import JsonOption, invocation_of
from agentci.cli.render.json import to_json

SpecArgument: TypeAlias = Annotated[
    str | None,
    typer.Argument(help="File, or its name in `deploy/`; default: all.", show_default=False),
]
OutOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--out", metavar="DIR", help="Where `render --out` wrote.", show_default=False),
]
TargetOption: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Where the spec has several.", show_default=False),
]


def up(
    context: typer.Context,
    spec: SpecArgument = None,
    *,
    target: TargetOption = None,
    out: OutOption = None,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="Until all services are healthy.")
    ] = 120,
    json: JsonOption = False,
) -> int:
    """Bring a deployment up, and wait until it is healthy.

    Refused where files have drifted, a rule is broken, or the verdict of the gate is missing, bad,
    too old, or about another commit, other recordings or other images.

    Example: agentci deploy up triage
    """
    from agentci.app import deploy_up as use_case

    invocation = invocation_of(context)
    request = use_case.UpRequest(
        start=invocation.directory,
        spec=spec,
        target=target,
        out=None if out is None else invocation.path(out),
        wait=wait,
    )
    results = use_case.up(request)
    if json:
        invocation.print(to_json({"deployments": results}))
        return 0
    for each in results:
        invocation.print(f"up: {each.name} ({each.target})")
        for service in each.services:
            health = {True: ", healthy", False: ", not healthy", None: ""}[service.healthy]
            invocation.print(f"  {service.service}: {service.state}{health}")
    return 0


def down(
    context: typer.Context,
    spec: SpecArgument = None,
    *,
    target: TargetOption = None,
    out: OutOption = None,
    volumes: Annotated[
        bool, typer.Option("--volumes", help="Remove storage too; it is lost.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Take a deployment down: containers, networks, and secrets that were put into files.

    Example: agentci deploy down triage
    """
    from agentci.app import deploy_up as use_case

    invocation = invocation_of(context)
    request = use_case.UpRequest(
        start=invocation.directory,
        spec=spec,
        target=target,
        out=None if out is None else invocation.path(out),
        volumes=volumes,
    )
    results = use_case.down(request)
    if json:
        invocation.print(to_json({"deployments": results}))
    else:
        for each in results:
            invocation.print(f"down: {each.name} ({each.target})")
    return 0


def evidence(
    context: typer.Context,
    decision: Annotated[
        str, typer.Argument(metavar="FILE", help="A decision, as `agentci gate --out` keeps it.")
    ],
    spec: SpecArgument = None,
    *,
    out: OutOption = None,
    json: JsonOption = False,
) -> int:
    """Take down a decision of the gate, so that `deploy up` may go on for a while.

    It counts for the commit that was judged, with the same recordings and images, until it is
    older than the spec's `max_age`.

    Example: agentci deploy evidence /tmp/decision.json triage
    """
    from agentci.app.deploy_evidence import record_evidence

    invocation = invocation_of(context)
    directory = None if out is None else invocation.path(out)
    results = record_evidence(invocation.directory, invocation.path(decision), spec, out=directory)
    if json:
        invocation.print(to_json({"specs": results}))
    else:
        for each in results:
            found = each.evidence
            invocation.print(
                f"{each.spec}: {found.score:.1%} of {found.judged} cases of `{found.suite}` pass "
                f"at {found.commit[:12]}"
            )
    return 0
