"""Reading a definition with every file that it names, for all use cases that need one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from agentci.core.digest import Digest, digest_bytes, digest_json
from agentci.core.errors import AgentciError, SpecError, UsageError
from agentci.core.json_types import JsonObject
from agentci.models.registry import built_in_providers, provider_names
from agentci.plan.bundle import Bundle, PromptFile, collect_paths
from agentci.plan.references import check_bundle
from agentci.spec.loader import load_pipeline
from agentci.tools.registry import built_in_names, tool_digest, tool_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentci.core.effects import Files
    from agentci.plan.bundle import Locator
    from agentci.spec.pipeline import PipelineSpec

T = TypeVar("T")

_MAX_DEPTH = 20
"""Sub-pipelines inside sub-pipelines."""


def read_bundle(folder: Path, files: Files, *, root: Path) -> Bundle:
    """Read the pipeline in `folder` and everything that it names. Runs nothing of it.

    Only files below the project's folder `root`, or below the pipeline's own, are read, so that a
    definition from a stranger cannot send other files of the machine to a model.

    Files that cannot be read are missing in the bundle, with the reason in `unreadable`;
    `check_bundle` turns them into problems with a place.

    Raises:
        SpecError: when a definition is invalid, the pipeline's own or a sub-pipeline's.
    """
    return _Reader(files, (root.resolve(), folder.resolve())).bundle(folder, ())


def checked_bundle(folder: Path, files: Files, *, root: Path) -> Bundle:
    """Read the pipeline in `folder` and check it.

    Raises:
        SpecError: with everything that is wrong.
    """
    bundle = read_bundle(folder, files, root=root)
    problems = check_bundle(bundle)
    if problems:
        raise SpecError(problems)
    return bundle


def assemble_bundle(
    spec: PipelineSpec, positions: Locator, *, home: Path, files: Files, root: Path
) -> Bundle:
    """Put a definition that stands in no file of its own together with what it names.

    Files are looked for below `home`; everything else is as for `read_bundle`.
    """
    reader = _Reader(files, (root.resolve(), home.resolve()))
    return reader.assemble(spec, positions, home=home, chain=())


class _Reader:
    def __init__(self, files: Files, roots: tuple[Path, ...]) -> None:
        self._files = files
        self._roots = roots
        self._unreadable: dict[str, str] = {}

    def bundle(self, folder: Path, chain: tuple[tuple[Path, str], ...]) -> Bundle:
        loaded = load_pipeline(folder, self._files)
        return self.assemble(loaded.spec, loaded.positions, home=loaded.folder, chain=chain)

    def assemble(
        self,
        spec: PipelineSpec,
        positions: Locator,
        *,
        home: Path,
        chain: tuple[tuple[Path, str], ...],
    ) -> Bundle:
        outer = self._unreadable
        self._unreadable = {}
        paths = collect_paths(spec)
        here = (*chain, (home.resolve(), spec.name))
        children: dict[str, Bundle] = {}
        recursive: dict[str, tuple[str, ...]] = {}
        for path in paths.pipelines:
            target = (home / path).resolve()
            above = [name for place, name in here if place == target]
            if above or len(here) >= _MAX_DEPTH:
                recursive[path] = tuple(name for _place, name in here)
                continue
            child = self._try(path, partial(self._child, home, path, here))
            if child is not None:
                children[path] = child
        bundle = Bundle(
            spec=spec,
            positions=positions,
            folder_name=home.as_posix(),
            prompts=self._each(paths.prompts, lambda path: self._prompt(home, path)),
            schemas=self._each(paths.schemas, lambda path: self._schema(home, path)),
            scripts=self._each(paths.scripts, lambda path: self._script(home, path)),
            python_files=self._each(paths.python_files, lambda path: self._python(home, path)),
            children=children,
            recursive=recursive,
            unreadable=self._unreadable,
            tool_digests=_tool_digests(spec),
            providers=_providers(spec),
        )
        self._unreadable = outer
        return bundle

    def _child(self, home: Path, path: str, chain: tuple[tuple[Path, str], ...]) -> Bundle:
        self._inside(home, path)
        return self.bundle(home / path, chain)

    def _inside(self, home: Path, path: str) -> None:
        target = (home / path).resolve()
        if not any(target.is_relative_to(root) for root in self._roots):
            raise UsageError(f"`{path}` is outside of the project")

    def _each(self, paths: Iterable[str], read: Callable[[str], T]) -> dict[str, T]:
        found = {path: self._try(path, partial(read, path)) for path in paths}
        return {path: value for path, value in found.items() if value is not None}

    def _try(self, path: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except SpecError:
            raise
        except AgentciError as error:
            self._unreadable[path] = error.message
            return None

    def _read(self, home: Path, path: str) -> bytes:
        self._inside(home, path)
        return self._files.read(home / path)

    def _text(self, home: Path, path: str) -> str:
        data = self._read(home, path)
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise UsageError(f"`{path}` is not UTF-8 at byte {error.start}") from error

    def _prompt(self, home: Path, path: str) -> PromptFile:
        text = self._text(home, path)
        return PromptFile(text, digest_bytes(text.encode()))

    def _schema(self, home: Path, path: str) -> JsonObject:
        try:
            value = json.loads(self._text(home, path))
        except ValueError as error:
            raise UsageError(f"`{path}` is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise UsageError(f"`{path}` is not a JSON object")
        return value

    def _script(self, home: Path, path: str) -> JsonObject:
        # its models take time to build, and few pipelines have one
        from agentci.spec.script import read_script  # noqa: PLC0415

        script: JsonObject = read_script(self._read(home, path), path).model_dump(
            mode="json", exclude_defaults=True
        )
        return script

    def _python(self, home: Path, path: str) -> Digest:
        """Return a digest of the file and of the Python files beside and below it.

        The function may import any of them, so a change in any of them is a change of the step.
        """
        self._read(home, path)
        beside = (home / path).parent
        sources: Mapping[str, str] = {
            file.relative_to(beside).as_posix(): digest_bytes(self._files.read(file))
            for file in self._files.list(beside)
            if file.suffix == ".py"
        }
        return digest_json({"file": path, "sources": dict(sources)})


def _tool_digests(spec: PipelineSpec) -> dict[str, Digest]:
    """Return the digests of the tools that `spec` uses; of all tools where it uses unknown ones.

    Asking for installed tools reads the metadata of every installed package, which takes longer
    than all the rest of a check.
    """
    used = {tool for agent in spec.agents.values() for tool in agent.tools}
    names = sorted(used) if used <= set(built_in_names()) else tool_names()
    return {name: tool_digest(name) for name in names}


def _providers(spec: PipelineSpec) -> tuple[str, ...]:
    """Return the built-in providers; all installed ones where `spec` uses another."""
    used = {model.provider for model in spec.models.values()}
    built_in = built_in_providers()
    return built_in if used <= set(built_in) else provider_names()
