mock_provider "aws" {}

variables {
  image   = "web@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  subnets = ["subnet-1", "subnet-2"]
  vpc     = "vpc-1"
}

run "rolls_back" {
  command = apply

  assert {
    condition     = one(aws_ecs_service.web.deployment_circuit_breaker).rollback
    error_message = "A failed deployment stays."
  }

  assert {
    condition     = !one(aws_ecs_service.web.network_configuration).assign_public_ip
    error_message = "Tasks have public addresses."
  }
}
