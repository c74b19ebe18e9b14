"""Terraform on scratch copies of modules, with providers that are served schemas.

A module's own folder is neither read nor written here. Providers are installed from a mirror of
placeholders, so that `init` checks addresses and versions, and reached at sockets, so that none
is started. Must not know where schemas or modules come from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from agentci.adapters.scratch import scratch_folder
from agentci.adapters.terraform_output import (
    event_diagnostics,
    read_json,
    test_runs,
    validate_diagnostics,
)
from agentci.adapters.terraform_process import (
    TerraformOutput,
    TerraformProgram,
    find_terraform,
    run_terraform,
)
from agentci.adapters.terraform_server import Addresses, serving
from agentci.core.effects import Env
from agentci.core.errors import UsageError
from agentci.core.terraform import (
    ModuleFiles,
    ModuleReport,
    ModuleTests,
    PlanReport,
    ProviderSchema,
    TerraformDiagnostic,
)

TIMEOUT: Final = 300.0
"""Seconds for one command: the machine may be loaded."""
_REGISTRY: Final = "registry.terraform.io"
_OVERRIDE: Final = "agentci_backend_override.tf"
_LOCAL_BACKEND: Final = b'terraform {\n  backend "local" {}\n}\n'
_PLAN: Final = "agentci.tfplan"
_VARIABLES: Final = "agentci.tfvars.json"
_FORMATTED: Final = (".tf", ".tfvars", ".tftest.hcl", ".tfmock.hcl")
_SILENT: Final = frozenset({"Incomplete lock file information for providers"})
"""What is only said because of the scratch copy."""
_PROGRAMS: Final = re.compile(rb"\bprovisioner\b")


@dataclass(frozen=True, slots=True)
class _Commands:
    """Runs commands of one program, each with the same time."""

    program: TerraformProgram
    timeout: float

    def run(
        self, *arguments: str, folder: Path, env: Mapping[str, str] | None = None
    ) -> TerraformOutput:
        return run_terraform(
            self.program, arguments, folder=folder, env=env or {}, timeout=self.timeout
        )


class LocalTerraform:
    """A Terraform on this machine."""

    def __init__(self, program: TerraformProgram, *, timeout: float = TIMEOUT) -> None:
        """Use `program`; each of its commands has `timeout` seconds."""
        self._program = program
        self._commands = _Commands(program, timeout)

    @property
    def version(self) -> str:
        """Its version."""
        return self._program.version

    @property
    def place(self) -> str:
        """Where it comes from."""
        return self._program.place

    def fmt_check(self, files: ModuleFiles) -> ModuleReport:
        """Format a copy, and say where that changed something."""
        with scratch_folder() as scratch:
            folder = _copied(files, scratch)
            output = self._commands.run(
                "fmt", "-list=false", "-recursive", "-no-color", folder=folder
            )
            found = list(_syntax_errors(output))
            for path in sorted(files):
                formatted = (folder / path).read_bytes()
                if path.endswith(_FORMATTED) and formatted != files[path]:
                    found.append(_unformatted(path, files[path], formatted))
        return ModuleReport(tuple(found))

    @contextmanager
    def session(self, schemas: Sequence[ProviderSchema]) -> Iterator[LocalSession]:
        """Serve schemas until the end of the block."""
        with scratch_folder() as scratch:
            config = _mirror(schemas, scratch, self._program.platform)
            with serving(schemas, scratch) as addresses:
                yield LocalSession(self._commands, config, addresses)


class LocalSession:
    """Schemas that are being served."""

    def __init__(self, commands: _Commands, config: Path, addresses: Addresses) -> None:
        """Take the configuration with the mirror, and where the providers listen."""
        self._commands = commands
        self._env = {"TF_CLI_CONFIG_FILE": str(config)}
        self._addresses = addresses

    @contextmanager
    def module(self, files: ModuleFiles) -> Iterator[LocalModule]:
        """Give a scratch copy of a module."""
        with scratch_folder() as scratch:
            folder = _copied(files, scratch)
            yield LocalModule(self._commands, folder, files, env=self._env, served=self._addresses)


class LocalModule:
    """A scratch copy of a module."""

    def __init__(
        self,
        commands: _Commands,
        folder: Path,
        files: ModuleFiles,
        *,
        env: Mapping[str, str],
        served: Addresses,
    ) -> None:
        """Take the copy of `files` in `folder`, and what tells Terraform of mirror and sockets."""
        self._commands = commands
        self._folder = folder
        self._files = files
        self._env = env
        self._served = served
        self._installed: tuple[TerraformDiagnostic, ...] | None = None
        self._local: tuple[TerraformDiagnostic, ...] | None = None

    def validate(self) -> ModuleReport:
        """Check the module as it is, its backend included where this Terraform does so."""
        installed = self._install()
        if _failed(installed):
            return ModuleReport(installed)
        output = self._run("validate", "-json")
        return ModuleReport((*installed, *validate_diagnostics(output)))

    def plan(
        self, variables: Mapping[str, Any] | None = None, *, placeholders: bool = False
    ) -> PlanReport:
        """Plan with an empty local state."""
        prepared = self._use_local_backend()
        if _failed(prepared):
            return PlanReport(prepared)
        text = json.dumps(dict(variables or {}), sort_keys=True)
        (self._folder / _VARIABLES).write_text(text, encoding="utf-8")
        arguments = ("plan", "-json", "-lock=false", f"-var-file={_VARIABLES}", f"-out={_PLAN}")
        found = (
            *prepared,
            *event_diagnostics(self._run(*arguments, placeholders=placeholders), "plan"),
        )
        if _failed(found):
            return PlanReport(found)
        shown = self._run("show", "-json", _PLAN)
        return PlanReport(found, read_json(shown, "plan"))

    def test(self) -> ModuleTests:
        """Run the tests."""
        _refuse_programs(self._files)
        prepared = self._use_local_backend()
        if _failed(prepared):
            return ModuleTests(prepared)
        output = self._run("test", "-json")
        found = (*prepared, *event_diagnostics(output, "test"))
        return ModuleTests(found, test_runs(output))

    def _install(self) -> tuple[TerraformDiagnostic, ...]:
        if self._installed is None:
            self._installed = self._init("-backend=false")
        return self._installed

    def _use_local_backend(self) -> tuple[TerraformDiagnostic, ...]:
        if self._local is None:
            installed = self._install()
            if _failed(installed):
                return installed
            (self._folder / _OVERRIDE).write_bytes(_LOCAL_BACKEND)
            self._local = self._init("-reconfigure")
        return self._local

    def _init(self, option: str) -> tuple[TerraformDiagnostic, ...]:
        # Not with the served providers: Terraform looks at no version of those.
        output = self._commands.run("init", "-json", option, folder=self._folder, env=self._env)
        found = event_diagnostics(output, "init")
        return tuple(each for each in found if each.summary not in _SILENT)

    def _run(self, *arguments: str, placeholders: bool = False) -> TerraformOutput:
        served = self._served.placeholder if placeholders else self._served.unknown
        env = {**self._env, "TF_REATTACH_PROVIDERS": served}
        return self._commands.run(*arguments, folder=self._folder, env=env)


def open_terraform(env: Env, *, timeout: float = TIMEOUT) -> LocalTerraform:
    """Return the Terraform of this machine; each of its commands has `timeout` seconds.

    Raises:
        EnvironmentProblem: where there is none that does.
    """
    with scratch_folder() as scratch:
        return LocalTerraform(find_terraform(env, scratch), timeout=timeout)


def _failed(found: tuple[TerraformDiagnostic, ...]) -> bool:
    return any(each.severity == "error" for each in found)


def _copied(files: ModuleFiles, scratch: Path) -> Path:
    folder = scratch / "module"
    folder.mkdir()
    for path in sorted(files):
        parts = PurePosixPath(path).parts
        if not parts or PurePosixPath(path).is_absolute() or {"..", ".terraform"} & set(parts):
            message = f"`{path}` cannot be a file of a Terraform module"
            raise UsageError(message, code="ACI-U650")
        target = folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(files[path])
    return folder


def _mirror(schemas: Sequence[ProviderSchema], scratch: Path, platform: str) -> Path:
    """Write a mirror with a placeholder for each provider, and the configuration that names it."""
    mirror = scratch / "mirror"
    mirror.mkdir()
    for schema in schemas:
        folder = mirror / _REGISTRY / schema.source / schema.version / platform
        folder.mkdir(parents=True)
        name = schema.source.partition("/")[2]
        placeholder = folder / f"terraform-provider-{name}_v{schema.version}"
        placeholder.write_bytes(b"#!/bin/sh\nexit 1\n")
        placeholder.chmod(0o755)
    config = scratch / "cli.tfrc"
    place = json.dumps(str(mirror))
    text = f"provider_installation {{\n  filesystem_mirror {{\n    path = {place}\n  }}\n}}\n"
    config.write_text(text, encoding="utf-8")
    return config


def _refuse_programs(files: ModuleFiles) -> None:
    """Refuse a module whose tests could start a program: with a provisioner, in HCL or JSON.

    Raises:
        UsageError: when there is one.
    """
    for path in sorted(files):
        content = files[path]
        if path.endswith(".json"):
            try:
                content = json.dumps(json.loads(content)).encode()  # without escapes of letters
            except (ValueError, RecursionError):
                continue  # Terraform says what is wrong with it
        if path.endswith((".tf", ".hcl", ".json")) and _PROGRAMS.search(content):
            message = f"`{path}` speaks of a `provisioner`, so its tests could run any program"
            hint = "deploy without provisioners; nothing but schemas is served to tests"
            raise UsageError(message, code="ACI-U651", hint=hint)


def _unformatted(path: str, found: bytes, wanted: bytes) -> TerraformDiagnostic:
    pairs = zip(found.splitlines(), wanted.splitlines(), strict=False)
    line = next((number for number, (a, b) in enumerate(pairs, 1) if a != b), None)
    line = line or min(len(found.splitlines()), len(wanted.splitlines())) or 1
    summary = "not formatted as `terraform fmt` does"
    return TerraformDiagnostic("fmt", "error", summary, file=path, line=line)


_ON_LINE: Final = re.compile(r"^[\s│]*on (?P<file>.+?) line (?P<line>\d+)", re.MULTILINE)
_ERROR: Final = re.compile(r"^[\s│]*Error: (?P<summary>.+)$", re.MULTILINE)


def _syntax_errors(output: TerraformOutput) -> Iterator[TerraformDiagnostic]:
    """Yield what `terraform fmt` could not read; it prints that only for people."""
    if output.exit_code == 0:
        return
    said = output.stderr.decode("utf-8", "replace")
    starts = list(_ERROR.finditer(said))
    for index, found in enumerate(starts):
        end = starts[index + 1].start() if index + 1 < len(starts) else len(said)
        place = _ON_LINE.search(said, found.end(), end)
        yield TerraformDiagnostic(
            "fmt",
            "error",
            found["summary"].strip(),
            file=place["file"] if place else None,
            line=int(place["line"]) if place else None,
        )
    if not starts:
        yield TerraformDiagnostic("fmt", "error", " ".join(said.split())[-500:] or "no message")
