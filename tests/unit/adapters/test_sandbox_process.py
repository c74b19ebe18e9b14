"""The sandbox `process`, with real processes."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from agentci.adapters.sandbox_process import ProcessSandbox
from agentci.core.effects import CommandRequest, CommandResult

ENV = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"}


def request(
    root: Path,
    *argv: str,
    timeout: float = 20,
    env: Mapping[str, str] = ENV,
    folder: str = ".",
    stdin: bytes = b"",
    output_limit: int = 1_000_000,
) -> CommandRequest:
    return CommandRequest(
        argv=argv,
        root=root,
        timeout=timeout,
        env=env,
        folder=folder,
        stdin=stdin,
        output_limit=output_limit,
    )


def run(asked: CommandRequest) -> CommandResult:
    return asyncio.run(ProcessSandbox().run(asked))


def shell(root: Path, script: str, **more: float) -> CommandResult:
    return run(request(root, "sh", "-c", script, timeout=more.get("timeout", 20)))


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != b"Z"


def wait_for(path: Path) -> str:
    for _ in range(500):
        if path.exists() and path.read_text().strip():
            return path.read_text().strip()
        time.sleep(0.01)
    raise AssertionError(f"{path} was not written")


def test_output_and_exit_code_are_kept_apart(tmp_path: Path) -> None:
    assert shell(tmp_path, "echo out; echo err >&2; exit 3") == CommandResult(3, b"out\n", b"err\n")


def test_the_environment_is_exactly_the_one_asked_for(tmp_path: Path) -> None:
    result = run(request(tmp_path, "/usr/bin/env", env={"A": "1", "B": "x y"}))
    assert sorted(result.stdout.splitlines()) == [b"A=1", b"B=x y"]


def test_a_missing_program_is_127(tmp_path: Path) -> None:
    result = run(request(tmp_path, "no-such-program-here"))
    assert result == CommandResult(127, b"", b"agentci: no-such-program-here: command not found\n")


def test_a_file_that_is_no_program_is_126(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    result = run(request(tmp_path, "./data"))
    assert (result.exit_code, result.stderr) == (126, b"agentci: ./data: permission denied\n")


def test_a_killed_program_shows_128_and_the_signal(tmp_path: Path) -> None:
    assert shell(tmp_path, "kill -TERM $$").exit_code == 143


def test_input_is_closed_where_there_is_none(tmp_path: Path) -> None:
    assert run(request(tmp_path, "cat")).stdout == b""


def test_input_larger_than_a_pipe_arrives_whole(tmp_path: Path) -> None:
    data = bytes(range(256)) * 4000
    result = run(request(tmp_path, "cat", stdin=data, output_limit=len(data)))
    assert result.stdout == data


def test_a_command_need_not_read_its_input(tmp_path: Path) -> None:
    result = run(request(tmp_path, "true", stdin=b"x" * 1_000_000))
    assert result == CommandResult(0, b"", b"")


def test_binary_output_is_kept_as_it_is(tmp_path: Path) -> None:
    assert shell(tmp_path, r"printf '\000\377\r\n\001'").stdout == b"\x00\xff\r\n\x01"


def test_of_huge_output_the_middle_is_left_out(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.write('a' * 3_000_000 + 'z' * 3_000_000)"
    result = run(request(tmp_path, sys.executable, "-c", code, output_limit=1000))
    note = b"\n[agentci: 5999000 bytes left out]\n"
    assert result.stdout == b"a" * 500 + note + b"z" * 500


def test_endless_output_ends_with_the_time(tmp_path: Path) -> None:
    result = run(request(tmp_path, "yes", timeout=0.5, output_limit=100))
    assert result.timed_out
    assert result.exit_code == 137
    assert len(result.stdout) < 200


def test_an_endless_loop_is_killed_and_its_output_kept(tmp_path: Path) -> None:
    started = time.monotonic()
    result = shell(tmp_path, "echo first; while :; do :; done", timeout=0.5)
    assert result == CommandResult(137, b"first\n", b"", timed_out=True)
    assert time.monotonic() - started < 5


def test_a_program_that_ignores_signals_is_killed(tmp_path: Path) -> None:
    result = shell(tmp_path, "trap '' TERM INT HUP; sleep 60", timeout=0.5)
    assert result.timed_out


def test_grandchildren_end_with_the_timeout(tmp_path: Path) -> None:
    result = shell(tmp_path, "sh -c 'echo $$ > pid; sleep 60' & wait", timeout=1)
    assert result.timed_out
    assert not is_alive(int(wait_for(tmp_path / "pid")))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to a subreaper")
@pytest.mark.parametrize(
    "script",
    [
        "setsid sh -c 'echo $$ > pid; exec sleep 60' & sleep 60",
        "(setsid sh -c 'echo $$ > pid; exec sleep 60' &) ; sleep 60",
        "(setsid sh -c 'echo $$ > pid; cd /; exec sleep 60' >/dev/null 2>&1 &) ; sleep 60",
    ],
)
def test_descendants_in_other_sessions_end_with_the_timeout(tmp_path: Path, script: str) -> None:
    result = shell(tmp_path, script, timeout=1)
    assert result.timed_out
    assert not is_alive(int(wait_for(tmp_path / "pid")))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to a subreaper")
def test_a_daemon_left_behind_ends_with_the_command(tmp_path: Path) -> None:
    script = "(setsid sh -c 'echo $$ > pid; exec sleep 60' &); while [ ! -s pid ]; do :; done"
    started = time.monotonic()
    assert shell(tmp_path, script).exit_code == 0
    assert time.monotonic() - started < 5
    assert not is_alive(int(wait_for(tmp_path / "pid")))


def test_a_fork_bomb_ends_with_the_timeout(tmp_path: Path) -> None:
    # bounded, so that a failure of this test does not take the machine with it
    script = "f() { [ $1 -gt 0 ] && { f $(($1-1)) & f $(($1-1)) & }; sleep 60; }; f 6"
    assert shell(tmp_path, script, timeout=1).timed_out
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                folder = (entry / "cwd").readlink()
            except OSError:
                continue
            assert folder != tmp_path


def test_cancellation_kills_the_command(tmp_path: Path) -> None:
    async def cancelled() -> None:
        asked = request(tmp_path, "sh", "-c", "echo $$ > pid; sleep 60")
        task = asyncio.create_task(ProcessSandbox().run(asked))
        await asyncio.to_thread(wait_for, tmp_path / "pid")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert not is_alive(int(wait_for(tmp_path / "pid")))


def test_concurrent_commands_do_not_end_each_other(tmp_path: Path) -> None:
    async def both() -> list[CommandResult]:
        sandbox = ProcessSandbox()
        slow, quick = tmp_path / "slow", tmp_path / "quick"
        slow.mkdir()
        quick.mkdir()
        script = "(setsid sh -c 'echo up > pid; sleep 0.5; echo done > end' &); sleep 1; cat end"
        requests = [request(slow, "sh", "-c", script), request(quick, "sleep", "0.2")]
        return list(await asyncio.gather(*(sandbox.run(asked) for asked in requests)))

    slow, quick = asyncio.run(both())
    assert slow == CommandResult(0, b"done\n", b"")
    assert quick == CommandResult(0, b"", b"")


def test_file_modes_do_not_depend_on_the_callers_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        shell(tmp_path, "touch made")
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o644


def test_a_command_runs_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    result = run(request(tmp_path, "pwd", folder="below"))
    assert result.stdout.decode().strip() == str((tmp_path / "below").resolve())


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("nowhere", b"agentci: there is no folder `nowhere` in the workspace\n"),
        ("../..", b"agentci: `../..` is outside of the workspace\n"),
        ("link", b"agentci: `link` is outside of the workspace\n"),
    ],
)
def test_a_folder_that_is_not_in_the_workspace_is_refused(
    tmp_path: Path, folder: str, said: bytes
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to("/")
    assert run(request(root, "pwd", folder=folder)) == CommandResult(126, b"", said)


def test_a_background_child_that_keeps_the_pipes_does_not_hold_the_result(tmp_path: Path) -> None:
    started = time.monotonic()
    assert shell(tmp_path, "sleep 60 & echo done") == CommandResult(0, b"done\n", b"")
    assert time.monotonic() - started < 5
