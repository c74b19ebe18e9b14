"""What evaluating a suite takes: its cases, their trials, and the key of each. Executes nothing.

Reads through any `Files`, so that a suite can be planned as it was in another commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.app.eval_cassettes import RecordingIndex, TrialRecordings, flat_name
from agentci.app.eval_parts import (
    SuiteFolder,
    case_files,
    model_parts,
    scorer_identity,
    scorer_parts,
    target_parts,
    tree_digest,
)
from agentci.app.eval_repository import uses_files
from agentci.app.suites import (
    case_inputs,
    case_repository,
    checked_suite,
    load_suite,
)
from agentci.core.digest import Digest, digest_bytes, digest_json
from agentci.core.errors import AgentciError, Location, SpecError, StepFailed, UsageError
from agentci.core.seed import derive_seed
from agentci.evals.keys import EvalKey, KeyParts, key_parts
from agentci.evals.scorers.registry import scorer
from agentci.plan.inputs import bind_inputs
from agentci.spec.expressions import resolve, split_expressions

if TYPE_CHECKING:
    from agentci.app.suites import LoadedSuite
    from agentci.core.effects import Files
    from agentci.core.json_types import JsonValue
    from agentci.evals.case import Case
    from agentci.plan.bundle import Bundle
    from agentci.spec.suite import ScorerSpec


@dataclass(frozen=True, slots=True)
class PlannedTrial:
    """One answer to draw."""

    number: int
    """Counted from 1."""
    seed: int
    """The run seed of the target, derived from the suite's seed, the case and the number."""
    key: EvalKey
    """Of everything that can change what the target does."""
    scores_key: EvalKey
    """Of everything that can change the result: the target's part, and the scorers'."""
    recordings: TrialRecordings
    """What is recorded for it."""


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """A case with what its target is given."""

    case: Case
    inputs: Mapping[str, JsonValue]
    """Complete."""
    repository: str | None
    """Folder with the files to work on, relative to the project; None for the project's own
    repository."""
    trials: tuple[PlannedTrial, ...]


@dataclass(frozen=True, slots=True)
class SuitePlan:
    """A suite, ready to be evaluated."""

    suite: LoadedSuite
    bundle: Bundle
    cases: tuple[PlannedCase, ...]
    """In order of their ids."""
    digests: Mapping[str, Digest]
    """By part, as `SuiteResult.digests`."""
    cassettes: Path
    """Folder of the suite's recordings."""
    root: Path
    """The project's folder."""
    uses_files: bool
    """Whether the target may look at files."""
    trials: int
    """Asked for, per case."""
    keys: KeyMaker

    def trial(self, planned: PlannedCase, number: int, recordings: TrialRecordings) -> PlannedTrial:
        """Return a trial of a case with what is recorded for it now."""
        return self.keys.trial(
            planned.case, planned.inputs, planned.repository, number=number, recordings=recordings
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings:
    """What a plan depends on besides the files of the suite."""

    project_commit: Callable[[], str] = lambda: ""
    """Returns the commit of the project's repository that targets start from; called only where
    a target works on it."""
    trials: int | None = None
    """Instead of the suite's."""
    add_trials: int = 0
    """On top of what was asked for and what is recorded."""
    sandbox: str | None = None
    """Where all commands run, instead of what the definitions say."""
    image: str | None = None
    """Of the sandbox `docker`."""


_NONE: Final = digest_bytes(b"")
DEFAULT_SETTINGS: Final = PlanSettings()


def plan_suite(
    folder: Path,
    files: Files,
    *,
    root: Path,
    cassettes_root: Path,
    settings: PlanSettings = DEFAULT_SETTINGS,
) -> SuitePlan:
    """Return the plan of the suite in `folder`.

    Raises:
        SpecError: when the suite, its dataset or its target is invalid.
        UsageError: when a case does not fit the target.
        NothingMatched: when the suite has no cases.
        StorageError: when a file cannot be read.
    """
    suite = load_suite(folder, files, root=root)
    ready = checked_suite(suite, files, root=root)
    bundle, cases = ready.bundle, ready.cases
    _check_lanes(suite, bundle)
    cassettes = cassettes_root / flat_name(suite.path)
    maker = KeyMaker.of(suite, bundle, files=files, root=root, settings=settings)
    recorded = RecordingIndex.read(files, cassettes)
    planned = tuple(_planned(case, maker, recorded) for case in cases)
    return SuitePlan(
        suite=suite,
        bundle=bundle,
        cases=planned,
        digests={
            **maker.digests,
            "dataset": digest_json([[case.id, case.digest] for case in cases]),
            "cassettes": cassettes_digest(
                {
                    (each.case.id, trial.number): trial.recordings.all
                    for each in planned
                    for trial in each.trials
                }
            ),
        },
        cassettes=cassettes,
        root=root,
        uses_files=maker.uses_files,
        trials=settings.trials or suite.spec.trials,
        keys=maker,
    )


def _planned(case: Case, maker: KeyMaker, recorded: RecordingIndex) -> PlannedCase:
    settings = maker.settings
    try:
        inputs = bind_inputs(maker.bundle.spec, case_inputs(maker.suite, case))
        repository = case_repository(maker.suite, maker.bundle, case, root=maker.root)
    except (StepFailed, UsageError) as error:
        if isinstance(error, SpecError):
            raise
        raise UsageError(
            f"the case `{case.id}` does not fit the target: {error.message}",
            code="ACI-U476",
            hint=error.hint,
            location=Location(case.file, case.line),
        ) from error
    # a trial that was added once belongs to the case from then on, whatever it says
    wanted = settings.trials or max(maker.suite.spec.trials, recorded.trials(case.id))
    trials = tuple(
        maker.trial(
            case, inputs, repository, number=number, recordings=recorded.of(case.id, number)
        )
        for number in range(1, wanted + settings.add_trials + 1)
    )
    return PlannedCase(case, inputs, repository, trials)


def _check_lanes(suite: LoadedSuite, bundle: Bundle) -> None:
    """Refuse a pipeline whose step would share a lane with the suite's judges."""
    if any(step.id == "judge" for step in bundle.spec.steps):
        raise UsageError(
            f"the target of `{suite.path}` has a step `judge`, which is the lane of the suite's "
            "judges",
            code="ACI-U475",
            hint="give the step another id",
            location=Location(suite.file.as_posix()),
        )


@dataclass(frozen=True, slots=True)
class KeyMaker:
    """Makes the keys of a suite's trials; what they have in common is digested once."""

    suite: LoadedSuite
    bundle: Bundle
    files: Files
    root: Path
    settings: PlanSettings
    uses_files: bool
    target: KeyParts
    scoring: KeyParts
    digests: Mapping[str, Digest]
    _folder: SuiteFolder
    _by_case: tuple[ScorerSpec, ...]
    """Scorers that name other files for each case."""
    _trees: dict[str | None, Digest] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        suite: LoadedSuite,
        bundle: Bundle,
        *,
        files: Files,
        root: Path,
        settings: PlanSettings,
    ) -> KeyMaker:
        """Digest what all trials of `suite` have in common."""
        folder = SuiteFolder(files, suite.folder)
        sandbox = [settings.sandbox, suite.spec.sandbox, settings.image]
        target = key_parts({**target_parts(bundle), "sandbox": sandbox})
        scoring: dict[str, JsonValue] = dict(model_parts(bundle))
        if suite.spec.target.output is not None:
            scoring["target.output"] = suite.spec.target.output
        for spec in suite.spec.scorers:
            scoring.update(scorer_parts(spec, scorer_identity(spec, folder)))
        scores = key_parts(scoring)
        return cls(
            suite=suite,
            bundle=bundle,
            files=files,
            root=root,
            settings=settings,
            uses_files=uses_files(bundle),
            target=target,
            scoring=scores,
            digests=_digests(suite, target, scores),
            _folder=folder,
            _by_case=tuple(spec for spec in suite.spec.scorers if _names_by_case(spec)),
        )

    def trial(
        self,
        case: Case,
        inputs: Mapping[str, JsonValue],
        repository: str | None,
        *,
        number: int,
        recordings: TrialRecordings,
    ) -> PlannedTrial:
        """Return a trial with its keys."""
        seed = derive_seed(self.suite.spec.seed, case.id, str(number))
        own = {
            "case": digest_bytes(f"{case.digest} {case.id}".encode("utf-8", "surrogatepass")),
            "inputs": digest_json(dict(inputs)),
            "trial": digest_bytes(b"%d" % number),
            "seed": digest_bytes(b"%d" % seed),
            "recordings": recordings.target or _NONE,
            "repository": self._tree(repository),
        }
        key = self.target.key(own)
        scoring = {"judges": recordings.judges or _NONE}
        for spec in self._by_case:
            name = f"scorers.{spec.name or spec.kind}.case_files"
            scoring[name] = digest_json(self._case_files(spec, case))
        scores = self.scoring.key(scoring, on=key)
        return PlannedTrial(number, seed, key, scores, recordings)

    def _tree(self, repository: str | None) -> Digest:
        if repository is None and not self.uses_files:
            return _NONE
        if repository not in self._trees:
            self._trees[repository] = (
                digest_json(self.settings.project_commit())
                if repository is None
                else tree_digest(self.files, self.root / repository)
            )
        return self._trees[repository]

    def _case_files(self, spec: ScorerSpec, case: Case) -> JsonValue:
        try:
            options = resolve(spec.with_, {"case": case.scope()})
        except AgentciError:
            # named by the answer: any file of the suite's folder
            return tree_digest(self.files, self.suite.folder)
        assert isinstance(options, Mapping)
        return dict(case_files(spec.kind, options, self._folder))


def _names_by_case(spec: ScorerSpec) -> bool:
    named = scorer(spec.kind).files(spec.with_)
    return any(piece.is_expression for path in named for piece in split_expressions(path))


def _digests(suite: LoadedSuite, target: KeyParts, scores: KeyParts) -> Mapping[str, Digest]:
    def of(fields: Mapping[str, Digest], names: Sequence[str]) -> Digest:
        found = {name: fields[name] for name in fields if name.partition(".")[0] in names}
        return digest_json(found)

    apart = {"prompts", "models", "tools"}
    rest = sorted({name.partition(".")[0] for name in target.fields} - apart)
    return {
        "suite": suite.digest,
        "target": of(target.fields, rest),
        "prompts": of(target.fields, ("prompts",)),
        "models": of(target.fields, ("models",)),
        "tools": of(target.fields, ("tools",)),
        "scorers": of(scores.fields, ("scorers", "target")),
    }


def cassettes_digest(recordings: Mapping[tuple[str, int], Digest | None]) -> Digest:
    """Return the digest of the recordings of a suite, given by case and trial."""
    return digest_json([[*place, digest] for place, digest in sorted(recordings.items())])
