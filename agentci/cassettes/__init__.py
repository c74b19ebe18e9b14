"""Recording and replaying the HTTP calls of Python code in its own process.

`agentci.cassettes.use(...)` is a context manager, synchronous or not, and a decorator. Here is only
what a user of Python calls, and the reading of arguments; what happens is a use case in `app`, and
interception is an adapter. Nothing here may import a client, vcrpy or pytest.
"""

from agentci.cassettes.defaults import VCR
from agentci.cassettes.using import use

use_cassette = use
"""vcrpy's name for it, so that a suite moves over with `import agentci.cassettes as vcr`."""

__all__ = ["VCR", "use", "use_cassette"]
