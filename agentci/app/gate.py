"""Judge a change: evaluate the suites as they are, and as they were at the base, and decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from agentci.app import wiring
from agentci.app.eval_outcome import day
from agentci.app.eval_request import EvalRequest
from agentci.app.eval_results_file import merge, read_results
from agentci.app.evaluate import Surroundings, evaluate_plan, plan_for
from agentci.app.gate_base import find_base
from agentci.app.gate_base_results import BaseResult, BaseResults
from agentci.app.project import open_project
from agentci.app.run_request import resolve_mode
from agentci.app.suites import find_suites, read_policy
from agentci.core.digest import digest_json
from agentci.core.errors import NothingMatched, UsageError
from agentci.gate.decide import Rules, decide, decide_suite, power_reasons
from agentci.gate.decision import Decision, Power, SuiteDecision
from agentci.gate.power import power_before
from agentci.gate.quarantine import quarantined
from agentci.plan.bundle import model_json
from agentci.record.session import Mode
from agentci.spec.lock import LOCK_FILE, load_lock

if TYPE_CHECKING:
    from agentci.app.eval_plan import SuitePlan
    from agentci.app.eval_request import EvalListener
    from agentci.app.project import Project
    from agentci.evals.results import SuiteResult
    from agentci.spec.policy import PolicySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRequest:
    """A change to be judged."""

    start: Path
    """Where the call was made."""
    suites: tuple[str, ...] = ()
    """Names or folders; empty for all."""
    base: str | None = None
    """Branch, tag or commit; its merge base with HEAD is what head is compared with."""
    mode: str | None = None
    """Of head, `replay` when missing. The base is replayed, but for a live comparison."""
    policy: Path | None = None
    """Instead of what the suites say."""
    results: tuple[Path, ...] = ()
    """Files of all shards, where head has been evaluated already."""
    jobs: int | None = None
    sandbox: str | None = None


class GateListener(Protocol):
    """Watches a gate. Its methods must return quickly and not raise."""

    @property
    def head(self) -> EvalListener:
        """Watches the evaluation of head."""

    @property
    def base(self) -> EvalListener:
        """Watches the evaluation of the base."""

    def power(self, suite: str, power: Power, *, live: bool) -> None:
        """Tell what a suite can see, before anything runs; with `live`, answers cost money."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """A decision, and what it was made from."""

    decision: Decision
    base_source: str
    """Who named the base, in words."""
    head: Mapping[str, SuiteResult]
    """By the suite's path."""
    base: Mapping[str, SuiteResult]


@dataclass(frozen=True, slots=True)
class _Suite:
    """One suite of head, and what holds for it."""

    plan: SuitePlan
    policy: PolicySpec


def judge(request: GateRequest, listener: GateListener) -> GateResult:
    """Evaluate both sides and decide.

    Raises:
        NothingMatched: when there is no such suite.
        UsageError: when a policy is refused because its suite has no power; nothing has run.
        EnvironmentProblem: when the clone does not have the base.
        SafetyRefusal: when `agentci.lock` was edited by hand.
        AgentciError: what else ends an evaluation.
    """
    files = wiring.files()
    project = open_project(request.start, files)
    load_lock(project.root / LOCK_FILE, files)  # a hand edit is refused before anything is judged
    history = wiring.history(project.root)
    base = find_base(request.base, history, env=wiring.env(), files=files)
    mode = resolve_mode(request.mode or Mode.REPLAY.value, None, wiring.env())
    asked = EvalRequest(
        start=request.start,
        suites=request.suites,
        mode=mode.value,
        jobs=request.jobs,
        sandbox=request.sandbox,
    )
    suites = [
        _suite(folder, project, asked, policy=request.policy)
        for folder in find_suites(project, request.suites)
    ]
    for each in suites:
        _tell_power(each, listener, live=mode is Mode.LIVE)
    head = _head_results(request, suites, project, asked, mode=mode, listener=listener)
    with BaseResults(project, base.commit, history, request=asked, live=mode is Mode.LIVE) as bases:
        before = {
            path: bases.of(path, listener.base, trials=found.trials) for path, found in head.items()
        }
        notes = [*bases.notes, *_notes(suites, before)]
        if not request.suites:
            notes += [
                f"the suite `{path}` was removed" for path in bases.suites() if path not in head
            ]
    today = day(wiring.clock().now())
    decisions = [
        _decided(each, head[each.plan.suite.path], before[each.plan.suite.path], today=today)
        for each in suites
    ]
    return GateResult(
        decision=decide(
            decisions,
            base=base.commit,
            head=base.head + ("+" if history.is_changed() else ""),
            policy=digest_json([model_json(each.policy) for each in suites]),
            notes=tuple(notes),
        ),
        base_source=base.source,
        head=head,
        base={path: each.result for path, each in before.items() if each.result is not None},
    )


def _suite(folder: Path, project: Project, asked: EvalRequest, *, policy: Path | None) -> _Suite:
    plan = plan_for(folder, project, asked)
    if policy is None:
        return _Suite(plan, plan.suite.policy)
    if not project.files.exists(policy):
        raise UsageError(f"there is no policy `{policy.as_posix()}`", code="ACI-U499")
    return _Suite(plan, read_policy(policy, project.files, root=project.root))


def _tell_power(suite: _Suite, listener: GateListener, *, live: bool) -> None:
    """Say what the suite can see, and refuse a policy that asks for more than that."""
    cases = [each.case for each in suite.plan.cases]
    groups = {case.group for case in cases if case.group is not None}
    alone = sum(case.group is None for case in cases)
    power = power_before(
        len(cases),
        trials=suite.plan.trials,
        groups=len(groups) + alone if groups else None,
        policy=suite.policy,
    )
    listener.power(suite.plan.suite.path, power, live=live)
    reasons = [each for each in power_reasons(power, suite.policy, sampled=live) if each.blocks]
    if reasons:
        raise UsageError(
            reasons[0].message,
            code="ACI-U482",
            hint="add cases or trials, raise `margin`, or set `without_power: warn`",
        )


def _head_results(
    request: GateRequest,
    suites: Sequence[_Suite],
    project: Project,
    asked: EvalRequest,
    *,
    mode: Mode,
    listener: GateListener,
) -> dict[str, SuiteResult]:
    if request.results:
        return _of_shards(request, suites)
    around = Surroundings(project, mode)
    found = [
        evaluate_plan(each.plan, asked, listener.head, around=around, cases=each.plan.cases)
        for each in suites
    ]
    return {each.result.suite: each.result for each in found}


def _of_shards(request: GateRequest, suites: Sequence[_Suite]) -> dict[str, SuiteResult]:
    """Return the results that shards have left, which have to be of this very state."""
    files = wiring.files()
    parts = [read_results(files, path) for path in request.results]
    whole = parts[0] if len(parts) == 1 and parts[0].shard is None else merge(parts)
    results = {each.result.suite: each.result for each in whole.suites}
    for each in suites:
        path = each.plan.suite.path
        found = results.get(path)
        if found is None:
            raise NothingMatched(
                f"the files of results have no suite `{path}`",
                code="ACI-N340",
                hint="evaluate the same suites that are judged",
            )
        wanted = {case.case.id for case in each.plan.cases}
        if found.digests != each.plan.digests or {case.case for case in found.cases} != wanted:
            raise UsageError(
                f"the files of results have `{path}` in another state than it is in here",
                code="ACI-U483",
                hint="evaluate and judge the same commit",
            )
    return {each.plan.suite.path: results[each.plan.suite.path] for each in suites}


def _notes(suites: Sequence[_Suite], before: Mapping[str, BaseResult]) -> list[str]:
    found = [each.note for each in before.values() if each.note is not None]
    for each in suites:
        old = before[each.plan.suite.path].policy
        if old is not None and model_json(old) != model_json(each.plan.suite.policy):
            found.append(
                f"the policy of `{each.plan.suite.path}` is not that of the base; the new one holds"
            )
    return found


def _decided(suite: _Suite, head: SuiteResult, base: BaseResult, *, today: str) -> SuiteDecision:
    spec = suite.plan.suite.spec
    rules = Rules(suite.policy, quarantined(spec.quarantine, today=today), spec.seed)
    return decide_suite(base.result, head, rules=rules, base_source=base.source)
