"""`docs/in-process.md` shows what happens."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from agentci.spec.script import read_script
from tests.support.command_line import ROOT
from tests.support.documented_commands import read_page, run_page, wrong
from tests.support.model_server import ModelServer

SCRIPT = """\
format: agentci/script
version: 1
rules:
  - reply: {text: Blue light is scattered most.}
"""


def test_the_commands_of_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    text = (ROOT / "docs" / "in-process.md").read_text()
    with ModelServer(read_script(SCRIPT.encode(), "script.yaml")) as server:
        env = {
            **server.environment,
            "HOME": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_PLUGINS": "agentci.pytest_plugin.plugin",
            "OPENAI_API_KEY": "none",
        }
        outcomes = run_page(read_page(text), folder, env)
        asked = len(server.requests)
    assert not wrong(outcomes), "\n".join(wrong(outcomes))
    assert asked == 1
