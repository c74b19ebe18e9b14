"""Our own rules for deploy specs: each with an id, a reason and a test.

A rule says what a careful engineer would ask for; a waiver in the spec, with a reason and a last
day, lets one finding stay. What makes a spec meaningless is no rule but a check: `deploy.checks`.
"""
