"""JSON Schemas of the objects that we write: closed, one form for each thing, with all enums.

Narrower than the API of a cluster, whose published schemas list no enums and let much through that
a server then refuses. Names and values are those of https://kubernetes.io/docs/reference/kubernetes-api/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from agentci.deploy.targets.kubernetes_storage import CSI_DRIVER, PROVIDER_API

Schema: TypeAlias = Mapping[str, Any]

_NOTHING: Final[Schema] = {}
_TEXT: Final = {"type": "string"}
_NAME: Final = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
_LONG_NAME: Final = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"}
_PORT_NAME: Final = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$"}
_PORT: Final = {"type": "integer", "minimum": 1, "maximum": 65_535}
_COUNT: Final = {"type": "integer", "minimum": 0}
_POSITIVE: Final = {"type": "integer", "minimum": 1}
_FLAG: Final = {"type": "boolean"}
_MILLIS: Final = {"type": "string", "pattern": "^[1-9][0-9]*m$"}
_MEBIBYTES: Final = {"type": "string", "pattern": "^[1-9][0-9]*Mi$"}
_CAPABILITY: Final = {"type": "string", "pattern": "^[A-Z][A-Z_]+$"}
_PATH: Final = {"type": "string", "pattern": "^/[^:]*$"}
_TEXTS: Final = {"type": "object", "additionalProperties": _TEXT}
_LABEL: Final = {
    "type": "string",
    "pattern": "^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$",
}
_LABELS: Final = {"type": "object", "additionalProperties": _LABEL, "minProperties": 1}


def _has(required: Schema, optional: Schema = _NOTHING) -> dict[str, Any]:
    """Return an object with these fields and no others."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def _list(item: Schema, *, least: int = 1) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": least}


def _one_of(*values: object) -> dict[str, Any]:
    return {"enum": list(values)}


_SELECTOR: Final = _has({"matchLabels": _LABELS})
_AMOUNT: Final = _has({"cpu": _MILLIS, "memory": _MEBIBYTES})
_PROBE: Final = {
    **_has(
        {
            "periodSeconds": _POSITIVE,
            "timeoutSeconds": _POSITIVE,
            "failureThreshold": _POSITIVE,
        },
        {
            "exec": _has({"command": _list(_TEXT)}),
            "httpGet": _has(
                {"path": _PATH, "port": _PORT_NAME, "scheme": _one_of("HTTP", "HTTPS")}
            ),
        },
    ),
    "oneOf": [{"required": ["exec"]}, {"required": ["httpGet"]}],
}
_CONTAINER: Final = _has(
    {
        "name": _NAME,
        "image": {"type": "string", "minLength": 1, "pattern": r"^\S+$"},
        "imagePullPolicy": _one_of("IfNotPresent", "Always"),
        "resources": _has({"requests": _AMOUNT, "limits": _AMOUNT}),
        "securityContext": _has(
            {
                "allowPrivilegeEscalation": _FLAG,
                "readOnlyRootFilesystem": _FLAG,
                "capabilities": _has({"drop": _list(_CAPABILITY)}, {"add": _list(_CAPABILITY)}),
            }
        ),
    },
    {
        "args": _list(_TEXT),
        "ports": _list(
            _has({"name": _PORT_NAME, "containerPort": _PORT, "protocol": _one_of("TCP")})
        ),
        "envFrom": _list(_has({"configMapRef": _has({"name": _LONG_NAME})})),
        "startupProbe": _PROBE,
        "readinessProbe": _PROBE,
        "livenessProbe": _PROBE,
        "volumeMounts": _list(
            _has({"name": _NAME, "mountPath": _PATH}, {"subPath": _TEXT, "readOnly": _FLAG})
        ),
    },
)
_VOLUME: Final = {
    **_has(
        {"name": _NAME},
        {
            "emptyDir": _has({"medium": _one_of("Memory")}, {"sizeLimit": _MEBIBYTES}),
            "persistentVolumeClaim": _has({"claimName": _LONG_NAME}),
            "projected": _has(
                {
                    "defaultMode": {"type": "integer", "minimum": 0, "maximum": 0o777},
                    "sources": _list(
                        _has(
                            {
                                "secret": _has(
                                    {
                                        "name": _LONG_NAME,
                                        "items": _list(_has({"key": _TEXT, "path": _TEXT})),
                                    }
                                )
                            }
                        )
                    ),
                }
            ),
            "csi": _has(
                {
                    "driver": _one_of(CSI_DRIVER),
                    "readOnly": _one_of(True),
                    "volumeAttributes": _has({"secretProviderClass": _LONG_NAME}),
                }
            ),
        },
    ),
    "minProperties": 2,
    "maxProperties": 2,
}
_POD: Final = _has(
    {
        "serviceAccountName": _LONG_NAME,
        "enableServiceLinks": _one_of(False),
        "securityContext": _has(
            {
                "runAsNonRoot": _FLAG,
                "runAsUser": _COUNT,
                "runAsGroup": _COUNT,
                "fsGroup": _COUNT,
                "fsGroupChangePolicy": _one_of("OnRootMismatch", "Always"),
            },
            {"seccompProfile": _has({"type": _one_of("RuntimeDefault", "Unconfined")})},
        ),
        "containers": {**_list(_CONTAINER), "maxItems": 1},
    },
    {
        "automountServiceAccountToken": _FLAG,
        "restartPolicy": _one_of("Always", "OnFailure", "Never"),
        "topologySpreadConstraints": _list(
            _has(
                {
                    "maxSkew": _POSITIVE,
                    "topologyKey": _TEXT,
                    "whenUnsatisfiable": _one_of("ScheduleAnyway", "DoNotSchedule"),
                    "labelSelector": _SELECTOR,
                }
            )
        ),
        "volumes": _list(_VOLUME),
    },
)
_TEMPLATE: Final = _has({"metadata": _has({"labels": _LABELS}), "spec": _POD})
_STRATEGY: Final = {
    **_has(
        {"type": _one_of("RollingUpdate", "Recreate")},
        {"rollingUpdate": _has({"maxSurge": _TEXT, "maxUnavailable": _COUNT})},
    ),
    "if": {"properties": {"type": {"const": "Recreate"}}},
    "then": {"maxProperties": 1},
}
_JOB: Final = _has(
    {"backoffLimit": _COUNT, "parallelism": _COUNT, "completions": _COUNT, "template": _TEMPLATE}
)
_PEER: Final = {
    **_has(
        _NOTHING,
        {
            "podSelector": _SELECTOR,
            "namespaceSelector": _SELECTOR,
            "ipBlock": _has(
                {"cidr": {"type": "string", "pattern": r"^[0-9a-f.:]+/[0-9]{1,3}$"}},
                {"except": _list({"type": "string", "pattern": r"^[0-9a-f.:]+/[0-9]{1,3}$"})},
            ),
        },
    ),
    "minProperties": 1,
}
_OPENINGS: Final = _list(_has({"protocol": _one_of("TCP", "UDP"), "port": _PORT}))
_FIELDS: Final[Mapping[tuple[str, str], Mapping[str, Schema]]] = {
    ("v1", "Namespace"): {},
    ("v1", "ServiceAccount"): {
        "automountServiceAccountToken": _FLAG,
        "imagePullSecrets?": _list(_has({"name": _LONG_NAME})),
    },
    ("v1", "ConfigMap"): {"immutable": _one_of(True), "data": _TEXTS},
    ("v1", "Service"): {
        "spec": _has(
            {
                "type": _one_of("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
                "selector": _LABELS,
                "ports": _list(
                    _has(
                        {
                            "name": _PORT_NAME,
                            "port": _PORT,
                            "targetPort": _PORT_NAME,
                            "protocol": _one_of("TCP"),
                        }
                    )
                ),
            }
        )
    },
    ("v1", "PersistentVolumeClaim"): {
        "spec": _has(
            {
                "accessModes": _list(_one_of("ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany")),
                "resources": _has({"requests": _has({"storage": _MEBIBYTES})}),
            },
            {"storageClassName": _LONG_NAME},
        )
    },
    ("apps/v1", "Deployment"): {
        "spec": _has(
            {
                "revisionHistoryLimit": _COUNT,
                "progressDeadlineSeconds": _POSITIVE,
                "selector": _SELECTOR,
                "strategy": _STRATEGY,
                "template": _TEMPLATE,
            },
            {"replicas": _COUNT, "minReadySeconds": _COUNT},
        )
    },
    ("batch/v1", "Job"): {"spec": _JOB},
    ("batch/v1", "CronJob"): {
        "spec": _has(
            {
                "schedule": {"type": "string", "pattern": r"^(\S+ ){4}\S+$"},
                "timeZone": _one_of("Etc/UTC"),
                "concurrencyPolicy": _one_of("Allow", "Forbid", "Replace"),
                "startingDeadlineSeconds": _POSITIVE,
                "successfulJobsHistoryLimit": _COUNT,
                "failedJobsHistoryLimit": _COUNT,
                "jobTemplate": _has({"spec": _JOB}),
            }
        )
    },
    ("networking.k8s.io/v1", "NetworkPolicy"): {
        "spec": _has(
            {
                "podSelector": _has(_NOTHING, {"matchLabels": _LABELS}),
                "policyTypes": _list(_one_of("Ingress", "Egress")),
            },
            {
                "ingress": _list(
                    _has(_NOTHING, {"from": _list(_PEER), "ports": _OPENINGS}), least=0
                ),
                "egress": _list(_has(_NOTHING, {"to": _list(_PEER), "ports": _OPENINGS}), least=0),
            },
        )
    },
    ("networking.k8s.io/v1", "Ingress"): {
        "spec": _has(
            {
                "ingressClassName": _LONG_NAME,
                "rules": _list(
                    _has(
                        {
                            "host": _LONG_NAME,
                            "http": _has(
                                {
                                    "paths": _list(
                                        _has(
                                            {
                                                "path": _PATH,
                                                "pathType": _one_of("Prefix", "Exact"),
                                                "backend": _has(
                                                    {
                                                        "service": _has(
                                                            {
                                                                "name": _NAME,
                                                                "port": _has({"name": _PORT_NAME}),
                                                            }
                                                        )
                                                    }
                                                ),
                                            }
                                        )
                                    )
                                }
                            ),
                        }
                    )
                ),
            },
            {"tls": _list(_has({"hosts": _list(_LONG_NAME), "secretName": _LONG_NAME}))},
        )
    },
    ("policy/v1", "PodDisruptionBudget"): {
        "spec": _has({"maxUnavailable": _POSITIVE, "selector": _SELECTOR})
    },
    ("autoscaling/v2", "HorizontalPodAutoscaler"): {
        "spec": _has(
            {
                "scaleTargetRef": _has(
                    {
                        "apiVersion": _one_of("apps/v1"),
                        "kind": _one_of("Deployment"),
                        "name": _LONG_NAME,
                    }
                ),
                "minReplicas": _POSITIVE,
                "maxReplicas": _POSITIVE,
                "metrics": _list(
                    _has(
                        {
                            "type": _one_of("Resource"),
                            "resource": _has(
                                {
                                    "name": _one_of("cpu", "memory"),
                                    "target": _has(
                                        {
                                            "type": _one_of("Utilization"),
                                            "averageUtilization": _POSITIVE,
                                        }
                                    ),
                                }
                            ),
                        }
                    )
                ),
            }
        )
    },
    (PROVIDER_API, "SecretProviderClass"): {
        "spec": _has(
            {
                "provider": _one_of("aws", "gcp"),
                "parameters": {
                    **_has(_NOTHING, {"objects": _TEXT, "secrets": _TEXT}),
                    "minProperties": 1,
                },
            }
        )
    },
    ("kustomize.config.k8s.io/v1beta1", "Kustomization"): {"resources": _list(_TEXT)},
}
_METADATA: Final = _has(
    {"name": _LONG_NAME, "labels": _LABELS, "annotations": _TEXTS}, {"namespace": _NAME}
)

CUSTOM: Final = frozenset(
    {(PROVIDER_API, "SecretProviderClass"), ("kustomize.config.k8s.io/v1beta1", "Kustomization")}
)
"""Kinds that no cluster has by itself, so that no published schema knows them."""


def _whole(api: str, kind: str, fields: Mapping[str, Schema]) -> Schema:
    top = {"apiVersion": _one_of(api), "kind": _one_of(kind)}
    if kind != "Kustomization":
        top["metadata"] = _METADATA
    needed = {name: each for name, each in fields.items() if not name.endswith("?")}
    allowed = {name[:-1]: each for name, each in fields.items() if name.endswith("?")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_has({**top, **needed}, allowed),
    }


SCHEMAS: Final[Mapping[tuple[str, str], Schema]] = {
    (api, kind): _whole(api, kind, fields) for (api, kind), fields in _FIELDS.items()
}
"""By `apiVersion` and `kind`: everything that we write."""
