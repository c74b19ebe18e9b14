"""What the target `kubernetes` of a deploy spec can be told.

Services and secrets are named as in the rest of the spec; whether there are such is checked by the
target, which also knows what a cluster cannot do. Nothing here says what is rendered.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from agentci.spec.pipeline import Model

Label: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""A name in the sense of RFC 1123, which most names in a cluster have to be."""
Host: TypeAlias = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$", max_length=253
    ),
]
LabelKey: TypeAlias = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
    ),
]
LabelValue: TypeAlias = Annotated[
    str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$")
]
PushedDigest: TypeAlias = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Because: TypeAlias = Annotated[str, Field(min_length=8, max_length=500)]


class KubernetesIngress(Model):
    """How requests from outside get in, for ports with `publish: lb`."""

    class_: Label = Field(alias="class", description="Name of the IngressClass.")
    namespace: Label = Field(description="Where its controller runs: nobody else is let in.")
    hosts: dict[str, Host] = Field(min_length=1, description="By service: its host name.")
    issuer: Label | None = Field(
        None,
        description="ClusterIssuer of cert-manager. Without it, the certificate has to lie in the "
        "secret `<service>-tls`.",
    )


class KubernetesAutoscale(Model):
    """More replicas under load, from `replicas` on."""

    max: int = Field(ge=2, le=1000, description="At most that many.")
    cpu: int = Field(70, ge=10, le=95, description="Share of the processors to aim at, in percent.")


class KubernetesGateway(Model):
    """A proxy in the cluster that lets through the hosts that services may reach."""

    namespace: Label = Field(description="Where it runs.")
    labels: dict[LabelKey, LabelValue] = Field(min_length=1, description="Of its pods.")
    service: Label = Field(description="Name of its service, for `HTTPS_PROXY`.")
    port: Annotated[int, Field(ge=1, le=65_535)] = Field(description="Of service and pods.")


class KubernetesRelease(Model):
    """Where a rollout other than `rolling` is: old and new version run side by side."""

    color: Literal["blue", "green"] = Field(
        "blue", description="For `blue_green`: of the version in this file; change it with each."
    )
    serving: Literal["new", "previous"] = Field(
        "new", description="For `blue_green`: which of the two gets requests."
    )
    previous: dict[
        str, Annotated[str, Field(pattern=r"^[A-Za-z0-9._:/-]+@sha256:[0-9a-f]{64}$")]
    ] = Field(
        default_factory=dict,
        description="By service: the image that ran before. Remove it to end the rollout.",
    )


class KubernetesTarget(Model):
    """Manifests for a cluster, with a kustomization."""

    version: Literal["1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"] = Field(
        "1.33", description="Of the cluster; manifests are validated against its schemas."
    )
    namespace: Label | None = Field(None, description="Default: the name of the deployment.")
    registry: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9._:/-]{0,199}[a-z0-9])?$")] | None = (
        Field(None, description="Where images that are built here are pushed to.")
    )
    images: dict[str, PushedDigest] = Field(
        default_factory=dict,
        description="By service that is built here: the digest that `docker push` printed. "
        "Default: what `agentci deploy render --image` was given.",
    )
    pull_secret: Label | None = Field(None, description="Secret for pulling images.")
    secrets: dict[
        str,
        Annotated[
            str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/[A-Za-z0-9._-]{1,253}$")
        ],
    ] = Field(
        default_factory=dict,
        description="By secret: `secret/key` in the cluster, if other targets find it elsewhere.",
    )
    identities: dict[str, dict[LabelKey, Annotated[str, Field(max_length=2000)]]] = Field(
        default_factory=dict,
        description="By service: annotations of its ServiceAccount, for a cloud's access control.",
    )
    storage_class: Label | None = Field(
        None, description="For volumes. One that several replicas share needs one that can do that."
    )
    ingress: KubernetesIngress | None = Field(None, description="For ports with `publish: lb`.")
    autoscale: dict[str, KubernetesAutoscale] = Field(
        default_factory=dict, description="By service: more replicas under load."
    )
    egress_gateway: KubernetesGateway | None = Field(
        None, description="What holds services to the hosts in their `egress`."
    )
    open_egress: dict[str, Because] = Field(
        default_factory=dict,
        description="By service with `egress: {hosts: ...}`: why it may reach every public address "
        "on their ports. A NetworkPolicy knows no host names.",
    )
    release: KubernetesRelease = Field(
        default_factory=KubernetesRelease.model_construct, description="Where a rollout is."
    )
