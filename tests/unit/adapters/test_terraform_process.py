"""Programs are run with a fixed environment, end in time, and leave nothing behind."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from agentci.adapters.terraform_process import TerraformProgram, run_terraform
from agentci.adapters.terraform_runner import LocalTerraform
from agentci.adapters.terraform_server import serving
from agentci.core.errors import EnvironmentProblem
from agentci.core.terraform import ProviderSchema


def program(tmp_path: Path, source: str) -> TerraformProgram:
    """Return a program that is a few lines of Python."""
    path = tmp_path / "terraform"
    path.write_text(f"#!{sys.executable}\n{source}")
    path.chmod(0o755)
    return TerraformProgram((str(path),), str(path), "1.15.5", "linux_amd64", os.environ["PATH"])


def folder(tmp_path: Path) -> Path:
    """Return an empty folder to run in."""
    found = tmp_path / "scratch/module"
    found.mkdir(parents=True)
    return found


def test_nothing_of_the_users_environment_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "TF_LOG", "TF_VAR_image", "TF_CLI_ARGS"):
        monkeypatch.setenv(name, "x")
    tool = program(tmp_path, "import json, os\nprint(json.dumps(dict(os.environ)))\n")
    done = run_terraform(
        tool, ("plan",), folder=folder(tmp_path), env={"TF_CLI_CONFIG_FILE": "y"}, timeout=60
    )
    seen = json.loads(done.stdout)
    assert not {name for name in seen if name.startswith(("AWS_", "TF_VAR", "TF_LOG", "TF_CLI_A"))}
    assert seen["CHECKPOINT_DISABLE"] == "1"
    assert seen["TF_CLI_CONFIG_FILE"] == "y"
    assert seen["HOME"] == seen["TMPDIR"] == str(tmp_path / "scratch")


def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    tool = program(
        tmp_path,
        "import signal, subprocess, time\n"
        "from pathlib import Path\n"
        "stubborn = ['sh', '-c', 'trap \"\" TERM; sleep 60']\n"
        f"Path({str(told)!r}).write_text(str(subprocess.Popen(stubborn).pid))\n"
        "time.sleep(60)\n",
    )
    with pytest.raises(EnvironmentProblem, match="longer than") as error:
        run_terraform(tool, ("plan",), folder=folder(tmp_path), env={}, timeout=2)
    assert error.value.code == "ACI-E653"
    deadline = time.monotonic() + 10
    while _lives(int(told.read_text())) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _lives(int(told.read_text()))


def _lives(pid: int) -> bool:
    """Return whether a process runs; one that nobody has reaped yet does not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_what_is_killed_is_told(tmp_path: Path) -> None:
    tool = program(tmp_path, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    with pytest.raises(EnvironmentProblem, match="SIGKILL") as error:
        run_terraform(tool, ("plan",), folder=folder(tmp_path), env={}, timeout=60)
    assert error.value.code == "ACI-E654"


def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    tool = TerraformProgram((str(tmp_path / "none"),), "none", "1.15.5", "linux_amd64", "")
    with pytest.raises(EnvironmentProblem) as error:
        run_terraform(tool, ("plan",), folder=folder(tmp_path), env={}, timeout=60)
    assert error.value.code == "ACI-E652"


def test_a_terraform_that_prints_nonsense_is_no_passed_check(tmp_path: Path) -> None:
    tool = LocalTerraform(program(tmp_path, "print('all fine')\n"))
    with (
        tool.session([]) as session,
        session.module({"main.tf": b""}) as module,
        pytest.raises(EnvironmentProblem) as error,
    ):
        module.validate()
    assert error.value.code == "ACI-E655"


def test_a_package_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentci.adapters.terraform_server.find_spec", lambda name: None)
    schema = ProviderSchema("a/b", "1.0.0", {"provider": {}, "resources": {}, "data_sources": {}})
    with pytest.raises(EnvironmentProblem, match="`grpcio`") as error, serving([schema], tmp_path):
        pass
    assert error.value.code == "ACI-E656"
    assert "agentci-pipelines[terraform]" in (error.value.hint or "")


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    schema = ProviderSchema("a/b", "1.0.0", {"provider": {}, "resources": {}})
    broken = tmp_path / ("x" * 120)  # no socket can be there
    broken.mkdir()
    with pytest.raises(EnvironmentProblem) as error, serving([schema], broken):
        pass
    assert error.value.code == "ACI-E657"


def test_servers_end_with_the_block(tmp_path: Path) -> None:
    schema = ProviderSchema("a/b", "1.0.0", {"provider": {}, "resources": {}, "data_sources": {}})
    with serving([schema], tmp_path) as addresses:
        told = json.loads(addresses.unknown)["registry.terraform.io/a/b"]
        other = json.loads(addresses.placeholder)["registry.terraform.io/a/b"]
        assert told["ProtocolVersion"] == 6
        assert told["Addr"] != other["Addr"]
        os.kill(told["Pid"], 0)
    with pytest.raises(ProcessLookupError):
        os.kill(told["Pid"], 0)
