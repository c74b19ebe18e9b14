terraform {
  required_version = ">= 1.11, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "6.45.0"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}

variable "image" {
  description = "Image of the function, by digest."
  type        = string
}

resource "aws_iam_role" "function" {
  name = "evaluate"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_lambda_function" "evaluate" {
  function_name = "evaluate"
  role          = aws_iam_role.function.arn
  package_type  = "Image"
  image_uri     = var.image
  architectures = ["arm64"]
  timeout       = 60

  tracing_config {
    mode = "Active"
  }
}

resource "aws_iam_role" "machine" {
  name = "pipeline"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "states.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "machine" {
  name = "invoke"
  role = aws_iam_role.machine.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "lambda:InvokeFunction"
      Resource = aws_lambda_function.evaluate.arn
    }]
  })
}

resource "aws_sfn_state_machine" "pipeline" {
  name     = "pipeline"
  role_arn = aws_iam_role.machine.arn
  type     = "STANDARD"

  definition = jsonencode({
    StartAt = "Evaluate"
    States = {
      Evaluate = {
        Type       = "Task"
        Resource   = "arn:aws:states:::lambda:invoke"
        Parameters = { FunctionName = aws_lambda_function.evaluate.arn }
        ResultPath = "$.result"
        Next       = "Decide"
      }
      Decide = {
        Type = "Choice"
        Choices = [{
          Variable                 = "$.result.score"
          NumericGreaterThanEquals = 0.9
          Next                     = "Promoted"
        }]
        Default = "Refused"
      }
      Promoted = { Type = "Succeed" }
      Refused  = { Type = "Fail", Error = "Gate", Cause = "The score is too low." }
    }
  })
}
