"""Carries out the steps of a composite action on this machine, as GitHub's runner does.

Faithful in what `action.yml` uses: inputs with defaults, expressions, `if`, `env`, `shell: bash`,
`working-directory`, `continue-on-error`, the files behind GITHUB_OUTPUT, GITHUB_ENV, GITHUB_PATH
and GITHUB_STEP_SUMMARY, annotations. Other actions (`uses`) are stand-ins with the same contract.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<mark>&&|\|\||==|!=|[!(),])|(?P<name>[\w.*-]+))"
)
_STATUS = re.compile(r"\b(always|cancelled|failure|success)\s*\(")
_ANNOTATION = re.compile(
    r"^::(error|warning|notice)(?: ([^:]*(?:%3A[^:]*)*))?::(.*)$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Annotation:
    """What GitHub would show beside a line."""

    level: str
    properties: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class StepRun:
    """How one step ended."""

    name: str
    outcome: str
    """`success`, `failure` or `skipped`."""
    log: str = ""
    code: int = 0
    env: Mapping[str, str] = field(default_factory=dict)
    """Of a script: what the step itself sets."""


@dataclass(frozen=True, slots=True)
class ActionRun:
    """How the action ended."""

    success: bool
    outputs: Mapping[str, str]
    summary: str
    steps: Sequence[StepRun]

    @property
    def log(self) -> str:
        """Everything that was printed."""
        return "".join(step.log for step in self.steps)

    @property
    def annotations(self) -> list[Annotation]:
        """All annotations, in order."""
        return [
            Annotation(level, _properties(given), _unescaped(text))
            for level, given, text in _ANNOTATION.findall(self.log)
        ]

    def step(self, name: str) -> StepRun:
        """Return the step `name`."""
        return next(step for step in self.steps if step.name == name)


@dataclass(slots=True)
class Storage:
    """What outlives a job: caches and artifacts."""

    folder: Path
    caches: dict[str, Path] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)
    pythons: list[str] = field(default_factory=list)

    def save(self, key: str, path: Path) -> None:
        """Keep a folder under a key that is not taken yet."""
        if key not in self.caches and path.exists():
            self.caches[key] = self._copy(path, f"cache-{len(self.caches)}")

    def restore(self, key: str, prefixes: Sequence[str], path: Path) -> None:
        """Bring a folder back: that of the key, else the newest with a prefix."""
        keys = [known for known in reversed(self.caches) if known == key]
        keys += [k for p in prefixes for k in reversed(self.caches) if p and k.startswith(p)]
        if keys:
            shutil.copytree(self.caches[keys[0]], path, dirs_exist_ok=True)

    def upload(self, name: str, path: Path) -> None:
        """Keep an artifact; an earlier one of that name is replaced."""
        self.artifacts[name] = self._copy(path, f"artifact-{len(self.artifacts)}")

    def _copy(self, path: Path, name: str) -> Path:
        target = self.folder / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(path, target)
        return target


@dataclass(frozen=True, slots=True)
class Job:
    """Where an action runs: a checkout, an event, a machine."""

    workspace: Path
    env: Mapping[str, str]
    """Of the machine and the job, `GITHUB_...` of the event among it."""
    storage: Storage
    github: Mapping[str, str] = field(default_factory=dict)
    """The context `github`: `token`, `sha` and so on."""


def run_action(file: Path, job: Job, inputs: Mapping[str, str]) -> ActionRun:
    """Carry out the action in `file`."""
    content = yaml.safe_load(file.read_text())
    assert content["runs"]["using"] == "composite"
    unknown = set(inputs) - set(content["inputs"])
    assert not unknown, f"no inputs of the action: {unknown}"
    return _Run(file, content, job).carry_out(inputs)


class _Run:
    def __init__(self, file: Path, content: Mapping[str, Any], job: Job) -> None:
        self.content = content
        self.job = job
        self.failed = False
        self.env = dict(job.env)
        self.steps: list[StepRun] = []
        self.contexts: dict[str, Any] = {
            "github": {**job.github, "action_path": str(file.parent)},
            "runner": {"os": "Linux"},
            "inputs": {},
            "steps": {},
        }
        self.files = job.workspace.parent / f"{job.workspace.name}-files"
        self.files.mkdir(exist_ok=True)
        self.summary = ""

    def carry_out(self, inputs: Mapping[str, str]) -> ActionRun:
        for name, declared in self.content["inputs"].items():
            default = str(declared.get("default", ""))
            self.contexts["inputs"][name] = inputs.get(name, self.text(default))
        for number, step in enumerate(self.content["runs"]["steps"]):
            self._step(number, step)
        outputs = {
            name: self.text(declared["value"]) for name, declared in self.content["outputs"].items()
        }
        return ActionRun(not self.failed, outputs, self.summary, self.steps)

    def _step(self, number: int, step: Mapping[str, Any]) -> None:
        name = step.get("name", str(number))
        if not self._wanted(str(step.get("if", "success()"))):
            self.steps.append(StepRun(name, "skipped"))
            return
        done = self._used(name, step) if "uses" in step else self._script(name, number, step)
        self.steps.append(done)
        if "id" in step:
            outputs = _read_values(self.files / f"output-{number}")
            self.contexts["steps"][step["id"]] = {"outcome": done.outcome, "outputs": outputs}
        if done.outcome == "failure" and not step.get("continue-on-error", False):
            self.failed = True

    def _wanted(self, condition: str) -> bool:
        inner = _EXPRESSION.fullmatch(condition.strip())
        expression = inner[1] if inner else condition
        wanted = bool(self._evaluate(expression))
        return wanted and (bool(_STATUS.search(expression)) or not self.failed)

    def _used(self, name: str, step: Mapping[str, Any]) -> StepRun:
        action, _, version = str(step["uses"]).partition("@")
        assert re.fullmatch(r"[0-9a-f]{40}", version), f"`{action}` is not pinned"
        given = {key: self.text(str(value)) for key, value in step.get("with", {}).items()}
        storage, workspace = self.job.storage, self.job.workspace
        stand_ins: dict[str, Callable[[], object]] = {
            "actions/setup-python": lambda: storage.pythons.append(given["python-version"]),
            "actions/cache/restore": lambda: storage.restore(
                given["key"], given["restore-keys"].splitlines(), workspace / given["path"]
            ),
            "actions/cache/save": lambda: storage.save(given["key"], workspace / given["path"]),
            "actions/upload-artifact": lambda: storage.upload(
                given["name"], workspace / given["path"]
            ),
        }
        stand_ins[action]()
        return StepRun(name, "success", env=given)

    def _script(self, name: str, number: int, step: Mapping[str, Any]) -> StepRun:
        assert step["shell"] == "bash"
        assert not _EXPRESSION.search(step["run"]), "an expression in a script"
        script = self.files / f"step-{number}.sh"
        script.write_text(step["run"])
        own = {key: self.text(str(value)) for key, value in step.get("env", {}).items()}
        named = {
            variable: self.files / f"{kind}-{number}"
            for variable, kind in (
                ("GITHUB_OUTPUT", "output"), ("GITHUB_STEP_SUMMARY", "summary"),
                ("GITHUB_ENV", "env"), ("GITHUB_PATH", "path"),
            )
        }  # fmt: skip
        for path in named.values():
            path.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.job.workspace / self.text(str(step.get("working-directory", "."))),
            env={
                **self.env,
                "GITHUB_ACTION_PATH": self.contexts["github"]["action_path"],
                "GITHUB_WORKSPACE": str(self.job.workspace),
                **{variable: str(path) for variable, path in named.items()},
                **own,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=120,
        )
        self.env |= _read_values(named["GITHUB_ENV"])
        added = named["GITHUB_PATH"].read_text().split("\n")
        self.env["PATH"] = os.pathsep.join([*filter(None, added), self.env["PATH"]])
        self.summary += named["GITHUB_STEP_SUMMARY"].read_text()
        log = done.stdout.decode("utf-8", "replace")
        outcome = "failure" if done.returncode else "success"
        return StepRun(name, outcome, log, done.returncode, own)

    def text(self, template: str) -> str:
        """Return a text with its expressions replaced."""
        return _EXPRESSION.sub(lambda match: _as_text(self._evaluate(match[1])), template)

    def _evaluate(self, expression: str) -> Any:
        return _Parser(expression, self._lookup, self._call).value()

    def _lookup(self, name: str) -> Any:
        found: Any = self.contexts
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return "" if found is None else found

    def _call(self, name: str, arguments: Sequence[Any]) -> Any:
        if name == "hashFiles":
            paths = sorted(p for a in arguments for p in self.job.workspace.glob(a) if p.is_file())
            whole = b"".join(path.read_bytes() for path in paths)
            return hashlib.sha256(whole).hexdigest() if paths else ""
        return {
            "always": True, "cancelled": False, "failure": self.failed, "success": not self.failed,
        }[name]  # fmt: skip


class _Parser:
    """Expressions of GitHub Actions: `||` over `&&` over comparisons over `!`."""

    def __init__(
        self,
        text: str,
        lookup: Callable[[str], Any],
        call: Callable[[str, Sequence[Any]], Any],
    ) -> None:
        self.tokens = list(_tokens(text))
        self.lookup = lookup
        self.call = call

    def value(self) -> Any:
        found = self._or()
        assert not self.tokens, f"left over: {self.tokens}"
        return found

    def _or(self) -> Any:
        left = self._and()
        while self._take("||"):
            right = self._and()
            left = left or right
        return left

    def _and(self) -> Any:
        left = self._comparison()
        while self._take("&&"):
            right = self._comparison()
            left = left and right
        return left

    def _comparison(self) -> Any:
        left = self._unary()
        if self._take("=="):
            return _as_text(left).lower() == _as_text(self._unary()).lower()
        if self._take("!="):
            return _as_text(left).lower() != _as_text(self._unary()).lower()
        return left

    def _unary(self) -> Any:
        if self._take("!"):
            return not self._unary()
        if self._take("("):
            found = self._or()
            assert self._take(")")
            return found
        token = self.tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if self._take("("):
            arguments: list[Any] = []
            while not self._take(")"):
                arguments.append(self._or())
                self._take(",")
            return self.call(token, arguments)
        return {"true": True, "false": False}.get(token, self.lookup(token))

    def _take(self, mark: str) -> bool:
        if self.tokens and self.tokens[0] == mark:
            self.tokens.pop(0)
            return True
        return False


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        assert match is not None, f"no expression: {text[position:]}"
        yield match[0].strip()
        position = match.end()


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read_values(path: Path) -> dict[str, str]:
    """Return what a step has written, `name=value` or `name<<END` with lines until `END`."""
    found: dict[str, str] = {}
    lines = iter(path.read_text().splitlines() if path.exists() else ())
    for line in lines:
        name, separator, rest = line.partition("<<")
        if separator and "=" not in name:
            value: list[str] = []
            for inner in lines:
                if inner == rest:
                    break
                value.append(inner)
            else:
                raise AssertionError(f"`{name}` has no end `{rest}`")
            found[name] = "\n".join(value)
        elif line:
            name, _, found_value = line.partition("=")
            found[name] = found_value
    return found


def _properties(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    return {name: _unescaped(value) for name, _, value in pairs}


def _unescaped(text: str) -> str:
    for escape, mark in (("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, mark)
    return text
