"""Dialects: one file for each wire format, pure, and ignorant of each other.

A dialect may import `agentci.core` and the shared pure modules of `agentci.models` (`dialect`,
`sse`, `reading`, `writing`). It may not import another dialect, the registry or the gateway.
"""
