# Made from deploy/board.yaml by `agentci deploy render`.
# Change that file and render again; `agentci deploy check` finds what is edited here.

mock_provider "docker" {}

variables {
  pages_image = "agentci.invalid/none@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  feed_image  = "agentci.invalid/none@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

run "pages_is_held" {
  command = plan

  assert {
    condition     = docker_container.pages.user == "10001:10001"
    error_message = "It runs as somebody else."
  }

  assert {
    condition     = docker_container.pages.read_only == true
    error_message = "Its root can be written."
  }

  assert {
    condition     = docker_container.pages.privileged == false
    error_message = "It may do everything on its host."
  }

  assert {
    condition     = contains(flatten([docker_container.pages.security_opts]), "no-new-privileges:true")
    error_message = "It may gain privileges."
  }

  assert {
    condition     = contains(flatten([docker_container.pages.capabilities[*].drop]), "ALL")
    error_message = "It keeps capabilities."
  }

  assert {
    condition     = length(compact(flatten([docker_container.pages.capabilities[*].add]))) == 0
    error_message = "It has other capabilities than the spec says."
  }

  assert {
    condition     = docker_container.pages.memory == 32
    error_message = "It has another limit."
  }

  assert {
    condition     = docker_container.pages.memory_swap == 32
    error_message = "It may swap."
  }

  assert {
    condition     = contains(flatten([docker_container.pages.labels[*].value]), "d51d979646f52963400517b30c211242393d9791677c861ad71fe4588d248180")
    error_message = "No agentci.spec-sha256."
  }

  assert {
    condition     = docker_image.pages.name == var.pages_image
    error_message = "It runs another image."
  }

  assert {
    condition     = docker_container.pages.log_opts["max-size"] == "10m"
    error_message = "Its logs may grow."
  }

  assert {
    condition     = length(docker_container.pages.ports) == 1
    error_message = "It has other ports than the spec says."
  }

  assert {
    condition     = docker_container.pages.ports[0].ip == "127.0.0.1"
    error_message = "It is bound elsewhere."
  }

  assert {
    condition     = length(docker_container.pages.healthcheck) == 1
    error_message = "Nothing looks whether it works."
  }
}

run "feed_is_held" {
  command = plan

  assert {
    condition     = docker_container.feed.user == "10001:10001"
    error_message = "It runs as somebody else."
  }

  assert {
    condition     = docker_container.feed.read_only == true
    error_message = "Its root can be written."
  }

  assert {
    condition     = docker_container.feed.privileged == false
    error_message = "It may do everything on its host."
  }

  assert {
    condition     = contains(flatten([docker_container.feed.security_opts]), "no-new-privileges:true")
    error_message = "It may gain privileges."
  }

  assert {
    condition     = contains(flatten([docker_container.feed.capabilities[*].drop]), "ALL")
    error_message = "It keeps capabilities."
  }

  assert {
    condition     = length(compact(flatten([docker_container.feed.capabilities[*].add]))) == 0
    error_message = "It has other capabilities than the spec says."
  }

  assert {
    condition     = docker_container.feed.memory == 32
    error_message = "It has another limit."
  }

  assert {
    condition     = docker_container.feed.memory_swap == 32
    error_message = "It may swap."
  }

  assert {
    condition     = contains(flatten([docker_container.feed.labels[*].value]), "d51d979646f52963400517b30c211242393d9791677c861ad71fe4588d248180")
    error_message = "No agentci.spec-sha256."
  }

  assert {
    condition     = docker_image.feed.name == var.feed_image
    error_message = "It runs another image."
  }

  assert {
    condition     = docker_container.feed.log_opts["max-size"] == "10m"
    error_message = "Its logs may grow."
  }

  assert {
    condition     = length(docker_container.feed.ports) == 0
    error_message = "It has other ports than the spec says."
  }

  assert {
    condition     = length(docker_container.feed.healthcheck) == 1
    error_message = "Nothing looks whether it works."
  }
}

run "networks_lead_nowhere_else" {
  command = plan

  assert {
    condition     = docker_network.in_pages.internal == false
    error_message = "The network in-pages is not as the spec says."
  }

  assert {
    condition     = docker_network.to_feed.internal == true
    error_message = "The network to-feed is not as the spec says."
  }
}

run "pages_image_refuses_a_tag" {
  command         = plan
  expect_failures = [var.pages_image]

  variables {
    pages_image = "registry.invalid/image:latest"
  }
}

run "feed_image_refuses_a_tag" {
  command         = plan
  expect_failures = [var.feed_image]

  variables {
    feed_image = "registry.invalid/image:latest"
  }
}
