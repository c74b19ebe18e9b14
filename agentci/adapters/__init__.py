"""All that touches the outside: clock, randomness, environment, files, HTTP, git, sandboxes.

Each module implements ports of `agentci.core.effects`. Only `agentci.app.wiring` imports this
package; nothing here may know of steps, agents, pipelines or the command line.
"""
