"""`agentci graph`: a pipeline as a picture."""

from __future__ import annotations

from typing import Annotated

import typer

from agentci.app import graph as use_case
from agentci.cli.invocation import JsonOption, invocation_of
from agentci.cli.render.json import to_json


def graph(
    context: typer.Context,
    pipeline: Annotated[str, typer.Argument(help="Name or folder of the pipeline.")],
    picture: Annotated[
        use_case.PictureFormat,
        typer.Option("--format", help="`mermaid` for Markdown, `dot` for Graphviz."),
    ] = "mermaid",
    json: JsonOption = False,
) -> int:
    """Draw a pipeline as Mermaid or DOT.

    Example: agentci graph pipelines/bugfix --format dot
    """
    invocation = invocation_of(context)
    result = use_case.execute(
        use_case.GraphRequest(start=invocation.directory, pipeline=pipeline, format=picture)
    )
    invocation.print(to_json(result) if json else result.text)
    return 0
