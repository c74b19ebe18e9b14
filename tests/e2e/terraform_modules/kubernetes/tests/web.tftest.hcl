mock_provider "kubernetes" {}

variables {
  image = "web@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

run "is_not_root" {
  command = apply

  assert {
    condition     = kubernetes_deployment_v1.web.spec[0].template[0].spec[0].security_context[0].run_as_non_root
    error_message = "The service runs as root."
  }
}
