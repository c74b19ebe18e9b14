"""The providers that our targets use: which binding on npm their pack is made from, and of what.

A pack is a pure function of the binding and the list of types, so its digest is pinned here, too.
To take a newer provider: change the row, run `agentci deploy packs build`, which prints the digest
that it found, and put it in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agentci.core.digest import Digest
from agentci.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class PackSource:
    """A provider, and where its schema comes from."""

    source: str
    """Address in the public registry."""
    version: str
    """Version of the provider, exact; targets pin the same one."""
    package: str
    """On npm."""
    package_version: str
    integrity: str
    """Of the package's archive, as npm writes it: `sha512-` and base64."""
    digest: Digest
    """Of the pack with `types`."""
    types: tuple[str, ...]
    """Types of resources, and of data sources as `data.TYPE`."""

    @property
    def name(self) -> str:
        """The provider's local name, for example `aws`."""
        return self.source.partition("/")[2]


def find_source(name: str) -> PackSource:
    """Return the row of a provider, by `aws` or `hashicorp/aws`.

    Raises:
        UsageError: when there is none.
    """
    for row in SOURCES:
        if name in {row.source, row.name}:
            return row
    known = ", ".join(f"`{row.source}`" for row in SOURCES)
    message = f"there is no binding for the provider `{name}`; there is one for {known}"
    hint = "`--schema FILE` takes the output of `terraform providers schema -json`"
    raise UsageError(message, code="ACI-U652", hint=hint)


def folder_of(type_: str, provider: str) -> str:
    """Return the folder of a type in a binding: `aws_ecs_service` is in `ecs-service`.

    Raises:
        UsageError: when it is no type of the provider `provider`.
    """
    prefix, bare = ("data-", type_[5:]) if type_.startswith("data.") else ("", type_)
    if not bare.startswith(f"{provider}_"):
        message = f"`{type_}` is no type of the provider `{provider}`"
        hint = f"types begin with `{provider}_`, data sources with `data.{provider}_`"
        raise UsageError(message, code="ACI-U653", hint=hint)
    shortened = bare if prefix else bare.removeprefix(f"{provider}_")
    return prefix + shortened.replace("_", "-")


def _types(provider: str, resources: str, data: str = "") -> tuple[str, ...]:
    return (
        *(f"{provider}_{name}" for name in resources.split()),
        *(f"data.{provider}_{name}" for name in data.split()),
    )


_AWS: Final = """
    acm_certificate acm_certificate_validation apigatewayv2_api apigatewayv2_authorizer
    apigatewayv2_integration apigatewayv2_route apigatewayv2_stage appautoscaling_policy
    appautoscaling_scheduled_action appautoscaling_target cloudwatch_event_rule
    cloudwatch_event_target cloudwatch_log_group cloudwatch_log_resource_policy
    cloudwatch_metric_alarm codedeploy_app codedeploy_deployment_group dynamodb_table
    ecr_lifecycle_policy ecr_repository ecr_repository_policy ecs_capacity_provider ecs_cluster
    ecs_cluster_capacity_providers ecs_service ecs_task_definition efs_access_point
    efs_file_system efs_mount_target eip flow_log iam_instance_profile iam_policy iam_role
    iam_role_policy iam_role_policy_attachment internet_gateway kms_alias kms_key lambda_alias
    lambda_event_source_mapping lambda_function lambda_function_event_invoke_config
    lambda_function_url lambda_layer_version lambda_permission
    lambda_provisioned_concurrency_config lb lb_listener lb_listener_certificate
    lb_listener_rule lb_target_group lb_target_group_attachment nat_gateway route route53_record
    route53_zone route_table route_table_association s3_bucket
    s3_bucket_lifecycle_configuration s3_bucket_policy s3_bucket_public_access_block
    s3_bucket_server_side_encryption_configuration s3_bucket_versioning scheduler_schedule
    scheduler_schedule_group secretsmanager_secret secretsmanager_secret_policy security_group
    security_group_rule service_discovery_private_dns_namespace service_discovery_service
    sfn_alias sfn_state_machine sns_topic sns_topic_policy sns_topic_subscription sqs_queue
    sqs_queue_policy ssm_parameter subnet vpc vpc_endpoint vpc_security_group_egress_rule
    vpc_security_group_ingress_rule
"""
_GOOGLE: Final = """
    artifact_registry_repository artifact_registry_repository_iam_member cloud_run_v2_job
    cloud_run_v2_job_iam_member cloud_run_v2_service cloud_run_v2_service_iam_member
    cloud_scheduler_job compute_firewall compute_global_address compute_network
    compute_region_network_endpoint_group compute_router compute_router_nat compute_subnetwork
    kms_crypto_key kms_key_ring logging_metric monitoring_alert_policy
    monitoring_notification_channel project_iam_member project_service pubsub_subscription
    pubsub_topic pubsub_topic_iam_member secret_manager_secret secret_manager_secret_iam_member
    service_account service_account_iam_member storage_bucket storage_bucket_iam_member
    vpc_access_connector workflows_workflow
"""
_KUBERNETES: Final = """
    cluster_role_binding_v1 cluster_role_v1 config_map_v1 cron_job_v1 daemon_set_v1
    deployment_v1 horizontal_pod_autoscaler_v2 ingress_v1 job_v1 limit_range_v1 namespace_v1
    network_policy_v1 persistent_volume_claim_v1 pod_disruption_budget_v1 resource_quota_v1
    role_binding_v1 role_v1 secret_v1 service_account_v1 service_v1 stateful_set_v1
"""

SOURCES: Final[tuple[PackSource, ...]] = (
    PackSource(
        source="hashicorp/aws",
        version="6.45.0",
        package="@cdktn/provider-aws",
        package_version="24.1.0",
        integrity=(
            "sha512-G7ETnOAhM7crDBrhgfypedNkWeDgdWNEQadL582qmva"
            "r13k2Ry2sWrYZJNERi8IXVtqq5CVwVl1aHUt64b8+xA=="
        ),
        digest=Digest("sha256:5df96e09629c2710c8479780af41c3a3fcc544eca9b4e4157458f261f643d9b9"),
        types=_types(
            "aws",
            _AWS,
            "availability_zones caller_identity iam_policy_document partition region",
        ),
    ),
    PackSource(
        source="hashicorp/google",
        version="6.50.0",
        package="@cdktf/provider-google",
        package_version="16.12.1",
        integrity=(
            "sha512-KqNA/5RiFT07r0PSZ6/07cJ2zESUgbj1JchVj21iBFB"
            "ZVUbD+578xA/k8eq/r0cbyEgLmg9eYWeVslaYah4DCQ=="
        ),
        digest=Digest("sha256:febc4bdb16fc3493bfdb4928ee0310f7ade7a85278c40424a21e3c74e05b8aea"),
        types=_types("google", _GOOGLE, "client_config project"),
    ),
    PackSource(
        source="hashicorp/kubernetes",
        version="2.38.0",
        package="@cdktf/provider-kubernetes",
        package_version="12.1.1",
        integrity=(
            "sha512-faZ/zydCsDBYwXqq3douhxSf8KFJfTUixYDr5hg0uCA"
            "8FExRK3+w27JUrt6gAVHFBuOVsKthObdqtTmP3PzQSQ=="
        ),
        digest=Digest("sha256:f584434e758a84b5461a99334ae8bfff20f7c053ceb6197bcd0f5f034615b236"),
        types=_types("kubernetes", _KUBERNETES),
    ),
    PackSource(
        source="kreuzwerker/docker",
        version="3.6.2",
        package="@cdktf/provider-docker",
        package_version="12.0.3",
        integrity=(
            "sha512-WLy+XkmJ/RizRVcOOvDSwaeKM1zIwXBI00Q45ah0BHM"
            "5ztQkb2Z1mvq+BslhoL3W1vCzMilykA8K5nfuYQcOFA=="
        ),
        digest=Digest("sha256:58313de39ab9ce628bb04028cf1f5fb1f202c31e9f2707307af16de74d8b9a8e"),
        types=_types(
            "docker",
            "container image network plugin registry_image secret service tag volume",
            "image network registry_image",
        ),
    ),
)
"""Sorted by address."""
