from __future__ import annotations

import json
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given

from agentci.deploy.writers.hcl import (
    Attribute,
    Block,
    Call,
    HclValue,
    Operation,
    Reference,
    Template,
    hcl_text,
    quoted,
)
from tests.support.hostile_texts import HOSTILE, texts
from tests.support.sandbox_tools import missing

VERSION = Attribute("required_version", ">= 1.0")
_TOKEN = re.compile(r"\\u([0-9a-f]{4})|\\U([0-9a-f]{8})|\\([nrt\"\\])|(\$\$\{|%%\{)|(.)", re.DOTALL)
_SINGLE = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _read(literal: str) -> str:
    """Read a quoted literal as the HCL specification says; a template in it is a failure."""
    assert literal[0] == literal[-1] == '"'
    out = []
    for short, long, single, doubled, plain in _TOKEN.findall(literal[1:-1]):
        if short or long:
            out.append(chr(int(short or long, 16)))
        elif single:
            out.append(_SINGLE[single])
        elif doubled:
            out.append(doubled[1:])
        else:
            assert plain != '"', "the literal ends inside"
            assert plain.isprintable(), "a line ends inside"
            out.append(plain)
    without = re.sub(r"\$\$\{|%%\{", "", literal)
    assert not re.search(r"\$\{|%\{", without), "a template begins"
    return "".join(out)


@pytest.mark.parametrize("text", [_normal(each) for each in HOSTILE])
def test_a_hostile_text_comes_back(text: str) -> None:
    assert _read(quoted(text)) == text


@given(texts())
def test_any_text_comes_back(text: str) -> None:
    assert _read(quoted(_normal(text))) == _normal(text)


def test_a_text_that_terraform_would_change_is_refused() -> None:
    with pytest.raises(ValueError, match="normal form"):
        quoted("e\u0301")


@pytest.mark.parametrize("path", ["", "a b", "a.${b}", "a[b]", "1a", 'a["x y"]', "a."])
def test_what_is_no_reference_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="not a reference"):
        Reference(path)


def test_names_and_operators_cannot_be_used_to_get_out() -> None:
    with pytest.raises(ValueError, match="not a name"):
        hcl_text([Attribute("a = 1\nb", 1)])
    with pytest.raises(ValueError, match="not a name"):
        hcl_text([Block('x" {}')])
    with pytest.raises(ValueError, match="not a name"):
        Call("f(x) + g", ())
    with pytest.raises(ValueError, match="not an operator"):
        Operation("; ", (1, 2))
    with pytest.raises(ValueError, match="number"):
        hcl_text([Attribute("a", float("inf"))])


def test_attributes_are_aligned_in_groups() -> None:
    block = Block(
        "a", ("x",), (Attribute("one", 1), Attribute("three", {"k": 1}), Attribute("b", 2))
    )
    assert hcl_text([block], notice=["Made."]).decode() == (
        '# Made.\n\na "x" {\n  one = 1\n  three = {\n    k = 1\n  }\n  b = 2\n}\n'
    )


def test_a_reference_after_a_dollar_is_still_one() -> None:
    text = hcl_text(
        [Attribute("a", Template(("cost $", Reference("var.x"), "%", Reference("b.c"))))]
    )
    assert text == b'a = "cost \\u0024${var.x}\\u0025${b.c}"\n'


def _terraform(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "CHECKPOINT_DISABLE": "1"}
    return subprocess.run(
        ["terraform", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_terraform_reads_every_text_back_and_finds_nothing_to_format(tmp_path: Path) -> None:
    if shutil.which("terraform") is None:
        missing("`terraform` is not installed")
    wanted = [_normal(each) for each in HOSTILE]
    nested: HclValue = {
        "a": 1, "long_name": "x", "inner": {"list": [1, 2.5, None, True], "b": {}}, "zz": [],
        "for": 1, "k ${": wanted, "é": [{"x": 1, "yyy": [{}]}],
    }  # fmt: skip
    blocks = [
        Block("terraform", (), (VERSION, Block("backend", ("local",)))),
        Block(
            "locals",
            (),
            (
                Attribute("texts", wanted),
                Attribute("by_text", {text: index for index, text in enumerate(wanted)}),
                Attribute("nested", nested),
                Attribute("encoded", Call("jsonencode", (nested,))),
                Attribute("price", "5"),
                Attribute("joined", Template(("$", Reference("local.price"), "$%{", "${"))),
                Attribute("both", Operation("&&", (True, Operation("==", (1, 1))))),
            ),
        ),
        *(
            Block("output", (name,), (Attribute("value", Reference(f"local.{name}")),))
            for name in ("texts", "by_text", "nested", "encoded", "joined", "both")
        ),
    ]  # fmt: skip
    (tmp_path / "main.tf").write_bytes(hcl_text(blocks, notice=["A test."]))
    formatted = _terraform(tmp_path, "fmt", "-check", "-diff")
    assert formatted.returncode == 0, formatted.stdout
    for arguments in (("init", "-input=false"), ("apply", "-auto-approve", "-input=false")):
        done = _terraform(tmp_path, *arguments)
        assert done.returncode == 0, done.stderr
    outputs = json.loads(_terraform(tmp_path, "output", "-json").stdout)
    assert outputs["texts"]["value"] == wanted
    assert outputs["by_text"]["value"] == {text: index for index, text in enumerate(wanted)}
    assert outputs["nested"]["value"] == nested
    assert json.loads(outputs["encoded"]["value"]) == nested
    assert outputs["joined"]["value"] == "$5$%{${"
    assert outputs["both"]["value"] is True
