"""A workflow of a deploy spec: services as the states of a state machine.

The narrow part of Amazon States Language that every reader and every emulator understands alike.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from agentci.spec.pipeline import Model

StateName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
JsonPath: TypeAlias = Annotated[str, Field(pattern=r"^\$(\.[A-Za-z_][A-Za-z0-9_]*)*$")]
"""Fields alone: an index in a path is what emulators get wrong."""
ErrorName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.]{0,127}$")]


class RetrySpec(Model):
    """How often a failed task is tried again."""

    errors: tuple[ErrorName, ...] = Field(("States.ALL",), min_length=1, description="Which.")
    attempts: int = Field(2, ge=0, le=20, description="Tries after the first.")
    interval: int = Field(1, ge=1, le=3600, description="Seconds before the second try.")
    backoff: float = Field(2.0, ge=1, le=10, description="Factor for each further wait.")


class CatchSpec(Model):
    """Where a failed task leads."""

    errors: tuple[ErrorName, ...] = Field(("States.ALL",), min_length=1, description="Which.")
    next: StateName = Field(description="The state that follows.")
    result: JsonPath | None = Field(None, description="Where the error goes in the data.")


class ChoiceSpec(Model):
    """One condition, with exactly one of the comparisons."""

    variable: JsonPath = Field(description="What is looked at.")
    equals: str | bool | float | None = Field(None, description="It is this text or number.")
    at_least: float | None = Field(None, description="It is at least this number.")
    less_than: float | None = Field(None, description="It is less than this number.")
    next: StateName = Field(description="The state that follows.")

    @model_validator(mode="after")
    def _one_comparison(self) -> ChoiceSpec:
        given = (self.equals, self.at_least, self.less_than)
        if sum(value is not None for value in given) != 1:
            msg = "give exactly one of `equals`, `at_least` and `less_than`"
            raise ValueError(msg)
        return self


class StateSpec(Model):
    """One state. `type` says which of the fields it takes."""

    type: Literal["task", "choice", "map", "parallel", "wait", "pass", "succeed", "fail"] = Field(
        description="What happens in it."
    )
    service: str | None = Field(None, description="For `task`: the service that does the work.")
    timeout: int | None = Field(None, ge=1, le=86_400, description="For `task`: seconds.")
    retry: tuple[RetrySpec, ...] = Field((), description="For `task`, `map` and `parallel`.")
    catch: tuple[CatchSpec, ...] = Field((), description="For `task`, `map` and `parallel`.")
    choices: tuple[ChoiceSpec, ...] = Field((), description="For `choice`: the first that holds.")
    default: StateName | None = Field(None, description="For `choice`: where none holds.")
    items: JsonPath | None = Field(None, description="For `map`: the list.")
    concurrency: int = Field(1, ge=1, le=1000, description="For `map`: items at a time.")
    each: WorkflowSpec | None = Field(None, description="For `map`: what is done with an item.")
    branches: tuple[WorkflowSpec, ...] = Field((), description="For `parallel`.")
    seconds: int | None = Field(None, ge=1, le=31_536_000, description="For `wait`.")
    result: JsonPath | None = Field(None, description="Where the result goes in the data.")
    error: ErrorName | None = Field(None, description="For `fail`: its name.")
    cause: str | None = Field(None, max_length=500, description="For `fail`: in words.")
    next: StateName | None = Field(None, description="The state that follows; none ends it.")


class WorkflowSpec(Model):
    """A state machine."""

    start: StateName = Field(description="The state that it begins with.")
    states: dict[StateName, StateSpec] = Field(min_length=1, description="States by name.")


StateSpec.model_rebuild()
