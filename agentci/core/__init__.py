"""Pure values and ports: canonical JSON, digests, seeds, lanes, messages, errors, effects.

Nothing here does I/O, and nothing here imports another agentci package or a third-party library.
"""
