"""The evaluation suite, `suite.yaml`, version 1.

A suite says what is called (`target`) with what (`dataset`), how often (`trials`), and what is
expected (`scorers`). Field descriptions are the reference documentation.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from agentci.spec.pipeline import Condition, Model, Name, SandboxName, Seconds
from agentci.spec.policy import PolicySpec

CaseId: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]


class AgentTarget(Model):
    """One agent of a pipeline, with a prompt of its own."""

    agent: Name = Field(description="A name from the pipeline's `agents`.")
    prompt: str = Field(description="Prompt file, relative to the pipeline's folder.")


class TargetSpec(Model):
    """What is evaluated: the pipeline, or one of `agent`, `python`, `command`."""

    pipeline: str | None = Field(
        None,
        description="Folder of the pipeline, relative to the suite's. `agent` takes its agents "
        "from there, and judges their models. Default: the pipeline beside or around the suite.",
    )
    agent: AgentTarget | None = Field(None, description="Evaluate one agent instead.")
    python: str | None = Field(
        None, description="Evaluate `file.py:function` instead, relative to the suite's folder."
    )
    command: tuple[str, ...] | None = Field(
        None,
        description="Evaluate a program instead: its name and arguments, in which expressions see "
        "`case`; its standard output is the answer.",
    )
    with_: dict[str, Any] = Field(
        default_factory=dict,
        alias="with",
        description="Inputs of the pipeline, values for the prompt, or keyword arguments; "
        "expressions see `case`. Default: the case's `input`, where it is a mapping, else "
        "`input` with it. Without it, a prompt sees only what it reads.",
    )
    stdin: str = Field(
        "", description="For `command`: text for standard input; expressions see `case`."
    )
    output: str | None = Field(
        None,
        description="Expression with `output` and `case`: the part of the target's output that is "
        "scored. A command's output is the text that it prints.",
    )
    proxy: bool = Field(
        False, description="For `python` and `command`: record their model calls, as for `run`."
    )
    repository: str | None = Field(
        None,
        description="Folder with the files to work on, relative to the suite's; may name "
        "`case`. Default for folders of tasks: the task's `repository`.",
    )
    timeout: Seconds | None = Field(
        None,
        description="Seconds for one trial of an agent, function or program. The steps of a "
        "pipeline have their own.",
    )


class SampleSpec(Model):
    """A part of the dataset, drawn by seed, so that everyone draws the same."""

    size: int = Field(ge=1, description="Number of cases.")
    seed: int = Field(0, ge=0, description="Another seed draws others.")


class DatasetSpec(Model):
    """The cases. Give exactly one of `path` and `cases`."""

    path: str | None = Field(
        None,
        description="File (`.yaml`, `.json`, `.jsonl`, `.csv`), or folder with a folder for each "
        "task, relative to the suite's.",
    )
    cases: tuple[dict[str, Any], ...] | None = Field(None, description="Cases written here.")
    id: str = Field("id", description="Field with the case's id; its line number where missing.")
    input: str = Field(
        "input",
        description="Field with the input. Where missing: all fields but those named here, so that "
        "the expected answer is no part of it.",
    )
    expected: str = Field("expected", description="Field with the expected answer.")
    group: str = Field(
        "group", description="Field that cases which stand or fall together have in common."
    )
    tags: str = Field(
        "tags",
        description="Field with the case's tags, which name slices: a list, or a text with commas.",
    )
    filter: Condition = Field(True, description="Expression with `case`; false leaves it out.")
    sample: SampleSpec | None = Field(None, description="Take a part of the cases only.")


class ScorerSpec(Model):
    """One expectation."""

    kind: str = Field(description="A scorer from `agentci schema scorers`, or an installed one.")
    name: Name | None = Field(None, description="Default: the kind. Unique in the suite.")
    with_: dict[str, Any] = Field(
        default_factory=dict,
        alias="with",
        description="Options of the kind; expressions see `case`, `output` and `text`.",
    )
    threshold: float = Field(
        1.0, ge=0, le=1, description="The value from which on a case passes this scorer."
    )
    gates: bool = Field(True, description="False: reported, but no case fails because of it.")
    when: Condition = Field(True, description="Expression with `case`; false leaves it out.")


class QuarantineSpec(Model):
    """A case that runs and is reported, but does not block for the time being."""

    case: CaseId = Field(description="Its id.")
    owner: str = Field(min_length=1, description="Who looks after it.")
    reason: str = Field(min_length=1, description="Why it may fail.")
    expires: str = Field(
        pattern=r"^\d{4}-\d{2}-\d{2}$", description="Day, after which it blocks again."
    )


class SuiteLimits(Model):
    """Limits of recording a suite; reaching one ends it with exit code 7."""

    tokens: int | None = Field(None, ge=1, description="Input and output tokens of the suite.")
    cost: float | None = Field(None, gt=0, description="In the currency of the models' prices.")
    seconds: Seconds | None = Field(None, description="Wall-clock time of the whole evaluation.")


class SuiteSpec(Model):
    """A suite: what is called with what, how often, and what is expected of the answers.

    It lies in a pipeline's folder, or in a folder below that folder's `suites`.
    """

    format: Literal["agentci/suite"]
    version: Literal[1]
    name: Name = Field(description="For people; the suite's folder is its identity.")
    description: str = Field("", description="For people.")
    target: TargetSpec = Field(
        description="What is evaluated; `{}` is the pipeline that the suite lies in."
    )
    dataset: DatasetSpec = Field(description="What it is called with.")
    trials: int = Field(1, ge=1, le=1000, description="Answers to draw for each case.")
    seed: int = Field(0, ge=0, lt=2**53, description="From which each trial's seed is derived.")
    scorers: tuple[ScorerSpec, ...] = Field(
        min_length=1, description="What is expected; a case passes where all that gate pass."
    )
    required: tuple[str, ...] = Field(
        (), description="Ids of cases that may never break; `*` stands for any characters."
    )
    quarantine: tuple[QuarantineSpec, ...] = Field(
        (), description="Cases that do not block for the time being."
    )
    limits: SuiteLimits = Field(
        default_factory=SuiteLimits, description="What a recording may cost."
    )
    sandbox: SandboxName | None = Field(
        None,
        description="Where commands of targets and scorers run. Default: agents use the "
        "pipeline's, a `command` is a plain process, as the step `run` is.",
    )
    policy: PolicySpec | str | None = Field(
        None,
        description="What blocks: inline, or a file relative to the suite's folder. Default: "
        "`policy.yaml` beside the suite, else the one at the project's root, else the defaults.",
    )
