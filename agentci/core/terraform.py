"""Port to Terraform: modules that are checked, planned and tested, and what it said about them.

Nothing here deploys anything. Providers are schemas that are served to Terraform, never programs
that reach a cloud.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject

ModuleFiles: TypeAlias = Mapping[str, bytes]
"""The files of a root module: path relative to its folder, with `/`, to content."""

Phase: TypeAlias = Literal["fmt", "init", "validate", "plan", "test"]
"""What Terraform was doing."""


@dataclass(frozen=True, slots=True)
class ProviderSchema:
    """What a provider's resources look like, for Terraform to check a module against."""

    source: str
    """Address in the public registry, for example `hashicorp/aws`."""
    version: str
    """Exact version, for example `6.45.0`."""
    schema: Mapping[str, Any] = field(repr=False)
    """`provider`, a block, and `resources` and `data_sources`, maps from type to block.

    Blocks are as in the output of `terraform providers schema -json`; an attribute may also have
    `values`, the only ones that it, or each in a list of it, can have.
    """
    exact: bool = True
    """Whether it is known which optional attributes a provider fills in by itself."""


@dataclass(frozen=True, slots=True)
class TerraformDiagnostic:
    """One thing that Terraform has to say about a module."""

    phase: Phase
    severity: Literal["error", "warning"]
    summary: str
    """One line."""
    detail: str = ""
    file: str | None = None
    """Relative to the module's folder."""
    line: int | None = None
    """Counted from 1."""
    column: int | None = None
    """Counted from 1."""
    address: str | None = None
    """The object it is about, for example `aws_ecs_service.api`, where that is known."""
    hint: str | None = None
    """What to do about it, where there is more to say than Terraform does."""


@dataclass(frozen=True, slots=True)
class ModuleReport:
    """What one look at a module brought."""

    diagnostics: tuple[TerraformDiagnostic, ...]
    """In Terraform's order."""

    @property
    def errors(self) -> tuple[TerraformDiagnostic, ...]:
        """Those that are not mere warnings."""
        return tuple(each for each in self.diagnostics if each.severity == "error")

    @property
    def passed(self) -> bool:
        """Whether there was no error."""
        return not self.errors


@dataclass(frozen=True, slots=True)
class PlanReport(ModuleReport):
    """What a plan brought, and the plan."""

    plan: JsonObject | None = field(default=None, repr=False)
    """As `terraform show -json` tells it; None where planning failed.

    May hold the values of sensitive variables.
    """


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """One `run` block of a `.tftest.hcl` file."""

    file: str
    name: str
    status: Literal["pass", "fail", "error", "skip", "pending"]


@dataclass(frozen=True, slots=True)
class ModuleTests(ModuleReport):
    """What the tests of a module brought."""

    runs: tuple[RunOutcome, ...] = ()
    """In the order in which they ran."""

    @property
    def passed(self) -> bool:
        """Whether there was a test, and all of them passed."""
        return (
            not self.errors and bool(self.runs) and all(run.status == "pass" for run in self.runs)
        )


class TerraformModule(Protocol):
    """A scratch copy of a module. It is prepared once for all that is done with it."""

    def validate(self) -> ModuleReport:
        """Check names, types, references, and provider versions."""

    def plan(
        self, variables: Mapping[str, Any] | None = None, *, placeholders: bool = False
    ) -> PlanReport:
        """Plan to create everything, with `variables` as JSON values; the state is empty.

        The module's own backend is not used. With `placeholders`, texts, numbers and truth values
        that only a provider knows have something in their place, so that what the module makes of
        them can be looked into; what the module asks of such a value may then fail.
        """

    def test(self) -> ModuleTests:
        """Run the module's `.tftest.hcl` files. Providers that they do not mock refuse to create.

        Raises:
            UsageError: when the module could run programs of its own choice.
        """


class TerraformSession(Protocol):
    """Schemas that are served for as long as the session is open."""

    def module(self, files: ModuleFiles) -> AbstractContextManager[TerraformModule]:
        """Give a scratch copy of a module, which is removed at the end.

        Raises:
            UsageError: when a path leads out of the module.
        """


class Terraform(Protocol):
    """Terraform on this machine. What starts it may raise `EnvironmentProblem`: hung, killed."""

    @property
    def version(self) -> str:
        """Its version, for example `1.15.5`."""

    @property
    def place(self) -> str:
        """Where it comes from: a path, or the name of a package."""

    def fmt_check(self, files: ModuleFiles) -> ModuleReport:
        """Say which files are not written as `terraform fmt` would write them."""

    def session(
        self, schemas: Sequence[ProviderSchema]
    ) -> AbstractContextManager[TerraformSession]:
        """Serve `schemas`, at most one for each source.

        Raises:
            EnvironmentProblem: when what serves them is not installed, or does not start.
        """
