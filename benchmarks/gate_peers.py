"""Other ways to judge recorded answers, for `benchmarks/gate.py`."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from tests.support.client_installs import CACHE, NotInstalled, install, node_folder


class Unavailable(Exception):
    """A peer is not here and cannot be installed."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another program that judges recorded answers."""

    name: str
    install: Callable[[], object]
    """Raises `Unavailable`."""
    prepare: Callable[[Path, int], None]
    """Write the cases and their answers into a folder."""
    command: Sequence[str]
    env: Callable[[Path], Mapping[str, str]]
    says: Callable[[int], str]
    """What its output has in it when every case passed."""


def cases(count: int) -> list[tuple[str, str]]:
    """Return what is asked and what has to be answered, as the project of agentci has it."""
    kinds = (("how to", "question"), ("crash", "bug"))
    return [(f"{kinds[i % 2][0]} {i}.", kinds[i % 2][1]) for i in range(count)]


def prompt(text: str) -> str:
    """Return what the model is asked."""
    return f"Sort this: {text}\n"


def peers() -> tuple[Peer, ...]:
    """Return all peers."""
    return (PROMPTFOO, PYTEST)


_FLOOR_SOURCE = """
import hashlib, json, sqlite3, sys
answers = sqlite3.connect("answers.sqlite")
passed = 0
with open("cases.jsonl") as rows:
    for row in rows:
        case = json.loads(row)
        asked = f"Sort this: {case['input']}\\n"
        key = hashlib.sha256(json.dumps(asked).encode()).digest()
        found = answers.execute("select answer from answers where key = ?", (key,)).fetchone()
        if found is None:
            sys.exit(4)
        passed += found[0] == case["expected"]
print(passed, "passed")
"""


def _prepare_floor(folder: Path, count: int) -> None:
    answers = sqlite3.connect(folder / "answers.sqlite")
    answers.execute("create table answers (key blob primary key, answer text)")
    rows = []
    for text, expected in cases(count):
        key = sha256(json.dumps(prompt(text)).encode()).digest()
        answers.execute("insert into answers values (?, ?)", (key, expected))
        rows.append(json.dumps({"input": text, "expected": expected}) + "\n")
    answers.commit()
    answers.close()
    (folder / "cases.jsonl").write_text("".join(rows))


def _passed(count: int) -> str:
    return f"{count} passed"


FLOOR = Peer(
    "floor",
    lambda: None,
    _prepare_floor,
    (sys.executable, "-c", _FLOOR_SOURCE),
    lambda _: {},
    _passed,
)

_PROVIDER = """
const answers = require("./answers.json");
module.exports = class {
  id() { return "recorded"; }
  async callApi(prompt) { return { output: answers[prompt.trim()] }; }
};
"""


def _install_promptfoo() -> None:
    try:
        install("promptfoo")
    except NotInstalled as problem:
        raise Unavailable(str(problem)) from None


def _prepare_promptfoo(folder: Path, count: int) -> None:
    tests = [
        {"vars": {"text": text}, "assert": [{"type": "equals", "value": expected}]}
        for text, expected in cases(count)
    ]
    config = {
        "prompts": [prompt("{{text}}")],
        "providers": ["file://provider.js"],
        "tests": tests,
    }
    answers = {prompt(text).strip(): expected for text, expected in cases(count)}
    # JSON is YAML, and is read more quickly
    (folder / "promptfooconfig.json").write_text(json.dumps(config))
    (folder / "answers.json").write_text(json.dumps(answers))
    (folder / "provider.js").write_text(_PROVIDER)


def _promptfoo_env(folder: Path) -> Mapping[str, str]:
    return {
        "PATH": f"{node_folder()}{os.pathsep}{os.environ['PATH']}",
        "PROMPTFOO_CONFIG_DIR": str(folder / "state"),
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
    }


PROMPTFOO = Peer(
    "promptfoo eval",
    _install_promptfoo,
    _prepare_promptfoo,
    (
        str(CACHE / "promptfoo/node_modules/.bin/promptfoo"),
        *("eval", "-c", "promptfooconfig.json"),
        *("--no-table", "--no-progress-bar", "-j", "4"),
    ),
    _promptfoo_env,
    lambda count: f"{count:,} passed (100%)",
)

_TEST = """
import json
from pathlib import Path

import httpx
import pytest
import vcr

RECORDER = vcr.VCR(record_mode="none")
CASES = [json.loads(row) for row in Path("cases.jsonl").read_text().splitlines()]
CLIENT = httpx.Client(trust_env=False, verify=False)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_answer(number):
    case = CASES[number]
    body = {"model": "m", "messages": [{"role": "user", "content": f"Sort this: {case['input']}"}]}
    with RECORDER.use_cassette(f"cassettes/{number}.yaml"):
        answer = CLIENT.post("http://127.0.0.1:9/v1/chat/completions", json=body).json()
    assert answer["choices"][0]["message"]["content"] == case["expected"]
"""

_CASSETTE = """\
interactions:
- request:
    body: '%s'
    headers:
      content-type:
      - application/json
    method: POST
    uri: http://127.0.0.1:9/v1/chat/completions
  response:
    body:
      string: '%s'
    headers:
      content-type:
      - application/json
    status:
      code: 200
      message: OK
version: 1
"""


def _find_vcrpy() -> None:
    for name in ("httpx", "pytest", "vcr"):
        if find_spec(name) is None:
            raise Unavailable(f"`{name}` is not installed here")


def _prepare_pytest(folder: Path, count: int) -> None:
    (folder / "cassettes").mkdir()
    rows = []
    for number, (text, expected) in enumerate(cases(count)):
        content = prompt(text).strip()
        asked = {"model": "m", "messages": [{"role": "user", "content": content}]}
        message = {"role": "assistant", "content": expected}
        answer = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        cassette = _CASSETTE % (json.dumps(asked), json.dumps(answer))
        (folder / f"cassettes/{number}.yaml").write_text(cassette)
        rows.append(json.dumps({"input": text, "expected": expected}) + "\n")
    (folder / "cases.jsonl").write_text("".join(rows))
    (folder / "test_answers.py").write_text(_TEST)


PYTEST = Peer(
    "pytest with vcrpy",
    _find_vcrpy,
    _prepare_pytest,
    (sys.executable, "-m", "pytest", "-q"),
    # other plugins of this environment would be counted, too
    lambda _: {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    _passed,
)
