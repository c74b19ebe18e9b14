"""Values that attributes can have, put into schemas, so that Terraform reports wrong ones.

For AWS they come from the API's models; for the rest from the documentation of the provider or
the API, where the set is closed and small. Bindings of Google's provider have them already.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from agentci.core.terraform import ProviderSchema
from agentci.deploy.embedded.finding import Models


@dataclass(frozen=True, slots=True)
class ModelEnum:
    """The values of a shape in a service's model."""

    service: str
    shape: str


Values: TypeAlias = ModelEnum | tuple[str, ...]

_PULL: Final = ("Always", "IfNotPresent", "Never")
_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
_RESTART: Final = ("Always", "OnFailure", "Never")
_TEMPLATE: Final = "spec.template.spec"
_JOB_TEMPLATE: Final = "spec.job_template.spec.template.spec"


def _pod(spec: str) -> dict[str, Values]:
    return {
        f"{spec}.restart_policy": _RESTART,
        f"{spec}.dns_policy": ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
        **{
            f"{spec}.{kind}.{name}": values
            for kind in ("container", "init_container")
            for name, values in (("image_pull_policy", _PULL), ("port.protocol", _PROTOCOLS))
        },
        **{
            f"{spec}.{place}security_context.seccomp_profile.type": (
                "RuntimeDefault", "Localhost", "Unconfined",
            )
            for place in ("", "container.", "init_container.")
        },
    }  # fmt: skip


ENUMS: Final[Mapping[str, Mapping[str, Values]]] = {
    "aws_apigatewayv2_api": {"protocol_type": ModelEnum("apigatewayv2", "ProtocolType")},
    "aws_apigatewayv2_integration": {
        "integration_type": ModelEnum("apigatewayv2", "IntegrationType"),
        "connection_type": ModelEnum("apigatewayv2", "ConnectionType"),
    },
    "aws_apigatewayv2_route": {
        "authorization_type": ModelEnum("apigatewayv2", "AuthorizationType")
    },
    "aws_appautoscaling_policy": {
        "policy_type": ModelEnum("application-autoscaling", "PolicyType"),
        "scalable_dimension": ModelEnum("application-autoscaling", "ScalableDimension"),
        "service_namespace": ModelEnum("application-autoscaling", "ServiceNamespace"),
    },
    "aws_appautoscaling_target": {
        "scalable_dimension": ModelEnum("application-autoscaling", "ScalableDimension"),
        "service_namespace": ModelEnum("application-autoscaling", "ServiceNamespace"),
    },
    "aws_cloudwatch_event_rule": {"state": ModelEnum("events", "RuleState")},
    "aws_cloudwatch_log_group": {"log_group_class": ModelEnum("logs", "LogGroupClass")},
    "aws_cloudwatch_metric_alarm": {
        "comparison_operator": ModelEnum("cloudwatch", "ComparisonOperator"),
        "statistic": ModelEnum("cloudwatch", "Statistic"),
        "unit": ModelEnum("cloudwatch", "StandardUnit"),
        "treat_missing_data": ("missing", "ignore", "breaching", "notBreaching"),
    },
    "aws_codedeploy_app": {"compute_platform": ModelEnum("codedeploy", "ComputePlatform")},
    "aws_dynamodb_table": {
        "billing_mode": ModelEnum("dynamodb", "BillingMode"),
        "attribute.type": ModelEnum("dynamodb", "ScalarAttributeType"),
        "stream_view_type": ModelEnum("dynamodb", "StreamViewType"),
        "table_class": ModelEnum("dynamodb", "TableClass"),
    },
    "aws_ecr_repository": {
        "image_tag_mutability": ModelEnum("ecr", "ImageTagMutability"),
        "encryption_configuration.encryption_type": ModelEnum("ecr", "EncryptionType"),
    },
    "aws_ecs_cluster": {
        "setting.name": ModelEnum("ecs", "ClusterSettingName"),
        "setting.value": ("enhanced", "enabled", "disabled"),
    },
    "aws_ecs_service": {
        "availability_zone_rebalancing": ModelEnum("ecs", "AvailabilityZoneRebalancing"),
        "deployment_configuration.strategy": ModelEnum("ecs", "DeploymentStrategy"),
        "deployment_controller.type": ModelEnum("ecs", "DeploymentControllerType"),
        "launch_type": ModelEnum("ecs", "LaunchType"),
        "propagate_tags": ModelEnum("ecs", "PropagateTags"),
        "scheduling_strategy": ModelEnum("ecs", "SchedulingStrategy"),
    },
    "aws_ecs_task_definition": {
        "ipc_mode": ModelEnum("ecs", "IpcMode"),
        "network_mode": ModelEnum("ecs", "NetworkMode"),
        "pid_mode": ModelEnum("ecs", "PidMode"),
        "requires_compatibilities": ModelEnum("ecs", "Compatibility"),
        "runtime_platform.cpu_architecture": ModelEnum("ecs", "CPUArchitecture"),
        "runtime_platform.operating_system_family": ModelEnum("ecs", "OSFamily"),
    },
    "aws_efs_file_system": {
        "performance_mode": ModelEnum("efs", "PerformanceMode"),
        "throughput_mode": ModelEnum("efs", "ThroughputMode"),
    },
    "aws_kms_key": {"key_usage": ModelEnum("kms", "KeyUsageType")},
    "aws_lambda_function": {
        "architectures": ModelEnum("lambda", "Architecture"),
        "logging_config.application_log_level": ModelEnum("lambda", "ApplicationLogLevel"),
        "logging_config.log_format": ModelEnum("lambda", "LogFormat"),
        "logging_config.system_log_level": ModelEnum("lambda", "SystemLogLevel"),
        "package_type": ModelEnum("lambda", "PackageType"),
        "runtime": ModelEnum("lambda", "Runtime"),
        "snap_start.apply_on": ModelEnum("lambda", "SnapStartApplyOn"),
        "tracing_config.mode": ModelEnum("lambda", "TracingMode"),
    },
    "aws_lambda_function_url": {
        "authorization_type": ModelEnum("lambda", "FunctionUrlAuthType"),
        "invoke_mode": ModelEnum("lambda", "InvokeMode"),
    },
    "aws_lb": {
        "ip_address_type": ModelEnum("elbv2", "IpAddressType"),
        "load_balancer_type": ModelEnum("elbv2", "LoadBalancerTypeEnum"),
    },
    "aws_lb_listener": {
        "default_action.type": ModelEnum("elbv2", "ActionTypeEnum"),
        "protocol": ModelEnum("elbv2", "ProtocolEnum"),
    },
    "aws_lb_listener_rule": {"action.type": ModelEnum("elbv2", "ActionTypeEnum")},
    "aws_lb_target_group": {
        "protocol": ModelEnum("elbv2", "ProtocolEnum"),
        "target_type": ModelEnum("elbv2", "TargetTypeEnum"),
    },
    "aws_s3_bucket_server_side_encryption_configuration": {
        "rule.apply_server_side_encryption_by_default.sse_algorithm": ModelEnum(
            "s3", "ServerSideEncryption"
        )
    },
    "aws_scheduler_schedule": {
        "flexible_time_window.mode": ModelEnum("scheduler", "FlexibleTimeWindowMode"),
        "state": ModelEnum("scheduler", "ScheduleState"),
    },
    "aws_service_discovery_service": {
        "dns_config.dns_records.type": ModelEnum("servicediscovery", "RecordType"),
        "dns_config.routing_policy": ModelEnum("servicediscovery", "RoutingPolicy"),
    },
    "aws_sfn_state_machine": {
        "logging_configuration.level": ModelEnum("stepfunctions", "LogLevel"),
        "type": ModelEnum("stepfunctions", "StateMachineType"),
    },
    "aws_ssm_parameter": {
        "tier": ModelEnum("ssm", "ParameterTier"),
        "type": ModelEnum("ssm", "ParameterType"),
    },
    "docker_container": {
        "cgroupns_mode": ("private", "host"),
        "ipc_mode": ("none", "private", "shareable", "host"),
        "mounts.type": ("bind", "volume", "tmpfs"),
        "ports.protocol": ("tcp", "udp", "sctp"),
        "restart": ("no", "on-failure", "always", "unless-stopped"),
    },
    "kubernetes_cron_job_v1": {
        "spec.concurrency_policy": ("Allow", "Forbid", "Replace"),
        **_pod(_JOB_TEMPLATE),
    },
    "kubernetes_daemon_set_v1": _pod(_TEMPLATE),
    "kubernetes_deployment_v1": {
        "spec.strategy.type": ("RollingUpdate", "Recreate"),
        **_pod(_TEMPLATE),
    },
    "kubernetes_ingress_v1": {
        "spec.rule.http.path.path_type": ("Exact", "Prefix", "ImplementationSpecific")
    },
    "kubernetes_job_v1": _pod(_TEMPLATE),
    "kubernetes_network_policy_v1": {
        "spec.policy_types": ("Ingress", "Egress"),
        "spec.ingress.ports.protocol": _PROTOCOLS,
        "spec.egress.ports.protocol": _PROTOCOLS,
    },
    "kubernetes_persistent_volume_claim_v1": {
        "spec.access_modes": (
            "ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod",
        )
    },
    "kubernetes_service_v1": {
        "spec.external_traffic_policy": ("Cluster", "Local"),
        "spec.port.protocol": _PROTOCOLS,
        "spec.session_affinity": ("None", "ClientIP"),
        "spec.type": ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    },
    "kubernetes_stateful_set_v1": _pod(_TEMPLATE),
}  # fmt: skip
"""By resource type: path of an attribute to its values. Blocks on the way count as one each."""


def with_values(
    schema: ProviderSchema, models: Models, *, types: Collection[str]
) -> ProviderSchema:
    """Return a schema that also says which values attributes can have, of those `types`.

    Raises:
        EnvironmentProblem: where `models` does, when there is a type of AWS among them.
    """
    resources = dict(schema.schema["resources"])
    for type_ in sorted({*resources} & {*ENUMS} & {*types}):
        block = copy.deepcopy(resources[type_])
        for path, values in ENUMS[type_].items():
            for attribute in _attributes(block, path.split(".")):
                attribute["values"] = list(_listed(values, models))
        resources[type_] = block
    return replace(schema, schema={**schema.schema, "resources": resources})


def _attributes(block: dict[str, Any], path: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the attribute at `path`; none where this version of the provider lacks it."""
    name, *rest = path
    if not rest:
        if name in block.get("attributes", {}):
            yield block["attributes"][name]
    elif name in block.get("block_types", {}):
        yield from _attributes(block["block_types"][name]["block"], rest)
    elif "nested_type" in block.get("attributes", {}).get(name, {}):
        yield from _attributes(block["attributes"][name]["nested_type"], rest)


def _listed(values: Values, models: Models) -> tuple[str, ...]:
    if isinstance(values, ModelEnum):
        return tuple(models(values.service)[values.shape]["enum"])
    return values
