"""`agentci schema`: JSON Schemas of the files that a user writes."""

from __future__ import annotations

from typing import Annotated

import typer

from agentci.app import schema as use_case
from agentci.app.schema_markdown import to_markdown
from agentci.cli.invocation import JsonOption, invocation_of
from agentci.cli.render.json import to_json


def schema(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="`pipeline`, `config`...; without it: the names.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Write all schemas into FOLDER."),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print it as reference documentation.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Print the JSON Schema of a file that you write, for completion in your editor.

    Example: agentci schema pipeline > pipeline.schema.json
    """
    invocation = invocation_of(context)
    folder = invocation.path(output) if output is not None else None
    result = use_case.execute(use_case.SchemaRequest(name=name, folder=folder))
    if result.schema is not None and name is not None:
        text = use_case.schema_text(result.schema)
        invocation.print(to_markdown(name, result.schema) if markdown else text)
    elif json:
        invocation.print(to_json({"names": result.names, "written": result.written}))
    else:
        for line in result.written or result.names:
            invocation.print(line)
    return 0
