"""What `docker` and `bwrap` promise, seen from the inside."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from agentci.adapters.sandbox_docker import DockerSandbox
from agentci.adapters.sandboxes import open_sandbox
from agentci.core.effects import CommandRequest, CommandResult, Sandbox
from agentci.core.errors import EnvironmentProblem, SafetyRefusal
from tests.support.sandbox_tools import IMAGE, require_bwrap, require_docker

ENV = {"PATH": "/usr/bin:/bin", "HOME": "/home/somebody/secret-home", "LC_ALL": "C.UTF-8"}
SETTINGS = {"image": IMAGE, "memory": "64m", "pids": "32", "cpus": "1"}


@pytest.fixture(
    params=[
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("bwrap", marks=pytest.mark.bwrap),
    ]
)
def kind(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if name == "docker":
        require_docker()
    else:
        require_bwrap()
    return name


@pytest.fixture
def docker_only() -> None:
    require_docker()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def request(
    root: Path,
    *argv: str,
    timeout: float = 30,
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


def run_all(kind: str, *requests: CommandRequest) -> list[CommandResult]:
    async def work() -> list[CommandResult]:
        sandbox: Sandbox = open_sandbox(kind, SETTINGS)
        try:
            return [await sandbox.run(asked) for asked in requests]
        finally:
            await sandbox.close()

    return asyncio.run(work())


def shell(kind: str, root: Path, script: str, timeout: float = 30) -> CommandResult:
    return run_all(kind, request(root, "sh", "-c", script, timeout=timeout))[0]


def containers(root: Path) -> list[str]:
    listed = subprocess.run(
        ("docker", "ps", "-aq", "--filter", f"volume={root.resolve()}"),
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.split()


def test_output_exit_code_and_input(kind: str, root: Path) -> None:
    results = run_all(
        kind,
        request(root, "sh", "-c", "echo out; echo err >&2; exit 3"),
        request(root, "cat", stdin=b"\x00\xff\r\n" * 50_000),
        request(root, "cat"),
        request(root, "true", stdin=b"x" * 300_000),
        request(root, "sh", "-c", "kill -TERM $$"),
    )
    assert results[0] == CommandResult(3, b"out\n", b"err\n")
    assert results[1] == CommandResult(0, b"\x00\xff\r\n" * 50_000, b"")
    assert results[2] == CommandResult(0, b"", b"")
    assert results[3] == CommandResult(0, b"", b"")
    assert results[4].exit_code == 143


def test_programs_that_cannot_start(kind: str, root: Path) -> None:
    (root / "data").write_text("x")
    missing, builtin, data = run_all(
        kind,
        request(root, "no-such-program"),
        request(root, "export"),
        request(root, "./data"),
    )
    said = b"agentci: no-such-program: command not found\n"
    assert missing == CommandResult(127, b"", said)
    assert builtin.exit_code == 127
    assert data == CommandResult(126, b"", b"agentci: ./data: permission denied\n")


def test_of_huge_output_the_middle_is_left_out(kind: str, root: Path) -> None:
    script = "head -c 300000 /dev/zero | tr '\\0' a; head -c 300000 /dev/zero | tr '\\0' z"
    [result] = run_all(kind, request(root, "sh", "-c", script, output_limit=100))
    assert result.stdout == b"a" * 50 + b"\n[agentci: 599900 bytes left out]\n" + b"z" * 50


def test_nobody_in_particular_without_privileges(kind: str, root: Path) -> None:
    status = shell(kind, root, "cat /proc/self/status; id -u; hostname").stdout.decode()
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert facts["CapEff"] == facts["CapBnd"] == facts["CapPrm"] == "0" * 16
    assert facts["NoNewPrivs"] == "1"
    assert facts["Uid"].split()[0] != "0"
    assert status.splitlines()[-1] == "agentci"


@pytest.mark.docker
@pytest.mark.usefixtures("docker_only")
def test_docker_filters_system_calls(root: Path) -> None:
    assert b"Seccomp:\t2" in shell("docker", root, "cat /proc/self/status").stdout


def test_the_workspace_is_the_only_place_to_write_to(kind: str, root: Path) -> None:
    script = "for p in /x /bin/x /etc/x made /tmp/x $HOME/x; do touch $p && echo $p; done; pwd"
    result = shell(kind, root, f"{script}; echo 1 > made")
    assert result.stdout == b"made\n/tmp/x\n/home/agent/x\n/workspace\n", result
    assert (root / "made").read_text() == "1\n"


def test_files_that_agentci_writes_between_commands_can_be_changed(kind: str, root: Path) -> None:
    async def work() -> list[CommandResult]:
        sandbox = open_sandbox(kind, SETTINGS)
        try:
            first = await sandbox.run(request(root, "sh", "-c", "mkdir new; echo 1 > new/a"))
            (root / "new" / "b").write_text("2\n")
            (root / "new" / "a").write_text("3\n")
            second = await sandbox.run(request(root, "sh", "-c", "echo 4 >> new/b; cat new/*"))
            return [first, second]
        finally:
            await sandbox.close()

    first, second = asyncio.run(work())
    assert (first.exit_code, second.exit_code) == (0, 0), (first, second)
    assert second.stdout == b"3\n2\n4\n"


def test_there_is_no_network(kind: str, root: Path) -> None:
    result = shell(kind, root, "grep -c : /proc/net/dev; tail -n +3 /proc/net/dev")
    assert result.stdout.startswith(b"1\n")
    assert b"lo:" in result.stdout


def test_files_of_the_machine_are_out_of_sight(kind: str, root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    script = f"cat {tmp_path}/secret /etc/shadow; ls /root /home/agent {tmp_path} | wc -l"
    result = shell(kind, root, f"({script}) 2>/dev/null")
    assert result.stdout.strip() == b"0" or result.stdout.strip() == b"1"
    assert b"x" not in result.stdout


def test_the_environment_speaks_of_the_inside(kind: str, root: Path) -> None:
    env = {**ENV, "PYTHONPATH": f"{root}/src:{root}"}
    [result] = run_all(kind, request(root, "sh", "-c", "echo $PYTHONPATH $HOME", env=env))
    assert result.stdout == b"/workspace/src:/workspace /home/agent\n"


def test_nothing_of_the_callers_environment_comes_in(
    kind: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTCI_TEST_SECRET", "hush")
    result = shell(kind, root, "env; cat /proc/*/environ 2>/dev/null")
    assert b"hush" not in result.stdout


def test_folders_below_the_workspace_and_outside(kind: str, root: Path) -> None:
    (root / "below").mkdir()
    (root / "link").symlink_to("/")
    inside, outside, link = run_all(
        kind,
        request(root, "pwd", folder="below"),
        request(root, "pwd", folder="../.."),
        request(root, "pwd", folder="link"),
    )
    assert inside.stdout == b"/workspace/below\n"
    assert (outside.exit_code, link.exit_code) == (126, 126)


def test_file_modes_do_not_depend_on_the_callers_umask(kind: str, root: Path) -> None:
    before = os.umask(0o077)
    try:
        shell(kind, root, "touch made")
    finally:
        os.umask(before)
    assert (root / "made").stat().st_mode & 0o777 == 0o644


def test_an_endless_loop_is_killed_and_the_next_command_works(kind: str, root: Path) -> None:
    started = time.monotonic()
    late, after = run_all(
        kind,
        request(root, "sh", "-c", "echo first; trap '' TERM; while :; do :; done", timeout=1),
        request(root, "echo", "after"),
    )
    assert late == CommandResult(137, b"first\n", b"", timed_out=True)
    assert after == CommandResult(0, b"after\n", b"")
    assert time.monotonic() - started < 15


def test_nothing_a_command_started_outlives_it(kind: str, root: Path) -> None:
    script = "sleep 98765 & setsid sleep 98765 & (setsid sleep 98765 >/dev/null 2>&1 &); echo done"
    started = time.monotonic()
    first, second = run_all(
        kind, request(root, "sh", "-c", script), request(root, "sh", "-c", "cat /proc/*/cmdline")
    )
    assert first == CommandResult(0, b"done\n", b"")
    assert b"98765" not in second.stdout
    assert time.monotonic() - started < 15


def test_a_fork_storm_ends_with_the_timeout(kind: str, root: Path) -> None:
    script = "f() { [ $1 -gt 0 ] && { f $(($1-1)) & f $(($1-1)) & }; sleep 60; }; f 7"
    late, after = run_all(
        kind,
        request(root, "sh", "-c", script, timeout=2),
        request(root, "sh", "-c", "ls -d /proc/[0-9]* | wc -l"),
    )
    assert late.timed_out or late.exit_code != 0
    assert int(after.stdout) < 10


@pytest.mark.docker
@pytest.mark.usefixtures("docker_only")
def test_docker_limits_processes_and_memory(root: Path) -> None:
    forks, memory, after = run_all(
        "docker",
        request(root, "sh", "-c", "for i in $(seq 100); do sleep 5 & done; echo made", timeout=5),
        request(root, "sh", "-c", "dd if=/dev/zero of=/dev/null bs=200M count=1"),
        request(root, "echo", "after"),
    )
    assert b"made" not in forks.stdout
    assert memory.exit_code != 0
    assert after.stdout == b"after\n"


@pytest.mark.bwrap
def test_bwrap_limits_memory(root: Path) -> None:
    require_bwrap()
    result = shell("bwrap", root, "dd if=/dev/zero of=/dev/null bs=200M count=1")
    assert result.exit_code != 0


@pytest.mark.bwrap
def test_bwrap_shows_the_virtual_environment_on_the_path(root: Path) -> None:
    require_bwrap()
    env = {**ENV, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    [result] = run_all(
        "bwrap", request(root, "python", "-c", "import pytest; print(pytest.__name__)", env=env)
    )
    if (Path(sys.prefix) / "pyvenv.cfg").exists():
        assert result == CommandResult(0, b"pytest\n", b"")


def test_cancellation_kills_the_command(kind: str, root: Path) -> None:
    async def work() -> CommandResult:
        sandbox = open_sandbox(kind, SETTINGS)
        try:
            script = "echo up > up; sleep 3; echo late > late"
            task = asyncio.create_task(sandbox.run(request(root, "sh", "-c", script)))
            await asyncio.to_thread(_wait_for, root / "up")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await sandbox.run(request(root, "sh", "-c", "cat /proc/*/cmdline"))
        finally:
            await sandbox.close()

    assert b"late" not in asyncio.run(work()).stdout
    assert not (root / "late").exists()


def _wait_for(path: Path) -> None:
    for _ in range(1000):
        if path.exists():
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} was not written")


@pytest.mark.docker
@pytest.mark.usefixtures("docker_only")
def test_workspaces_have_containers_of_their_own_that_run_side_by_side(tmp_path: Path) -> None:
    roots = [tmp_path / name for name in ("a", "b", "c")]
    for root in roots:
        root.mkdir()

    async def work() -> list[CommandResult]:
        sandbox = open_sandbox("docker", SETTINGS)
        try:
            script = "ls; sleep 1; touch mine"
            requests = [request(root, "sh", "-c", script) for root in roots for _ in range(2)]
            return list(await asyncio.gather(*(sandbox.run(asked) for asked in requests)))
        finally:
            await sandbox.close()

    outputs = [result.stdout for result in asyncio.run(work())]
    assert sorted(outputs) == [b"", b"", b"", b"mine\n", b"mine\n", b"mine\n"]
    assert [containers(root) for root in roots] == [[], [], []]


@pytest.mark.docker
@pytest.mark.usefixtures("docker_only")
def test_a_workspace_that_was_made_anew_gets_a_new_container(root: Path) -> None:
    async def work() -> CommandResult:
        sandbox = open_sandbox("docker", SETTINGS)
        try:
            await sandbox.run(request(root, "touch", "old"))
            await asyncio.to_thread(_make_anew, root)
            return await sandbox.run(request(root, "ls"))
        finally:
            await sandbox.close()

    assert asyncio.run(work()).stdout == b"new\n"


def _make_anew(root: Path) -> None:
    root.rename(root.with_name("old"))
    root.mkdir()
    (root / "new").touch()


@pytest.mark.docker
@pytest.mark.usefixtures("docker_only")
def test_a_container_that_somebody_removed_is_replaced(root: Path) -> None:
    async def work() -> CommandResult:
        sandbox = open_sandbox("docker", SETTINGS)
        try:
            await sandbox.run(request(root, "true"))
            [name] = await asyncio.to_thread(containers, root)
            await asyncio.to_thread(subprocess.run, ("docker", "rm", "-f", name), check=True)
            return await sandbox.run(request(root, "echo", "again"))
        finally:
            await sandbox.close()

    assert asyncio.run(work()).stdout == b"again\n"


@pytest.mark.docker
@pytest.mark.usefixtures("docker_only")
def test_the_container_ends_with_an_agentci_that_was_killed(root: Path) -> None:
    code = f"""
import asyncio, os, signal
from pathlib import Path
from agentci.adapters.sandboxes import open_sandbox
from agentci.core.effects import CommandRequest

async def work():
    sandbox = open_sandbox("docker", {SETTINGS!r})
    await sandbox.run(CommandRequest(argv=("touch", "up"), root=Path({str(root)!r}), timeout=20))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(work())
"""
    subprocess.run((sys.executable, "-c", code), check=False, env=os.environ, cwd=Path.cwd())
    assert (root / "up").exists()
    for _ in range(200):
        if not containers(root):
            return
        time.sleep(0.1)
    raise AssertionError("the container still runs")


@pytest.mark.docker
@pytest.mark.usefixtures("docker_only")
def test_a_missing_image_is_named_with_the_command_that_gets_it(root: Path) -> None:
    async def work() -> None:
        sandbox = open_sandbox("docker", {"image": "agentci-test/not-here:1"})
        try:
            await sandbox.run(request(root, "true"))
        finally:
            await sandbox.close()

    with pytest.raises(EnvironmentProblem) as caught:
        asyncio.run(work())
    assert caught.value.hint is not None
    assert "docker pull agentci-test/not-here:1" in caught.value.hint


def test_without_an_engine_docker_refuses(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{root}/nothing.sock")

    async def work() -> None:
        sandbox = open_sandbox("docker")
        assert isinstance(sandbox, DockerSandbox)
        try:
            await sandbox.run(request(root, "true"))
        finally:
            await sandbox.close()

    with pytest.raises(SafetyRefusal):
        asyncio.run(work())


def test_without_bubblewrap_bwrap_refuses(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(SafetyRefusal) as caught:
        run_all("bwrap", request(root, "true"))
    assert "not installed" in caught.value.message
