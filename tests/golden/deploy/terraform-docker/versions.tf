# Made from deploy/shop.yaml by `agentci deploy render`.
# Change that file and render again; `agentci deploy check` finds what is edited here.

terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    docker = {
      source  = "kreuzwerker/docker"
      version = "3.6.2"
    }
  }

  backend "http" {}
}

provider "docker" {}
