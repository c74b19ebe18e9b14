# Made from deploy/shop.yaml by `agentci deploy render`.
# Change that file and render again; `agentci deploy check` finds what is edited here.

output "containers" {
  description = "Names of the containers, by service."
  value = {
    api   = docker_container.api.name
    db    = docker_container.db.name
    tools = docker_container.tools.name
  }

  precondition {
    condition     = docker_container.api.privileged == false
    error_message = "The service api may do everything on its host."
  }

  precondition {
    condition     = docker_container.db.privileged == false
    error_message = "The service db may do everything on its host."
  }

  precondition {
    condition     = docker_container.tools.privileged == false
    error_message = "The service tools may do everything on its host."
  }
}

output "endpoints" {
  description = "Published addresses, by service and port."
  value = {
    "api/8080" = "127.0.0.1:8080"
  }
}
