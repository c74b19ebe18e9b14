from __future__ import annotations

import time
from pathlib import Path

import pytest

from agentci.adapters.programs import UserPrograms
from agentci.core.programs import ProgramRequest, ProgramResult


def _run(folder: Path, *argv: str, timeout: float = 30, **changes: str) -> ProgramResult:
    return UserPrograms().run(ProgramRequest(argv, folder, timeout, changes))


def test_a_program_runs_in_its_folder_with_the_users_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_USER", "here")
    done = _run(tmp_path, "sh", "-c", 'pwd; echo "$OF_THE_USER $MORE" >&2; exit 3', MORE="too")
    assert (done.exit_code, done.out, done.err) == (3, f"{tmp_path}\n", "here too\n")
    assert done.said == "here too"


def test_standard_input_is_empty(tmp_path: Path) -> None:
    assert _run(tmp_path, "cat").out == ""


def test_a_missing_program_is_a_result(tmp_path: Path) -> None:
    assert not UserPrograms().has("agentci-no-such-program")
    assert _run(tmp_path, "agentci-no-such-program").exit_code == 127


def test_a_program_that_takes_too_long_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    done = _run(tmp_path, "sh", "-c", "echo begun; sleep 60 & sleep 60", timeout=0.5)
    assert (done.exit_code, done.out) == (124, "begun\n")
    assert "killed after 0.5 s" in done.err
    assert time.monotonic() - began < 20


def test_a_killed_program_has_the_code_that_a_shell_shows(tmp_path: Path) -> None:
    assert _run(tmp_path, "sh", "-c", "kill -TERM $$").exit_code == 143


def test_output_that_is_no_text_is_replaced(tmp_path: Path) -> None:
    assert _run(tmp_path, "printf", "\\377").out == "\ufffd"
