"""Starts the process that serves schemas to Terraform, and ends it. Starts no Terraform."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from agentci.adapters.terraform_process import python_environment
from agentci.core.errors import EnvironmentProblem, MissingTool
from agentci.core.terraform import ProviderSchema

_ENDING: Final = 5.0
_HINT: Final = "`pip install 'agentci-pipelines[terraform]'` installs what is needed"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Values of `TF_REATTACH_PROVIDERS`."""

    unknown: str
    """Of providers that plan what they cannot know as unknown."""
    placeholder: str
    """Of ones that put something known in where they can."""


@contextmanager
def serving(schemas: Sequence[ProviderSchema], scratch: Path) -> Iterator[Addresses]:
    """Serve until the end of the block, and give where.

    Raises:
        EnvironmentProblem: when a package is missing, or the process does not start.
    """
    if not schemas:
        yield Addresses("{}", "{}")
        return
    for name, package in (("grpc", "grpcio"), ("msgpack", "msgpack"), ("tf", "tf")):
        if find_spec(name) is None:
            message = f"the package `{package}` is not installed, with which schemas are served"
            raise MissingTool(message, code="ACI-E656", hint=_HINT)
    process = _started(schemas, scratch)
    try:
        yield _addresses(process, scratch)
    finally:
        _end(process)


def _started(schemas: Sequence[ProviderSchema], scratch: Path) -> subprocess.Popen[bytes]:
    entries = [
        {"source": each.source, "exact": each.exact, "schema": each.schema} for each in schemas
    ]
    document = scratch / "schemas.json"
    document.write_text(json.dumps(entries), encoding="utf-8")
    module = "agentci.adapters.terraform_stub"
    with (scratch / "stub.log").open("wb") as log:
        return subprocess.Popen(
            (sys.executable, "-P", "-m", module, str(document), str(scratch)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=scratch,
            env={**python_environment(), "LC_ALL": "C.UTF-8", "HOME": str(scratch)},
            start_new_session=True,
        )


def _addresses(process: subprocess.Popen[bytes], scratch: Path) -> Addresses:
    assert process.stdout is not None
    line = process.stdout.readline()  # ends at once when the process does
    if line.endswith(b"\n"):
        found = json.loads(line)
        return Addresses(json.dumps(found["unknown"]), json.dumps(found["placeholder"]))
    process.wait()
    said = (scratch / "stub.log").read_text("utf-8", "replace").strip().splitlines()
    reason = said[-1] if said else f"exit code {process.returncode}"
    message = f"the process that serves schemas did not start: {reason}"
    raise EnvironmentProblem(message, code="ACI-E657", hint=_HINT)


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()  # that is its sign to end
    try:
        process.wait(_ENDING)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    process.stdout.close()
