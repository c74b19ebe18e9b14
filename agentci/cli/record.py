"""`agentci record`: runs a program and records what its clients are answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

import typer

from agentci.app import proxied as use_case
from agentci.cli.invocation import Invocation, JsonOption, invocation_of
from agentci.cli.run_settings import RedactOption, parse_settings
from agentci.core.errors import UsageError
from agentci.record.session import Mode

CommandArgument: TypeAlias = Annotated[
    list[str], typer.Argument(metavar="-- COMMAND...", help="The program and its arguments.")
]
CassetteOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Folder below `cassettes/`; default: the program's name.",
        show_default=False,
    ),
]
WordsArgument: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="-- COMMAND... | [PIPELINE]...",
        help="The program and its arguments; with --changed, pipelines.",
        show_default=False,
    ),
]
ChangedOption: TypeAlias = Annotated[
    bool, typer.Option("--changed", help="Record again what changed in pipelines.")
]
YesOption: TypeAlias = Annotated[
    bool, typer.Option("--yes", "-y", help="With --changed: do not ask for confirmation.")
]
MaxCostOption: TypeAlias = Annotated[
    float | None,
    typer.Option(
        min=0, metavar="AMOUNT", help="With --changed: stop before more is spent.",
        show_default=False,
    ),
]  # fmt: skip
MaxTokensOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=0, metavar="NUMBER", help="With --changed: stop before more are used.",
        show_default=False,
    ),
]  # fmt: skip
SettingsOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="With --changed: input; repeatable.",
        show_default=False,
    ),
]  # fmt: skip
SampleOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--sample-verify", min=1, metavar="N", show_default=False,
        help="Ask N recorded requests again, and compare.",
    ),
]  # fmt: skip
SeedOption: TypeAlias = Annotated[
    int, typer.Option(metavar="NUMBER", help="With --sample-verify: chooses the requests.")
]
LaneOption: TypeAlias = Annotated[str, typer.Option(metavar="NAME", help="Lane of its calls.")]
FolderOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--cwd", metavar="FOLDER", help="Where it works.", show_default=False),
]


def record(
    context: typer.Context,
    command: WordsArgument = None,
    *,
    cassette: CassetteOption = None,
    lane: LaneOption = use_case.DEFAULT_LANE,
    cwd: FolderOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Ask for every answer again.")] = False,
    note: Annotated[
        str, typer.Option(metavar="TEXT", help="Goes into the header of new cassettes.")
    ] = "",
    redact: RedactOption = False,
    changed: ChangedOption = False,
    yes: YesOption = False,
    max_cost: MaxCostOption = None,
    max_tokens: MaxTokensOption = None,
    sample: SampleOption = None,
    seed: SeedOption = 0,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> int:
    """Run a program and record every answer that its model clients get.

    It finds the proxy in OPENAI_BASE_URL, ANTHROPIC_BASE_URL, GOOGLE_GEMINI_BASE_URL and
    AGENTCI_PROXY_URL. What is recorded already is replayed. Exit code: the program's.

    With --changed, the arguments are pipelines (default: all), and only what no longer fits is
    asked again, after an estimate of tokens and price. Exit code 7: a limit was reached; what was
    recorded before it is kept.

    Example: agentci record --cassette review -- claude -p "review the last commit"

    Example: agentci record --changed --max-cost 2.50 bugfix

    With --sample-verify, so many recorded model requests are asked again, live, and it says how far
    the answers agree. No recording changes.

    Example: agentci record --sample-verify 20 bugfix
    """
    words = tuple(command or ())
    invocation = invocation_of(context)
    options = _Options(yes, json, max_cost, max_tokens, parse_settings(settings or []))
    if sample is not None:
        if changed or settings:
            message = "`--sample-verify` changes nothing, so it does not go with what records"
            raise UsageError(message, code="ACI-U184", hint="call the command twice")
        return _verify_sample(invocation, words, options, count=sample, seed=seed)
    if changed:
        return _record_changed(invocation, words, options, note=note, redact=redact)
    if not words:
        message = "there is no program to record"
        hint = "`agentci record -- COMMAND...`, or `agentci record --changed` for pipelines"
        raise UsageError(message, code="ACI-U182", hint=hint)
    if options != _Options():
        message = "`--max-cost`, `--max-tokens`, `--set`, `--yes` and `--json` are not for programs"
        hint = "add `--changed` or `--sample-verify`, or leave them out"
        raise UsageError(message, code="ACI-U183", hint=hint)
    program = use_case.ProgramRequest(
        argv=words,
        start=invocation.directory,
        mode=Mode.RECORD,
        folder=invocation.path(cwd) if cwd is not None else None,
        cassette=cassette,
        lane=lane,
        record_all=everything,
        note=note,
        redact=redact,
    )
    return show_report(use_case.execute(program), invocation)


@dataclass(frozen=True, slots=True)
class _Options:
    """What goes with the recordings of pipelines only."""

    yes: bool = False
    json: bool = False
    max_cost: float | None = None
    max_tokens: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


def _record_changed(
    invocation: Invocation, words: tuple[str, ...], options: _Options, *, note: str, redact: bool
) -> int:
    # not for a program
    from agentci.app.record_changed import ChangedRequest
    from agentci.cli.record_changed import Manner, record_changed

    request = ChangedRequest(
        start=invocation.directory,
        pipelines=words,
        settings=options.settings,
        max_cost=options.max_cost,
        max_tokens=options.max_tokens,
        note=note,
        redact=redact,
    )
    return record_changed(request, Manner(yes=options.yes, json=options.json), invocation)


def _verify_sample(
    invocation: Invocation, words: tuple[str, ...], options: _Options, *, count: int, seed: int
) -> int:
    # not for a program
    from agentci.app.sample_verify import SampleRequest
    from agentci.cli.record_changed import Manner
    from agentci.cli.sample_verify import sample_verify

    request = SampleRequest(
        start=invocation.directory,
        count=count,
        cassettes=words,
        seed=seed,
        max_cost=options.max_cost,
        max_tokens=options.max_tokens,
    )
    return sample_verify(request, Manner(yes=options.yes, json=options.json), invocation)


def show_report(report: use_case.ProgramReport, invocation: Invocation) -> int:
    """Say on standard error how many requests were answered; return the exit code."""
    noun = "request" if report.answered == 1 else "requests"
    invocation.note(f"agentci: {report.answered} {noun} answered, from `{report.cassettes}`")
    return report.exit_code
