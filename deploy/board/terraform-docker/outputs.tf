# Made from deploy/board.yaml by `agentci deploy render`.
# Change that file and render again; `agentci deploy check` finds what is edited here.

output "containers" {
  description = "Names of the containers, by service."
  value = {
    pages = docker_container.pages.name
    feed  = docker_container.feed.name
  }

  precondition {
    condition     = docker_container.pages.privileged == false
    error_message = "The service pages may do everything on its host."
  }

  precondition {
    condition     = docker_container.feed.privileged == false
    error_message = "The service feed may do everything on its host."
  }
}

output "endpoints" {
  description = "Published addresses, by service and port."
  value = {
    "pages/8080" = "127.0.0.1:18090"
  }
}
