"""Entry point: the version at once, everything else behind the one boundary for errors.

Only this module turns errors into text and exit codes. It must not import anything heavy at its
top: `agentci --version` is decided before the command line parser is loaded.
"""

import sys

from agentci import __version__


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
    import os

    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return 141


if __name__ == "__main__":
    sys.exit(main())
