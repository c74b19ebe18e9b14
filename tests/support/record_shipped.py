"""Records the shipped cassettes again: `python -m tests.support.record_shipped [NAME...]`.

The answers come over real HTTP from the scripted model server and `pipelines/<name>/script.yaml`.
Needed only when prompts, tools or a wire format changed; review the diff before you commit it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from agentci.spec.script import read_script
from tests.support.model_server import ModelServer

PROJECT = Path(__file__).parent.parent.parent
NOTE = "Recorded over HTTP from the project's own scripted model server, not from a real model."
SHIPPED = ("bugfix", "fleet", "triage")


def main(names: list[str]) -> int:
    """Record and accept the pipelines `names`, or all that ship."""
    for name in names or SHIPPED:
        script = PROJECT / "pipelines" / name / "script.yaml"
        with ModelServer(read_script(script.read_bytes(), script.name), port=8765) as server:
            compatible = {"OLLAMA_BASE_URL": f"{server.origin}/v1"}
            environment = {**os.environ, **server.environment, **compatible}
            record = ["run", f"pipelines/{name}", "--mode", "record", "--all", "--note", NOTE]
            _agentci([*record, "--sandbox", "bwrap"], environment)
            _agentci(["accept"], environment)
            if (script.parent / "suite.yaml").exists():
                shutil.rmtree(PROJECT / "cassettes" / f"pipelines.{name}", ignore_errors=True)
                suite = ["eval", f"pipelines/{name}", "--mode", "record", "--note", NOTE]
                _agentci(suite, environment)
    return 0


def _agentci(arguments: list[str], environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "agentci", *arguments]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
