"""The one place where what happened becomes text and an exit code.

It knows the parser and the error tree, and nothing of what commands do.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TextIO

from agentci.app import wiring
from agentci.cli.lazy_group import ParserError, build_group, invoke
from agentci.cli.render import errors, github
from agentci.cli.render.style import color_wanted
from agentci.core.errors import AgentciError, Interrupted, UsageError

_EXIT_BUG = 3


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; only a broken pipe is left to the caller."""
    _tolerate_narrow_encodings()
    try:
        return invoke(build_group(), arguments)
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        return report(Interrupted("interrupted"), arguments)
    except ParserError as error:
        return report(usage_error(error), arguments)
    except AgentciError as error:
        return report(error, arguments)
    except Exception as error:  # noqa: BLE001 - the last boundary: a bug becomes a report
        return _report_bug(error, arguments)


def wants_json(arguments: list[str]) -> bool:
    """Say whether the caller asked for JSON, even where the command line could not be parsed."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def report(error: AgentciError, arguments: list[str]) -> int:
    """Print an error and return its exit code."""
    if wants_json(arguments):
        sys.stdout.write(errors.as_json(error))
    sys.stderr.write(errors.as_text(error, color=color_wanted(sys.stderr)))
    if wiring.env().get("GITHUB_ACTIONS") == "true":
        # GitHub reads its commands from both streams; stdout belongs to data.
        sys.stderr.write(github.error_commands(errors.problems_of(error)))
    return error.exit_code


def _report_bug(error: Exception, arguments: list[str]) -> int:
    # Imported here because traceback and platform cost more than a whole start.
    from agentci.cli.render import bug_report

    place = bug_report.write(error, arguments)
    if wants_json(arguments):
        sys.stdout.write(bug_report.as_json(error, place))
    sys.stderr.write(bug_report.as_text(error, place))
    return _EXIT_BUG


def usage_error(error: ParserError) -> UsageError:
    """Say what the parser said in the form that all our errors have."""
    text = error.message.strip().removesuffix(".")
    hint = f"`{error.command} --help`"
    return UsageError(text[:1].lower() + text[1:], code="ACI-U101", hint=hint)


def _tolerate_narrow_encodings() -> None:
    """Never fail to print because a terminal's encoding lacks a character."""
    for stream in (sys.stdout, sys.stderr):
        _relax(stream)


def _relax(stream: TextIO) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        with suppress(ValueError, OSError):
            reconfigure(errors="backslashreplace")
