"""Tools: what an agent may do in its workspace, one file per tool in `kinds/`.

Here live the protocol of a tool, the registry of names, the masking of command output, the fixed
environment of commands, and the toolbox that records and replays calls. Nothing here knows of
models, agents or steps, and no tool knows of another.
"""
