# Made from deploy/shop.yaml by `agentci deploy render`.
# Change that file and render again; `agentci deploy check` finds what is edited here.

mock_provider "docker" {}

variables {
  tools_image = "agentci.invalid/none@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

run "api_is_held" {
  command = plan

  assert {
    condition     = docker_container.api.user == "10001:10001"
    error_message = "It runs as somebody else."
  }

  assert {
    condition     = docker_container.api.read_only == true
    error_message = "Its root can be written."
  }

  assert {
    condition     = docker_container.api.privileged == false
    error_message = "It may do everything on its host."
  }

  assert {
    condition     = contains(flatten([docker_container.api.security_opts]), "no-new-privileges:true")
    error_message = "It may gain privileges."
  }

  assert {
    condition     = contains(flatten([docker_container.api.capabilities[*].drop]), "ALL")
    error_message = "It keeps capabilities."
  }

  assert {
    condition     = length(compact(flatten([docker_container.api.capabilities[*].add]))) == 0
    error_message = "It has other capabilities than the spec says."
  }

  assert {
    condition     = docker_container.api.memory == 256
    error_message = "It has another limit."
  }

  assert {
    condition     = docker_container.api.memory_swap == 256
    error_message = "It may swap."
  }

  assert {
    condition     = contains(flatten([docker_container.api.labels[*].value]), "d982c986dd6f11e426542db8a01b77e6d36fbe8421527f600dadde4d1a503847")
    error_message = "No agentci.spec-sha256."
  }

  assert {
    condition     = docker_image.api.name == var.api_image
    error_message = "It runs another image."
  }

  assert {
    condition     = docker_container.api.log_opts["max-size"] == "10m"
    error_message = "Its logs may grow."
  }

  assert {
    condition     = length(docker_container.api.ports) == 1
    error_message = "It has other ports than the spec says."
  }

  assert {
    condition     = docker_container.api.ports[0].ip == "127.0.0.1"
    error_message = "It is bound elsewhere."
  }

  assert {
    condition     = length(docker_container.api.healthcheck) == 1
    error_message = "Nothing looks whether it works."
  }
}

run "db_is_held" {
  command = plan

  assert {
    condition     = docker_container.db.user == "10001:10001"
    error_message = "It runs as somebody else."
  }

  assert {
    condition     = docker_container.db.read_only == true
    error_message = "Its root can be written."
  }

  assert {
    condition     = docker_container.db.privileged == false
    error_message = "It may do everything on its host."
  }

  assert {
    condition     = contains(flatten([docker_container.db.security_opts]), "no-new-privileges:true")
    error_message = "It may gain privileges."
  }

  assert {
    condition     = contains(flatten([docker_container.db.capabilities[*].drop]), "ALL")
    error_message = "It keeps capabilities."
  }

  assert {
    condition     = length(compact(flatten([docker_container.db.capabilities[*].add]))) == 0
    error_message = "It has other capabilities than the spec says."
  }

  assert {
    condition     = docker_container.db.memory == 1024
    error_message = "It has another limit."
  }

  assert {
    condition     = docker_container.db.memory_swap == 1024
    error_message = "It may swap."
  }

  assert {
    condition     = contains(flatten([docker_container.db.labels[*].value]), "d982c986dd6f11e426542db8a01b77e6d36fbe8421527f600dadde4d1a503847")
    error_message = "No agentci.spec-sha256."
  }

  assert {
    condition     = docker_image.db.name == var.db_image
    error_message = "It runs another image."
  }

  assert {
    condition     = docker_container.db.log_opts["max-size"] == "10m"
    error_message = "Its logs may grow."
  }

  assert {
    condition     = length(docker_container.db.ports) == 0
    error_message = "It has other ports than the spec says."
  }

  assert {
    condition     = length(docker_container.db.healthcheck) == 1
    error_message = "Nothing looks whether it works."
  }
}

run "tools_is_held" {
  command = plan

  assert {
    condition     = docker_container.tools.user == "10001:10001"
    error_message = "It runs as somebody else."
  }

  assert {
    condition     = docker_container.tools.read_only == true
    error_message = "Its root can be written."
  }

  assert {
    condition     = docker_container.tools.privileged == false
    error_message = "It may do everything on its host."
  }

  assert {
    condition     = contains(flatten([docker_container.tools.security_opts]), "no-new-privileges:true")
    error_message = "It may gain privileges."
  }

  assert {
    condition     = contains(flatten([docker_container.tools.capabilities[*].drop]), "ALL")
    error_message = "It keeps capabilities."
  }

  assert {
    condition     = length(compact(flatten([docker_container.tools.capabilities[*].add]))) == 0
    error_message = "It has other capabilities than the spec says."
  }

  assert {
    condition     = docker_container.tools.memory == 256
    error_message = "It has another limit."
  }

  assert {
    condition     = docker_container.tools.memory_swap == 256
    error_message = "It may swap."
  }

  assert {
    condition     = contains(flatten([docker_container.tools.labels[*].value]), "d982c986dd6f11e426542db8a01b77e6d36fbe8421527f600dadde4d1a503847")
    error_message = "No agentci.spec-sha256."
  }

  assert {
    condition     = docker_image.tools.name == var.tools_image
    error_message = "It runs another image."
  }

  assert {
    condition     = docker_container.tools.log_opts["max-size"] == "10m"
    error_message = "Its logs may grow."
  }

  assert {
    condition     = length(docker_container.tools.ports) == 0
    error_message = "It has other ports than the spec says."
  }

  assert {
    condition     = length(docker_container.tools.healthcheck) == 1
    error_message = "Nothing looks whether it works."
  }
}

run "networks_lead_nowhere_else" {
  command = plan

  assert {
    condition     = docker_network.in_api.internal == false
    error_message = "The network in-api is not as the spec says."
  }

  assert {
    condition     = docker_network.to_db.internal == true
    error_message = "The network to-db is not as the spec says."
  }

  assert {
    condition     = docker_network.to_tools.internal == true
    error_message = "The network to-tools is not as the spec says."
  }
}

run "api_image_refuses_a_tag" {
  command         = plan
  expect_failures = [var.api_image]

  variables {
    api_image = "registry.invalid/image:latest"
  }
}

run "db_image_refuses_a_tag" {
  command         = plan
  expect_failures = [var.db_image]

  variables {
    db_image = "registry.invalid/image:latest"
  }
}

run "tools_image_refuses_a_tag" {
  command         = plan
  expect_failures = [var.tools_image]

  variables {
    tools_image = "registry.invalid/image:latest"
  }
}
