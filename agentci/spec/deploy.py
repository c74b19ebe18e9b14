"""The deploy spec, `deploy/<name>.yaml`, version 1: what runs, how it is held, and where.

Secure without a word: what loosens a service needs a field of its own and a reason. Secrets are
named, never written. Field descriptions are the reference documentation. Knows no target's output.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from agentci.spec.deploy_targets import TargetsSpec
from agentci.spec.deploy_workflow import WorkflowSpec
from agentci.spec.pipeline import Model

DEPLOY_FORMAT = "agentci/deploy"
DEPLOY_VERSION = 1

ServiceName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]
"""Also a host name, a label and a part of cloud resources' names, so shorter than others."""
ImageDigest: TypeAlias = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Reason: TypeAlias = Annotated[str, Field(min_length=8, max_length=500)]
Day: TypeAlias = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Duration: TypeAlias = Annotated[int, Field(ge=1, le=86_400)]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65_535)]
Bytes: TypeAlias = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}[MG]$")]
"""`256M` or `2G`, in powers of 1024."""
InContainer: TypeAlias = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._-]+)+$", max_length=200)]
"""An absolute path of plain letters, which no format has to escape."""
InProject: TypeAlias = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", max_length=200)
]
"""A relative path with `/` of plain letters."""
Variable: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
Argument: TypeAlias = Annotated[str, Field(max_length=8000, pattern=r"^[^\x00]*$")]


class ImageSpec(Model):
    """An image that is built elsewhere."""

    ref: str = Field(
        pattern=r"^[a-z0-9]([A-Za-z0-9._:/-]{0,199}[A-Za-z0-9])?$",
        description="Registry and repository, with a tag for people where there is one.",
    )
    digest: ImageDigest | None = Field(
        None, description="What is really run. A rule asks for it; a tag can be moved."
    )


class FileSpec(Model):
    """Files of the context that go into an image."""

    from_: InProject = Field(alias="from", description="File or folder, relative to the context.")
    to: InContainer = Field(description="Where it goes.")


class BuildSpec(Model):
    """An image that is built from this repository; the Dockerfile is written for it."""

    base: ImageSpec | Literal["scratch"] = Field(description="What it starts from.")
    context: InProject = Field(".", description="Folder with the files, relative to the spec's.")
    run: tuple[tuple[Argument, ...], ...] = Field(
        (), description="Programs to run as root before the files are there: name and arguments."
    )
    files: tuple[FileSpec, ...] = Field((), description="What goes in; nothing else does.")
    workdir: InContainer | None = Field(None, description="Folder that the program starts in.")


class PortSpec(Model):
    """A port that the service listens on."""

    container: Port = Field(description="In the container.")
    publish: Literal["none", "loopback", "lb"] = Field(
        "none",
        description="Who reaches it from outside of the deployment: nobody, this machine, or "
        "whoever the target's load balancer lets in.",
    )
    host: Port | None = Field(
        None, description="Where it is published. Default: the same number as in the container."
    )


class SecretSource(Model):
    """Where a secret is when the deployment starts. The secret itself stands in no file."""

    from_: Literal["env", "file", "aws-sm", "gcp-sm", "k8s"] = Field(
        alias="from",
        description="An environment variable of who deploys, a file beside the spec that git "
        "ignores, AWS Secrets Manager, Google Secret Manager, or a Kubernetes secret.",
    )
    ref: str = Field(
        pattern=r"^[A-Za-z0-9._:/@-]{1,300}$",
        description="Name of the variable, path, ARN, resource name, or `secret/key`.",
    )


class ResourcesSpec(Model):
    """What one replica may take."""

    cpu: float = Field(0.5, ge=0.05, le=96, description="Processors.")
    memory: Bytes = Field("256M", description="`M` or `G`, powers of 1024; swap is not added.")
    pids: int = Field(128, ge=1, le=32_768, description="Processes and threads.")


class HealthSpec(Model):
    """How it is known that a replica works. Give exactly one of `http` and `cmd`."""

    http: Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]{0,200}$")] | None = Field(
        None, description="Path that answers with a status below 400."
    )
    port: Port | None = Field(None, description="For `http`; default: the first of `ports`.")
    client: Literal["wget", "curl", "python"] = Field(
        "wget", description="For `http`, where the target asks from inside: a program of the image."
    )
    cmd: tuple[Argument, ...] | None = Field(
        None, min_length=1, description="Program and arguments; exit code 0 is healthy."
    )
    interval: Duration = Field(10, description="Seconds between two looks.")
    timeout: Duration = Field(3, description="Seconds for one look.")
    retries: int = Field(3, ge=1, le=20, description="Failures in a row that make it unhealthy.")
    start_period: int = Field(
        10, ge=0, le=3600, description="Seconds after the start in which failures do not count."
    )

    @model_validator(mode="after")
    def _one_way(self) -> HealthSpec:
        if (self.http is None) == (self.cmd is None):
            msg = "give exactly one of `http` and `cmd`"
            raise ValueError(msg)
        return self


class MountSpec(Model):
    """A volume in a container."""

    volume: ServiceName = Field(description="A name from `volumes`.")
    path: InContainer = Field(description="Where it is.")
    read_only: bool = Field(False, description="Nothing may be written there.")


class VolumeSpec(Model):
    """Storage that outlives containers."""

    description: str = Field("", description="For people: what is kept there.")
    size: Bytes = Field("1G", description="Where the target sets one.")


class HostsEgress(Model):
    """Connections to some hosts."""

    hosts: tuple[
        Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?(:[0-9]{1,5})?$")], ...
    ] = Field(min_length=1, description="Host names, with a port where it is not 443.")
    reason: Reason = Field(description="Why it needs them.")


class LooseningSpec(Model):
    """One protection that a service does without."""

    what: Literal["root_user", "writable_root", "capability", "privilege_gain", "no_health"] = (
        Field(
            description="It runs as root; its root file system can be written; it has the Linux "
            "capability `capability`; its programs may gain privileges; nothing looks after it."
        )
    )
    capability: Annotated[str, Field(pattern=r"^[A-Z][A-Z_]{2,30}$")] | None = Field(
        None, description="For `capability`: its name without `CAP_`."
    )
    reason: Reason = Field(description="Why it has to be.")

    @model_validator(mode="after")
    def _named(self) -> LooseningSpec:
        if (self.what == "capability") != (self.capability is not None):
            msg = "`capability` goes with `what: capability`, and is needed there"
            raise ValueError(msg)
        return self


class LogsSpec(Model):
    """How much is kept of what a container prints."""

    max_size: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}[km]$")] = Field(
        "10m", description="Of one file: `k` or `m`."
    )
    max_files: int = Field(3, ge=1, le=100, description="Older ones are removed.")
    days: int = Field(30, ge=1, le=3650, description="Where the target counts days.")


class ScheduleSpec(Model):
    """Runs to its end, again and again, in place of running on."""

    cron: str = Field(
        pattern=r"^(\S+ ){4}\S+$", description="Minute, hour, day, month, day of the week; UTC."
    )


class ServesSpec(Model):
    """What others find here. Those with this service in `depends_on` get its address by name."""

    kind: Literal["mcp", "model", "http"] = Field(
        description="An MCP server over HTTP, a model endpoint, or any other service."
    )
    port: Port | None = Field(None, description="Default: the first of `ports`.")
    path: Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]*$")] = Field(
        "/", description="Path of the URL."
    )
    variable: Variable | None = Field(
        None, description="Variable that holds the URL. Default: `<SERVICE>_URL`."
    )


class ServiceSpec(Model):
    """One program that runs. Give exactly one of `image` and `build`."""

    description: str = Field("", description="For people.")
    image: ImageSpec | None = Field(None, description="An image that is built elsewhere.")
    build: BuildSpec | None = Field(None, description="An image that is built from here.")
    command: tuple[Argument, ...] | None = Field(
        None, min_length=1, description="Program and arguments, in place of the image's own."
    )
    ports: tuple[PortSpec, ...] = Field((), description="What it listens on.")
    env: dict[Variable, Argument] = Field(
        default_factory=dict, description="Plain values; secrets are refused here."
    )
    secrets: tuple[ServiceName, ...] = Field(
        (), description="Names from `secrets`; each is a file `/run/secrets/<name>`."
    )
    resources: ResourcesSpec = Field(
        default_factory=ResourcesSpec.model_construct, description="What a replica may take."
    )
    health: HealthSpec | None = Field(None, description="How it is known to work.")
    user: Annotated[str, Field(pattern=r"^[0-9]{1,9}:[0-9]{1,9}$")] = Field(
        "10001:10001", description="User and group, as numbers. Root has to be loosened."
    )
    writable_paths: dict[InContainer, Bytes] = Field(
        default_factory=dict,
        description="Folders in memory, with their sizes. Everything else is read-only.",
    )
    volumes: tuple[MountSpec, ...] = Field((), description="Storage that outlives it.")
    egress: Literal["none", "internal"] | HostsEgress = Field(
        "none",
        description="Connections that it may open: to what is in `depends_on` alone, to all of "
        "this deployment, or also to some hosts.",
    )
    restart: Literal["always", "on-failure", "never"] = Field(
        "always", description="What happens when it ends."
    )
    stop_grace: int = Field(
        10, ge=1, le=600, description="Seconds that it has to end when it is asked to."
    )
    depends_on: dict[ServiceName, Literal["started", "healthy", "completed"]] = Field(
        default_factory=dict, description="Services that come first, and how far they have to be."
    )
    replicas: int = Field(1, ge=0, le=1000, description="How many of it run.")
    logs: LogsSpec = Field(
        default_factory=LogsSpec.model_construct, description="What is kept of its output."
    )
    schedule: ScheduleSpec | None = Field(None, description="Run it at times instead.")
    serves: ServesSpec | None = Field(None, description="For models, MCP servers and the like.")
    models: tuple[ServiceName, ...] = Field((), description="Names from `models`.")
    loosen: tuple[LooseningSpec, ...] = Field((), description="Protections it does without.")

    @model_validator(mode="after")
    def _one_image(self) -> ServiceSpec:
        if (self.image is None) == (self.build is None):
            msg = "give exactly one of `image` and `build`"
            raise ValueError(msg)
        return self


class LocalModelSpec(Model):
    """A model that the platform itself runs beside the services."""

    artifact: str = Field(
        pattern=r"^[a-z0-9][A-Za-z0-9._:/@-]{0,300}$", description="Where the platform finds it."
    )
    context_size: int | None = Field(None, ge=1, description="Tokens.")


class RolloutSpec(Model):
    """How a new version takes over."""

    strategy: Literal["rolling", "blue_green", "canary"] = Field(
        "rolling", description="A few replicas at a time, all at once, or a share first."
    )
    percent: int | None = Field(None, ge=1, le=99, description="For `canary`: the first share.")
    bake: Duration | None = Field(
        None, description="Seconds for which the new version is watched; not for `rolling`."
    )
    rollback_on: tuple[Literal["unhealthy", "errors", "latency"], ...] = Field(
        ("unhealthy",), description="What takes the old version back."
    )


class DeployGateSpec(Model):
    """What has to be shown before anything is deployed. Exactly one of `suite` and `ungated`."""

    suite: str | None = Field(
        None, description="Folder of the suite in the project, whose verdict has to be good."
    )
    threshold: float = Field(
        1.0, ge=0, le=1, description="Share of its judged cases that has to pass."
    )
    max_age: int = Field(
        86_400, ge=60, le=31_536_000, description="Seconds for which the verdict counts."
    )
    ungated: Reason | None = Field(None, description="Why nothing has to be shown.")

    @model_validator(mode="after")
    def _one_of(self) -> DeployGateSpec:
        if (self.suite is None) == (self.ungated is None):
            msg = "give exactly one of `suite` and `ungated`"
            raise ValueError(msg)
        return self


class WaiverSpec(Model):
    """A finding of a rule that may stay for a while."""

    rule: str = Field(description="Its id, as `agentci deploy validate` prints it.")
    path: str = Field(description="The place in this file, as printed: `services.api.image`.")
    reason: Reason = Field(description="Why it may stay.")
    expires: Day = Field(description="Last day on which it holds.")


class DeployPolicySpec(Model):
    """What rules may be broken."""

    waivers: tuple[WaiverSpec, ...] = Field((), description="One for each finding that may stay.")


class DeploySpec(Model):
    """What runs where. It lies in the folder `deploy` of the project."""

    format: Literal["agentci/deploy"]
    version: Literal[1]
    name: ServiceName = Field(description="Of the deployment; part of every resource's name.")
    description: str = Field("", description="For people.")
    services: dict[ServiceName, ServiceSpec] = Field(min_length=1, description="What runs.")
    secrets: dict[ServiceName, SecretSource] = Field(
        default_factory=dict, description="Secrets by name; where they are, never what they are."
    )
    volumes: dict[ServiceName, VolumeSpec] = Field(
        default_factory=dict, description="Storage that outlives containers, by name."
    )
    models: dict[ServiceName, LocalModelSpec] = Field(
        default_factory=dict, description="Models that the platform runs, by name."
    )
    workflow: WorkflowSpec | None = Field(None, description="Services as steps of a state machine.")
    rollout: RolloutSpec = Field(
        default_factory=RolloutSpec.model_construct, description="How a new version takes over."
    )
    gate: DeployGateSpec = Field(description="What has to be shown before anything is deployed.")
    targets: TargetsSpec = Field(description="Where it runs; each is rendered into a folder.")
    policy: DeployPolicySpec = Field(
        default_factory=DeployPolicySpec.model_construct, description="Rules that may be broken."
    )


def mebibytes(size: str) -> int:
    """Return a `Bytes` text in units of 1024 * 1024 bytes."""
    number = int(size[:-1])
    return number if size.endswith("M") else number * 1024
