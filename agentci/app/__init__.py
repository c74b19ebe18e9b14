"""Use cases: one per file, a typed request in, a typed result out.

`wiring` is the composition root and the only module of agentci that imports `agentci.adapters`.
Use cases neither parse flags nor print.
"""
