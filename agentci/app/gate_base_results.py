"""The results of suites at the base: read where they are known, else replayed beside the checkout.

The base is planned from git's objects. Only when a result is neither in the store nor accepted in
the base's `agentci.lock` is the base checked out, into a folder of its own, and replayed there.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from agentci.app import wiring
from agentci.app.eval_progress import SuiteProgress
from agentci.app.eval_store import SuiteStore
from agentci.app.evaluate import Surroundings, evaluate_plan, plan_for
from agentci.app.gate_memory import GateMemory, Remembered
from agentci.app.project import Project
from agentci.app.suite_lock_entries import accepted_results
from agentci.core.errors import AgentciError, NothingMatched, UsageError
from agentci.record.session import Mode
from agentci.spec.config import load_config
from agentci.spec.lock import LOCK_FILE, Lock, load_lock

if TYPE_CHECKING:
    from agentci.app.eval_plan import SuitePlan
    from agentci.app.eval_request import EvalListener, EvalRequest
    from agentci.core.history import History
    from agentci.evals.results import SuiteResult
    from agentci.spec.policy import PolicySpec


@dataclass(frozen=True, slots=True)
class BaseResult:
    """A suite at the base."""

    result: SuiteResult | None
    """None where the base has no such suite, or none that can be evaluated."""
    source: str
    """`agentci.lock`, `cache`, `replayed`, `live`, or `none`."""
    policy: PolicySpec | None = None
    note: str | None = None


class BaseResults:
    """The suites of one commit; a context manager that removes what was checked out."""

    def __init__(
        self,
        project: Project,
        commit: str,
        history: History,
        *,
        request: EvalRequest,
        live: bool = False,
    ) -> None:
        """Read what the commit has; `request` says how to evaluate, not what.

        With `live`, answers are drawn anew.
        """
        self._mode = Mode.LIVE if live else Mode.REPLAY
        self._commit = commit
        self._history = history
        self._request = replace(request, shard=None, cases=(), only_changed=False, add_trials=0)
        self._kept_at = project.root
        self._stack = ExitStack()
        files = self._stack.enter_context(closing(history.files_at(commit)))
        config = load_config(project.root, files)
        self._base = replace(project, config=config, files=files)
        self._checked_out: Project | None = None
        self.notes: list[str] = []
        self._lock = self._load_lock()
        self._memory = GateMemory(
            wiring.files(),
            project.root,
            commit,
            settings=(
                request.sandbox or config.defaults.sandbox,
                config.defaults.image,
                request.trials,
            ),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def suites(self) -> tuple[str, ...]:
        """Return the paths of the suites that the base has, sorted."""
        root = self._base.root
        return tuple(each.relative_to(root).as_posix() for each in self._base.suite_folders())

    def of(self, path: str, listener: EvalListener, *, trials: int) -> BaseResult:
        """Return the results of the suite at `path` in the project.

        Answers that are drawn anew are drawn `trials` times a case, as often as at head.

        Raises:
            AgentciError: what ends an evaluation: a limit, a refusal, an interrupt.
        """
        remembered = self._memory.recall(path) if self._mode is Mode.REPLAY else None
        if remembered is not None:
            return BaseResult(remembered.result, "cache", remembered.policy)
        found = self._find(path, listener, trials=trials)
        if found.result is not None and found.policy is not None:
            self._memory.remember(path, Remembered(found.result, found.policy))
        return found

    def _find(self, path: str, listener: EvalListener, *, trials: int) -> BaseResult:
        if path not in self.suites():
            return BaseResult(None, "none")
        try:
            plan = plan_for(self._base.root / path, self._base, self._request, commit=self._commit)
        except (UsageError, NothingMatched) as error:  # what head may be about to mend
            note = f"`{path}` cannot be evaluated as it was at the base: {error.message}"
            return BaseResult(None, "none", note=note)
        known = self._known(plan) if self._mode is Mode.REPLAY else None
        if known is not None:
            return known
        project = self._check_out()
        request = self._request
        if self._mode is Mode.LIVE:
            request = replace(request, trials=trials)
        plan = plan_for(project.root / path, project, request)
        around = Surroundings(project, self._mode, kept_at=self._kept_at)
        found = evaluate_plan(plan, request, listener, around=around, cases=plan.cases)
        source = "live" if found.result.live else "replayed"
        return BaseResult(found.result, source, plan.suite.policy)

    def _known(self, plan: SuitePlan) -> BaseResult | None:
        entry = self._lock.suites.get(plan.suite.path)
        accepted = accepted_results(entry) if entry is not None else {}
        with closing(SuiteStore.open(wiring.files(), self._kept_at, plan.suite.path)) as store:
            progress = SuiteProgress(plan, store, live=False, accepted=accepted)
            progress.look_up(plan.cases)
        if progress.missing:
            return None
        source = LOCK_FILE if progress.taken_over else "cache"
        return BaseResult(progress.suite_result(plan.cases), source, plan.suite.policy)

    def _check_out(self) -> Project:
        """Check the base out where nothing is kept, once for all suites."""
        if self._checked_out is None:
            repository = self._history.work_tree.resolve()
            inside = self._base.root.resolve().relative_to(repository)
            folder = self._stack.enter_context(wiring.scratch()) / "base"
            self._history.check_out(self._commit, folder)
            root = folder / inside
            files = wiring.files()
            self._checked_out = Project(root, load_config(root, files), root, files)
        return self._checked_out

    def _load_lock(self) -> Lock:
        """Return what the base accepted; a damaged file there is no reason to stop its repair."""
        try:
            return load_lock(self._base.root / LOCK_FILE, self._base.files)
        except AgentciError as error:
            self.notes.append(f"`{LOCK_FILE}` of the base is left out: {error.message}")
            return Lock()
