"""`agentci deploy packs`: makes and lists the schema packs that Terraform is checked against."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentci.cli.invocation import GROUP_SETTINGS, Invocation, JsonOption, invocation_of
from agentci.cli.render.json import to_json
from agentci.cli.render.text import size, table
from agentci.core.digest import short

if TYPE_CHECKING:
    from agentci.app.deploy_packs import BuiltPack

app = typer.Typer(
    help="""Make and list schema packs, against which Terraform modules are checked offline.

    Example: agentci deploy packs build
    """,
    **GROUP_SETTINGS,
)


@app.command()
def build(
    context: typer.Context,
    providers: Annotated[
        list[str] | None,
        typer.Argument(help="Such as `aws`; default: all of our targets.", show_default=False),
    ] = None,
    *,
    type_: Annotated[
        list[str] | None,
        typer.Option(
            "--type", metavar="TYPE", help="One more, as `aws_x` or `data.aws_x`; repeatable."
        ),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The package of npm, fetched before.", show_default=False
        ),
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Output of `terraform providers schema -json`, instead of a binding.",
            show_default=False,
        ),
    ] = None,
    provider_version: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Whose schema that is.", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Make packs that are not there yet. Fetches provider bindings with npm, at pinned digests.

    Example: agentci deploy packs build
    """
    from agentci.app import deploy_packs as use_case

    invocation = invocation_of(context)
    request = use_case.PackRequest(
        providers=tuple(providers or ()),
        types=tuple(type_ or ()),
        archive=None if archive is None else invocation.path(archive),
        schema=None if schema is None else invocation.path(schema),
        version=provider_version,
    )
    return _show(use_case.build(request), invocation, json=json)


@app.command("list")
def list_(context: typer.Context, json: JsonOption = False) -> int:
    """List the packs on this machine; each is checked against its digest.

    Example: agentci deploy packs list
    """
    from agentci.app import deploy_packs as use_case

    return _show(use_case.stored(), invocation_of(context), json=json)


def _show(packs: tuple[BuiltPack, ...], invocation: Invocation, *, json: bool) -> int:
    if json:
        invocation.print(to_json({"packs": packs}))
        return 0
    rows = [
        (each.source, each.version, str(each.types), size(each.size), short(each.digest),
         each.status)
        for each in packs
    ]  # fmt: skip
    invocation.print(table(("provider", "version", "types", "size", "digest", "status"), rows))
    return 0
