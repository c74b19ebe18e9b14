"""A suite's target as an ordinary pipeline, so that the engine runs it as it runs all others."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from agentci.app.definitions import assemble_bundle, read_bundle
from agentci.app.suite_cases import read_cases
from agentci.app.suite_definition import pipeline_folder, project_path
from agentci.core.errors import Location, Problem, SpecError
from agentci.plan.findings import names_hint
from agentci.plan.references import check_bundle
from agentci.plan.scopes import after_scope, template_shape, top_scope
from agentci.plan.templates import OPENING
from agentci.spec.expressions import evaluate, references, resolve
from agentci.spec.loader import PIPELINE_FILE
from agentci.spec.pipeline import AgentStep, CommandStep, InputSpec, PipelineSpec, PythonStep

if TYPE_CHECKING:
    from agentci.app.suite_definition import LoadedSuite
    from agentci.core.effects import Files
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.evals.case import Case
    from agentci.plan.bundle import Bundle, Locator
    from agentci.plan.shapes import Shape
    from agentci.spec.pipeline import StepBase
    from agentci.spec.suite import TargetSpec

STEP: Final = "target"
"""Id of the only step of a target that is no pipeline."""

_KINDS: Final = ("agent", "python", "command")
_ARGUMENTS, _COMMAND, _STDIN = "arguments", "command", "stdin"
_ANSWER: Final = "answer"


@dataclass(frozen=True, slots=True)
class _TargetPlaces:
    """Places in the suite for the parts of the pipeline that is made of its target."""

    suite: Locator
    around: Locator
    """Of the definition that agents and models come from."""
    kind: str

    def locate(self, path: tuple[str | int, ...], /) -> Location:
        if path and path[0] not in {"steps", "inputs", "output", "limits"}:
            return self.around.locate(path)
        if not path:
            return self.around.locate(())
        if path[0] == "output":
            return self.suite.locate(("target", "output"))
        inner = path[2:]
        if self.kind == "agent" and inner[:1] in {("agent",), ("prompt",)}:
            return self.suite.locate(("target", "agent", *inner))
        if inner[:1] == ("run",):
            return self.suite.locate(("target", "command", *inner[1:]))
        return self.suite.locate(("target", *inner))


def target_kind(target: TargetSpec) -> str:
    """Return which key names what is evaluated: `pipeline`, `agent`, `python` or `command`."""
    return next((kind for kind in _KINDS if getattr(target, kind) is not None), "pipeline")


def suite_bundle(suite: LoadedSuite, files: Files, *, root: Path) -> Bundle:
    """Return the target of a suite as a checked pipeline.

    A pipeline is taken as it is, with the suite's sandbox and repository. Anything else becomes
    the one step `target`, whose inputs `case_inputs` gives and whose answer `target_output` finds.
    All models of the pipeline around are kept, for judges.

    Raises:
        SpecError: with everything that is wrong with the target and the definition behind it.
    """
    target = suite.spec.target
    kinds = [name for name in _KINDS if getattr(target, name) is not None]
    if len(kinds) > 1:
        shown = " and ".join(f"`{kind}`" for kind in kinds)
        message = f"a suite has one target, and this one names {shown}"
        hint = "make two suites of it"
        _refuse(suite, "ACI-D501", ("target", kinds[1]), message=message, hint=hint)
    home = pipeline_folder(suite, files)
    if home is None and target_kind(target) in {"pipeline", "agent"}:
        hint = "put the suite into a pipeline's folder, or name its folder"
        _refuse(suite, "ACI-D504", ("target",), message="there is no pipeline here", hint=hint)
    if home is not None and not files.exists(home / PIPELINE_FILE):
        message = f"there is no pipeline at `{home.as_posix()}`"
        _refuse(suite, "ACI-D504", ("target", "pipeline"), message=message)
    if home is not None and project_path(home, root) is None:
        message = f"the pipeline `{target.pipeline}` is outside of the project"
        _refuse(suite, "ACI-D541", ("target", "pipeline"), message=message)
    around = None if home is None else read_bundle(home, files, root=root)
    bundle = _Maker(suite, around, home, files, root).bundle()
    problems = check_bundle(bundle)
    if problems:
        raise SpecError(problems)
    return bundle


@dataclass(frozen=True, slots=True)
class _Maker:
    suite: LoadedSuite
    around: Bundle | None
    home: Path | None
    files: Files
    root: Path

    def bundle(self) -> Bundle:
        target = self.suite.spec.target
        kind = target_kind(target)
        if kind == "agent" and self.around is not None and self.home is not None:
            return self._agent(self.around, self.home)
        if kind == "python":
            names = self._argument_names()
            step: StepBase = PythonStep.model_validate(
                {
                    "id": STEP,
                    "python": target.python,
                    "with": _arguments(names),
                    "side_effects": "workspace",
                    "proxy": target.proxy,
                    "timeout": target.timeout,
                }
            )
            return self._alone(step, {_ARGUMENTS: "object"})
        if kind == "command":
            return self._alone(self._command(target), {_COMMAND: "list", _STDIN: "string"})
        if self.around is None or self.home is None:
            raise AssertionError(kind)  # refused by the caller
        spec = self.around.spec.model_copy(update=self._surroundings(self.home))
        return replace(self.around, spec=spec)

    def _surroundings(self, home: Path) -> dict[str, Any]:
        """Return the fields of the pipeline that the suite has a say in."""
        found: dict[str, Any] = {}
        repository = self.suite.spec.target.repository
        if repository is not None and OPENING not in repository:
            found["repository"] = _relative(self.suite.folder / repository, home)
        if self.suite.spec.sandbox is not None:
            found["sandbox"] = self.suite.spec.sandbox
        return found

    def _agent(self, around: Bundle, home: Path) -> Bundle:
        target = self.suite.spec.target.agent
        if target is None:
            raise AssertionError(self.suite.path)  # the kind says that it is there
        agents = around.spec.agents
        if target.agent not in agents:
            _refuse(
                self.suite,
                "ACI-D503",
                ("target", "agent", "agent"),
                message=f"pipeline `{around.spec.name}` has no agent `{target.agent}`",
                hint=names_hint(target.agent, agents, what="its agents"),
            )

        def made(names: tuple[str, ...]) -> Bundle:
            step = AgentStep.model_validate(
                {
                    "id": STEP,
                    "agent": target.agent,
                    "prompt": target.prompt,
                    "with": _arguments(names),
                    "timeout": self.suite.spec.target.timeout,
                }
            )
            spec = self._spec(step, {_ARGUMENTS: "object"}, home=home).model_copy(
                update={
                    "agents": {target.agent: agents[target.agent]},
                    "models": around.spec.models,
                    "repository": around.spec.repository,
                    "sandbox": around.spec.sandbox,
                    **self._surroundings(home),
                }
            )
            places = _TargetPlaces(self.suite.positions, around.positions, "agent")
            return assemble_bundle(spec, places, home=home, files=self.files, root=self.root)

        written = tuple(self.suite.spec.target.with_)
        return made(written) if written else made(_read_names(made(())))

    def _alone(self, step: StepBase, inputs: Mapping[str, str]) -> Bundle:
        """Return a step of the suite's own folder, beside the models of the pipeline around."""
        home = self.suite.folder
        places = _TargetPlaces(self.suite.positions, self.suite.positions, "")
        spec = self._spec(step, inputs, home=home)
        bundle = assemble_bundle(spec, places, home=home, files=self.files, root=self.root)
        if self.around is None:
            return bundle
        if spec.repository is None and self.around.spec.repository is not None and self.home:
            folder = _relative(self.home / self.around.spec.repository, home)
            spec = spec.model_copy(update={"repository": folder})
        models = self.around.spec.models
        return replace(
            bundle,
            spec=spec.model_copy(update={"models": models}),
            positions=replace(places, around=self.around.positions),
            scripts=self.around.scripts,
            providers=self.around.providers,
        )

    def _spec(self, step: StepBase, inputs: Mapping[str, str], *, home: Path) -> PipelineSpec:
        suite = self.suite.spec
        output = f"steps.{STEP}.output" + (".stdout" if isinstance(step, CommandStep) else "")
        head = {"format": "agentci/pipeline", "version": 1, "name": suite.name, "seed": suite.seed}
        spec = PipelineSpec.model_validate(
            {**head, "steps": (step,), "output": {_ANSWER: f"${{{{ {output} }}}}"}}
        )
        declared = {name: InputSpec.model_validate({"type": kind}) for name, kind in inputs.items()}
        return spec.model_copy(update={"inputs": declared, **self._surroundings(home)})

    def _command(self, target: TargetSpec) -> CommandStep:
        words = tuple(
            f"${{{{ inputs.{_COMMAND}[{index}] }}}}" if OPENING in word else word
            for index, word in enumerate(target.command or ())
        )
        return CommandStep.model_validate(
            {
                "id": STEP,
                "run": words,
                "stdin": f"${{{{ inputs.{_STDIN} }}}}",
                "side_effects": "workspace",
                "proxy": target.proxy,
                "timeout": target.timeout,
                "sandbox": self.suite.spec.sandbox,
            }
        )

    def _argument_names(self) -> tuple[str, ...]:
        """Return the keyword arguments of a function; without `with`, those of the first case."""
        written = tuple(self.suite.spec.target.with_)
        if written:
            return written
        first = read_cases(self.suite, self.files, root=self.root)[0]
        return tuple(sorted(_default_arguments(first)))


def _read_names(bundle: Bundle) -> tuple[str, ...]:
    """Return the names that the prompts of an agent read, sorted."""
    found: set[str] = set()
    for prompt in bundle.prompts.values():
        try:
            found.update(each.path[0] for each in references(prompt.text, prompt=True))
        except SpecError:
            continue  # reported with the prompt
    return tuple(sorted(found))


def _arguments(names: tuple[str, ...]) -> dict[str, str]:
    quoted = {name: json.dumps(name, ensure_ascii=False) for name in names}
    return {name: f"${{{{ inputs.{_ARGUMENTS}[{quoted[name]}] }}}}" for name in names}


def _relative(path: Path, home: Path) -> str:
    return Path(os.path.relpath(path, home)).as_posix()


def _default_arguments(case: Case) -> JsonObject:
    return case.input if isinstance(case.input, Mapping) else {"input": case.input}


def case_inputs(suite: LoadedSuite, case: Case) -> JsonObject:
    """Return the inputs of the bundle of a suite's target for a case.

    Raises:
        SpecError: when an expression is not well formed.
        StepFailed: when an expression has no value for this case.
    """
    target = suite.spec.target
    scope: JsonObject = {"case": case.scope()}
    if target_kind(target) == "command":
        return {
            _COMMAND: resolve(target.command, scope),
            _STDIN: _as_text(evaluate(target.stdin, scope)),
        }
    values = _default_arguments(case)
    if target.with_:
        values = {name: resolve(value, scope) for name, value in target.with_.items()}
    return values if target_kind(target) == "pipeline" else {_ARGUMENTS: values}


def _as_text(value: JsonValue) -> str:
    from agentci.spec.expression_values import to_text  # noqa: PLC0415 - commands alone need it

    return to_text(value)


def target_output(suite: LoadedSuite, case: Case, output: JsonValue) -> JsonValue:
    """Return what is scored of `output`, which a run of the target's bundle returned.

    Raises:
        SpecError, StepFailed: when the suite's `target.output` has no value.
    """
    target = suite.spec.target
    if target_kind(target) != "pipeline":
        output = output.get(_ANSWER) if isinstance(output, Mapping) else None
    if target.output is None or output is None:
        return output
    return evaluate(target.output, {"output": output, "case": case.scope()})


def answer_shape(suite: LoadedSuite, bundle: Bundle) -> Shape:
    """Return what is known of `output` before a run."""
    spec = bundle.spec
    scope = after_scope(bundle, spec.steps, outer=top_scope(spec))
    whole = template_shape(spec.output, scope)
    return whole if target_kind(suite.spec.target) == "pipeline" else whole.fields[_ANSWER]


def case_repository(suite: LoadedSuite, bundle: Bundle, case: Case, *, root: Path) -> str | None:
    """Return the folder with the files that a case works on, relative to the project.

    That is what the suite names, else the task's own, else what the pipeline says; None stands for
    the git repository around the project.

    Raises:
        SpecError: when it is outside of the project, or the expression is not well formed.
        StepFailed: when the expression has no value for this case.
    """
    named = suite.spec.target.repository
    if named is not None:
        text = _as_text(evaluate(named, {"case": case.scope()}))
        folder = suite.folder / text
    elif case.repository is not None:
        return case.repository
    elif bundle.spec.repository is not None:
        text = bundle.spec.repository
        folder = Path(bundle.folder_name) / text
    else:
        return None
    found = project_path(folder, root)
    if found is None:
        message = f"the repository `{text}` of case `{case.id}` is outside of the project"
        _refuse(suite, "ACI-D541", ("target", "repository"), message=message)
    return found


def _refuse(
    suite: LoadedSuite,
    code: str,
    path: tuple[str | int, ...],
    *,
    message: str,
    hint: str | None = None,
) -> NoReturn:
    raise SpecError((Problem(code, message, suite.positions.locate(path), hint),))
