"""Entry point: the version at once, everything else behind the one boundary for errors.

Only this module turns errors into text and exit codes. It must not import anything heavy at its
top: `agentci --version` is decided before the command line parser is loaded.
"""

import gc
import os
import sys

from agentci import __version__

TYPE_CHECKING = False  # importing typing would cost more than the rest
if TYPE_CHECKING:
    from typing import NoReturn


def entry() -> "NoReturn":
    """Run this process's command line and end the process.

    Two things make a start a fifth cheaper: no garbage collection while modules are loaded (they
    stay anyway), and no taking apart of every module at the end.
    """
    gc.disable()
    code = main()
    _end(code)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line `arguments` (default: this process's) and return the exit code."""
    argv = sys.argv[1:] if arguments is None else arguments
    try:
        if argv in (["--version"], ["-V"]):
            code = _print_version()
        else:
            from agentci.cli import boundary

            code = boundary.run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_went_away()
    return code


def _print_version() -> int:
    sys.stdout.write(f"agentci {__version__}\n")
    return 0


def _reader_went_away() -> int:
    """Point stdout nowhere, so that the interpreter's last flush is silent; 128 + SIGPIPE."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return 141


def _end(code: int) -> "NoReturn":
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        sys.exit(code)
    import atexit

    atexit._run_exitfuncs()  # noqa: SLF001 - what os._exit would leave out and should not
    from contextlib import suppress

    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    entry()
