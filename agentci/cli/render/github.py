"""Output for GitHub Actions: annotations and the step summary, as strings.

Where they go is the caller's business.
"""

from __future__ import annotations

from collections.abc import Iterable

from agentci.core.errors import Problem
from agentci.report.workflow_command import workflow_command


def error_commands(problems: Iterable[Problem]) -> str:
    """Return one `::error` command a problem, shown by GitHub beside the line it points to."""
    return "".join(_annotation(problem) for problem in problems)


def _annotation(problem: Problem) -> str:
    place = problem.location
    properties = {
        "file": place.file,
        "line": place.line,
        "col": place.column,
        "title": problem.code,
    }
    text = problem.message if problem.hint is None else f"{problem.message}\nhint: {problem.hint}"
    return workflow_command("error", text, properties=properties)


def table(headers: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [headers, tuple("---" for _ in headers), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", "<br>")
