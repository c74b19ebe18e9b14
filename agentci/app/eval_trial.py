"""One trial of one case: an ordinary run of the target, then the scorers.

The trial has its own folder of recordings, its own seed, home and workspaces; nothing that another
trial does reaches it. Knows no cache and no other trial.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.app.eval_cassettes import JUDGES, recordings_of, trial_folder
from agentci.app.eval_execution import (
    Execution,
    execution_of,
    failed_execution,
)
from agentci.app.eval_metrics import LiveCalls, judge_metrics, live_metrics, recorded_metrics
from agentci.app.eval_repository import TrialRepository
from agentci.app.eval_scoring import score_subject, subject_of
from agentci.app.eval_services import ScoringPlace
from agentci.app.eval_transcript import TakingDown
from agentci.app.record_changed import prices_of
from agentci.app.run_folder import RunFolder
from agentci.app.run_request import RunRequest
from agentci.app.run_services import build_services
from agentci.app.undertaking import Undertaking
from agentci.core.digest import Digest, digest_bytes, hex_of
from agentci.core.errors import (
    AgentciError,
    BudgetExceeded,
    EnvironmentProblem,
    FormatError,
    NotReproducible,
    SafetyRefusal,
    SpecError,
    StorageError,
)
from agentci.engine.budget import OWN_LIMITS, BudgetedGateway
from agentci.engine.executor import RunSetup, execute
from agentci.engine.journal_events import RunHistory
from agentci.engine.listener import SilentListener
from agentci.engine.step_cache import StepCache
from agentci.evals.results import TrialResult
from agentci.evals.scorers.answers import text_of
from agentci.record.journal import Journal, JournalContent
from agentci.record.redact import OnSecret, is_redacted
from agentci.record.session import Mode, RecordingSession, is_below

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentci.agents.protocol import GatewayPort
    from agentci.app.eval_cassettes import TrialRecordings
    from agentci.app.eval_plan import PlannedCase, PlannedTrial, SuitePlan
    from agentci.app.eval_redraw import RedrawnTrials
    from agentci.app.eval_repository import SharedBase
    from agentci.app.run_services import Sandboxes
    from agentci.core.effects import Effects
    from agentci.models.spending import SpendingPort
    from agentci.spec.config import ProjectConfig
    from agentci.steps.context import Services

_SHOWN: Final = 3
"""How many unplayed recordings a reason names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSetting:
    """What all trials of a suite are carried out with."""

    plan: SuitePlan
    mode: Mode
    effects: Effects
    config: ProjectConfig
    sandboxes: Sandboxes
    scratch: Path
    """A folder that is removed at the end."""
    spending: SpendingPort
    note: str
    redraw: bool
    """Whether every answer is asked for again."""
    redrawn: RedrawnTrials
    redact: bool
    """Whether secrets are recorded as placeholders."""
    jobs: int
    """Steps of one trial at the same time."""


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """What a trial came to."""

    result: TrialResult
    execution: Execution | None
    """What the target did; None where that could not be found out."""
    recordings: TrialRecordings
    """What is recorded for the trial now."""
    lasting: bool
    """Whether every replay of these recordings gives the same result."""


@dataclass(slots=True)
class TrialRun:
    """Carries out one trial."""

    setting: TrialSetting
    case: PlannedCase
    trial: PlannedTrial
    base: SharedBase
    known: Execution | None = None
    """What the target did, where that is known and only the scorers have to be asked."""
    _live: LiveCalls | None = None
    """Counts what is let through, where nothing is recorded."""

    async def run(self) -> TrialOutcome:
        """Return the outcome.

        Raises:
            AgentciError: what ends the whole evaluation: a limit, a refusal, a wrong definition, a
                full disk. What was recorded is kept.
        """
        setting, folder = self.setting, self._folder()
        files = setting.effects.files
        # what is recorded stays as it is until all that is to replace it is there
        place = setting.scratch / f"redrawn-{self._short_name()}" if setting.redraw else folder
        session = RecordingSession(
            files,
            place,
            mode=setting.mode,
            note=setting.note,
            rerecord=self._rerecord(),
            on_secret=OnSecret.of(redact=setting.redact or is_redacted(files, folder)),
        )
        records = setting.mode in {Mode.AUTO, Mode.RECORD}
        complete = False
        try:
            outcome = await self._judged(session)
            complete = outcome.result.status == "judged" and _passed(outcome.execution)
        finally:
            if records:
                session.seal(complete=complete, whole_folder=complete)
            session.close()
        if not records:
            return outcome
        if setting.redraw:
            if outcome.result.status != "judged":
                return outcome
            setting.redrawn.replace(folder, place)
        recordings = recordings_of(files, folder)
        lasting = outcome.lasting and not session.was_shared
        return replace(outcome, recordings=recordings, lasting=lasting)

    def _folder(self) -> Path:
        return trial_folder(self.setting.plan.cassettes, self.case.case.id, self.trial.number)

    async def _judged(self, session: RecordingSession) -> TrialOutcome:
        with ExitStack() as stack:
            journal = Journal(_NOT_KEPT, _NO_EVENTS, stack)
            repository = TrialRepository(self.base, f"{self.case.case.id}/{self.trial.number}")
            services = self._services(session, repository, journal)
            talk = TakingDown(services.gateway)
            execution = self.known
            try:
                if execution is not None:
                    _count_as_played(session)
                else:
                    setup = self._setup(replace(services, gateway=talk), journal)
                    result = await execute(setup)
                    metrics = self._metrics(session, talk)
                    execution = execution_of(result, talk, repository, metrics=metrics)
            except BudgetExceeded as error:
                if error.code not in OWN_LIMITS:
                    raise
                execution = failed_execution(error.message, repository)
            except (NotReproducible, FormatError) as error:
                return self._without("not_judged", told(error), None)
            except StorageError:
                raise
            except EnvironmentProblem as error:
                return self._without("error", told(error), None)
            return await self._scored(session, services, repository, execution)

    def _metrics(self, session: RecordingSession, talk: TakingDown) -> Mapping[str, float]:
        """Return what the model calls of the target took, those of its own program among them."""
        if self._live is not None:
            return live_metrics(talk.calls, self._live)
        return recorded_metrics(talk.calls, session, prices_of(self.setting.plan.bundle))

    async def _scored(
        self,
        session: RecordingSession,
        services: Services,
        repository: TrialRepository,
        execution: Execution,
    ) -> TrialOutcome:
        plan = self.setting.plan
        judges = TakingDown(_without_limits(services.gateway))
        place = ScoringPlace(
            services=replace(services, gateway=judges),
            repository=repository,
            bundle=plan.bundle,
            models=plan.bundle.spec.models,
            folder=plan.suite.folder,
            root=plan.root,
            change=execution.change,
            sandbox=services.sandbox_override
            or plan.suite.spec.sandbox
            or plan.bundle.spec.sandbox,
        )
        try:
            subject = subject_of(plan.suite, self.case.case, execution)
            scores = await score_subject(plan.suite, subject, place)
        except (NotReproducible, FormatError) as error:
            return self._without("not_judged", told(error), execution)
        except (StorageError, BudgetExceeded, SafetyRefusal, SpecError):
            raise
        except AgentciError as error:
            return self._without("error", told(error), execution)
        if not scores:
            return self._without("not_judged", "no scorer of the suite is for this case", execution)
        unplayed = self._unplayed(session, execution)
        if unplayed and self.setting.mode is Mode.REPLAY:
            return self._without("not_judged", unplayed, execution)
        gates = [spec.name or spec.kind for spec in plan.suite.spec.scorers if spec.gates]
        gating = [name for name in gates if name in scores]
        failing = tuple(name for name in gating if not scores[name].passed)
        failed = execution.outcome != "passed" and not gating
        result = TrialResult(
            trial=self.trial.number,
            status="judged",
            key=self.trial.scores_key.digest,
            reason=execution.message,
            scores=scores,
            passed=not failing and not failed,
            failing=failing,
            output=subject.output,
            output_digest=digest_bytes(text_of(subject.output).encode()),
            metrics={**execution.metrics, **judge_metrics(judges.calls)},
            run_digest=execution.run_digest,
            recordings=self.trial.recordings.all,
        )
        return TrialOutcome(
            result,
            execution,
            self.trial.recordings,
            lasting=not unplayed and self.setting.mode is not Mode.LIVE,
        )

    def _without(self, status: str, reason: str, execution: Execution | None) -> TrialOutcome:
        """Return a trial that says nothing about its case, and why."""
        result = TrialResult(
            trial=self.trial.number,
            status="error" if status == "error" else "not_judged",
            key=self.trial.scores_key.digest,
            reason=reason,
            recordings=self.trial.recordings.all,
        )
        return TrialOutcome(result, execution, self.trial.recordings, lasting=False)

    def _unplayed(self, session: RecordingSession, execution: Execution) -> str:
        """Return which recordings nobody asked for, as a reason, or nothing.

        Where the target failed, what comes after that was not asked for; recording removes them.
        """
        if not _passed(execution) or self.setting.mode is Mode.RECORD:
            return ""
        left = session.unplayed()
        if not left:
            return ""
        shown = ", ".join(f"`{each.lane}`" for each in left[:_SHOWN])
        count = "1 recording was" if len(left) == 1 else f"{len(left)} recordings were"
        return f"{count} not played, in {shown}\nhint: {self._rerecord()}"

    def _rerecord(self) -> str:
        case = self.case.case.id
        quoted = case if case.replace("-", "").replace("_", "").isalnum() else f"'{case}'"
        return f"agentci eval {self.setting.plan.suite.path} --case {quoted} --mode record"

    def _services(
        self, session: RecordingSession, repository: TrialRepository, journal: Journal
    ) -> Services:
        setting = self.setting
        place = setting.scratch / "trials"
        folder = RunFolder(place, setting.effects.files)
        spending: SpendingPort = setting.spending
        if setting.mode is Mode.LIVE:
            prices = prices_of(setting.plan.bundle)
            spending = self._live = LiveCalls(spending, setting.effects.clock, prices)
        request = RunRequest(
            project=setting.plan.root,
            pipeline=Path(setting.plan.bundle.folder_name),
            seed=self.trial.seed,
            sandbox=setting.plan.keys.settings.sandbox,
            use_cache=False,
        )
        undertaking = Undertaking(
            request=request,
            mode=setting.mode,
            bundle=setting.plan.bundle,
            inputs=self.case.inputs,
            config=setting.config,
            folder=folder,
            history=RunHistory(),
            listener=SilentListener(),
            spending=spending,
        )
        services = build_services(
            undertaking,
            effects=setting.effects,
            session=session,
            repository=repository,
            journal=journal,
            sandboxes=setting.sandboxes,
        )
        # below the folder that holds the workspaces, where no repository of the user is found
        return replace(services, home=setting.scratch / f"home-{self._short_name()}")

    def _short_name(self) -> str:
        name = f"{self.case.case.id}/{self.trial.number}"
        return hex_of(digest_bytes(name.encode()))[:24]

    def _setup(self, services: Services, journal: Journal) -> RunSetup:
        return RunSetup(
            bundle=self.setting.plan.bundle,
            inputs=self.case.inputs,
            services=services,
            journal=journal,
            history=RunHistory(),
            cache=StepCache(None, enabled=False),
            listener=SilentListener(),
            jobs=self.setting.jobs,
        )


def _passed(execution: Execution | None) -> bool:
    return execution is not None and execution.outcome == "passed"


def _count_as_played(session: RecordingSession) -> None:
    """Count the target's recordings as played, where its result is known from them."""
    for lane in session.recorded_lanes():
        if not is_below(lane, JUDGES):
            session.mark_lane_played(lane)


def _without_limits(gateway: GatewayPort) -> GatewayPort:
    """Return the gateway whose calls do not count against the limits of the target."""
    assert isinstance(gateway, BudgetedGateway)
    return gateway.gateway


def told(error: AgentciError) -> str:
    """Return an error as a reason: its message, its place and the next thing to do."""
    place = f" (lane `{error.location.lane}`)" if error.location and error.location.lane else ""
    hint = f"\nhint: {error.hint}" if error.hint else ""
    return f"{error.message}{place}{hint}"


class _NotKept:
    """A journal's file that nobody will read: a trial that ended half-way starts anew."""

    def append(self, data: bytes, *, sync: bool = False) -> None:
        del data, sync

    def sync(self) -> None:
        pass

    def close(self) -> None:
        pass


_NOT_KEPT: Final = _NotKept()
_NO_EVENTS: Final = JournalContent({}, (), Digest("sha256:"), 0, torn=False)
