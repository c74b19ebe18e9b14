"""Hand-written Terraform modules, and the Terraform and the schemas that they are checked with.

    python -m tests.support.terraform_modules NAME FOLDER

checks the copy of a module in a folder, and says whether it passed, with how many tests, and
whether there was a way to another machine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentci.adapters.terraform_embedded import library
from agentci.adapters.terraform_runner import LocalTerraform, open_terraform
from agentci.app.deploy_terraform import (
    ModuleCheckRequest,
    PackPin,
    check_module,
    pinned,
    schemas,
)
from agentci.core.terraform import ProviderSchema
from agentci.deploy.packs.sources import SOURCES
from tests.support.client_installs import NotInstalled
from tests.support.empty_network import is_empty
from tests.support.schema_packs import packs

MODULES = Path(__file__).parents[1] / "e2e" / "terraform_modules"
IMAGE = "web@sha256:" + "0" * 64
VARIABLES: Mapping[str, Mapping[str, Any]] = {
    "cloud_run": {"image": IMAGE},
    "docker": {"image": IMAGE},
    "ecs": {"image": IMAGE, "subnets": ["subnet-1"], "vpc": "vpc-1"},
    "kubernetes": {"image": IMAGE},
    "lambda": {"image": IMAGE},
}
"""By module: values for the plan."""


@dataclass(frozen=True, slots=True)
class FixedEnv:
    """Environment variables that are these and no others."""

    values: Mapping[str, str]

    def get(self, name: str) -> str | None:
        """Return the value of `name`."""
        return self.values.get(name)


def module(name: str) -> dict[str, bytes]:
    """Return the files of a module."""
    return files_in(MODULES / name)


def files_in(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def edited(name: str, old: str, new: str) -> dict[str, bytes]:
    """Return a module with one text in `main.tf`, which has to be there once, replaced."""
    files = module(name)
    text = files["main.tf"].decode()
    assert text.count(old) == 1, f"{text.count(old)} times: {old}"
    return {**files, "main.tf": text.replace(old, new).encode()}


def own_terraform() -> LocalTerraform:
    """Return the Terraform that the extra brings, and where there is none, the machine's."""
    path = "/nonexistent" if library() is not None else os.environ["PATH"]
    return open_terraform(FixedEnv({"PATH": path}))


def all_schemas() -> tuple[ProviderSchema, ...]:
    """Return the schemas of all providers, with the values for all types of the modules."""
    try:
        store = packs()
    except NotInstalled as problem:
        pytest.skip(f"no schema packs: {problem}")
    assert store.folder.is_dir()
    every = {f"{name}/{path}": data for name in VARIABLES for path, data in module(name).items()}
    return schemas(tuple(PackPin(row.source, row.version, row.digest) for row in SOURCES), every)


def main(name: str, folder: Path) -> None:
    """Check a copy of a module, and print what came out."""
    providers = {"docker": "docker", "cloud_run": "google", "kubernetes": "kubernetes"}
    packs = pinned(providers.get(name, "aws"))
    found = check_module(ModuleCheckRequest(files_in(folder), packs, VARIABLES[name]))
    runs = len(found.tests.runs) if found.tests is not None else 0
    sys.stdout.write(f"passed={found.passed} tests={runs} offline={is_empty()}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
