"""Static checks of a suite against each of its cases: every one gives what the target needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.app.suite_cases import case_place
from agentci.app.suite_target import case_inputs, case_repository, target_kind
from agentci.core.errors import Problem, SpecError, StepFailed
from agentci.plan.findings import names_hint
from agentci.plan.inputs import has_type
from agentci.spec.expressions import truth

if TYPE_CHECKING:
    from agentci.app.suite_definition import LoadedSuite
    from agentci.core.effects import Files
    from agentci.core.json_types import JsonObject
    from agentci.evals.case import Case
    from agentci.plan.bundle import Bundle

_SHOWN: Final = 20
"""Cases of which problems are told; the others are counted."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    code: str
    message: str
    hint: str | None = None


def check_each_case(
    suite: LoadedSuite,
    bundle: Bundle | None,
    cases: tuple[Case, ...],
    files: Files,
    *,
    root: Path,
) -> tuple[Problem, ...]:
    """Return what is wrong with single cases, at their lines."""
    checker = _Checker(suite, bundle, files, root)
    found: list[Problem] = []
    left_out = 0
    for case in cases:
        troubles = list(checker.troubles(case))
        if troubles and len(found) >= _SHOWN:
            left_out += 1
            continue
        found.extend(
            Problem(each.code, each.message, case_place(case, root), each.hint) for each in troubles
        )
    if left_out:
        message = f"{left_out} more cases do not fit the suite"
        found.append(Problem("ACI-D514", message, suite.positions.locate(("dataset",))))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Checker:
    suite: LoadedSuite
    bundle: Bundle | None
    files: Files
    root: Path
    repositories: dict[str | None, bool] = field(default_factory=dict)
    """Folders with files to work on, and whether they are there."""

    def troubles(self, case: Case) -> Iterator[_Trouble]:
        """Yield what is wrong with one case."""
        try:
            inputs = case_inputs(self.suite, case)
            for scorer in self.suite.spec.scorers:
                truth(scorer.when, {"case": case.scope()})
            if self.bundle is not None:
                folder = case_repository(self.suite, self.bundle, case, root=self.root)
                yield from self._repository(case, folder)
        except (SpecError, StepFailed) as error:
            yield _Trouble("ACI-D513", f"case `{case.id}`: {error.message}", error.hint)
            return
        if self.bundle is None:
            return
        if target_kind(self.suite.spec.target) == "pipeline":
            yield from self._pipeline(case, inputs, self.bundle)
        elif not self.suite.spec.target.with_:
            yield from self._arguments(case, inputs, self.bundle)

    def _repository(self, case: Case, folder: str | None) -> Iterator[_Trouble]:
        if folder not in self.repositories:
            there = folder is None or self.files.exists(self.root / folder)
            self.repositories[folder] = there
        if not self.repositories[folder]:
            message = f"case `{case.id}`: there is no folder `{folder}` with the files to work on"
            yield _Trouble("ACI-D548", message, "an empty one needs a file for git to keep it")

    def _pipeline(self, case: Case, inputs: JsonObject, bundle: Bundle) -> Iterator[_Trouble]:
        declared = bundle.spec.inputs
        name = bundle.spec.name
        hint = "write what the pipeline gets into `with` of the suite's `target`"
        for given, value in inputs.items():
            if given not in declared:
                message = f"case `{case.id}`: pipeline `{name}` has no input `{given}`"
                near = names_hint(given, declared, what="its inputs")
                yield _Trouble("ACI-D507", message, near if self.suite.spec.target.with_ else hint)
            elif not has_type(value, declared[given].type):
                wanted = declared[given].type
                message = f"case `{case.id}`: input `{given}` of pipeline `{name}` is of type "
                yield _Trouble("ACI-D509", message + wanted)
        for needed, entry in declared.items():
            if entry.required and needed not in inputs:
                message = f"case `{case.id}`: pipeline `{name}` needs the input `{needed}`"
                yield _Trouble("ACI-D508", message, hint)

    def _arguments(self, case: Case, inputs: JsonObject, bundle: Bundle) -> Iterator[_Trouble]:
        """Check what a case gives by itself, where the suite has no `with`."""
        step = bundle.spec.steps[0]
        wanted = set(getattr(step, "with_", {}))
        given = inputs.get("arguments")
        names = set(given) if isinstance(given, Mapping) else set()
        missing = sorted(wanted - names)
        hint = "write `with` into the suite's `target`"
        for name in missing:
            yield _Trouble("ACI-D510", f"case `{case.id}`: its input has no `{name}`", hint)
        if target_kind(self.suite.spec.target) == "python":
            for name in sorted(names - wanted):
                message = f"case `{case.id}`: its input has `{name}`, and that of the first has not"
                yield _Trouble("ACI-D511", message, hint)
