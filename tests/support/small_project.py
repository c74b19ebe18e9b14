"""A git repository with one small pipeline that needs no model: commands, an approval, a commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

PIPELINE = """\
format: agentci/pipeline
version: 1
name: small
inputs:
  word: {type: string, default: hello}
steps:
  - id: write
    run: [sh, -c, 'echo "$1" > b.txt', sh, "${{ inputs.word }}"]
    side_effects: workspace
  - id: ask
    approve: Is it good?
  - id: commit
    commit: {message: Written}
"""


def make_small_project(folder: Path) -> Path:
    """Write and commit the project in `folder`, which must exist, and return it."""
    place = folder / "pipelines" / "small"
    place.mkdir(parents=True)
    (place / "pipeline.yaml").write_text(PIPELINE)
    (folder / ".gitignore").write_text(".agentci/\ncassettes/\nagentci.lock\n")
    author = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    for arguments in (
        ("init", "-q", "-b", "main"),
        ("add", "."),
        (*author, "commit", "-q", "-m", "start", "--date", "2026-01-01T00:00:00Z"),
    ):
        subprocess.run(("git", *arguments), cwd=folder, check=True, capture_output=True)
    return folder
