"""Targets: for each platform what a deploy spec becomes there, and what it cannot become.

A new target is one module (or a few that start with its name), a row in `registry`, and a model in
`agentci.spec.deploy_targets`. Targets know writers and the spec, never each other.
"""
