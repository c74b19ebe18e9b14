"""Manifests into a cluster and out of it, with `kubectl` and the context that it has.

Old pods go on until new ones are ready; where those do not get there, a rolling update is taken
back, as `rollback_on: [unhealthy]` asks. Storage and the namespace stay unless `volumes` is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from agentci.app.deploy_up import Runner, RunningService, RunRequest
from agentci.core.errors import EnvironmentProblem
from agentci.core.programs import ProgramRequest, ProgramResult
from agentci.deploy.targets.kubernetes import manifests
from agentci.deploy.targets.kubernetes_names import (
    INSTANCE,
    NAME,
    long_running,
    namespace_of,
    tracks_of,
)

_ASKING: Final = 120.0
"""Seconds for one answer of the cluster."""
_KEPT: Final = ("namespace.yaml", "volumes/")


class KubernetesRunner:
    """`Runner` for the target `kubernetes`."""

    __slots__ = ()

    def up(self, request: RunRequest) -> tuple[RunningService, ...]:
        """Apply, and wait until every version is available, see `Runner.up`."""
        done = _kubectl(request, "apply", "-k", ".")
        if done.exit_code != 0:
            raise EnvironmentProblem(
                f"`kubectl apply` failed: {done.said}",
                code="ACI-E667",
                hint="`kubectl auth can-i --list` shows what you may do in this context",
            )
        failed = [name for name in _deployments(request) if not _is_up(request, name)]
        if failed:
            said = _take_back(request, failed)
            raise EnvironmentProblem(
                f"not available in time: {', '.join(f'`{each}`' for each in failed)}; {said}",
                code="ACI-E668",
                hint=f"kubectl -n {_namespace(request)} describe deployment {failed[0]}",
            )
        return tuple(_pods(request))

    def services(self, request: RunRequest) -> tuple[RunningService, ...]:
        """Return the pods of the deployment, see `Runner.services`."""
        return tuple(_pods(request))

    def down(self, request: RunRequest) -> None:
        """Remove what was applied, see `Runner.down`."""
        paths = [path for path, _ in manifests(request.deployment)]
        removed = [path for path in paths if request.volumes or not path.startswith(_KEPT)]
        files = [part for path in removed for part in ("-f", path)]
        done = _kubectl(request, "delete", "--ignore-not-found", *files)
        if done.exit_code != 0:
            raise EnvironmentProblem(
                f"`kubectl delete` left something: {done.said}",
                code="ACI-E669",
                hint=f"kubectl -n {_namespace(request)} get all",
            )


KUBERNETES: Final[Runner] = KubernetesRunner()


def _namespace(request: RunRequest) -> str:
    return namespace_of(request.deployment.spec)


def _deployments(request: RunRequest) -> Iterator[str]:
    for name in long_running(request.deployment.spec):
        for track in tracks_of(request.deployment, name):
            yield track.name


def _is_up(request: RunRequest, name: str) -> bool:
    wait = request.wait + (request.deployment.spec.rollout.bake or 0)
    arguments = ("rollout", "status", f"deployment/{name}", f"--timeout={wait:.0f}s")
    return _kubectl(request, *arguments, longer=wait).exit_code == 0


def _take_back(request: RunRequest, names: list[str]) -> str:
    rollout = request.deployment.spec.rollout
    if rollout.strategy != "rolling":
        return "the version before still runs beside it"
    if "unhealthy" not in rollout.rollback_on:
        return "the version before goes on where it was"
    undone = [_kubectl(request, "rollout", "undo", f"deployment/{name}") for name in names]
    if all(done.exit_code == 0 for done in undone):
        return "the version before was taken back"
    return "there is no version before that could be taken back"


def _pods(request: RunRequest) -> Iterator[RunningService]:
    label = f"{INSTANCE}={request.deployment.spec.name}"
    done = _kubectl(request, "get", "pods", "-l", label, "-o", "json")
    try:
        items = json.loads(done.out)["items"] if done.exit_code == 0 else None
    except (ValueError, KeyError, TypeError):
        items = None
    if items is None:
        raise EnvironmentProblem(
            f"`kubectl get pods` failed: {done.said}", code="ACI-E667", hint="kubectl cluster-info"
        )
    for item in sorted(items, key=lambda each: str(each["metadata"]["name"])):
        metadata, status = item["metadata"], item.get("status", {})
        if "deletionTimestamp" in metadata:
            continue
        ready = {each["type"]: each["status"] for each in status.get("conditions", ())}
        yield RunningService(
            service=metadata.get("labels", {}).get(NAME, ""),
            name=metadata["name"],
            state=str(status.get("phase", "Unknown")).lower(),
            healthy=ready.get("Ready") == "True" if status.get("phase") == "Running" else None,
        )


def _kubectl(request: RunRequest, *arguments: str, longer: float = 0) -> ProgramResult:
    argv = ("kubectl", "--namespace", _namespace(request), *arguments)
    done = request.programs.run(ProgramRequest(argv, request.folder, _ASKING + longer))
    if done.exit_code == 127:
        raise EnvironmentProblem(
            "there is no `kubectl` on this machine",
            code="ACI-E666",
            hint="install it, or apply the folder from where it is",
        )
    return done
