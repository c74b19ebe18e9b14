"""Equal decisions are equal bytes, in every format, in every process."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest

from agentci.cli.render.decision_text import decision_text
from agentci.report.decision_json import report_json
from agentci.report.github import decision_annotations, output_file, step_outputs
from agentci.report.html import TEMPLATES, decision_html
from agentci.report.junit import decision_junit
from agentci.report.markdown import decision_markdown
from agentci.report.sarif import decision_sarif
from agentci.report.transcripts import Report
from tests.support.command_line import ROOT
from tests.support.decisions import rich_report

PARTS = {name: (ROOT / "templates/report" / name).read_text() for name in TEMPLATES}
FORMATS: Mapping[str, Callable[[Report], str]] = {
    "annotations": lambda report: decision_annotations(report.decision),
    "html": lambda report: decision_html(report, templates=PARTS),
    "json": report_json,
    "junit": lambda report: decision_junit(report.decision),
    "markdown": lambda report: decision_markdown(report.decision),
    "outputs": lambda report: output_file(
        step_outputs(report.decision, report_path=None, run_digest=None)
    ),
    "sarif": lambda report: decision_sarif(report.decision),
    "text": lambda report: decision_text(report.decision, color=True, everything=True),
}


@pytest.mark.slow
def test_a_hundred_of_a_hundred_are_equal() -> None:
    found: dict[str, set[str]] = {name: set() for name in FORMATS}
    for _ in range(100):
        report = rich_report()
        for name, render in FORMATS.items():
            found[name].add(render(report))
    assert {name: len(texts) for name, texts in found.items()} == dict.fromkeys(FORMATS, 1)


_PROBE = """
import hashlib
from tests.support.decisions import rich_report
from tests.unit.report.test_same_bytes import FORMATS
for name in sorted(FORMATS):
    print(hashlib.sha256(FORMATS[name](rich_report()).encode()).hexdigest())
"""


def test_another_process_with_other_hashes_writes_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROBE],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    report = rich_report()
    assert done.stdout.split() == [
        hashlib.sha256(FORMATS[name](report).encode()).hexdigest() for name in sorted(FORMATS)
    ]
