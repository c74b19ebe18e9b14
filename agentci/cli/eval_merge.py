"""`agentci eval merge`: results of shards as one, the same bytes as without shards."""

from __future__ import annotations

from typing import Annotated

import typer

from agentci.app import wiring
from agentci.cli.eval_outcome import OutOption, show_evaluation
from agentci.cli.invocation import JsonOption, invocation_of
from agentci.cli.report_options import JunitOption


def merge(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files of all shards.")],
    *,
    everything: Annotated[
        bool, typer.Option("--all/--failures-only", help="List cases that passed, too.")
    ] = False,
    out: OutOption = None,
    junit: JunitOption = None,
    json: JsonOption = False,
) -> int:
    """Put the results of shards together, and say what `agentci eval` would have said of them all.

    Example: agentci eval merge shard-1.json shard-2.json
    """
    from agentci.app.eval_results_file import merge as merge_files
    from agentci.app.eval_results_file import read_results

    invocation = invocation_of(context)
    parts = [read_results(wiring.files(), invocation.path(name)) for name in files]
    content = merge_files(parts)
    return show_evaluation(
        content, invocation, json=json, everything=everything, out=out, junit=junit
    )
