mock_provider "google" {}

variables {
  image = "web@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

run "is_internal" {
  command = apply

  assert {
    condition     = google_cloud_run_v2_service.web.ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    error_message = "The service is open to the internet."
  }
}
