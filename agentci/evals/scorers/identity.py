"""What a result's key holds of a scorer: its code, its options, and the files that they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from agentci.core.digest import Digest, digest_bytes
from agentci.core.errors import AgentciError
from agentci.evals.scorers.protocol import ScorerIdentity
from agentci.evals.scorers.registry import scorer, scorer_digest
from agentci.spec.expressions import split_expressions
from agentci.spec.suite import ScorerSpec

ReadFile: TypeAlias = Callable[[str], bytes]
"""Returns a file of the suite's folder by its path there; raises AgentciError where it cannot."""

ListFiles: TypeAlias = Callable[[str], tuple[str, ...]]
"""Returns all files below a folder of the suite's folder, as paths in the suite's folder, sorted;
`.` is the suite's folder itself."""


def identity(spec: ScorerSpec, read: ReadFile, list_files: ListFiles) -> ScorerIdentity:
    """Return the identity of a scorer of a suite, the same for all cases.

    Files whose names hold expressions are left out: `file_digests` of the resolved options has
    them, for each case.

    Raises:
        UsageError: when there is no such kind.
    """
    return ScorerIdentity(
        name=spec.name or spec.kind,
        kind=spec.kind,
        version=scorer(spec.kind).version,
        options=dict(spec.with_),
        files={
            "code of the scorer": scorer_digest(spec.kind),
            **file_digests(spec.kind, spec.with_, read=read, list_files=list_files),
        },
        threshold=spec.threshold,
        gates=spec.gates,
    )


def file_digests(
    kind: str, options: Mapping[str, Any], *, read: ReadFile, list_files: ListFiles
) -> Mapping[str, Digest]:
    """Return the digests of the files that `options` name, by path, sorted.

    A name that ends with `/` is a folder and stands for all files in it. A Python file comes with
    the Python files beside and below it: it may import any of them. A file that cannot be read has
    a digest too, which is that of no file.
    """
    named: dict[str, None] = {}
    for path in scorer(kind).files(options):
        if any(piece.is_expression for piece in split_expressions(path)):
            continue
        if path.endswith("/"):
            named.update(dict.fromkeys(list_files(path.rstrip("/") or ".")))
            continue
        named[path] = None
        if path.endswith(".py"):
            beside = list_files(path.rpartition("/")[0] or ".")
            named.update(dict.fromkeys(file for file in beside if file.endswith(".py")))
    return {path: _digest(path, read) for path in sorted(named)}


def _digest(path: str, read: ReadFile) -> Digest:
    try:
        return digest_bytes(read(path))
    except AgentciError:
        return digest_bytes(b"\0unreadable\0")  # the reason names folders of this machine
