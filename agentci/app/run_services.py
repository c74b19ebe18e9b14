"""Builds what the steps of a run share, from the adapters and the definition."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.run_proxy import RunProxy
from agentci.app.state_folder import STATE_FOLDER
from agentci.core.canonical import canonical_bytes
from agentci.core.errors import UsageError
from agentci.engine.budget import BudgetedGateway, RunBudget
from agentci.engine.executor import inputs_digest
from agentci.engine.step_cache import StepCache
from agentci.models.gateway import Gateway
from agentci.record.action_cache import ActionCache
from agentci.record.object_store import ObjectStore
from agentci.record.session import Mode
from agentci.steps.context import Services

if TYPE_CHECKING:
    from contextlib import ExitStack

    from agentci.app.undertaking import Undertaking
    from agentci.core.effects import (
        CommandRequest,
        CommandResult,
        Effects,
        Repository,
        Sandbox,
    )
    from agentci.core.json_types import JsonObject
    from agentci.core.lane import Lane
    from agentci.plan.bundle import Bundle
    from agentci.record.journal import Journal
    from agentci.record.session import RecordingSession
    from agentci.spec.script import Script

CACHE_FOLDER = "cache"


def open_repository(undertaking: Undertaking) -> Repository:
    """Open what the run works on: `--repo`, the definition's folder, or the project itself."""
    request = undertaking.request
    store = undertaking.folder.store
    begun = undertaking.history.base
    if request.repository is not None:
        return wiring.open_repository(request.repository, store, revision=begun or "HEAD")
    declared = undertaking.bundle.spec.repository
    if declared is None:
        revision = begun or undertaking.base or "HEAD"
        return wiring.open_repository(request.project, store, revision=revision)
    folder = request.pipeline / declared
    if wiring.files().exists(folder / ".git"):
        return wiring.open_repository(folder, store, revision=begun or "HEAD")
    return wiring.open_folder(folder, store)


def open_cache(undertaking: Undertaking, stack: ExitStack) -> StepCache:
    """Open the action cache, where the run may use it; `stack` closes it."""
    request = undertaking.request
    usable = (
        request.use_cache
        and undertaking.mode is not Mode.LIVE
        and not request.record_all
        and not request.execute_tools
    )
    if not usable:
        return StepCache(None, enabled=False)
    folder = request.project / STATE_FOLDER / CACHE_FOLDER
    store = wiring.byte_store(folder)
    stack.callback(store.close)
    objects = ObjectStore(wiring.files(), folder)
    return StepCache(ActionCache(store, objects), enabled=True)


def build_services(
    undertaking: Undertaking,
    *,
    effects: Effects,
    session: RecordingSession,
    repository: Repository,
    journal: Journal,
    sandboxes: Sandboxes,
) -> Services:
    """Put together what steps may use."""
    bundle, request = undertaking.bundle, undertaking.request
    gateway = Gateway(
        session=session,
        http=effects.http,
        clock=effects.clock,
        env=effects.env,
        endpoints=undertaking.config.endpoints,
        scripts=_scripts(bundle),
        spending=undertaking.spending,
    )

    budget = RunBudget(bundle.spec.limits)

    def dispatch(lane: Lane) -> None:
        journal.write({"type": "step.dispatched", "lane": lane}, sync=True)

    return Services(
        effects=effects,
        session=session,
        gateway=BudgetedGateway(gateway, budget),
        charge=budget.charge,
        repository=repository,
        seed=undertaking.seed,
        plan_digest=bundle.digest,
        inputs_digest=inputs_digest(undertaking.inputs),
        run_id=undertaking.folder.run_id,
        home=undertaking.folder.home,
        search_path=_search_path(effects),
        python=sys.executable,
        python_lanes=wiring.PYTHON_LANES,
        open_sandbox=sandboxes.open,
        folder_of=_folder_of,
        proxy=RunProxy(session, undertaking.config.endpoints, spending=undertaking.spending),
        live=undertaking.mode is Mode.LIVE,
        sandbox_override=request.sandbox or undertaking.config.defaults.sandbox,
        execute_tools=request.execute_tools,
        decisions=undertaking.history.decisions,
        dispatched=undertaking.history.dispatched,
        on_dispatch=dispatch,
        on_activity=undertaking.listener.activity,
    )


class Sandboxes:
    """The sandboxes of one run, one of each kind, opened by the first command that needs it."""

    def __init__(self, image: str | None) -> None:
        """Use `image` for containers."""
        self._settings = {"image": image} if image else {}
        self._open: dict[str, Sandbox] = {}

    def open(self, name: str) -> Sandbox:
        """Return the sandbox `name`; a replay that runs no command never starts it."""
        return _SandboxOnDemand(name, self._started)

    def _started(self, name: str) -> Sandbox:
        if name not in self._open:
            self._open[name] = wiring.sandbox(name, self._settings)
        return self._open[name]

    async def close(self) -> None:
        """Remove containers and other leftovers."""
        for name in sorted(self._open):
            await self._open[name].close()


@dataclass(frozen=True, slots=True)
class _SandboxOnDemand:
    """Stands for a sandbox until a command has to run in it."""

    name: str
    start: Callable[[str], Sandbox]

    async def run(self, request: CommandRequest) -> CommandResult:
        return await self.start(self.name).run(request)

    async def close(self) -> None:
        """Do nothing: whoever started the sandbox closes it."""


def _scripts(bundle: Bundle) -> dict[str, Script]:
    """Return the scripts of a definition and its sub-pipelines, by the path as they write it.

    Raises:
        UsageError: when two pipelines write the same path and mean different files.
    """
    found = {path: _script(data) for path, data in bundle.scripts.items()}
    for child in bundle.children.values():
        for path, script in _scripts(child).items():
            if found.setdefault(path, script) != script:
                raise UsageError(
                    f"`{bundle.spec.name}` and `{child.spec.name}` both have a script `{path}`",
                    code="ACI-U151",
                    hint="rename one of the files",
                )
    return found


def _script(data: JsonObject) -> Script:
    # its models take time to build, and few pipelines have one
    from agentci.spec.script import Script  # noqa: PLC0415

    return Script.model_validate_json(canonical_bytes(data))


def _folder_of(bundle: Bundle) -> Path:
    return Path(bundle.folder_name).resolve()


def _search_path(effects: Effects) -> str:
    """Put the interpreter's folder first, so that `python` is the one that runs agentci."""
    own = str(Path(sys.executable).parent)
    return ":".join([own, effects.env.get("PATH") or "/usr/local/bin:/usr/bin:/bin"])
