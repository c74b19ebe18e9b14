mock_provider "aws" {}

variables {
  image = "web@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

run "runs_an_image" {
  command = apply

  assert {
    condition     = aws_lambda_function.evaluate.image_uri == var.image
    error_message = "Another image is run."
  }
}
