"""Examination of the module as it lies on the disk: what Terraform allows, and we do not.

Files are read as the writer of HCL lays them out, a block or an attribute on a line; another
layout is a finding of `terraform fmt`, and any other byte one of `drift`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from agentci.deploy.artifact import Deployment
from agentci.deploy.findings import Finding
from agentci.deploy.targets.protocol import Examined
from agentci.deploy.targets.terraform_docker_names import PROVIDER_VERSION, options_of

_FILES: Final = (
    "main.tf",
    "outputs.tf",
    "tests/deployment.tftest.hcl",
    "variables.tf",
    "versions.tf",
)
_BLOCK: Final = re.compile(r'^(?P<type>[a-z_]+)(?: "(?P<first>[^"]*)")?(?: "(?P<name>[^"]*)")? \{')
_FORBIDDEN: Final = {
    "data": "a data source makes the plan depend on the machine that it is made on",
    "module": "a module from elsewhere is not what was rendered",
    "provisioner": "a provisioner runs any program",
    "connection": "a connection is there for provisioners",
    "ephemeral": "a secret would go through Terraform",
}
_INSIDE: Final = re.compile(r"^\s+(?P<type>provisioner|connection|upload|devices)\b")


@dataclass(frozen=True, slots=True)
class _TopBlock:
    """A block at the left margin."""

    type: str
    first: str
    text: str


def examine_module(deployment: Deployment, files: Mapping[str, bytes]) -> tuple[Examined, ...]:
    """Return the examination of the module in `files`."""
    findings = [
        Finding("terraform-files", (), f"`{path}` is missing", "agentci deploy render")
        for path in _FILES
        if path not in files
    ]
    blocks = 0
    for path in sorted(files):
        if path.endswith(".tf"):
            text = files[path].decode("utf-8", "replace")
            found = tuple(_top_blocks(text))
            blocks += len(found)
            findings += _forbidden(path, text, found)
    findings += _requirements(deployment, files.get("versions.tf", b"").decode("utf-8", "replace"))
    return (Examined("module", tuple(findings), f"{blocks} blocks"),)


def _top_blocks(text: str) -> Iterator[_TopBlock]:
    lines = text.split("\n")
    for number, line in enumerate(lines):
        found = _BLOCK.match(line)
        if found is None:
            continue
        ends = (index for index in range(number, len(lines)) if lines[index].endswith("}"))
        closed = (index for index in ends if index == number or lines[index] == "}")
        end = next(closed, len(lines))
        body = "\n".join(lines[number : end + 1])
        yield _TopBlock(found["type"], found["name"] or found["first"] or "", body)


def _forbidden(path: str, text: str, blocks: tuple[_TopBlock, ...]) -> Iterator[Finding]:
    for block in blocks:
        reason = _FORBIDDEN.get(block.type)
        if reason is not None:
            message = f"`{path}`: `{block.type}`: {reason}"
            yield Finding("terraform-block", (), message, "agentci deploy render")
        wanted = {
            "variable": ("description", "type", "validation"),
            "output": ("description", "value"),
        }.get(block.type, ())
        for name in wanted:
            if not re.search(rf"^  {name}\b", block.text, re.MULTILINE):
                message = f"`{path}`: {block.type} `{block.first}` has no `{name}`"
                yield Finding("terraform-described", (), message, "agentci deploy render")
    for line in text.split("\n"):
        found = _INSIDE.match(line)
        if found is not None:
            message = f"`{path}`: `{found['type']}` is never rendered"
            yield Finding("terraform-block", (), message, "agentci deploy render")


def _requirements(deployment: Deployment, text: str) -> Iterator[Finding]:
    kind = options_of(deployment.spec).backend
    version = PROVIDER_VERSION
    wanted = {
        rf'version = "{re.escape(version)}"': f"exactly {version} of the provider",
        r'required_version = ">= [^"]*, < [^"]*"': "a range of Terraform versions with both ends",
        rf'backend "{kind}" \{{': f"the backend `{kind}`",
    }
    for pattern, what in wanted.items():
        if not re.search(pattern, text):
            message = f"`versions.tf` does not ask for {what}"
            place = ("targets", "terraform-docker")
            yield Finding("terraform-versions", place, message, "agentci deploy render")
