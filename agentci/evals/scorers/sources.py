"""Digests of the Python code of an installed package. Reads it without running it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.core.digest import Digest, digest_bytes

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def source_digests(module: str) -> Mapping[str, Digest]:
    """Return the digests of the Python files that the imported `module` comes with, by path.

    These are all files of its top-level package, since it may import any of them, or its own file
    where it belongs to no package.
    """
    top = sys.modules[module.partition(".")[0]]
    if hasattr(top, "__path__"):
        found = {path: file.read_bytes() for path, file in _python_files(files(top), "")}
    else:
        own = getattr(top, "__file__", None)  # a module in C that is a part of Python has none
        found = {} if own is None else {Path(own).name: Path(own).read_bytes()}
    return {path: digest_bytes(found[path]) for path in sorted(found)}


def _python_files(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _python_files(item, f"{prefix}{item.name}/")
        elif item.name.endswith(".py"):
            yield f"{prefix}{item.name}", item
