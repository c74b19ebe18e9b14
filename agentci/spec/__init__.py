"""What users write: YAML -> validated models, with file:line:column errors.

Models of every file a user writes, the loader, the `${{ }}` expressions and the JSON Schemas for
editors. Reads text and values only; nothing here runs a pipeline, and loading never executes
anything that a file contains.
"""
