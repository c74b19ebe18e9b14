"""Everything that can be known to be wrong with a suite before it runs, with its places."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app.suite_case_checks import check_each_case
from agentci.app.suite_cases import read_cases
from agentci.app.suite_effects import check_effects
from agentci.app.suite_scorer_checks import check_scorers, scorer_name
from agentci.app.suite_target import answer_shape, suite_bundle, target_kind
from agentci.core.errors import NothingMatched, Problem, SpecError
from agentci.evals.datasets.cases import matches
from agentci.evals.results import METRICS
from agentci.plan.bundle import Bundle
from agentci.plan.expression_checks import check_condition, check_template
from agentci.plan.findings import Findings, names_hint
from agentci.plan.scopes import Scope, template_shape
from agentci.plan.shapes import ANY, TEXT, closed
from agentci.plan.templates import OPENING, Template, templates_in
from agentci.spec.pipeline import PipelineSpec

if TYPE_CHECKING:
    from agentci.app.suite_definition import LoadedSuite
    from agentci.core.effects import Files
    from agentci.evals.case import Case
    from agentci.plan.shapes import Shape
    from agentci.spec.pipeline import Condition

_NOTHING_AROUND = PipelineSpec.model_construct(
    format="agentci/pipeline", version=1, name="suite", steps=()
)
"""Expressions of a suite see no steps."""


@dataclass(frozen=True, slots=True)
class ReadySuite:
    """A suite that may run: nothing is wrong with it, as far as that can be known."""

    suite: LoadedSuite
    bundle: Bundle
    cases: tuple[Case, ...]


def checked_suite(suite: LoadedSuite, files: Files, *, root: Path) -> ReadySuite:
    """Read everything that a suite names, and check it.

    Raises:
        SpecError: with everything that is wrong.
        NothingMatched: when the suite has no cases.
        StorageError: when a file cannot be read.
    """
    problems: list[Problem] = []
    bundle: Bundle | None = None
    cases: tuple[Case, ...] = ()
    try:
        bundle = suite_bundle(suite, files, root=root)
    except SpecError as error:
        problems.extend(error.problems)
    try:
        cases = read_cases(suite, files, root=root)
    except SpecError as error:
        problems.extend(error.problems)
    problems.extend(check_suite(suite, bundle, files, root=root, cases=cases))
    if problems or bundle is None:
        raise SpecError(tuple(dict.fromkeys(problems)))
    return ReadySuite(suite, bundle, cases)


def check_suite(
    suite: LoadedSuite,
    bundle: Bundle | None,
    files: Files,
    *,
    root: Path,
    cases: tuple[Case, ...] | None = None,
) -> tuple[Problem, ...]:
    """Return everything that is wrong with a suite whose target is `bundle`, by place.

    Without a bundle, because its target is wrong, what depends on it is left out; so is what
    depends on the cases where `cases` is empty. None reads them.
    """
    dataset: tuple[Problem, ...] = ()
    if cases is None:
        try:
            cases = read_cases(suite, files, root=root)
        except SpecError as error:
            cases, dataset = (), error.problems
        except NothingMatched as error:
            cases, dataset = (), (no_cases(suite, error),)
    checker = _Checker(suite, bundle, cases)
    found = Findings(Bundle(spec=_NOTHING_AROUND, positions=suite.positions))
    checker.target(found)
    checker.expressions(found)
    models = None if bundle is None else bundle.spec.models
    check_scorers(found, suite, files, root=root, models=models)
    checker.named_cases(found)
    effects = () if bundle is None else check_effects(bundle)
    policy = Findings(Bundle(spec=_NOTHING_AROUND, positions=suite.policy_positions))
    checker.policy(policy)
    rows = check_each_case(suite, bundle, cases, files, root=root) if not found.problems else ()
    found_all = (*found.sorted(), *policy.sorted(), *effects, *dataset, *rows)
    return tuple(dict.fromkeys(found_all))


def no_cases(suite: LoadedSuite, error: NothingMatched) -> Problem:
    """Return the problem that a suite has no cases."""
    place = suite.positions.locate(("dataset",))
    return Problem("ACI-D545", error.message, place, error.hint)


@dataclass(frozen=True, slots=True)
class _Checker:
    suite: LoadedSuite
    bundle: Bundle | None
    cases: tuple[Case, ...]
    """Empty where they could not be read."""

    def target(self, findings: Findings) -> None:
        """Check fields of the target that say nothing for its kind."""
        target = self.suite.spec.target
        kind = target_kind(target)
        if kind == "command" and target.with_:
            findings.add(
                "ACI-D505",
                ("target", "with"),
                message="a command has no `with`",
                hint="write `${{ case... }}` into `command` or `stdin`",
            )
        if kind != "command" and target.stdin:
            message = f"a target of the kind `{kind}` has no standard input"
            findings.add("ACI-D505", ("target", "stdin"), message=message)
        if kind in {"pipeline", "agent"} and target.proxy:
            findings.add(
                "ACI-D505",
                ("target", "proxy"),
                message=f"a target of the kind `{kind}` records its model calls without `proxy`",
                hint="remove `proxy`",
            )
        if kind == "pipeline" and target.timeout is not None:
            findings.add(
                "ACI-D505",
                ("target", "timeout"),
                message="a pipeline has no `timeout` as a whole",
                hint="write it at the pipeline's steps",
            )
        if kind == "command" and not self._sees_case():
            findings.add(
                "ACI-D506",
                ("target", "command"),
                message="the command is the same for every case: nothing of it reads `case`",
                hint="write `${{ case.input }}` into `stdin`, or name it in `command`",
            )

    def _sees_case(self) -> bool:
        target = self.suite.spec.target
        texts = (*(target.command or ()), target.stdin, target.repository or "")
        return any(OPENING in text for text in texts) or any(c.repository for c in self.cases)

    def expressions(self, findings: Findings) -> None:
        """Check every expression of the suite against what it can see."""
        spec = self.suite.spec
        case = self._case_shape()
        alone = Scope({"case": case})
        _condition(findings, spec.dataset.filter, ("dataset", "filter"), scope=alone)
        target = spec.target
        for name, value in (
            ("with", target.with_),
            ("command", target.command or ()),
            ("stdin", target.stdin),
            ("repository", target.repository or ""),
        ):
            for template in templates_in(value, ("target", name)):
                check_template(findings, template, scope=alone)
        answer = ANY if self.bundle is None else answer_shape(self.suite, self.bundle)
        after = Scope({"case": case, "output": answer})
        if target.output is not None:
            for template in templates_in(target.output, ("target", "output")):
                check_template(findings, template, scope=after)
            answer = template_shape(target.output, after)
        scored = Scope({"case": case, "output": answer, "text": TEXT})
        for index, scorer in enumerate(spec.scorers):
            place = ("scorers", index)
            _condition(findings, scorer.when, (*place, "when"), scope=alone)
            for template in templates_in(scorer.with_, (*place, "with")):
                check_template(findings, template, scope=scored)

    def _case_shape(self) -> Shape:
        if not self.cases:
            return ANY
        names = {name for case in self.cases for name in case.row}
        return closed(dict.fromkeys(sorted({*names, *self.cases[0].scope()}), ANY))

    def named_cases(self, findings: Findings) -> None:
        """Check the cases that the suite names, and its days."""
        spec = self.suite.spec
        ids = [case.id for case in self.cases]
        for index, pattern in enumerate(spec.required):
            if ids and not any(matches(pattern, name) for name in ids):
                findings.add(
                    "ACI-D533",
                    ("required", index),
                    message=f"no case of the suite fits `{pattern}`",
                    hint=names_hint(pattern, ids, what="its cases"),
                )
        seen: set[str] = set()
        for index, entry in enumerate(spec.quarantine):
            if ids and entry.case not in ids:
                findings.add(
                    "ACI-D530",
                    ("quarantine", index, "case"),
                    message=f"the suite has no case `{entry.case}`",
                    hint=names_hint(entry.case, ids, what="its cases"),
                )
            if entry.case in seen:
                message = f"the case `{entry.case}` is in quarantine twice"
                findings.add("ACI-D532", ("quarantine", index, "case"), message=message)
            seen.add(entry.case)
            if not _is_day(entry.expires):
                findings.add(
                    "ACI-D531",
                    ("quarantine", index, "expires"),
                    message=f"there is no day `{entry.expires}`",
                    hint="write year, month and day: `2027-01-31`",
                )

    def policy(self, findings: Findings) -> None:
        """Check the names in the policy."""
        policy = self.suite.policy
        metrics = [*METRICS, *(scorer_name(scorer) for scorer in self.suite.spec.scorers)]
        named = [entry.metric for entry in policy.metrics]
        for index, metric in enumerate(named):
            if metric not in metrics:
                findings.add(
                    "ACI-D535",
                    ("metrics", index, "metric"),
                    message=f"suite `{self.suite.spec.name}` measures no `{metric}`",
                    hint=names_hint(metric, metrics, what="it measures"),
                )
            if metric in named[:index]:
                message = f"there are two allowances for `{metric}`"
                findings.add("ACI-D536", ("metrics", index, "metric"), message=message)
        tags = {tag for case in self.cases for tag in case.tags}
        for index, tag in enumerate(policy.slices):
            if self.cases and tag not in tags:
                findings.add(
                    "ACI-D534",
                    ("slices", index),
                    message=f"no case of suite `{self.suite.spec.name}` has the tag `{tag}`",
                    hint=names_hint(tag, tags, what="its tags"),
                )


def _condition(
    findings: Findings, condition: Condition, path: tuple[str | int, ...], *, scope: Scope
) -> None:
    if isinstance(condition, str):
        check_condition(findings, Template(path, condition), scope=scope)


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True
