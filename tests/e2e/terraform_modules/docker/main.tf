terraform {
  required_version = ">= 1.11, < 2.0"

  required_providers {
    docker = {
      source  = "kreuzwerker/docker"
      version = "3.6.2"
    }
  }
}

variable "image" {
  description = "Image of the service, by digest."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "An image is named by its digest."
  }
}

resource "docker_network" "back" {
  name     = "back"
  internal = true
}

resource "docker_volume" "data" {
  name = "data"
}

resource "docker_image" "web" {
  name         = var.image
  keep_locally = true
}

resource "docker_container" "web" {
  name        = "web"
  image       = docker_image.web.image_id
  user        = "10001:10001"
  read_only   = true
  restart     = "unless-stopped"
  memory      = 256
  cpu_shares  = 512
  init        = true
  stop_signal = "SIGTERM"

  security_opts = ["no-new-privileges:true"]
  log_driver    = "json-file"

  log_opts = {
    max-file = "3"
    max-size = "10m"
  }

  capabilities {
    drop = ["ALL"]
  }

  healthcheck {
    test     = ["CMD", "/bin/probe"]
    interval = "10s"
    retries  = 3
  }

  networks_advanced {
    name = docker_network.back.name
  }

  ports {
    internal = 8080
    external = 8080
    ip       = "127.0.0.1"
  }

  volumes {
    volume_name    = docker_volume.data.name
    container_path = "/data"
  }
}

output "container" {
  description = "Id of the container."
  value       = docker_container.web.id
}
