"""What the results of a suite's trials depend on, part by part. Reads files, executes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci import __version__
from agentci.core.digest import Digest, digest_bytes
from agentci.evals.scorers.identity import file_digests, identity
from agentci.plan.bundle import model_json, spec_json
from agentci.tools.gitignore import is_ignored, parse_ignore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentci.core.effects import Files
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.core.tree_file import TreeFile
    from agentci.evals.scorers.protocol import ScorerIdentity
    from agentci.plan.bundle import Bundle
    from agentci.spec.suite import ScorerSpec

_TRANSPORT: Final = frozenset({"timeout", "attempts"})
"""Fields of a model that change how often an answer is asked for, not the answer."""
_APART: Final = frozenset({"models", "agents", "description"})
"""Fields of a definition that have parts of their own, or none."""


def target_parts(bundle: Bundle) -> dict[str, JsonValue]:
    """Return the parts of a target, by name, with those of pipelines inside it."""
    return {"agentci": __version__, **dict(_bundle_parts(bundle, ""))}


def _bundle_parts(bundle: Bundle, prefix: str) -> Iterator[tuple[str, JsonValue]]:
    spec = bundle.spec
    for name, value in spec_json(spec).items():
        if name not in _APART:
            yield f"{prefix}target.{name}", value
    yield from model_parts(bundle, prefix)
    yield from _agent_parts(bundle, prefix)
    yield from _file_parts(bundle, prefix)
    for path, child in bundle.children.items():
        yield from _bundle_parts(child, f"{prefix}pipelines.{path}.")


def _agent_parts(bundle: Bundle, prefix: str) -> Iterator[tuple[str, JsonValue]]:
    for name, agent in bundle.spec.agents.items():
        for key, value in model_json(agent).items():
            yield f"{prefix}agents.{name}.{key}", value
    used = {tool for agent in bundle.spec.agents.values() for tool in agent.tools}
    for tool in sorted(used):
        yield f"{prefix}tools.{tool}", bundle.tool_digests.get(tool)


def _file_parts(bundle: Bundle, prefix: str) -> Iterator[tuple[str, JsonValue]]:
    found: dict[str, Mapping[str, JsonValue]] = {
        "prompts": {path: prompt.digest for path, prompt in bundle.prompts.items()},
        "schemas": bundle.schemas,
        "scripts": bundle.scripts,
        "code": bundle.python_files,
        "unreadable": bundle.unreadable,
    }
    for kind, files in found.items():
        for path, value in files.items():
            yield f"{prefix}{kind}.{path}", value


def model_parts(bundle: Bundle, prefix: str = "") -> Iterator[tuple[str, JsonValue]]:
    """Yield the fields of the models of a pipeline."""
    for name, model in bundle.spec.models.items():
        for key, value in model_json(model, without=_TRANSPORT).items():
            if key == "parameters" and isinstance(value, Mapping):
                for parameter, setting in value.items():
                    yield f"{prefix}models.{name}.parameters.{parameter}", setting
            else:
                yield f"{prefix}models.{name}.{key}", value


@dataclass(slots=True)
class SuiteFolder:
    """The files of a suite's folder, each read once."""

    files: Files
    folder: Path
    _digests: dict[str, bytes] = field(default_factory=dict)
    _listed: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def read(self, path: str) -> bytes:
        """Return a file."""
        if path not in self._digests:
            self._digests[path] = self.files.read(self.folder / path)
        return self._digests[path]

    def list(self, path: str) -> tuple[str, ...]:
        """Return all files below a folder, as paths in the suite's folder, sorted."""
        if path not in self._listed:
            found = self.files.list(self.folder if path == "." else self.folder / path)
            self._listed[path] = tuple(
                each.relative_to(self.folder).as_posix()
                for each in found
                if "__pycache__" not in each.parts
            )
        return self._listed[path]


def scorer_identity(spec: ScorerSpec, folder: SuiteFolder) -> ScorerIdentity:
    """Return what a scorer is made of. Raises `UsageError` when there is no such kind."""
    return identity(spec, folder.read, folder.list)


def scorer_parts(spec: ScorerSpec, found: ScorerIdentity) -> Iterator[tuple[str, JsonValue]]:
    """Yield the parts of a scorer that are the same for all cases."""
    prefix = f"scorers.{found.name}"
    yield f"{prefix}.kind", found.kind
    yield f"{prefix}.version", found.version
    yield f"{prefix}.threshold", found.threshold
    yield f"{prefix}.gates", found.gates
    yield f"{prefix}.when", spec.when
    for name, value in found.options.items():
        yield f"{prefix}.with.{name}", value
    for path, digest in found.files.items():
        yield f"{prefix}.files.{path}", digest


def case_files(kind: str, options: JsonObject, folder: SuiteFolder) -> Mapping[str, Digest]:
    """Return the digests of the files that the options of a scorer name for one case."""
    return file_digests(kind, options, read=folder.read, list_files=folder.list)


def tree_digest(files: Files, folder: Path) -> Digest:
    """Return a digest of the files below `folder`, without those that git ignores there.

    As for git, it counts whether a file may be executed, and where a link leads.
    """
    found = {each.path.relative_to(folder).as_posix(): each for each in files.tree(folder)}
    ignores = tuple(
        parse_ignore(
            files.read(each.path).decode("utf-8", "replace"), name.removesuffix(".gitignore")
        )
        for name, each in found.items()
        if name.rpartition("/")[2] == ".gitignore" and each.link is None
    )
    kept: list[str] = []
    for name, each in found.items():
        parts = name.split("/")
        above = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        hidden = ".git" in parts or "__pycache__" in parts
        if hidden or any(is_ignored(one, folder=True, files=ignores) for one in above):
            continue
        if not is_ignored(name, folder=False, files=ignores):
            kept.append(f"{name}\0{_as_in_tree(files, each)}\0")
    return digest_bytes("".join(sorted(kept)).encode("utf-8", "surrogateescape"))


def _as_in_tree(files: Files, each: TreeFile) -> str:
    if each.link is not None:
        return f"link {each.link}"
    kind = "executable" if each.executable else "file"
    return f"{kind} {digest_bytes(files.read(each.path))}"
