"""What README and docs show is what happens: every command is run, and its output compared."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import yaml

from agentci.cli.commands import COMMANDS
from agentci.spec.script import read_script
from tests.support.command_line import ROOT, agentci
from tests.support.documented_commands import (
    ShownCommand,
    commands,
    read_excerpts,
    read_page,
    run_page,
    wrong,
)
from tests.support.model_server import ModelServer
from tests.support.projects import QUIET_GIT, Project, shipped

_YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
}
INSTALLS = "python3 -m venv"
"""How the two commands of the README start."""

_OTHERS = ("--write-tree",)
"""Options of other programs that the text speaks of."""

TOTALS = """\
def total(prices):
    \"\"\"Return the sum of the prices, rounded to the nearest cent.\"\"\"
    return int(sum(prices) * 100) / 100
"""
TEST_TOTALS = """\
import unittest

from totals import total


class Total(unittest.TestCase):
    def test_a_sum(self):
        self.assertEqual(total([1.5, 2.25]), 3.75)
"""
TOTALS_SCRIPT = """\
format: agentci/script
version: 1
rules:
  - when: {system_contains: You plan the fix}
    replies:
      - tool_calls:
          - {name: read_file, arguments: {path: totals.py}}
      - json: {summary: Round totals to the nearest cent, files: [totals.py]}
  - when: {system_contains: You write code}
    replies:
      - tool_calls:
          - name: edit_file
            arguments:
              path: totals.py
              search: int(sum(prices) * 100) / 100
              replace: round(sum(prices), 2)
      - text: total() rounds to the nearest cent now.
  - when: {system_contains: You review a change}
    replies:
      - tool_calls:
          - {name: read_file, arguments: {path: totals.py}}
      - json: {approved: true, comments: []}
"""


@dataclass(frozen=True, slots=True)
class World:
    """Where the commands of a page run: what its reader has, and what a model there answers."""

    build: Callable[[Path], Project]
    script: str
    env: Mapping[str, str] = field(default_factory=dict)
    """What the reader's environment has besides."""


def _checkout(folder: Path) -> Project:
    folder.mkdir()
    project = shipped(folder)
    project.write(".gitignore", ".agentci/\n")
    return _committed(project)


def _own_repository(folder: Path) -> Project:
    folder.mkdir()
    project = Project(folder)
    project.write("totals.py", TOTALS)
    project.write("test_totals.py", TEST_TOTALS)
    return _committed(project)


def _recorded_repository(folder: Path) -> Project:
    project = _own_repository(folder)
    project.report("init")
    with _server(TOTALS_SCRIPT) as server:
        project.run("bugfix", "--set", "task=totals are rounded down", env=server.environment)
    project.report("accept")
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "Record the fix of the totals")
    return project


def _committed(project: Project) -> Project:
    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "first")):
        project.git(*arguments)
    return project


PLUGIN: Mapping[str, str] = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "agentci.pytest_plugin.plugin",
}
"""The plugin of this checkout, whether it is installed or not."""
BUGFIX_SCRIPT = (ROOT / "pipelines" / "bugfix" / "script.yaml").read_text()
WORLDS: Mapping[str, World] = {
    "README.md": World(_own_repository, TOTALS_SCRIPT),
    "docs/cassettes.md": World(_checkout, BUGFIX_SCRIPT),
    "docs/ci-recipes.md": World(_checkout, BUGFIX_SCRIPT),
    "docs/ci.md": World(_recorded_repository, TOTALS_SCRIPT),
    "docs/hooks.md": World(_checkout, BUGFIX_SCRIPT, PLUGIN),
    "docs/eval-imports.md": World(_checkout, BUGFIX_SCRIPT),
    "docs/evaluation.md": World(_checkout, BUGFIX_SCRIPT),
    "docs/gate.md": World(_checkout, BUGFIX_SCRIPT),
    "docs/deploy.md": World(_own_repository, TOTALS_SCRIPT),
    "docs/recording.md": World(_checkout, BUGFIX_SCRIPT),
    "docs/reports.md": World(_checkout, BUGFIX_SCRIPT),
    "docs/secrets.md": World(_checkout, BUGFIX_SCRIPT),
    "docs/suites.md": World(_own_repository, TOTALS_SCRIPT),
}
ELSEWHERE = ("docs/in-process.md", "docs/own-tools.md")
"""Pages with a test of their own, below."""


@contextmanager
def _server(script: str) -> Iterator[ModelServer]:
    with ModelServer(read_script(script.encode(), "script.yaml")) as server:
        yield server


def _reader(tmp_path: Path, server: ModelServer, python: Path) -> dict[str, str]:
    """Return a reader's environment, where providers answer from `server` to whoever has a key."""
    programs = tmp_path / "bin"
    programs.mkdir()
    command = f'#!/bin/sh\nexec {shlex.quote(str(python))} -m agentci "$@"\n'
    (programs / "agentci").write_text(command)
    (programs / "agentci").chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    bases = {name: url for name, url in server.environment.items() if name.endswith("_BASE_URL")}
    return {
        **QUIET_GIT,
        **bases,
        "HOME": str(home),
        "PATH": f"{programs}:{python.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }


def _shown_first() -> ShownCommand:
    first, *_ = commands(read_page(PAGES["README.md"].read_text()))
    assert first.line.startswith(INSTALLS)
    return first


def test_every_page_with_commands_is_run() -> None:
    shown = [name for name, path in PAGES.items() if commands(read_page(path.read_text()))]
    assert sorted([*WORLDS, *ELSEWHERE]) == sorted(shown)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(WORLDS))
def test_commands_do_what_the_page_shows(name: str, tmp_path: Path) -> None:
    world = WORLDS[name]
    steps = [
        step
        for step in read_page(PAGES[name].read_text())
        if not (isinstance(step, ShownCommand) and step.line.startswith(INSTALLS))
    ]
    project = world.build(tmp_path / "repository")
    with _server(world.script) as server:
        reader = _reader(tmp_path, server, Path(sys.executable))
        outcomes = run_page(steps, project.folder, {**reader, **world.env})
    assert len(outcomes) == len(commands(steps))
    assert not wrong(outcomes), "\n".join(wrong(outcomes))


def test_the_readme_shows_what_the_shipped_pipeline_prints(tmp_path: Path) -> None:
    shown = _shown_first()
    line = shown.line.rpartition("&& ")[2].replace(".venv/bin/", "")
    project = _checkout(tmp_path / "repository")
    with _server(BUGFIX_SCRIPT) as server:
        reader = _reader(tmp_path, server, Path(sys.executable))
        outcomes = run_page([ShownCommand(line, shown.output)], project.folder, reader)
    assert not wrong(outcomes), "\n".join(wrong(outcomes))


def test_the_readme_shows_the_accepted_run() -> None:
    accepted = json.loads((ROOT / "agentci.lock").read_text())["pipelines"]["pipelines/bugfix"]
    shown = dict(line.split(None, 1) for line in _shown_first().output if line.startswith("commit"))
    text = "\n".join(_shown_first().output)
    digest = re.search(r"^run digest +(\S+)$", text, re.MULTILINE)
    assert shown["commit"] == accepted["commit"]
    assert digest is not None
    assert digest[1] == accepted["run_digest"], "README.md shows another digest than agentci.lock"


def test_the_second_command_of_the_readme_is_what_ci_runs() -> None:
    _, second, *_ = commands(read_page(PAGES["README.md"].read_text()))
    make, install, test = second.line.split(" && ")
    ci = (ROOT / ".ci" / "run").read_text().replace("--disable-pip-version-check ", "")
    assert make == "python3 -m venv .venv"
    assert install.removeprefix(".venv/bin/pip ").replace("'", '"') in ci
    assert test.removeprefix(".venv/bin/python ") in ci


@pytest.mark.slow
def test_the_first_command_of_the_readme_in_a_fresh_clone(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    shown, *_ = commands(read_page((clone / "README.md").read_text()))
    env = {name: value for name, value in os.environ.items() if _is_for_pip(name)}
    (outcome,) = run_page([shown], clone, {**env, "LC_ALL": "C.UTF-8"})
    # what pip has to say about its own version and indexes is another matter
    said = [line for line in outcome.lines if not line.startswith(("WARNING: ", "[notice]"))]
    problems = wrong([replace(outcome, lines=tuple(said))])
    assert not problems, problems[0]
    assert any("the run digest equals the accepted one" in line for line in said)


def _is_for_pip(name: str) -> bool:
    return name in {"HOME", "PATH"} or name.upper().startswith(("PIP_", "HTTP", "NO_PROXY", "SSL_"))


def test_the_commands_of_recipes_are_those_that_are_run() -> None:
    text = PAGES["docs/ci-recipes.md"].read_text()
    run = {command.line for command in commands(read_page(text))}
    found = re.findall(r"^ *(?:- (?:run: )?|sh ')(agentci .*?)'?$", text, re.MULTILINE)
    node = {"$CI_NODE_INDEX": "1", "$CI_NODE_TOTAL": "2"}
    lines = [re.sub(r"\$\w+", lambda name: node[name[0]], line) for line in found]
    assert len(lines) == 8
    assert not [line for line in lines if line.partition(" || ")[0] not in run]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_excerpts_of_recordings_are_in_the_recordings(name: str) -> None:
    for excerpt in read_excerpts(PAGES[name].read_text()):
        position, text = 0, (ROOT / excerpt.path).read_text()
        for part in excerpt.parts:
            found = text.find(part, position)
            assert found >= 0, f"not in {excerpt.path}:\n{part}"
            position = found + len(part)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_yaml_that_is_shown_is_yaml(name: str) -> None:
    for block in _YAML.findall(PAGES[name].read_text()):
        if not block.startswith("# cassettes/"):
            assert yaml.safe_load(block)


COUNT_SCRIPT = """\
format: agentci/script
version: 1
rules:
  - replies:
      - tool_calls:
          - {name: count_words, arguments: {path: README.md}}
      - text: It has four words.
"""


@pytest.mark.slow
def test_a_package_adds_a_tool_and_a_provider_as_the_page_shows(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    packages = next((venv / "lib").glob("python*")) / "site-packages"
    # agentci's own dependencies, without installing them again
    (packages / "here.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    folder = tmp_path / "repository"
    folder.mkdir()
    project = Project(folder)
    project.write("README.md", "A house of words.\n")
    project.write(".gitignore", ".agentci/\n")
    _committed(project)
    steps = read_page(PAGES["docs/own-tools.md"].read_text())
    with _server(COUNT_SCRIPT) as server:
        reader = _reader(tmp_path, server, venv / "bin" / "python")
        house = {"HOUSE_BASE_URL": f"{server.origin}/v1"}
        own = {name: value for name, value in os.environ.items() if _is_for_pip(name)}
        outcomes = run_page(steps, folder, {**own, **reader, **house, "HOME": own["HOME"]})
        told = server.requests[-1].json["messages"][-1]
    assert not wrong(outcomes), "\n".join(wrong(outcomes))
    assert told["content"] == "4"


def _spans(pattern: str) -> list[str]:
    texts = (
        re.sub(r"^ *```.*?^ *```$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
        for name, path in PAGES.items()
        if not name.startswith("docs/reference/")
    )
    return sorted({found for text in texts for found in re.findall(pattern, text)})


def _help(*command: str) -> str:
    done = agentci(*command, "--help", folder=ROOT)
    assert done.code == 0, done.err
    return done.out


def _listed(text: str) -> list[str]:
    """Return the commands that the help of a group lists."""
    section = text.partition("Commands:")[2]
    return re.findall(r"^  ([a-z][a-z-]*) ", section, flags=re.MULTILINE)


def _all_below(*command: str) -> list[str]:
    """Return the help of a command and of all that are below it."""
    text = _help(*command)
    inner = [found for each in _listed(text) for found in _all_below(*command, each)]
    return [text, *inner]


def test_commands_and_options_in_the_text_exist() -> None:
    helps = {row.name: _help(row.name) for row in COMMANDS}
    groups = {name: text for name, text in helps.items() if "Commands:" in text}
    everything = "\n".join([_help(), *(text for name in helps for text in _all_below(name))])

    def helped(words: list[str]) -> str:
        """Return the help of a command, or of the subcommand that is meant."""
        command, text = [words[0]], helps[words[0]]
        while len(command) < len(words) and words[len(command)] in _listed(text):
            command.append(words[len(command)])
            text = _help(*command)
        return text

    wrong_ones = [
        span
        for span in _spans(r"`agentci ([a-z][^`]*)`")
        if (words := span.split())[0] not in helps
        or (words[0] in groups and len(words) > 1 and words[1] not in groups[words[0]])
        or not all(option in helped(words) for option in words if option.startswith("--"))
    ]
    assert not wrong_ones
    own = [span for span in _spans(r"`(--[a-z-]+)[^`]*`") if span not in _OTHERS]
    assert not [option for option in own if option not in everything]
