"""Manifests into a cluster and out of it, with `kubectl` and the context that it has.

Old pods go on until new ones are ready; where those do not get there, a rolling update is taken
back, as `rollback_on: [unhealthy]` asks. Once all is up, what the spec no longer has is removed.
Storage and the namespace stay unless `volumes` is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from agentci.app.deploy_up import Runner, RunningService, RunRequest
from agentci.core.digest import hex_of
from agentci.core.errors import EnvironmentProblem
from agentci.core.programs import ProgramRequest, ProgramResult
from agentci.deploy.artifact import Deployment
from agentci.deploy.targets.kubernetes import manifests
from agentci.deploy.targets.kubernetes_names import (
    INSTANCE,
    MANAGED_BY,
    MANAGER,
    NAME,
    SPEC_ANNOTATION,
    SPEC_LABEL,
    long_running,
    namespace_of,
    spec_label,
    tracks_of,
)

_ASKING: Final = 120.0
"""Seconds for one answer of the cluster."""
_PRUNED: Final = (
    "deployments,cronjobs,jobs,services,ingresses,networkpolicies,poddisruptionbudgets,"
    "horizontalpodautoscalers,serviceaccounts"
)
"""Kinds of which nothing stays that the spec no longer has. ConfigMaps do, for a version before."""
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
        self._delete(request, _PRUNED, "-l", _of_another_spec(request.deployment))
        return tuple(_pods(request))

    def services(self, request: RunRequest) -> tuple[RunningService, ...]:
        """Return the pods of the deployment, see `Runner.services`."""
        return tuple(_pods(request))

    def down(self, request: RunRequest) -> None:
        """Remove what was applied, see `Runner.down`."""
        paths = [path for path, _ in manifests(request.deployment)]
        removed = [path for path in paths if request.volumes or not path.startswith(_KEPT)]
        files = [part for path in removed for part in ("-f", path)]
        self._delete(request, *files)

    @staticmethod
    def _delete(request: RunRequest, *what: str) -> None:
        done = _kubectl(request, "delete", "--ignore-not-found", *what)
        if done.exit_code != 0:
            raise EnvironmentProblem(
                f"`kubectl delete` left something: {done.said}",
                code="ACI-E669",
                hint=f"kubectl -n {_namespace(request)} get all",
            )


KUBERNETES: Final[Runner] = KubernetesRunner()


def _namespace(request: RunRequest) -> str:
    return namespace_of(request.deployment.spec)


def _of_another_spec(deployment: Deployment) -> str:
    """Return the selector of what we made of this deployment, and not of its spec as it is."""
    own = {INSTANCE: deployment.spec.name, MANAGED_BY: MANAGER}
    named = ",".join(f"{key}={value}" for key, value in own.items())
    return f"{named},{SPEC_LABEL},{SPEC_LABEL}!={spec_label(deployment)}"


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
    """Yield the pods; one is current where what runs its service is of the spec as it is now."""
    items = _objects(request)
    wanted = hex_of(request.deployment.digest)
    made_of_another = {
        _label(item)
        for item in items
        if item.get("kind") != "Pod"
        and item["metadata"].get("annotations", {}).get(SPEC_ANNOTATION) != wanted
    }
    for item in sorted(items, key=lambda each: str(each["metadata"]["name"])):
        metadata, status = item["metadata"], item.get("status", {})
        if item.get("kind") != "Pod" or "deletionTimestamp" in metadata:
            continue
        ready = {each["type"]: each["status"] for each in status.get("conditions", ())}
        yield RunningService(
            service=_label(item),
            name=metadata["name"],
            state=str(status.get("phase", "Unknown")).lower(),
            healthy=ready.get("Ready") == "True" if status.get("phase") == "Running" else None,
            current=_label(item) not in made_of_another,
        )


def _objects(request: RunRequest) -> Sequence[Mapping[str, Any]]:
    label = f"{INSTANCE}={request.deployment.spec.name}"
    done = _kubectl(request, "get", "deployments,jobs,cronjobs,pods", "-l", label, "-o", "json")
    try:
        items: list[Mapping[str, Any]] = json.loads(done.out)["items"]
    except (ValueError, KeyError, TypeError):
        raise EnvironmentProblem(
            f"`kubectl get` failed: {done.said}", code="ACI-E667", hint="kubectl cluster-info"
        ) from None
    return items


def _label(item: Mapping[str, Any]) -> str:
    return str(item["metadata"].get("labels", {}).get(NAME, ""))


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
