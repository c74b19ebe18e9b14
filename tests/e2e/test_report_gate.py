"""The gate's reports on a real change in a real repository, and a kept decision shown again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from junitparser import JUnitXml

from tests.support.gate_project import GateProject, git

FILES = ("--html", "r.html", "--markdown", "r.md", "--junit", "r.xml", "--sarif", "r.sarif")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> GateProject:
    """Return a repository with a change that breaks every second case, judged once."""
    project = GateProject.create(tmp_path_factory.mktemp("reports") / "project")
    project.write("../../.gitignore", ".agentci/\nout/\n")
    project.commit("ignore")
    git(project.root, "switch", "-qc", "change")
    project.answer(bugs="nothing", otherwise="a <b>question</b>")
    project.record_anew()
    project.commit("worse")
    return project


@pytest.fixture(scope="module")
def out(project: GateProject) -> Path:
    """Return the folder of what the gate wrote."""
    folder = project.root / "out"
    folder.mkdir()
    files = [f"out/{each}" if "." in each else each for each in FILES]
    env = {
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "GITHUB_OUTPUT": str(folder / "outputs"),
    }
    done = project.agentci(
        "gate", "--base", "main", *files, "--out", "out/d.json", "--github", **env
    )
    assert done.code == 1, done.err
    (folder / "stdout").write_text(done.out)
    return folder


def test_every_format_tells_of_the_same_cases(out: Path) -> None:
    names = ["c00", "c01", "c02", "c03", "c04", "c05"]
    decision = json.loads((out / "d.json").read_text())
    cases = decision["suites"][0]["cases"]
    assert [each["case"] for each in cases if each["change"] == "newly broken"] == names
    junit = JUnitXml.fromstring((out / "r.xml").read_bytes())
    assert [case.name for suite in junit for case in suite if case.result] == names
    results = json.loads((out / "r.sarif").read_text())["runs"][0]["results"]
    broken = [each for each in results if each["ruleId"] == "newly-broken"]
    lines = [each["locations"][0]["physicalLocation"]["region"]["startLine"] for each in broken]
    assert lines == [1, 2, 3, 4, 5, 6]
    stdout = (out / "stdout").read_text()
    for name in names:
        assert f"newly broken  {name}  pipelines/triage/cases.jsonl:" in stdout
        assert f"title=newly broken%3A {name}::" in stdout
        for file in ("r.html", "r.md", "summary"):
            assert name in (out / file).read_text()


def test_the_page_shows_answers_and_transcripts_of_both_sides(out: Path) -> None:
    page = (out / "r.html").read_text()
    assert "Transcript at base" in page
    assert "a &lt;b&gt;" in page
    assert "<b>question" not in page
    assert "provenance" not in page


def test_outputs_of_the_step_are_written(out: Path, project: GateProject) -> None:
    text = (out / "outputs").read_text()
    found = dict(zip(text.splitlines()[::3], text.splitlines()[1::3], strict=True))
    values = {name.partition("<<")[0]: value for name, value in found.items()}
    assert values["verdict"] == "regression"
    assert values["newly-broken"] == "6"
    assert values["score"] == "0.0000"
    assert values["report-path"] == str(project.root / "out/r.html")
    assert values["run-digest"].startswith("sha256:")


def test_a_kept_decision_gives_the_same_reports(out: Path, project: GateProject) -> None:
    again = [f"out/2{each}" if "." in each else each for each in FILES]
    done = project.agentci("report", "out/d.json", *again)
    assert done.code == 0, done.err
    for name in FILES[1::2]:
        assert (out / f"2{name}").read_bytes() == (out / name).read_bytes(), name
    stdout = (out / "stdout").read_text()
    assert stdout.startswith(done.out)
    shown = json.loads(project.agentci("report", "out/d.json", "--json").out)
    kept = json.loads((out / "d.json").read_text())
    assert shown == {key: value for key, value in kept.items() if key != "transcripts"}


def test_json_stays_alone_on_standard_output(project: GateProject) -> None:
    done = project.agentci("gate", "--base", "main", "--json", "--github")
    assert json.loads(done.out)["verdict"] == "regression"
    assert done.err.count("::error") == 7


def test_bytes_and_digests_are_those_of_another_run_without_a_cache(
    out: Path, project: GateProject
) -> None:
    project.forget()
    env = {"GITHUB_OUTPUT": str(out / "outputs2")}
    done = project.agentci(
        "gate", "--base", "main", "--html", "out/r.html", "--out", "out/d2.json", "--github", **env
    )
    assert done.code == 1, done.err
    assert (out / "outputs2").read_bytes() == (out / "outputs").read_bytes()
    first, second = (json.loads((out / name).read_text()) for name in ("d.json", "d2.json"))
    assert second["suites"][0].pop("base_source") == "replayed"
    assert first["suites"][0].pop("base_source") == "cache"
    assert first == second


@pytest.mark.parametrize(
    ("content", "code"), [("{}", "ACI-F480"), ("nonsense", "ACI-F480"), (None, "ACI-E")]
)
def test_what_is_no_decision_is_refused(
    project: GateProject, content: str | None, code: str
) -> None:
    path = project.root / "out/bad.json"
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_text(content)
    done = project.agentci("report", "out/bad.json")
    assert code in done.err
    assert done.code == (6 if content is None else 2)


def test_two_formats_in_one_file_are_refused_before_anything_runs(project: GateProject) -> None:
    done = project.agentci("gate", "--junit", "out/x", "--sarif", "out/../out/x")
    assert (done.code, "ACI-U490" in done.err) == (2, True)
