"""`agentci deploy`: from deploy specs to files that are valid, and stay what the spec says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from agentci.cli.deploy_packs import app as packs
from agentci.cli.deploy_run import down, evidence, up
from agentci.cli.deploy_validate import validate
from agentci.cli.invocation import GROUP_SETTINGS, JsonOption, invocation_of
from agentci.cli.render.json import plain, to_json
from agentci.cli.render.style import color_wanted, paint
from agentci.cli.render.text import count
from agentci.core.errors import UsageError

if TYPE_CHECKING:
    from agentci.app.deploy_check import CheckedSpec
    from agentci.app.deploy_render import RenderedSpec

app = typer.Typer(
    help="""Render deploy specs, keep the files from drifting, validate them, bring them up.

    Example: agentci deploy render
    """,
    **GROUP_SETTINGS,
)
app.command()(validate)
app.command()(up)
app.command()(down)
app.command()(evidence)
app.add_typer(packs, name="packs")

SpecArgument: TypeAlias = Annotated[
    str | None,
    typer.Argument(help="File, or its name in `deploy/`; default: all.", show_default=False),
]
OutOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--out", metavar="DIR", help="Folder for files and lock; default: the spec's.",
        show_default=False,
    ),
]  # fmt: skip


@app.command()
def render(
    context: typer.Context,
    spec: SpecArgument = None,
    *,
    out: OutOption = None,
    image: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVICE=DIGEST",
            help="Run this image of a service that is built here; repeatable. `SERVICE=` builds.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Write the files of deploy specs, and what they were made from into the lock.

    The same spec gives the same bytes on every machine. Commit the files and the lock.

    Example: agentci deploy render
    """
    from agentci.app import deploy_render as use_case

    invocation = invocation_of(context)
    request = use_case.RenderRequest(
        start=invocation.directory,
        spec=spec,
        out=None if out is None else invocation.path(out),
        images=dict(_pair(text) for text in image or ()),
    )
    results = use_case.render(request)
    if json:
        invocation.print(to_json({"specs": results}))
        return 0
    for each in results:
        invocation.print(_rendered(each))
        for path in each.overwritten:
            invocation.note(f"note: `{path}` was edited by hand; it is now what the spec says")
        if each.evidence_dropped:
            invocation.note(
                f"note: the verdict for `{each.name}` was about another spec: forgotten"
            )
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, digest = text.partition("=")
    if not equals:
        raise UsageError(
            f"`--image {text}` has no digest", code="ACI-U605", hint="`--image SERVICE=sha256:...`"
        )
    return name, digest


def _rendered(spec: RenderedSpec) -> str:
    total = len(spec.written) + len(spec.unchanged)
    parts = [count(total, "file"), f"{len(spec.written)} written"]
    if spec.removed:
        parts.append(f"{len(spec.removed)} removed")
    lines = [f"{spec.spec} -> {', '.join(spec.targets)}: {', '.join(parts)}"]
    lines += [f"  {path}" for path in spec.written]
    lines += [f"  removed {path}" for path in spec.removed]
    return "\n".join(lines)


@app.command()
def check(
    context: typer.Context,
    spec: SpecArgument = None,
    *,
    out: OutOption = None,
    running: Annotated[
        bool, typer.Option("--running", help="Also look whether what runs here is what they say.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Say whether the files are what the specs render to, and if not, what happened.

    Either a spec was changed, a file was edited by hand, the generator was changed, or the lock
    was edited: exit code 8 for the last, 1 for the others.

    Example: agentci deploy check
    """
    from agentci.app import deploy_check as use_case

    invocation = invocation_of(context)
    directory = None if out is None else invocation.path(out)
    results = use_case.check(invocation.directory, spec, out=directory)
    code = max((drift.exit_code for each in results for drift in each.drifts), default=0)
    moved: tuple[str, ...] = ()
    if running:
        from agentci.app.deploy_up import UpRequest, running_drift

        moved = running_drift(UpRequest(start=invocation.directory, spec=spec, out=directory))
        code = code or int(bool(moved))
    if json:
        specs = [_as_json(each) for each in results]
        invocation.print(to_json({"ok": code == 0, "specs": specs, "running": moved}))
        return code
    color = color_wanted(sys.stdout)
    for each in results:
        if not each.drifts:
            invocation.print(f"ok: {each.spec} ({count(each.files, 'file')})")
        for drift in each.drifts:
            head = paint(f"{drift.kind}[{drift.code}]", "red", color=color)
            invocation.print(f"{head}: {drift.message}\nhint: {drift.hint}")
        if each.note is not None:
            invocation.note(f"note: {each.spec}: {each.note}")
    for line in moved:
        invocation.print(f"{paint('running', 'red', color=color)}: {line}")
    return code


def _as_json(spec: CheckedSpec) -> object:
    drifts = [{"code": drift.code, **plain(drift)} for drift in spec.drifts]
    return {**plain(spec), "drifts": drifts}


@app.command()
def diff(
    context: typer.Context,
    spec: SpecArgument = None,
    *,
    out: OutOption = None,
    json: JsonOption = False,
) -> int:
    """Show what rendering would change, as a patch. Writes nothing; exit code 1 if anything.

    Example: agentci deploy diff
    """
    from agentci.app.deploy_check import differences

    invocation = invocation_of(context)
    directory = None if out is None else invocation.path(out)
    found = differences(invocation.directory, spec, out=directory)
    if json:
        invocation.print(to_json({"files": found}))
    else:
        for each in found:
            invocation.print(each.patch)
    return 1 if found else 0
