"""How a run that ended is shown, and which exit code it gets."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from agentci.app.run_report import report_json
from agentci.app.run_request import LockComparison, RunReport
from agentci.cli.invocation import Invocation
from agentci.cli.progress import LineProgress, LiveProgress, Progress
from agentci.cli.render.run_text import report_markdown, report_text
from agentci.cli.run_outcome import show_outcome
from agentci.core.digest import digest_bytes
from agentci.core.lane import Lane
from agentci.record.session import Mode
from agentci.steps.results import Outcome, StepRecord


def _step(lane: str, outcome: Outcome = "done", *children: StepRecord) -> StepRecord:
    return StepRecord(
        lane=Lane(lane),
        step=lane.rpartition("/")[2],
        kind="agent",
        outcome=outcome,
        output={"text": "x"},
        tree="0" * 40,
        children=children,
        passed=outcome in {"done", "approved", "skipped"},
        message="it said no" if outcome == "failed" else "",
        source="replayed",
        seconds=0.25,
    )


REPORT = RunReport(
    run_id="20260101-000000-abcdef",
    pipeline="pipelines/bugfix",
    mode=Mode.REPLAY,
    verdict="passed",
    run_digest=digest_bytes(b"run"),
    lock=LockComparison(matches=True, note=""),
    base="1" * 40,
    commit="2" * 40,
    tree="3" * 40,
    patch="diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-\x1b[31mold\n+new\n",
    output=None,
    records=(_step("plan"), _step("fix", "approved", _step("fix[1]/code"))),
    stopped=None,
    lock_entry={},
    unplayed=(),
    cassettes="cassettes/bugfix",
    notes=(),
)


def _failed(outcome: Outcome = "failed") -> RunReport:
    step = _step("fix[1]/code", outcome)
    return replace(REPORT, verdict="failed", stopped=step, commit=None)


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (REPORT, 0),
        (_failed(), 1),
        (replace(REPORT, verdict="waiting", stopped=_step("ask", "waiting")), 8),
        (replace(REPORT, unplayed=("plan sha256:0#1",)), 4),
        (replace(REPORT, lock=LockComparison(matches=False, note="changed: `prompts`")), 4),
        (replace(REPORT, lock=LockComparison(None, "none yet")), 0),
        (replace(REPORT, mode=Mode.AUTO, unplayed=("plan sha256:0#1",)), 0),
        (replace(REPORT, mode=Mode.RECORD, lock=LockComparison(matches=False, note="x")), 0),
        (replace(REPORT, mode=Mode.LIVE, lock=LockComparison(None, "live")), 0),
    ],
    ids=[
        "passed",
        "step failed",
        "waits",
        "replay left recordings",
        "replay has another digest",
        "nothing accepted yet",
        "auto left recordings",
        "recording has another digest",
        "live",
    ],
)
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_exit_codes(
    report: RunReport, code: int, as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show_outcome(report, Invocation(), json=as_json) == code
    shown = capsys.readouterr()
    assert ("error[ACI-" in shown.err) is (code != 0)
    if as_json:
        error = json.loads(shown.out)["error"]
        assert (error["exit_code"] if error else 0) == code


def test_json_is_one_object_with_what_programs_need(capsys: pytest.CaptureFixture[str]) -> None:
    show_outcome(REPORT, Invocation(), json=True)
    content = json.loads(capsys.readouterr().out)
    assert content["run_digest"] == REPORT.run_digest
    assert content["commit"] == REPORT.commit
    assert content["mode"] == "replay"
    assert content["matches_lock"] is True
    assert [step["lane"] for step in content["steps"]] == ["plan", "fix"]


def test_text_has_steps_patch_commit_and_digest() -> None:
    text = report_text(report_json(REPORT), color=False)
    lanes = [line.split()[1] for line in text.split("\n\n")[0].splitlines()[1:]]
    assert lanes == ["plan", "fix", "fix[1]/code"]
    for expected in ("+new", "commit        2222", REPORT.run_digest, "equals the accepted one"):
        assert expected in text


def test_a_patch_cannot_repaint_the_terminal() -> None:
    text = report_text(report_json(REPORT), color=False)
    assert "\x1b" not in text
    assert "-\\x1b[31mold" in text


def test_a_live_run_is_marked_everywhere() -> None:
    content = report_json(replace(REPORT, mode=Mode.LIVE))
    assert "not reproducible" in report_text(content, color=False)
    assert "not reproducible" in report_markdown(content)


def test_the_failed_step_is_named_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    show_outcome(_failed(), Invocation(), json=False)
    err = capsys.readouterr().err
    assert "the step `code` ended with `failed`: it said no" in err
    assert "--> lane fix[1]/code" in err
    assert "hint: agentci show 20260101-000000-abcdef" in err


def test_github_gets_a_summary(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    show_outcome(REPORT, Invocation(), json=False)
    capsys.readouterr()
    assert "### agentci: `pipelines/bugfix` passed" in summary.read_text()
    assert "| done | `plan` | agent | replayed |" in summary.read_text()


def test_without_a_terminal_progress_is_one_line_a_step(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Progress(Invocation()) as listener:
        assert isinstance(listener, LineProgress)
        listener.step_started(Lane("plan"), "agent")
        listener.activity(Lane("plan"), "asks the model")
        listener.step_finished(_step("plan"))
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "done      plan (replayed, 0.2 s)\n")


def test_quiet_is_silent_and_verbose_says_more(capsys: pytest.CaptureFixture[str]) -> None:
    for verbosity, lines in ((-1, 0), (1, 3)):
        listener = LineProgress(Invocation(verbosity=verbosity))
        listener.step_started(Lane("plan"), "agent")
        listener.activity(Lane("plan"), "asks the model")
        listener.step_finished(_step("plan"))
        assert len(capsys.readouterr().err.splitlines()) == lines


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_progress_is_live_and_finished_steps_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    terminal = _Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with Progress(Invocation()) as listener:
        assert isinstance(listener, LiveProgress)
        for number in range(14):
            listener.step_started(Lane(f"fleet[{number}]/code"), "agent")
        listener.activity(Lane("fleet[3]/code"), "asks [bold]the model[/bold]\x1b[2J")
        listener.live.refresh()
        listener.step_finished(_step("fleet[3]/code"))
    text = terminal.getvalue()
    assert "asks [bold]the model[/bold]\\x1b[2J" in text
    assert "and 2 more" in text
    assert "fleet[3]/code (replayed, 0.2 s)" in text
