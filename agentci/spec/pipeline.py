"""The pipeline definition, `pipelines/<name>/pipeline.yaml`, version 1.

A step is told apart by the one key that names its kind (`agent`, `run`, `loop`, ...). Field
descriptions are the reference documentation: `docs/reference/pipeline.md` is generated from them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
"""Names of pipelines, steps, agents, models and inputs. Lower case, so that they are also safe
file names on every file system."""

Template: TypeAlias = str
"""Text in which `${{ expression }}` is replaced."""

Condition: TypeAlias = str | bool
"""A `${{ expression }}`, or a constant."""

SideEffects: TypeAlias = Literal["pure", "workspace", "external"]
SandboxName: TypeAlias = Literal["docker", "bwrap", "process"]
InputType: TypeAlias = Literal["string", "integer", "number", "boolean", "list", "object"]
Seconds: TypeAlias = Annotated[float, Field(gt=0, le=86_400)]


class Model(BaseModel):
    """Base of all spec models: unknown keys are errors, values do not change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, defer_build=True, populate_by_name=True
    )


class InputSpec(Model):
    """A value that the caller of the pipeline gives."""

    type: InputType = Field("string", description="Type of the value.")
    description: str = Field("", description="Shown by `agentci check` and in errors.")
    default: Any = Field(
        None, description="Value when the caller gives none. Without it the input is required."
    )

    @property
    def required(self) -> bool:
        """Whether the caller has to give a value."""
        return "default" not in self.model_fields_set


class PriceSpec(Model):
    """Price of a model, for cost limits and reports. There is no built-in price list."""

    input: float = Field(ge=0, description="Price of a million input tokens.")
    output: float = Field(ge=0, description="Price of a million output tokens.")
    cached: float | None = Field(
        None, ge=0, description="Price of a million cached input tokens; `input` when missing."
    )
    currency: str = Field("USD", description="Shown beside amounts; not converted.")


class ModelSpec(Model):
    """A model and how it is called."""

    provider: str = Field(
        description="A provider from `agentci doctor`, for example `openai`, `anthropic`, "
        "`gemini`, `ollama`, or `scripted`."
    )
    id: str = Field(description="The provider's name of the model; prefer a dated snapshot.")
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="`max_tokens`, `temperature`, `top_p`, `top_k`, `stop`, and any field that "
        "the provider's wire format has.",
    )
    seed: bool = Field(
        True, description="Send a seed derived from the run seed, where the provider has one."
    )
    stream: bool = Field(False, description="Ask for a streamed answer.")
    timeout: Seconds = Field(300, description="Seconds without progress before a call is given up.")
    attempts: int = Field(
        4, ge=1, le=20, description="Tries of a call on status 429 and 5xx, with back-off."
    )
    price: PriceSpec | None = Field(None, description="Needed for cost limits.")
    script: str | None = Field(
        None, description="For the provider `scripted`: file with the replies."
    )


class AgentLimits(Model):
    """What ends an agent step early: outcome `limit_turns`, `limit_tokens` or `limit_cost`."""

    turns: int = Field(25, ge=1, le=1000, description="Model calls in one agent step.")
    tokens: int | None = Field(None, ge=1, description="Input and output tokens in one step.")
    cost: float | None = Field(None, gt=0, description="In the currency of the model's price.")


class AgentSpec(Model):
    """An agent: a model with instructions, tools and limits."""

    model: Name = Field(description="A name from `models`.")
    system: str | None = Field(
        None, description="Prompt file with the instructions, relative to the pipeline's folder."
    )
    tools: tuple[str, ...] = Field(
        (),
        description="Any of `read_file`, `write_file`, `edit_file`, `list_files`, `search`, "
        "`run_command`.",
    )
    output: dict[str, Any] | str | None = Field(
        None,
        description="JSON Schema of the answer, inline or as a file. Without it, the output is "
        "`{text: ...}`.",
    )
    repairs: int = Field(
        2, ge=0, le=10, description="Turns in which a wrong answer may be put right."
    )
    limits: AgentLimits = Field(default_factory=AgentLimits)
    sandbox: SandboxName | None = Field(
        None, description="Where the agent's commands run; default: the pipeline's."
    )
    commands: tuple[str, ...] = Field(
        (), description="Programs that `run_command` may start; empty means any."
    )
    command_timeout: Seconds = Field(120, description="Seconds for one command of the agent.")


class RetrySpec(Model):
    """When a failed step is tried again."""

    attempts: int = Field(2, ge=2, le=20, description="Tries in all.")
    on: tuple[Literal["failed", "timeout", "provider"], ...] = Field(
        ("provider",), description="Which failures are tried again."
    )
    delay: float = Field(
        1.0, ge=0, le=3600, description="Seconds before the second try; doubles, with jitter."
    )


class StepBase(Model):
    """What every step has."""

    id: Name = Field(description="Unique among its siblings; part of the lane.")
    needs: tuple[Name, ...] | None = Field(
        None,
        description="Sibling steps that come first. Default: the step above; `[]` starts at once.",
    )
    when: Condition = Field(True, description="The step is skipped where this is false.")
    timeout: Seconds | None = Field(None, description="Seconds, after which the step fails.")
    retry: RetrySpec | None = None
    cache: bool = Field(True, description="Take the result from the cache when nothing changed.")
    salt: str = Field("", description="Part of the cache key; change it to disown old results.")
    allow_failure: bool = Field(
        False, description="A failure is recorded in `outcome` and the pipeline goes on."
    )


class SelectSpec(Model):
    """How one of several samples is picked. Give exactly one. Ties are broken by seed."""

    majority: Literal[True] | None = Field(
        None, description="The output that most samples gave, compared as canonical JSON."
    )
    first_passing: tuple[str, ...] | None = Field(
        None, description="Command; the first sample in whose files it exits with 0."
    )
    best: str | None = Field(
        None, description="`file.py:function`; gets the outputs, returns a number for each."
    )


class AgentStep(StepBase):
    """An agent works on a prompt, with its tools, in the workspace."""

    agent: Name = Field(description="A name from `agents`.")
    prompt: str = Field(description="Prompt file, relative to the pipeline's folder.")
    with_: dict[str, Any] = Field(
        default_factory=dict, alias="with", description="Values that the prompt file may use."
    )
    attachments: tuple[str, ...] = Field(
        (), description="Image, sound and other files of the workspace, sent with the prompt."
    )
    samples: int = Field(1, ge=1, le=100, description="Answers to draw, each with its own seed.")
    select: SelectSpec | None = Field(None, description="Needed when `samples` is above 1.")


class CommandStep(StepBase):
    """A command of the repository, as in any CI."""

    run: tuple[Template, ...] | str = Field(
        description="Program and arguments as a list. A single text is split into words, never "
        "given to a shell."
    )
    side_effects: SideEffects = Field(
        "pure",
        description="`pure`: changed files are dropped; `workspace`: they are kept; `external`: "
        "the command changes something elsewhere and is sent at most once.",
    )
    folder: Template = Field(".", description="Working directory in the repository.")
    env: dict[str, Template] = Field(default_factory=dict, description="Added to the environment.")
    pass_env: tuple[str, ...] = Field(
        (), description="Variables taken from the caller; their values are part of the cache key."
    )
    stdin: Template = Field("", description="Text for standard input.")
    expect: tuple[int, ...] = Field((0,), description="Exit codes that are not a failure.")
    parse: Literal["json"] | None = Field(
        None, description="`json`: standard output becomes `output.json`."
    )
    sandbox: SandboxName | None = Field(
        None, description="Default: a plain process in the fixed environment."
    )
    mask: tuple[str, ...] = Field(
        (), description="Regular expressions; what they match in the output becomes `<masked>`."
    )
    proxy: bool = Field(
        False,
        description="Model calls of the program are recorded and replayed: it gets base URLs "
        "(`OPENAI_BASE_URL`, `ANTHROPIC_BASE_URL`, `GOOGLE_GEMINI_BASE_URL`) that point to a "
        "proxy on this machine, and no real key. `mask` holds for its requests, too.",
    )


class PythonStep(StepBase):
    """A Python function of the repository, called in a process of its own."""

    python: str = Field(description="`file.py:function`, relative to the pipeline's folder.")
    with_: dict[str, Any] = Field(
        default_factory=dict, alias="with", description="Keyword arguments."
    )
    side_effects: SideEffects = Field("pure", description="As for `run`.")
    pass_env: tuple[str, ...] = Field((), description="As for `run`.")
    proxy: bool = Field(False, description="As for `run`.")


class LoopBody(Model):
    """Steps that repeat until a condition holds."""

    until: str = Field(description="`${{ expression }}`; true ends the loop as `approved`.")
    max: int = Field(ge=1, le=1000, description="Iterations, after which it is `exhausted`.")
    initial: dict[str, Any] = Field(
        default_factory=dict, description="`carry` in the first iteration."
    )
    carry: dict[str, Any] = Field(
        default_factory=dict,
        description="`carry` in the next iteration, from the steps of this one.",
    )
    on_exhausted: Literal["fail", "continue"] = Field(
        "fail", description="What the outcome `exhausted` means for the pipeline."
    )
    steps: tuple[Step, ...] = Field(min_length=1)


class LoopStep(StepBase):
    """A loop with carried state and an explicit outcome."""

    loop: LoopBody


class ParallelBody(Model):
    """Branches that run at the same time, each in its own worktree."""

    branches: dict[Name, tuple[Step, ...]] = Field(
        min_length=1, description="Merged in the order in which they are written."
    )


class ParallelStep(StepBase):
    """Branches at the same time."""

    parallel: ParallelBody


class ForeachBody(Model):
    """The same steps for each item, each in its own worktree."""

    items: list[Any] | str | None = Field(None, description="A list, or an expression for one.")
    matrix: dict[Name, list[Any] | str] | None = Field(
        None, description="Every combination; `item.<axis>` gives the value."
    )
    key: Template | None = Field(
        None,
        description="Expression with `item`: the item's name in the lane. Default: the item "
        "itself where it is a word or number, else its position.",
    )
    concurrency: int | None = Field(None, ge=1, description="Items at the same time.")
    steps: tuple[Step, ...] = Field(min_length=1)


class ForeachStep(StepBase):
    """A fan-out. Results are in the order of the items."""

    foreach: ForeachBody


class PipelineStep(StepBase):
    """Another pipeline as a step."""

    pipeline: str = Field(description="Folder of the pipeline, relative to this one's.")
    with_: dict[str, Any] = Field(default_factory=dict, alias="with", description="Its inputs.")


class ApproveStep(StepBase):
    """Stops until a person approves exactly what is shown."""

    approve: Template = Field(description="The question, with what the person should look at.")


class CommitBody(Model):
    """A commit with fixed author and dates."""

    message: Template
    author: str = Field("agentci <agentci@localhost>", pattern=r"^[^<>\n]+ <[^<>\s]+>$")


class CommitStep(StepBase):
    """Commits the workspace. The id is the same on every machine."""

    commit: CommitBody


STEP_KINDS: dict[str, type[StepBase]] = {
    "agent": AgentStep,
    "run": CommandStep,
    "python": PythonStep,
    "loop": LoopStep,
    "parallel": ParallelStep,
    "foreach": ForeachStep,
    "pipeline": PipelineStep,
    "approve": ApproveStep,
    "commit": CommitStep,
}
"""The key that names a step's kind, and the model of such a step."""


def kind_of(step: object) -> str | None:
    """Return the kind of a parsed or raw step, or None where it names none or several."""
    if isinstance(step, dict):
        found = [kind for kind in STEP_KINDS if kind in step]
        return found[0] if len(found) == 1 else None
    return next((kind for kind, model in STEP_KINDS.items() if isinstance(step, model)), None)


Step: TypeAlias = Annotated[
    Annotated[AgentStep, Tag("agent")]
    | Annotated[CommandStep, Tag("run")]
    | Annotated[PythonStep, Tag("python")]
    | Annotated[LoopStep, Tag("loop")]
    | Annotated[ParallelStep, Tag("parallel")]
    | Annotated[ForeachStep, Tag("foreach")]
    | Annotated[PipelineStep, Tag("pipeline")]
    | Annotated[ApproveStep, Tag("approve")]
    | Annotated[CommitStep, Tag("commit")],
    Discriminator(kind_of),
]
"""Any step."""


class PipelineLimits(Model):
    """Limits of a whole run; reaching one ends it with exit code 7."""

    tokens: int | None = Field(None, ge=1)
    cost: float | None = Field(None, gt=0)
    seconds: Seconds | None = Field(None, description="Wall-clock time; not part of any digest.")


class PipelineSpec(Model):
    """A pipeline."""

    format: Literal["agentci/pipeline"]
    version: Literal[1]
    name: Name
    description: str = ""
    seed: int = Field(0, ge=0, lt=2**53, description="The run seed; `--seed` overrides it.")
    repository: str | None = Field(
        None,
        description="Folder with the files to work on, relative to the pipeline's. Default: the "
        "git repository around the project. `--repo` overrides it.",
    )
    inputs: dict[Name, InputSpec] = Field(default_factory=dict)
    models: dict[Name, ModelSpec] = Field(default_factory=dict)
    agents: dict[Name, AgentSpec] = Field(default_factory=dict)
    steps: tuple[Step, ...] = Field(min_length=1)
    output: dict[str, Any] = Field(
        default_factory=dict, description="What the pipeline returns, from its steps."
    )
    limits: PipelineLimits = Field(default_factory=PipelineLimits)
    sandbox: SandboxName = Field("docker", description="Where commands of agents run.")
