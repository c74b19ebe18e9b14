"""The command line: one file per command.

A command parses its flags, calls one use case of `agentci.app`, renders the result and returns the
exit code. It holds no logic of its own, reads no clock and no environment except through ports, and
is imported only when it is called: `commands.py` has the table, `boundary.py` turns errors into
text and exit codes, `render/` has the output formats.
"""
