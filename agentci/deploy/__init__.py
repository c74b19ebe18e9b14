"""From a typed deploy spec to artifacts: what is written, what is wrong, and what has drifted.

`writers` emit one format each, `targets` say what is written for one platform, `rules` are our own
policy with an id and a reason each, `lock` and `drift` know what was rendered before. Everything
here is a pure function; files, git and programs are the business of `agentci.app.deploy_*`.
"""
