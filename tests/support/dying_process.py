"""Runs the command line and kills its own process, as `kill -9` would, at a chosen write.

    python -m tests.support.dying_process WRITE MOMENT COUNT_FILE ARGUMENT...

Writes are those to the journal and to cassettes, counted from 1; `WRITE` 0 never kills. `MOMENT` is
`before`, `torn` (half of it is written) or `after`. `COUNT_FILE` gets the number of writes so far.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from agentci.__main__ import main
from agentci.adapters import files


def _die_at(number: int, moment: str, count_file: Path) -> None:
    kind: Any = files.LocalAppendFile
    original = kind.append
    count = 0

    def append(self: Any, data: bytes, *, sync: bool = False) -> None:
        nonlocal count
        count += 1
        count_file.write_text(str(count))
        if count == number and moment != "after":
            if moment == "torn":
                original(self, data[: len(data) // 2], sync=True)
            os.kill(os.getpid(), signal.SIGKILL)
        original(self, data, sync=sync)
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    kind.append = append


if __name__ == "__main__":
    _die_at(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
    sys.exit(main(sys.argv[4:]))
