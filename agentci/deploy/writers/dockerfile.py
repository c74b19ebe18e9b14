"""Dockerfiles and ignore files: typed instructions, programs as lists, never through a shell.

Values of instructions in which the builder replaces `$NAME` may hold plain letters alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

from agentci.deploy.writers.yaml import comment_lines

_PLAIN: Final = re.compile(r"[A-Za-z0-9._:/@+-]+")


@dataclass(frozen=True, slots=True)
class From:
    """The image that it starts from: `scratch`, or one by its digest."""

    image: str


@dataclass(frozen=True, slots=True)
class Workdir:
    """The folder of what follows, and of the program."""

    path: str


@dataclass(frozen=True, slots=True)
class Run:
    """A program that is run while building."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Copy:
    """Files of the context, owned by root and so not writable for the program."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class User:
    """Who runs the program, as numbers."""

    user: str


@dataclass(frozen=True, slots=True)
class Expose:
    """A port, for people and tools."""

    port: int


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """A program whose exit code says whether it works; times in seconds."""

    argv: tuple[str, ...]
    interval: int
    timeout: int
    start_period: int
    retries: int


@dataclass(frozen=True, slots=True)
class Command:
    """The program."""

    argv: tuple[str, ...]


Instruction: TypeAlias = From | Workdir | Run | Copy | User | Expose | Healthcheck | Command


def dockerfile_text(instructions: Sequence[Instruction], *, notice: Sequence[str] = ()) -> bytes:
    """Return a Dockerfile.

    Raises:
        ValueError: for a path, image or user that the builder would read in another way.
    """
    return (comment_lines(notice) + "".join(f"{_line(each)}\n" for each in instructions)).encode()


def ignore_text(kept: Sequence[str], *, notice: Sequence[str] = ()) -> bytes:
    """Return an ignore file that leaves out everything but the paths in `kept`."""
    if "." in kept:
        return (comment_lines(notice) + "**/.git\n**/.env\n**/.env.*\n").encode()
    lines = [f"!{_plain(path)}\n" for path in sorted(dict.fromkeys(kept))]
    return (comment_lines(notice) + "*\n" + "".join(lines)).encode()


def _line(instruction: Instruction) -> str:
    match instruction:
        case From(image):
            line = f"FROM {_plain(image)}"
        case Workdir(path):
            line = f"WORKDIR {_plain(path)}"
        case Run(argv):
            line = f"RUN {_list(argv)}"
        case Copy(source, target):
            line = f"COPY {_list((_plain(source), _plain(target)))}"
        case User(user):
            line = f"USER {_plain(user)}"
        case Expose(port):
            line = f"EXPOSE {port}"
        case Command(argv):
            line = f"CMD {_list(argv)}"
        case Healthcheck(argv, interval, timeout, start_period, retries):
            times = f"--interval={interval}s --timeout={timeout}s --start-period={start_period}s"
            line = f"HEALTHCHECK {times} --retries={retries} CMD {_list(argv)}"
        case _:
            assert_never(instruction)
    return line


def _list(argv: Sequence[str]) -> str:
    """Return a JSON list on one line; ASCII, so that nothing in it ends the line."""
    text = json.dumps(list(argv), ensure_ascii=True)
    return text.replace("<", "\\u003c")  # two of them may begin a heredoc


def _plain(text: str) -> str:
    if not _PLAIN.fullmatch(text):
        message = f"`{text[:80]}` cannot stand in a Dockerfile"
        raise ValueError(message)
    return text
