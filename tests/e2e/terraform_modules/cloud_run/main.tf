terraform {
  required_version = ">= 1.11, < 2.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "6.50.0"
    }
  }

  backend "gcs" {
    bucket = "state"
    prefix = "web"
  }
}

provider "google" {
  project = "project-1"
  region  = "europe-west1"
}

variable "image" {
  description = "Image of the service, by digest."
  type        = string
}

resource "google_service_account" "web" {
  account_id   = "web-service"
  display_name = "Service web"
}

resource "google_secret_manager_secret" "key" {
  secret_id = "key"

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_iam_member" "key" {
  secret_id = google_secret_manager_secret.key.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${google_service_account.web.email}"
}

resource "google_cloud_run_v2_service" "web" {
  name     = "web"
  location = "europe-west1"
  ingress  = "INGRESS_TRAFFIC_INTERNAL_ONLY"

  template {
    service_account = google_service_account.web.email
    timeout         = "30s"

    scaling {
      min_instance_count = 1
      max_instance_count = 3
    }

    containers {
      image = var.image

      ports {
        container_port = 8080
      }

      resources {
        limits = {
          cpu    = "1"
          memory = "512Mi"
        }
      }

      env {
        name = "KEY"

        value_source {
          secret_key_ref {
            secret  = google_secret_manager_secret.key.secret_id
            version = "1"
          }
        }
      }

      startup_probe {
        http_get {
          path = "/health"
        }
      }
    }
  }

  traffic {
    type    = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
    percent = 100
  }
}

output "uri" {
  description = "Address of the service."
  value       = google_cloud_run_v2_service.web.uri
}
