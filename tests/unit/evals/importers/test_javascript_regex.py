"""Regular expressions of JavaScript match the same in Python."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.evals.importers.findings import NotImportable
from agentci.evals.importers.javascript_regex import python_pattern

TEXTS = (
    "", "a", "ab\n", "a\r\nb", "12", "\u0663", "caf\u00e9", "a_b-c", "\u00a0x", "\ufeff", "x\x1c",
    "a{,3}", "[]", "$1.00", "\u2028", "aaa", "2026-11-23", "a/b", "\x08", "A-Z^",
)  # fmt: skip
PATTERNS = (
    r"^\d+$", r"\w+\W", r"\s", r"^\S*$", r"[\d\s]", r"[^\w]", r"[^\S\n]", r"[\s\S]b", "a.b", "^.$",
    "b$", r"a{,3}", r"a{2}", "a{2,}", "a{1,2}?", "[]", "[^]", "[[]", r"[\]]", r"\$\d", r"\/",
    r"(?<year>\d{4})-(?:\d\d)", "(?=a)", "(?!a)", "(?<=a)b", r"\bcaf\b", r"\Bb", r"\x41|\u00e9",
    r"\cJ", r"[\b]", "[a-z-]", "[A-Z^]", "}", "]", r"\a", "[&&]", "x*?", "(a|b)+", r"\0", r"\t",
)  # fmt: skip


@pytest.fixture(scope="module")
def by_node() -> dict[str, list[bool]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node to compare with")
    program = (
        "const [p, t] = JSON.parse(require('fs').readFileSync(0));"
        "console.log(JSON.stringify(p.map(s => t.map(x => new RegExp(s).test(x)))))"
    )
    request = json.dumps([PATTERNS, TEXTS])
    done = subprocess.run(
        [node, "-e", program], input=request, capture_output=True, text=True, check=True
    )
    return dict(zip(PATTERNS, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_same_texts_match_as_in_node(pattern: str, by_node: dict[str, list[bool]]) -> None:
    found = re.compile(python_pattern(pattern))
    assert [bool(found.search(text)) for text in TEXTS] == by_node[pattern]


@pytest.mark.parametrize(
    "pattern",
    [r"(a)\1", r"(?<n>a)\k<n>", "(?i)a", "a++", "a**", "(?>a)", "[a", "a\\", r"[a-\d]", r"[\d-z]",
     r"\ud800", "(?<=a+)b", r"\p{L}", r"[\1]", "("],
)  # fmt: skip
def test_what_python_would_read_otherwise_is_refused(pattern: str) -> None:
    with pytest.raises(NotImportable):
        python_pattern(pattern)


@given(st.text(alphabet=r"ab\[](){}*+?.^$|,-012dwsSkxu&:=!<>", max_size=20))
def test_any_text_is_translated_or_refused(source: str) -> None:
    try:
        pattern = python_pattern(source)
    except NotImportable:
        return
    re.compile(pattern)
