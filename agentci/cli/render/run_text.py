"""A run as text and as a summary for GitHub, from its report as JSON (`app/run_report.py`).

One form for a run that just ended and for one that is looked up later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from agentci.cli.render import github
from agentci.cli.render.errors import printable
from agentci.cli.render.style import paint
from agentci.cli.render.text import duration, table

if TYPE_CHECKING:
    from agentci.cli.render.style import Style

_PATCH_STYLES: Final[tuple[tuple[str, Style], ...]] = (
    ("+++", "bold"),
    ("---", "bold"),
    ("diff ", "bold"),
    ("@@", "cyan"),
    ("+", "green"),
    ("-", "red"),
)


def flat_steps(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the steps of a report in plan order, a step before those inside it."""
    for step in content["steps"]:
        yield step
        yield from flat_steps(step)


def outcome_style(outcome: str, *, passed: bool) -> Style:
    """Return how an outcome is shown."""
    if outcome == "waiting":
        return "yellow"
    if outcome == "skipped":
        return "dim"
    return "green" if passed else "red"


def report_text(content: Mapping[str, Any], *, color: bool) -> str:
    """Return a report for a person: steps, patch, commit, digest, and how it compares."""
    parts = [_steps(content, color=color)]
    if content.get("patch"):
        parts.append(_patch(str(content["patch"]), color=color))
    parts.append(_facts(content, color=color))
    return "\n".join(parts)


def _steps(content: Mapping[str, Any], *, color: bool) -> str:
    steps = list(flat_steps(content))
    rows = [
        (step["outcome"], step["lane"], step["kind"], step["source"], _time(step)) for step in steps
    ]
    lines = table(("outcome", "lane", "kind", "source", "time"), rows).splitlines()
    styles = [outcome_style(step["outcome"], passed=step["passed"]) for step in steps]
    painted = (
        paint(line, style, color=color) for line, style in zip(lines[1:], styles, strict=True)
    )
    return "\n".join([paint(lines[0], "bold", color=color), *painted]) + "\n"


def _time(step: Mapping[str, Any]) -> str:
    return duration(step["seconds"]) if "seconds" in step else ""


def _patch(patch: str, *, color: bool) -> str:
    """Return a patch without control characters, coloured on a terminal."""
    lines = (_patch_line(printable(line), color=color) for line in patch.splitlines())
    return "\n".join(lines) + "\n"


def _patch_line(line: str, *, color: bool) -> str:
    found = (style for start, style in _PATCH_STYLES if line.startswith(start))
    style = next(found, None)
    return line if style is None else paint(line, style, color=color)


def _facts(content: Mapping[str, Any], *, color: bool) -> str:
    rows = [("run", content["run_id"]), ("verdict", content["verdict"])]
    if content["verdict"] == "unfinished":
        rows.append(("stopped", printable(content.get("message") or "killed, or still under way")))
    else:
        rows += [
            ("mode", _mode(content, color=color)),
            ("commit", content["commit"] or "none"),
            ("run digest", content["run_digest"]),
            ("agentci.lock", _lock(content, color=color)),
        ]
    return "".join(f"{name:<13} {value}\n" for name, value in rows)


def _mode(content: Mapping[str, Any], *, color: bool) -> str:
    if content["mode"] != "live":
        return str(content["mode"])
    return paint("live (not reproducible: nothing was recorded)", "yellow", color=color)


def _lock(content: Mapping[str, Any], *, color: bool) -> str:
    note = str(content["lock_note"])
    if content["matches_lock"] is None:
        return note
    if content["matches_lock"]:
        return paint("the run digest equals the accepted one", "green", color=color)
    return paint(f"the run digest differs from the accepted one; {note}", "red", color=color)


def report_markdown(content: Mapping[str, Any]) -> str:
    """Return a report for the summary page of a GitHub Actions job."""
    rows = (
        (step["outcome"], f"`{step['lane']}`", step["kind"], step["source"])
        for step in flat_steps(content)
    )
    return (
        f"### agentci: `{content['pipeline']}` {content['verdict']}\n\n"
        f"{github.table(('outcome', 'lane', 'kind', 'source'), rows)}\n"
        f"- mode: {_mode(content, color=False)}\n"
        f"- run digest: `{content['run_digest']}`\n"
        f"- commit: `{content['commit'] or 'none'}`\n"
        f"- agentci.lock: {_lock(content, color=False)}\n\n"
    )
