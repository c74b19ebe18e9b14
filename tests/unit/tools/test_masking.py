"""Masking replaces what is volatile, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agentci.core.errors import UsageError
from agentci.tools.masking import Masker

ROOT = Path("/srv/ci/job 7/wörk")
HOME = Path("/home/eve")
MASKER = Masker(ROOT, HOME)


def mask(text: str) -> str:
    return MASKER.mask(text.encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'File "{ROOT}/calc.py"', 'File "/workspace/calc.py"'),
        (f"{ROOT}/", "/workspace/"),
        (f"cd {ROOT}.", "cd /workspace."),
        (f"PATH=/bin:{ROOT}:{HOME}/bin", "PATH=/bin:/workspace:/home/agent/bin"),
        (f"gcc -I{ROOT}/include", "gcc -I/workspace/include"),
        (f"file://{ROOT}/a", "file:///workspace/a"),
        (f"file://{quote(str(ROOT))}/a", "file:///workspace/a"),
        (f"?path={quote(str(ROOT), safe='')}%2Fa", "?path=%2Fworkspace%2Fa"),
        (json.dumps({"cwd": f"{ROOT}/x"}), '{"cwd": "/workspace/x"}'),
        (json.dumps({"c": f"{ROOT}"}, ensure_ascii=False), '{"c": "/workspace"}'),
        (f"{ROOT}2/a", f"{ROOT}2/a"),
        (f"{ROOT}.bak", f"{ROOT}.bak"),
        (f"{ROOT}-old", f"{ROOT}-old"),
        (f"/mnt{ROOT}/a", f"/mnt{ROOT}/a"),
        ("~ is /home/eve", "~ is /home/agent"),
        ("/home/everyone", "/home/everyone"),
    ],
)
def test_folders_are_shown_by_their_fixed_names(text: str, expected: str) -> None:
    assert mask(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 passed in 0.02s", "3 passed in <duration>"),
        ("3 passed in 65.20s (0:01:05)", "3 passed in <duration> (<duration>)"),
        ("Ran 5 tests in 0.001s", "Ran 5 tests in <duration>"),
        ("ok  \tpkg\t0.003s", "ok  \tpkg\t<duration>"),
        ("--- PASS: TestX (0.00s)", "--- PASS: TestX (<duration>)"),
        ("BUILD SUCCESSFUL in 3s", "BUILD SUCCESSFUL in <duration>"),
        ("  ✓ adds (4ms)", "  ✓ adds (<duration>)"),
        ("took 12 ms", "took <duration>"),
        ("# duration_ms 12.345", "# duration_ms <duration>"),
        ("1.5 µs per loop", "<duration> per loop"),
        ("<A object at 0x7f3a2b1c4d50>", "<A object at 0x<address>>"),
        ("at 0xdeadbeef", "at 0x<address>"),
        ("ptr 0x7ffd3a2b1c4d", "ptr 0x<address>"),
        ("goroutine 0xc000012345", "goroutine 0x<address>"),
        ("/tmp/tmpab12cd_8/x", "/tmp/<temp>/x"),
        ("/tmp/tmp.Ab12Cd34Ef", "/tmp/<temp>"),
        ("/tmp/pytest-of-eve/pytest-12/test_a0", "/tmp/<temp>/test_a0"),
        ("pid 4242", "pid <pid>"),
        ("pid=4242,", "pid=<pid>,"),
        ("==4242== Invalid read", "==<pid>== Invalid read"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
    ],
)
def test_volatile_text_is_masked(text: str, expected: str) -> None:
    assert mask(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "assert parse('30s') == 30",
        "sleep 30s",
        "version 1.2.3",
        "0.5",
        "10 items",
        "in 3 steps",
        "0xDEADBEEF",
        "0xff",
        "id 4242",
        "rapid 12",
        "/tmp/tmpfile",
        "/tmp/out",
        "a\rb",
        "1.5store",
        "(0:01:05)",
        "v0.2s1",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert mask(text) == text


def test_links_to_the_work_directory_are_masked_both_ways(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    masker = Masker(tmp_path / "link", Path("/"))
    text = f"{tmp_path}/link/a {tmp_path}/real/a"
    assert masker.mask(text.encode()) == "/workspace/a /workspace/a"


def test_a_home_inside_the_workspace_and_around_it(tmp_path: Path) -> None:
    inside = Masker(Path("/a/b"), Path("/a/b/home"))
    assert inside.mask(b"/a/b/x /a/b/home/y") == "/workspace/x /home/agent/y"
    around = Masker(Path("/a/b"), Path("/a"))
    assert around.mask(b"/a/b/x /a/y") == "/workspace/x /home/agent/y"


def test_a_workspace_that_already_has_the_shown_name_stays() -> None:
    masker = Masker(Path("/workspace"), Path("/home/agent"))
    assert masker.mask(b"/workspace/a /home/agent/b") == "/workspace/a /home/agent/b"
    assert masker.counts == {}


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    assert MASKER.mask(b"caf\xe9") == "caf\ufffd"


def test_what_was_masked_is_counted_by_kind() -> None:
    masker = Masker(ROOT, HOME)
    masker.mask(f"{ROOT} {ROOT} in 0.1s".encode())
    assert masker.counts == {"duration": 1, "path": 2}
    assert masker.mask_counted(b"in 0.1s").counts == {"duration": 1}
    assert masker.counts == {"duration": 2, "path": 2}


def test_declared_patterns_become_masked() -> None:
    masker = Masker(ROOT, HOME, [r"build-\w+", r"m", r"x*"])
    text = masker.mask(b"build-1a2b ends\nmore")
    assert text == "<masked> ends\n<masked>ore"
    assert masker.mask(text.encode()) == text


def test_a_pattern_that_is_none_is_an_error_of_the_user() -> None:
    with pytest.raises(UsageError, match="not a regular expression"):
        Masker(ROOT, HOME, ["("])


PIECES = st.sampled_from(
    [
        str(ROOT),
        quote(str(ROOT)),
        quote(str(ROOT), safe=""),
        json.dumps(str(ROOT))[1:-1],
        "/workspace",
        "/home/agent",
        str(HOME),
        "0.12s",
        "in 3s",
        "12ms",
        "(4ms)",
        "at 0x7f0011223344",
        "pid 12",
        "==12== ",
        "/tmp/tmpabcdefgh",
        "/tmp/",
        "\x1b",
        "[31m",
        "\x1b[0m",
        "\r",
        "\n",
        "<duration> (0:01:05)",
        "<",
        ">",
        " ",
        ".",
        "/",
        "-I",
        "a",
        "1",
        "0.1",
        "s",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join)


@settings(max_examples=300)
@given(TEXTS)
def test_masking_twice_is_masking_once(text: str) -> None:
    assume(text.isascii() or text.encode("utf-8", "replace"))
    once = MASKER.mask(text.encode("utf-8", "replace"))
    assert MASKER.mask(once.encode("utf-8")) == once


@given(TEXTS)
def test_the_work_directory_never_stays_where_it_stands_alone(text: str) -> None:
    masked = MASKER.mask(f"{text.encode('utf-8', 'replace').decode()}\n{ROOT}/a\n".encode())
    assert masked.endswith("\n/workspace/a\n")


@given(st.text(alphabet="abcxyz ,;()[]{}'\"=+*\n\t<>é漢", max_size=200))
def test_text_without_the_patterns_is_never_touched(text: str) -> None:
    masker = Masker(ROOT, HOME)
    assert masker.mask(text.encode()) == text
    assert masker.counts == {}


@given(
    st.lists(st.text(alphabet="abcß °%+'-_", min_size=1, max_size=6), min_size=2, max_size=5)
    .map(lambda parts: "/" + "/".join(f"q{part}" for part in parts))
    .filter(lambda path: path == path.strip())
)
def test_any_work_directory_is_masked_in_every_spelling(path: str) -> None:
    masker = Masker(Path(path), Path("/nowhere/home"))
    spellings = [path, f"{path}/", quote(path), json.dumps(path)[1:-1]]
    for spelling in spellings:
        assert masker.mask(f"[{spelling}]".encode()).rstrip("/]") == "[/workspace"
    assert masker.mask(f"[{quote(path, safe='')}]".encode()) == "[%2Fworkspace]"
