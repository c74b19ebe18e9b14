"""agentci: reproducible multi-agent development pipelines.

Only the version lives here, as a literal, so that asking for it imports nothing else.
"""

__version__ = "0.1.0"
