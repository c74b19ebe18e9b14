"""Actions that rendered jobs use are those that this project uses itself."""

from __future__ import annotations

import re
from pathlib import Path

from agentci.deploy import ci_job

ROOT = Path(__file__).resolve().parents[3]


def test_rendered_jobs_pin_the_same_versions_of_actions_as_the_workflows_here() -> None:
    pins = re.findall(r"[\w-]+/[\w-]+@[0-9a-f]{40}", Path(ci_job.__file__).read_text())
    own = (ROOT / ".github/workflows/ci.yml").read_text() + (ROOT / "action.yml").read_text()
    assert pins
    assert not [pin for pin in pins if pin not in own]
