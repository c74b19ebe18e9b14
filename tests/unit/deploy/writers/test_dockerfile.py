from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.deploy.writers.dockerfile import (
    Command,
    Copy,
    Expose,
    From,
    Healthcheck,
    Instruction,
    Run,
    User,
    Workdir,
    dockerfile_text,
    ignore_text,
)
from tests.support.hostile_texts import texts


def test_each_instruction_is_one_line() -> None:
    text = dockerfile_text(
        [
            From("scratch"),
            Workdir("/app"),
            Run(("a", "b c")),
            Copy("x", "/x"),
            User("1:1"),
            Expose(80),
            Healthcheck(("ok",), 10, 3, 5, 2),
            Command(("run",)),
        ],
        notice=["Made."],
    )
    assert text.decode().splitlines() == [
        "# Made.",
        "FROM scratch",
        "WORKDIR /app",
        'RUN ["a", "b c"]',
        'COPY ["x", "/x"]',
        "USER 1:1",
        "EXPOSE 80",
        'HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=2 CMD ["ok"]',
        'CMD ["run"]',
    ]


@given(st.lists(texts(), min_size=1, max_size=4))
def test_any_argument_comes_back_and_stays_in_its_line(argv: list[str]) -> None:
    (line,) = dockerfile_text([Run(tuple(argv))]).decode().splitlines()
    assert json.loads(line.removeprefix("RUN ")) == argv
    assert "<<" not in line


@pytest.mark.parametrize(
    "instruction",
    [
        From("a\nRUN x"),
        From("a b"),
        Workdir("/$X"),
        Copy("a", "/b c"),
        Copy("$a", "/b"),
        User("a\\"),
    ],
)
def test_what_the_builder_would_read_otherwise_is_refused(instruction: Instruction) -> None:
    with pytest.raises(ValueError, match="cannot stand"):
        dockerfile_text([instruction])


def test_everything_is_ignored_but_what_is_copied() -> None:
    assert ignore_text(["b", "a", "b"]) == b"*\n!a\n!b\n"


def test_a_whole_context_is_still_without_git_and_variables() -> None:
    assert ignore_text(["."]).splitlines() == [b"**/.git", b"**/.env", b"**/.env.*"]
