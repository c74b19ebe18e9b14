"""Writes a first pipeline into a repository, and everything that CI and git need for it.

Existing files are left alone unless the caller insists; line files get the lines they miss.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

import agentci
from agentci.app import wiring
from agentci.core.errors import EnvironmentProblem, UsageError
from agentci.models.registry import find_provider

if TYPE_CHECKING:
    from agentci.core.effects import Files

_PLAIN: Final = (
    "agentci.yaml",
    "pipelines/bugfix/pipeline.yaml",
    "pipelines/bugfix/prompts/planner.system.md",
    "pipelines/bugfix/prompts/plan.md",
    "pipelines/bugfix/prompts/coder.system.md",
    "pipelines/bugfix/prompts/code.md",
    "pipelines/bugfix/prompts/reviewer.system.md",
    "pipelines/bugfix/prompts/review.md",
    ".github/workflows/agentci.yml",
    ".pre-commit-config.yaml",
)
_LINES: Final = {".gitignore": "gitignore.lines", ".gitattributes": "gitattributes.lines"}

_MODELS: Final = {
    "anthropic": "claude-sonnet-4-5-20250929",
    "gemini": "gemini-2.5-pro",
    "ollama": "qwen2.5-coder:14b",
    "openai": "gpt-4.1-2025-04-14",
    "openai-responses": "gpt-4.1-2025-04-14",
}
"""A model to start with, for each provider where there is an obvious one."""


@dataclass(frozen=True, slots=True)
class TestCommand:
    """How a repository runs its tests."""

    __test__ = False  # pytest would take the name for a test class

    argv: tuple[str, ...]
    exit_codes: tuple[int, ...] = (0, 1)
    """Codes that mean that the tests ran, passed or not."""


_TESTS: Final = (
    ("package.json", TestCommand(("npm", "test"))),
    ("go.mod", TestCommand(("go", "test", "./..."))),
    ("Cargo.toml", TestCommand(("cargo", "test"), (0, 101))),
    ("pyproject.toml", TestCommand(("python", "-m", "pytest", "-q"))),
    ("pytest.ini", TestCommand(("python", "-m", "pytest", "-q"))),
    ("tox.ini", TestCommand(("python", "-m", "pytest", "-q"))),
    ("Makefile", TestCommand(("make", "test"), (0, 2))),
)
"""The first marker file that a repository has decides."""


@dataclass(frozen=True, slots=True)
class InitRequest:
    """What to write where."""

    folder: Path
    """Anywhere in the repository."""
    provider: str = "openai"
    model: str | None = None
    test: tuple[str, ...] = ()
    """Command of the tests; empty: found out from the repository's files."""
    force: bool = False
    """Replace files that exist."""


@dataclass(frozen=True, slots=True)
class InitResult:
    """What happened, paths relative to `root` and in the order of writing."""

    root: str
    written: tuple[str, ...]
    extended: tuple[str, ...]
    """Files that got lines at their end."""
    unchanged: tuple[str, ...]
    """Files that already were as they should be."""
    kept: tuple[str, ...]
    """Files with other content, left alone."""
    notes: tuple[str, ...]


def execute(request: InitRequest) -> InitResult:
    """Write the files of a first pipeline.

    Raises:
        UsageError: for an unknown provider, or one without a default model where none is given.
        StorageError: when a file cannot be written.
    """
    files = wiring.files()
    root = _repository_root(request.folder, files)
    notes = [] if root is not None else ["this is not a git repository yet: `git init` makes one"]
    root = root or request.folder
    values = _values(request, root, files)
    outcome: dict[str, list[str]] = {"written": [], "extended": [], "unchanged": [], "kept": []}
    for name in _PLAIN:
        outcome[_write(root / name, _render(name, values), files, force=request.force)].append(name)
    for name, source in _LINES.items():
        outcome[_extend(root / name, _render(source, values), files)].append(name)
    if ".pre-commit-config.yaml" in outcome["kept"]:
        notes.append(_pre_commit_note(root, values, files))
    shown = {key: tuple(names) for key, names in outcome.items()}
    return InitResult(root=root.as_posix(), **shown, notes=tuple(note for note in notes if note))


def _repository_root(folder: Path, files: Files) -> Path | None:
    above = folder.resolve()
    for candidate, shown in ((above, folder), *((parent, parent) for parent in above.parents)):
        if files.exists(candidate / ".git"):
            return shown
    return None


def _values(request: InitRequest, root: Path, files: Files) -> dict[str, str]:
    provider = find_provider(request.provider).name
    model = request.model or _MODELS.get(provider)
    if model is None:
        message = f"`{provider}` has no default model"
        raise UsageError(message, code="ACI-U301", hint="name one with `--model ID`")
    test = TestCommand(request.test) if request.test else _find_tests(root, files)
    return {
        "provider": provider,
        "model": json.dumps(model),
        "name": "bugfix",
        "test_command": json.dumps(test.argv),
        "test_exit_codes": json.dumps(test.exit_codes),
        "agentci_version": agentci.__version__,
    }


def _find_tests(root: Path, files: Files) -> TestCommand:
    found = (command for marker, command in _TESTS if files.exists(root / marker))
    return next(found, TestCommand(("python", "-m", "unittest")))


def _render(name: str, values: dict[str, str]) -> str:
    # Other marks than Jinja's own, because the files themselves are full of those.
    environment = SandboxedEnvironment(
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",
        variable_end_string="]]",
        comment_start_string="[#",
        comment_end_string="#]",
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # YAML and Markdown, not HTML
    )
    text = wiring.files().read(template_folder() / "init" / name).decode()
    return environment.from_string(text).render(values)


def template_folder() -> Path:
    """Return the folder of the templates: inside an installed package, or beside the sources.

    Raises:
        EnvironmentProblem: when the installation is incomplete.
    """
    package = Path(agentci.__file__).resolve().parent
    for folder in (package / "_data" / "templates", package.parent / "templates"):
        if folder.is_dir():
            return folder
    message = "this installation of agentci has no templates"
    raise EnvironmentProblem(message, code="ACI-E301", hint="install `agentci-pipelines` again")


def _write(path: Path, text: str, files: Files, *, force: bool) -> str:
    data = text.encode()
    if files.exists(path):
        if files.read(path) == data:
            return "unchanged"
        if not force:
            return "kept"
    files.write_atomic(path, data)
    return "written"


def _extend(path: Path, text: str, files: Files) -> str:
    present = files.read(path) if files.exists(path) else b""
    have = {line.strip() for line in present.decode("utf-8", "replace").splitlines()}
    wanted = text.splitlines()
    rules = [line for line in wanted if not line.startswith("#")]
    missing = [line for line in wanted if line not in have]
    if all(rule in have for rule in rules):
        return "unchanged"
    gap = b"\n" if present and not present.endswith(b"\n") else b""
    space = b"\n" if present else b""
    files.write_atomic(path, present + gap + space + "\n".join([*missing, ""]).encode())
    return "extended" if present else "written"


def _pre_commit_note(root: Path, values: dict[str, str], files: Files) -> str:
    if b"agentci" in files.read(root / ".pre-commit-config.yaml"):
        return ""
    entry = _render(".pre-commit-config.yaml", values).partition("\n")[2]
    return f"add this to `repos:` in `.pre-commit-config.yaml`:\n{entry.rstrip()}"
