"""Models: one pure dialect for each wire format, rows of data for providers, and the gateway.

`providers/` holds the dialects, which turn a neutral request into bytes and bytes into a neutral
answer and do no I/O. `gateway` is the only module here that waits for anything. Nothing here may
import a provider's SDK, an HTTP client, or `agentci.tools`.
"""
