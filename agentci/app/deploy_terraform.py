"""Checks a Terraform module with the real Terraform, offline: its format, schemas, plan and tests.

The module is given as files in memory; nothing is written beside it. Which packs it is checked
against is the caller's choice: their digests belong into a lock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from agentci.app import wiring
from agentci.app.deploy_pack_store import open_store
from agentci.deploy.embedded.enums import ENUMS, with_values
from agentci.deploy.embedded.plan import TextReport, check_plan
from agentci.deploy.packs.sources import find_source

if TYPE_CHECKING:
    from agentci.core.digest import Digest
    from agentci.core.terraform import (
        ModuleFiles,
        ModuleReport,
        ModuleTests,
        PlanReport,
        ProviderSchema,
        Terraform,
        TerraformModule,
        TerraformSession,
    )

_TEST_FILES: Final = (".tftest.hcl", ".tftest.json")
_NO_TEXTS: Final = TextReport((), 0, ())


@dataclass(frozen=True, slots=True)
class PackPin:
    """A schema pack that a module is checked against."""

    source: str
    version: str
    digest: Digest | None = None
    """None takes the one on this machine with the most types."""


@dataclass(frozen=True, slots=True)
class ModuleCheckRequest:
    """A module, and what it is checked with."""

    files: ModuleFiles
    packs: tuple[PackPin, ...]
    variables: Mapping[str, Any] = field(default_factory=dict)
    """For the plan: of those without a default."""


@dataclass(frozen=True, slots=True)
class ModuleCheck:
    """What every look at a module brought."""

    version: str
    """Of Terraform."""
    place: str
    """Where that comes from."""
    fmt: ModuleReport
    validation: ModuleReport
    plan: PlanReport | None
    """None where validation failed."""
    tests: ModuleTests | None
    """None where validation failed, or there are none."""
    texts: TextReport
    """JSON inside of texts; empty where there is no plan."""

    @property
    def passed(self) -> bool:
        """Whether nothing was found, and nothing had to be left out."""
        reports = (self.fmt, self.validation, self.plan, self.tests)
        return (
            self.plan is not None
            and all(report is None or report.passed for report in reports)
            and not self.texts.findings
            and not self.texts.unknown
        )


def pinned(*providers: str) -> tuple[PackPin, ...]:
    """Return the packs of our own table, by `aws` or `hashicorp/aws`.

    Raises:
        UsageError: when there is no such row.
    """
    rows = [find_source(name) for name in providers]
    return tuple(PackPin(row.source, row.version, row.digest) for row in rows)


def check_module(request: ModuleCheckRequest) -> ModuleCheck:
    """Check a module.

    Raises:
        EnvironmentProblem: when Terraform, a package or a pack is missing, or Terraform hangs.
        FormatError: when a pack is damaged.
        UsageError: when the module could run programs, or leads out of its folder.
    """
    terraform = wiring.terraform()
    with terraform.session(schemas(request.packs, request.files)) as session:
        return examine(terraform, session, request.files, variables=request.variables)


def schemas(packs: tuple[PackPin, ...], files: ModuleFiles) -> tuple[ProviderSchema, ...]:
    """Return the schemas in packs, with the values of enums for the types that `files` name.

    Raises:
        EnvironmentProblem: when a pack or botocore is missing.
        FormatError: when a pack is damaged.
    """
    store = open_store(wiring.files(), wiring.env())
    found = [store.find(pin.source, pin.version, digest=pin.digest).pack.served() for pin in packs]
    text = b"\n".join(files[path] for path in sorted(files))
    types = {name.decode() for name in re.findall(rb"\b[a-z]+_[a-z0-9_]+\b", text)} & {*ENUMS}
    return tuple(with_values(each, wiring.service_shapes(), types=types) for each in found)


def examine(
    terraform: Terraform,
    session: TerraformSession,
    files: ModuleFiles,
    *,
    variables: Mapping[str, Any],
) -> ModuleCheck:
    """Check a module against the schemas of a session."""
    fmt = terraform.fmt_check(files)
    plan: PlanReport | None = None
    tests: ModuleTests | None = None
    texts = _NO_TEXTS
    with session.module(files) as module:
        validation = module.validate()
        if validation.passed:
            plan = module.plan(variables)
            texts = _texts(module, plan, variables)
            if any(path.endswith(_TEST_FILES) for path in files):
                tests = module.test()
    return ModuleCheck(
        terraform.version, terraform.place, fmt, validation, plan, tests=tests, texts=texts
    )


def _texts(module: TerraformModule, report: PlanReport, variables: Mapping[str, Any]) -> TextReport:
    """Look into texts; into those that are not known yet, with something put in for the rest."""
    if report.plan is None:
        return _NO_TEXTS
    found = check_plan(report.plan, wiring.service_shapes())
    if not found.unknown:
        return found
    filled = module.plan(variables, placeholders=True)
    if filled.plan is None:
        return found
    return check_plan(filled.plan, wiring.service_shapes())
