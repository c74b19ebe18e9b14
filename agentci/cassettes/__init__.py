"""Recording and replaying the HTTP calls of Python code in its own process.

`agentci.cassettes.use(...)` is a context manager, synchronous or not, and a decorator. Here is only
what a user of Python calls, and the reading of arguments; what happens is a use case in `app`, and
interception is an adapter. Nothing here may import a client, vcrpy or pytest.
"""

from agentci.cassettes.use_cassette import use

__all__ = ["use"]
