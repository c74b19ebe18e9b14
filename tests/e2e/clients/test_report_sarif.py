"""SARIF that we write, by the official schema and by the validator of its makers."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from agentci.report.sarif import decision_sarif
from tests.support.client_installs import install
from tests.support.decisions import decided, hostile_decision, rich_decision, rows

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("sarif-multitool")]

ADVICE = {"SARIF2005"}
"""Warnings that we leave: the tool has no home page to name."""
LOGS = {
    "rich": decision_sarif(rich_decision()),
    "hostile": decision_sarif(hostile_decision()),
    "calm": decision_sarif(decided(rows(3), rows(3))),
}


@pytest.fixture(scope="module")
def package() -> Path:
    return install("sarif-multitool") / "node_modules/@microsoft/sarif-multitool-linux"


@pytest.mark.parametrize("name", sorted(LOGS))
def test_it_is_valid_by_the_schema(package: Path, name: str) -> None:
    schema: Any = json.loads((package / "sarif-2.1.0.json").read_text(encoding="utf-8-sig"))
    checker: Any = jsonschema.validators.validator_for(schema)(schema)
    log = json.loads(LOGS[name])
    assert checker.is_valid(log)
    log["runs"][0]["tool"]["driver"].pop("name")
    assert not checker.is_valid(log)


def test_the_validator_complains_of_what_is_wrong_and_of_nothing_of_ours(
    package: Path, tmp_path: Path
) -> None:
    program = package / "Sarif.Multitool"
    program.chmod(0o755)  # npm has left the bit out, and install scripts are not run
    wrong = LOGS["rich"].replace('"ruleIndex": 0', '"ruleIndex": 99')
    for name, text in {**LOGS, "wrong": wrong}.items():
        (tmp_path / f"{name}.sarif").write_text(text)
    told = _complaints(program, sorted([*LOGS, "wrong"]), tmp_path)
    assert told.pop("wrong") > ADVICE
    assert set(told) == set(LOGS)
    assert all(rules <= ADVICE for rules in told.values())


def _complaints(program: Path, names: list[str], folder: Path) -> dict[str, set[str]]:
    """Return the rules that the validator has warned of, by the name of the log."""
    done = subprocess.run(
        [program, "validate", *(f"{name}.sarif" for name in names), "--output", "found.json"],
        cwd=folder,
        env={"HOME": str(folder), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert f"{len(names)} files scanned" in done.stdout, done.stdout + done.stderr
    found: dict[str, set[str]] = {}
    (run,) = json.loads((folder / "found.json").read_text(encoding="utf-8-sig"))["runs"]
    for each in run["results"]:
        if each.get("level", "warning") in {"error", "warning"}:
            place = each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            found.setdefault(Path(place).stem, set()).add(each["ruleId"])
    return found
