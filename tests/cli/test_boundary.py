"""What a person and a program see when a command line goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agentci import __version__
from agentci.__main__ import main
from agentci.cli import boundary, commands, lazy_group
from agentci.core.errors import (
    AgentciError,
    BudgetExceeded,
    CassetteMiss,
    EnvironmentProblem,
    FormatError,
    Interrupted,
    NothingMatched,
    SafetyRefusal,
    StepFailed,
)
from tests.support.command_line import ROOT, agentci


def _fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(_group: object, _arguments: list[str]) -> int:
        raise error

    monkeypatch.setattr(boundary, "invoke", explode)


def test_version_is_one_line_on_stdout(tmp_path: Path) -> None:
    done = agentci("--version", folder=tmp_path)
    assert (done.code, done.out, done.err) == (0, f"agentci {__version__}\n", "")


def test_no_arguments_show_help(tmp_path: Path) -> None:
    done = agentci(folder=tmp_path)
    assert done.code == 0
    assert done.out.startswith("Usage: agentci ")


def test_help_names_every_command(tmp_path: Path) -> None:
    done = agentci("--help", folder=tmp_path)
    assert done.code == 0
    for row in commands.COMMANDS:
        assert f"  {row.name} " in done.out


def test_an_unknown_command_is_answered_with_the_nearest(tmp_path: Path) -> None:
    done = agentci("cheeck", folder=tmp_path)
    assert done.code == 2
    assert done.out == ""
    assert done.err == (
        "error[ACI-U102]: there is no command `cheeck`\nhint: did you mean `agentci check`?\n"
    )


def test_an_unknown_option_is_a_usage_error(tmp_path: Path) -> None:
    done = agentci("init", "--colour", folder=tmp_path)
    assert done.code == 2
    assert done.err.startswith("error[ACI-U101]: no such option: --colour")
    assert done.err.endswith("hint: `agentci init --help`\n")


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    done = agentci("-C", "nowhere", "check", folder=tmp_path)
    assert done.code == 2
    assert "`nowhere` is not a folder" in done.err


def test_with_json_an_error_is_one_object_on_stdout(tmp_path: Path) -> None:
    done = agentci("nonsense", "--json", folder=tmp_path)
    assert done.code == 2
    error = json.loads(done.out)["error"]
    assert error["code"] == "ACI-U102"
    assert error["exit_code"] == 2


def test_json_after_two_dashes_is_not_an_option() -> None:
    assert not boundary.wants_json(["run", "--", "--json"])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StepFailed("x"), 1),
        (FormatError("x"), 2),
        (CassetteMiss("x"), 4),
        (NothingMatched("x"), 5),
        (EnvironmentProblem("x"), 6),
        (BudgetExceeded("x"), 7),
        (SafetyRefusal("x"), 8),
        (Interrupted("x"), 130),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_has_its_exit_code(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _fail_with(error, monkeypatch)
    assert main(["run"]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error[ACI-")


def test_a_bug_leaves_a_report_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / ".agentci").mkdir()
    monkeypatch.chdir(tmp_path)
    _fail_with(ZeroDivisionError("oh"), monkeypatch)
    assert main(["run", "--set", "key=private"]) == 3
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    (report,) = (tmp_path / ".agentci" / "bugs").iterdir()
    assert str(report.relative_to(tmp_path)) in shown.err
    text = report.read_text()
    assert "ZeroDivisionError: oh" in text
    assert "private" not in text


def test_a_bug_with_json_is_one_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / ".agentci").mkdir()
    monkeypatch.chdir(tmp_path)
    _fail_with(ValueError("oh"), monkeypatch)
    assert main(["run", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "ACI-X001"


def test_a_reader_that_went_away_is_not_an_error(tmp_path: Path) -> None:
    script = f'"{sys.executable}" -m agentci --help | true; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", f"sleep 0; {script}"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.strip() in {"0", "141"}  # 0 when `true` was slower than the help


def test_a_broken_pipe_ends_with_141(monkeypatch: pytest.MonkeyPatch) -> None:
    script = "import sys; from agentci.__main__ import main; sys.exit(main(['--help']))"
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        process.stdout.close()  # before Python has even started
        assert process.stderr is not None
        err = process.stderr.read()
    assert (process.returncode, err) == (141, b"")


def test_in_github_actions_errors_become_annotations(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    _fail_with(AgentciError("50 % of it\nis wrong", code="ACI-D101", hint="mend"), monkeypatch)
    main(["run"])
    expected = "::error title=ACI-D101::50 %25 of it%0Ais wrong%0Ahint: mend\n"
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize("row", commands.COMMANDS, ids=lambda row: row.name)
def test_every_command_has_help_with_an_example(
    row: commands.CommandRow, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lazy_group.invoke(lazy_group.build_group(), [row.name, "--help"]) == 0
    assert f"Example: agentci {row.name}" in capsys.readouterr().out
