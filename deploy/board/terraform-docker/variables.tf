# Made from deploy/board.yaml by `agentci deploy render`.
# Change that file and render again; `agentci deploy check` finds what is edited here.

variable "pages_image" {
  description = "Image of the service pages, by digest."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9][A-Za-z0-9._:/-]*@)?sha256:[0-9a-f]{64}$", var.pages_image))
    error_message = "An image is named by its digest: a tag can be moved."
  }
}

variable "feed_image" {
  description = "Image of the service feed, by digest."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9][A-Za-z0-9._:/-]*@)?sha256:[0-9a-f]{64}$", var.feed_image))
    error_message = "An image is named by its digest: a tag can be moved."
  }
}
