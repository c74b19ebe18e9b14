"""`agentci record --sample-verify N`: says how much recorded answers still agree with live ones."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from agentci.app import sample_verify as use_case
from agentci.cli.record_changed import Manner, confirm
from agentci.cli.render.json import to_json
from agentci.cli.render.text import count, table

if TYPE_CHECKING:
    from agentci.cli.invocation import Invocation
    from agentci.core.intervals import Share

_CAPPED: Final = 7
_SHOWN: Final = 60


def sample_verify(request: use_case.SampleRequest, manner: Manner, invocation: Invocation) -> int:
    """Ask a sample again, changing nothing. This measures: what differs is no failure.

    Returns 7 where a cap left some unasked.
    """
    sample = use_case.choose(request)
    chosen = f"{len(sample.calls)} of {count(sample.recorded, 'recorded call')}"
    tokens = f"{sample.input_tokens} input and {sample.output_tokens} output tokens"
    price = f", {sample.cost:.4f} {sample.currency}" if sample.currency else ""
    invocation.note(
        f"asks {chosen} again, chosen by seed {request.seed}; recorded with {tokens}{price}"
    )
    if sample.skipped:
        noun = count(sample.skipped, "call")
        invocation.note(f"  {noun} cannot be asked again: scripted, redacted or not understood")
    if sample.unpriced:
        models = ", ".join(f"`{model}`" for model in sample.unpriced)
        invocation.note(f"  no price is declared for {models}; see `price` in the definition")
    if not manner.yes and sys.stdin.isatty():
        confirm("ask them now?")
    report = use_case.execute(sample)
    code = _CAPPED if report.counts["unasked"] else 0
    if manner.json:
        invocation.print(to_json(report))
        return code
    rows = [
        (call.verdict.replace("_", " "), call.cassette, call.lane, call.key[:19], _detail(call))
        for call in report.calls
    ]
    invocation.print(table(("verdict", "cassette", "lane", "key", ""), rows))
    found = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in report.counts.items() if n)
    invocation.print(f"\n{count(report.asked, 'call')}: {found}\n")
    invocation.print(f"agreement  {_share(report.agreement)}\nexact      {_share(report.exact)}\n")
    return code


def _share(share: Share) -> str:
    if not share.total:
        return "unknown: no live answer"
    percent = 100 * share.hits / share.total
    interval = f"{100 * share.low:.0f} to {100 * share.high:.0f} %"
    return f"{share.hits} of {share.total} ({percent:.0f} %; 95 % interval {interval})"


def _detail(call: use_case.SampledCall) -> str:
    if call.verdict in {"failed", "unasked"}:
        return call.live
    if call.verdict != "differs":
        return ""
    return f"recorded {_short(call.recorded)}, live {_short(call.live)}"


def _short(text: str) -> str:
    shown = " ".join(text.split())
    return f"`{shown}`" if len(shown) <= _SHOWN else f"`{shown[: _SHOWN - 3]}...`"
