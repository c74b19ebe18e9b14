"""Options that several cassettes share, in the manner of vcrpy's `VCR`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from agentci.cassettes.using import use


class VCR:
    """Cassettes with the same options, for suites that have such an object."""

    def __init__(self, **options: Any) -> None:
        """Take the options of `use`, and those of vcrpy that it takes."""
        self._options = options

    def use_cassette(
        self, path: str | os.PathLike[str] | Callable[..., Any] | None = None, **options: Any
    ) -> Any:
        """Do as `use` does; `options` come before those of the object.

        Raises:
            UsageError: for an option that there is not.
        """
        merged = {**self._options, **options}
        if callable(path) and not isinstance(path, str | os.PathLike):
            return use(**merged)(path)
        return use(path, **merged)
