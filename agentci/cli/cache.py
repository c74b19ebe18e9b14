"""`agentci cache`: counts, checks, tidies and clears the cache of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from agentci.app import cache as use_case
from agentci.cli.invocation import GROUP_SETTINGS, Invocation, JsonOption, invocation_of
from agentci.cli.render.json import to_json
from agentci.cli.render.text import count, size

if TYPE_CHECKING:
    from agentci.record.action_cache import CacheStats

app = typer.Typer(
    help="""Look into and clean the cache of this machine. It is never needed to replay.

    Example: agentci cache stats
    """,
    **GROUP_SETTINGS,
)

_DAMAGED: Final = 4


@app.command()
def stats(context: typer.Context, json: JsonOption = False) -> int:
    """Count cached results and the objects that they refer to.

    Example: agentci cache stats --json
    """
    invocation = invocation_of(context)
    result = use_case.stats(_request(invocation))
    return _show("cached", result, invocation, json=json)


@app.command()
def verify(context: typer.Context, json: JsonOption = False) -> int:
    """Check every entry against its digest. Damaged ones are never served; `gc` removes them.

    Example: agentci cache verify
    """
    invocation = invocation_of(context)
    result = use_case.verify(_request(invocation))
    if json:
        invocation.print(to_json(result))
    else:
        word = count(len(result.problems), "problem") if result.problems else "ok"
        invocation.print(f"{word}: {_words(result.checked)} in {result.folder}")
        for problem in result.problems:
            invocation.print(f"  {problem.key}: {problem.reason}")
        if result.problems:
            invocation.note("hint: `agentci cache gc` removes what is damaged")
    return _DAMAGED if result.problems else 0


@app.command()
def gc(context: typer.Context, json: JsonOption = False) -> int:
    """Remove what is damaged or no longer referred to.

    Example: agentci cache gc
    """
    invocation = invocation_of(context)
    return _show("removed", use_case.gc(_request(invocation)), invocation, json=json)


@app.command()
def clear(context: typer.Context, json: JsonOption = False) -> int:
    """Remove everything. Recordings and runs stay.

    Example: agentci cache clear
    """
    invocation = invocation_of(context)
    return _show("removed", use_case.clear(_request(invocation)), invocation, json=json)


def _request(invocation: Invocation) -> use_case.CacheRequest:
    return use_case.CacheRequest(start=invocation.directory)


def _show(word: str, result: use_case.CacheCount, invocation: Invocation, *, json: bool) -> int:
    if json:
        invocation.print(to_json(result))
    else:
        invocation.print(f"{word}: {_words(result.stats)} in {result.folder}")
    return 0


def _words(stats: CacheStats) -> str:
    results = f"{count(stats.results, 'result')} ({size(stats.result_bytes)})"
    return f"{results}, {count(stats.objects, 'object')} ({size(stats.object_bytes)})"
