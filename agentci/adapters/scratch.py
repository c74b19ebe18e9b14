"""Folders for work that leaves nothing behind. Must not know what the work is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give an empty folder outside of any project, which is removed at the end."""
    with TemporaryDirectory(prefix="agentci-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()
