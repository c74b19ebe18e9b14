"""Size and shape of the code: limits that keep a module readable in one sitting."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import ROOT

MODULES = sorted((ROOT / "agentci").rglob("*.py"))
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body: the parameters of a command are a table, not code."""
    return (function.end_lineno or 0) - function.body[0].lineno + 1


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_explains_itself_and_stays_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_MODULE
    tree = ast.parse(text)
    docstring = ast.get_docstring(tree)
    assert docstring, "a module says what lives there"
    too_long = [f.name for f in _functions(tree) if _length(f) > LONGEST_FUNCTION]
    assert not too_long


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES}), ids=_name)
def test_a_package_says_what_lives_there_and_what_may_not(folder: Path) -> None:
    init = folder / "__init__.py"
    assert init.is_file(), "every package has an `__init__.py`"
    tree = ast.parse(init.read_text(encoding="utf-8"))
    paragraph = ast.get_docstring(tree) or ""
    assert len(paragraph.split()) >= 10
    own = ".".join(folder.relative_to(ROOT).parts)
    others = [name for name in _imports(tree) if not name.startswith(f"{own}.")]
    assert not others, "a package's `__init__` imports nothing else, so that starts stay fast"


def test_test_folders_are_not_packages() -> None:
    assert not sorted((ROOT / "tests").rglob("__init__.py"))


def test_every_test_folder_mirrors_a_package() -> None:
    unit = ROOT / "tests" / "unit"
    folders = [path for path in unit.rglob("*") if path.is_dir() and path.name != "__pycache__"]
    known = {"support"}  # tests of tests/support
    names = [f.relative_to(unit) for f in folders if f.relative_to(unit).parts[0] not in known]
    assert not [name for name in names if not (ROOT / "agentci" / name).is_dir()]
