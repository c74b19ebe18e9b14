"""A run's entry for `agentci.lock`, and comparing a run with the entry that is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentci.app.run_request import LockComparison
from agentci.core.digest import Digest, digest_json
from agentci.plan.bundle import spec_json
from agentci.spec.lock import LOCK_FILE, PipelineLock, differences, load_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentci.app.undertaking import Undertaking
    from agentci.core.effects import Files
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.engine.executor import RunResult, RunSetup
    from agentci.plan.bundle import Bundle


def lock_entry(
    undertaking: Undertaking, setup: RunSetup, result: RunResult, *, cassettes: Digest
) -> PipelineLock:
    """Return what the lock file says of a run: what it was made of, and what came out."""
    bundles = list(_all_bundles(setup.bundle))
    return PipelineLock(
        definition=digest_json([_definition(bundle) for bundle in bundles]),
        prompts=digest_json(
            [{path: each.digest for path, each in b.prompts.items()} for b in bundles]
        ),
        models=digest_json(
            [{n: m.model_dump(mode="json") for n, m in b.spec.models.items()} for b in bundles]
        ),
        tools=digest_json([_tools(bundle) for bundle in bundles]),
        cassettes=cassettes,
        inputs=setup.services.inputs_digest,
        asked={
            "inputs": dict(setup.inputs),
            "seed": setup.services.seed,
            "cassettes": undertaking.cassettes.name,
        },
        base=setup.services.repository.base_commit,
        run_digest=result.run_digest,
        commit=result.commit,
    )


def compare(undertaking: Undertaking, entry: PipelineLock, files: Files) -> LockComparison:
    """Compare a run with the accepted one of the same pipeline.

    Raises:
        SafetyRefusal: when the lock file was edited by hand.
        FormatError: when it cannot be read.
    """
    lock = load_lock(undertaking.request.project / LOCK_FILE, files)
    accepted = lock.pipelines.get(undertaking.pipeline_name)
    if accepted is None:
        return LockComparison(None, f"`{LOCK_FILE}` has no accepted run of this pipeline")
    changed = differences(accepted, entry)
    asked = [name for name in ("inputs", "base") if name in changed]
    if asked:
        return LockComparison(None, f"the accepted run had another {' and another '.join(asked)}")
    if accepted.run_digest == entry.run_digest:
        return LockComparison(matches=True, note="")
    causes = [name for name in changed if name not in {"run_digest", "commit"}]
    shown = ", ".join(f"`{name}`" for name in causes)
    return LockComparison(
        matches=False,
        note=f"changed since the accepted run: {shown}"
        if causes
        else "the definition and the recordings are the same, so agentci itself changed, or "
        "something in the run is not deterministic",
    )


@dataclass(frozen=True, slots=True)
class AcceptedRun:
    """What a replay takes over from the accepted run, where the caller asks for nothing else."""

    inputs: Mapping[str, JsonValue]
    base: str
    """Commit id."""


def accepted_run(undertaking: Undertaking, files: Files) -> AcceptedRun | None:
    """Return the accepted run of a pipeline that has the seed which is asked for, or None.

    Raises:
        SafetyRefusal: when the lock file was edited by hand.
        FormatError: when it cannot be read.
    """
    lock = load_lock(undertaking.request.project / LOCK_FILE, files)
    entry = lock.pipelines.get(undertaking.pipeline_name)
    if entry is None or entry.asked.get("seed") != undertaking.seed:
        return None
    inputs = entry.asked.get("inputs")
    return AcceptedRun(inputs, entry.base) if isinstance(inputs, Mapping) else None


def _definition(bundle: Bundle) -> JsonObject:
    return {
        "spec": spec_json(bundle.spec),
        "schemas": dict(bundle.schemas),
        "scripts": dict(bundle.scripts),
        "python_files": dict(bundle.python_files),
    }


def _all_bundles(bundle: Bundle) -> Iterator[Bundle]:
    yield bundle
    for path in sorted(bundle.children):
        yield from _all_bundles(bundle.children[path])


def _tools(bundle: Bundle) -> JsonObject:
    used = sorted({tool for agent in bundle.spec.agents.values() for tool in agent.tools})
    tools: dict[str, JsonValue] = {name: bundle.tool_digests.get(name) for name in used}
    return tools
