"""The scorer `pytest`: tests that have to pass on the files that the target left."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from agentci.core.errors import EnvironmentProblem
from agentci.core.json_types import JsonObject
from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.junit import NotJunit, TestKey, TestOutcome, key_of, read_junit
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.wording import cut, listed
from agentci.evals.scorers.workplace import (
    NotReady,
    Ran,
    Workplace,
    WorkplaceOptions,
    overlay_files,
    prepare,
    workplace,
)
from agentci.tools.protocol import ToolProblem

REPORT: Final = ".agentci-tests.xml"
"""In the workspace, since a sandbox may show nothing else."""

_MAX_REPORT: Final = 64_000_000
_MISSING: Final = TestOutcome("failed", "it did not run")
_LISTED: Final = 200

_CONFIGURATIONS: Final = {
    ".pytest.ini": b"",
    ".pytest.toml": b"",
    "pytest.ini": b"",
    "pytest.toml": b"",
    "pyproject.toml": b"[tool.pytest",
    "setup.cfg": b"[tool:pytest]",
    "tox.ini": b"[pytest]",
}
"""Where pytest looks for its settings, and what is in such a file when they are there."""

NodeId = Annotated[str, Field(pattern=r"^[^:]+::.+$")]


class PytestOptions(WorkplaceOptions):
    """Tests that have to pass. They run in the sandbox, with `overlay` for tests that are hidden.

    The value is the share of tests that pass, of those that are named, else of all that ran. A
    test that was skipped or did not run does not pass.
    """

    fail_to_pass: tuple[NodeId, ...] = Field(
        (),
        description="Node ids (`tests/test_a.py::test_b`) of tests that fail without the work; "
        "without parameters it stands for all of them.",
    )
    pass_to_pass: tuple[NodeId, ...] = Field(
        (), description="Node ids of tests that passed before and must not break."
    )
    paths: tuple[str, ...] = Field(
        (), description="What to run; default: the files of the node ids, else everything."
    )
    args: tuple[str, ...] = Field((), description="More arguments for pytest.")
    command: tuple[str, ...] = Field(
        ("python3", "-m", "pytest"), min_length=1, description="How pytest is called."
    )
    env: dict[str, str] = Field(
        default_factory=dict, description="Variables beside the fixed ones."
    )


class Pytest:
    """Runs tests."""

    kind: ClassVar[str] = "pytest"
    version: ClassVar[int] = 1
    options: ClassVar[type[PytestOptions]] = PytestOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name the folder that is put over the workspace."""
        return overlay_files(options)

    async def score(
        self, subject: Subject, options: PytestOptions, services: ScorerServices
    ) -> Score:
        """Run the tests."""
        with workplace(subject, services, tree=options.tree) as place:
            try:
                await prepare(place, options)
            except NotReady as error:
                return Score(0.0, passed=False, explanation=str(error))
            return await _run(place, options)


async def _run(place: Workplace, options: PytestOptions) -> Score:
    wanted = (*options.fail_to_pass, *options.pass_to_pass)
    paths = options.paths or _files(place, wanted)
    if wanted and not paths:
        told = f"none of the files with the tests is there: {listed(list(wanted))}"
        return Score(0.0, passed=False, explanation=told)
    _remove_report(place)
    ran = await place.run(
        (
            *options.command,
            "--rootdir=.",
            "--confcutdir=.",
            *(() if _is_configured(place) else ("-c", "/dev/null")),
            f"--junitxml={REPORT}",
            "--continue-on-collection-errors",
            "-q",
            *("-p", "no:cacheprovider"),
            # an agentci that is installed from its checkout is out of sight in a sandbox
            *("-p", "no:agentci"),
            *options.args,
            *paths,
        ),
        timeout=options.timeout,
        env=options.env,
    )
    if ran.timed_out:
        told = f"the tests did not end within {options.timeout:g} seconds"
        return Score(0.0, passed=False, explanation=told, details={"timed_out": True})
    return _judge(_read(place, ran), options, place, ran)


def _files(place: Workplace, node_ids: Sequence[str]) -> tuple[str, ...]:
    """Return the files of node ids that are there: one that is not would end pytest at once."""
    names = sorted({node_id.partition("::")[0] for node_id in node_ids})
    found = []
    for name in names:
        with contextlib.suppress(ToolProblem):
            place.files.is_folder(name)
            found.append(name)
    return tuple(found)


def _is_configured(place: Workplace) -> bool:
    """Say whether the files configure pytest: it would look for that in the folders around too.

    The workspace lies in a folder of the project, whose own tests are none of its business.
    """
    for name, section in _CONFIGURATIONS.items():
        with contextlib.suppress(ToolProblem):
            found = place.files.read_optional(name)
            if found is not None and section in found.data:
                return True
    return False


def _remove_report(place: Workplace) -> None:
    """Remove what the target may have left in the place of the report."""
    with contextlib.suppress(OSError):
        (place.folder / REPORT).unlink()


def _read(place: Workplace, ran: Ran) -> Mapping[TestKey, TestOutcome] | None:
    """Return the outcomes, or None where pytest has written none.

    Raises:
        EnvironmentProblem: when there is no pytest.
    """
    try:
        report = place.files.read_optional(REPORT, max_bytes=_MAX_REPORT)
        if report is not None:
            return read_junit(report.data)
    except (ToolProblem, NotJunit):
        return None
    if ran.stderr.rstrip().endswith("No module named pytest"):
        raise EnvironmentProblem(
            "the Python of the scorer `pytest` has no pytest",
            code="ACI-S505",
            hint="install pytest there, or name another Python in `command`",
        )
    return None


@dataclass(frozen=True, slots=True)
class _Finding:
    test: str
    outcome: TestOutcome


def _judge(
    outcomes: Mapping[TestKey, TestOutcome] | None,
    options: PytestOptions,
    place: Workplace,
    ran: Ran,
) -> Score:
    if outcomes is None:
        told = f"pytest wrote no results and ended with {ran.exit_code}: {cut(ran.tail, 200)}"
        return Score(0.0, passed=False, explanation=told, details={"exit_code": ran.exit_code})
    findings = _findings(outcomes, (*options.fail_to_pass, *options.pass_to_pass))
    if not findings:
        told = f"no test ran: {cut(ran.tail, 200)}"
        return Score(0.0, passed=False, explanation=told, details={"exit_code": ran.exit_code})
    failed = [each for each in findings if each.outcome.outcome != "passed"]
    details: JsonObject = {
        "tests": len(findings),
        "passed": len(findings) - len(failed),
        "exit_code": ran.exit_code,
        "failing": [
            {"test": each.test, "message": _message(each, place)} for each in failed[:_LISTED]
        ],
    }
    share = (len(findings) - len(failed)) / len(findings)
    if not failed:
        return Score(share, passed=True, details=details)
    names = listed([each.test for each in failed])
    told = f"{len(failed)} of {len(findings)} tests do not pass: {names}"
    return Score(share, False, f"{told}: {_message(failed[0], place)}", details)


def _message(finding: _Finding, place: Workplace) -> str:
    text = finding.outcome.message or finding.outcome.outcome
    return cut(place.mask(text.encode("utf-8", "replace")), 200)


def _findings(
    outcomes: Mapping[TestKey, TestOutcome], wanted: Sequence[str]
) -> tuple[_Finding, ...]:
    """Return what became of each wanted test, or of all that were not skipped."""
    if not wanted:
        return tuple(
            _Finding(str(key), outcome)
            for key, outcome in outcomes.items()
            if outcome.outcome != "skipped"
        )
    families: dict[TestKey, list[TestOutcome]] = {}
    for key, outcome in outcomes.items():
        families.setdefault(TestKey(key.classname, key.function), []).append(outcome)
    found = []
    for node_id in dict.fromkeys(wanted):
        key = key_of(node_id)
        own = [outcomes[key]] if key in outcomes else families.get(key, [_MISSING])
        failed = [outcome for outcome in own if outcome.outcome != "passed"]
        found.append(_Finding(node_id, failed[0] if failed else own[0]))
    return tuple(found)
