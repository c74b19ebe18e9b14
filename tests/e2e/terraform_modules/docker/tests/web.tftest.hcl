mock_provider "docker" {}

variables {
  image = "web@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

run "is_hardened" {
  command = apply

  assert {
    condition     = docker_container.web.read_only
    error_message = "The root file system can be written to."
  }

  assert {
    condition     = one(docker_container.web.capabilities).drop == toset(["ALL"])
    error_message = "Capabilities are kept."
  }
}

run "refuses_a_tag" {
  command = plan

  variables {
    image = "web:latest"
  }

  expect_failures = [var.image]
}
