"""The reader of documented commands notices what is not as a page says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.documented_commands import (
    Excerpt,
    Outcome,
    ShownCommand,
    ShownFile,
    read_excerpts,
    read_page,
    run_page,
    wrong,
)

PAGE = """\
1. In a list:

   ```console
   $ cat a/b.txt
   one
   $ false
   $ echo $?
   1
   ```

```yaml
# a/c.yaml
x: 1
```

```yaml
# cassettes/a/b.yaml
first
# ...
last
```

```text
$ not a command
```
"""


def test_a_page_is_commands_and_files_in_order() -> None:
    assert read_page(PAGE) == (
        ShownCommand("cat a/b.txt", ("one",)),
        ShownCommand("false", ()),
        ShownCommand("echo $?", ("1",)),
        ShownFile("a/c.yaml", "# a/c.yaml\nx: 1\n"),
    )


def test_a_recording_is_an_excerpt_and_never_written() -> None:
    assert read_excerpts(PAGE) == (Excerpt("cassettes/a/b.yaml", ("first\n", "last\n")),)


def test_commands_share_a_shell_and_see_the_files_before_them(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    steps: list[ShownFile | ShownCommand] = [
        ShownFile("a/b.txt", "one\n"),
        ShownCommand("export WORD=two", ()),
        ShownCommand('cat a/b.txt && echo "$WORD" >&2', ("one", "two")),
        ShownCommand("(exit 3)", ()),
        ShownCommand("echo $?", ("3",)),
    ]
    outcomes = run_page(steps, folder, {"PATH": os.environ["PATH"]})
    assert [outcome.code for outcome in outcomes] == [0, 0, 3, 0]
    assert not wrong(outcomes)


@pytest.mark.parametrize(
    ("shown", "right"),
    [
        ((), True),
        (("a", "b", "c"), True),
        (("a", "b"), False),
        (("a", "c"), False),
        (("a", "..."), True),
        (("b", "..."), False),
        (("...", "c"), True),
        (("...", "b"), False),
        (("...", "b", "..."), True),
        (("a", "...", "c"), True),
        (("...", "c", "...", "a", "..."), False),
    ],
)
def test_shown_output_is_compared_but_for_what_is_left_out(
    shown: tuple[str, ...], right: bool
) -> None:
    outcome = Outcome(ShownCommand("x", shown), 0, ("a", "b", "c"))
    assert bool(wrong([outcome])) is not right


def test_ids_of_runs_and_times_may_differ_and_digests_may_not() -> None:
    printed = ("run 20260101-000000-abcdef in 1.5 s", "digest 1234")
    same = ("run   20270202-111111-123456 in 0.0 s", "digest 1234")
    assert not wrong([Outcome(ShownCommand("x", same), 0, printed)])
    assert wrong([Outcome(ShownCommand("x", (same[0], "digest 1235")), 0, printed)])


def test_a_failure_that_the_page_does_not_look_at_is_wrong() -> None:
    failed = Outcome(ShownCommand("x", ()), 4, ())
    looked_at = Outcome(ShownCommand("echo $?", ("4",)), 0, ("4",))
    assert wrong([failed])
    assert not wrong([failed, looked_at])
