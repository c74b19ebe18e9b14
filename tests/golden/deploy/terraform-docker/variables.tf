# Made from deploy/shop.yaml by `agentci deploy render`.
# Change that file and render again; `agentci deploy check` finds what is edited here.

variable "api_image" {
  description = "Image of the service api, by digest."
  type        = string
  nullable    = false
  default     = "registry.example/shop/api:1.2@sha256:abababababababababababababababababababababababababababababababab"

  validation {
    condition     = can(regex("^([a-z0-9][A-Za-z0-9._:/-]*@)?sha256:[0-9a-f]{64}$", var.api_image))
    error_message = "An image is named by its digest: a tag can be moved."
  }
}

variable "db_image" {
  description = "Image of the service db, by digest."
  type        = string
  nullable    = false
  default     = "registry.example/postgres:17@sha256:abababababababababababababababababababababababababababababababab"

  validation {
    condition     = can(regex("^([a-z0-9][A-Za-z0-9._:/-]*@)?sha256:[0-9a-f]{64}$", var.db_image))
    error_message = "An image is named by its digest: a tag can be moved."
  }
}

variable "tools_image" {
  description = "Image of the service tools, by digest."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9][A-Za-z0-9._:/-]*@)?sha256:[0-9a-f]{64}$", var.tools_image))
    error_message = "An image is named by its digest: a tag can be moved."
  }
}
