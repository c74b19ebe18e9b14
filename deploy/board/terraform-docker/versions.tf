# Made from deploy/board.yaml by `agentci deploy render`.
# Change that file and render again; `agentci deploy check` finds what is edited here.

terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    docker = {
      source  = "kreuzwerker/docker"
      version = "3.6.2"
    }
  }

  backend "s3" {
    key          = "board/terraform-docker.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "docker" {}
