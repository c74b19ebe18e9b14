"""What a suite came to at a commit, kept on this machine: a commit never changes.

Only for speed. One file a suite, for the commit that was asked for last; anything that does not fit
is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci import __version__
from agentci.app.eval_cassettes import flat_name
from agentci.app.eval_store import EVALS_FOLDER
from agentci.app.state_folder import STATE_FOLDER
from agentci.core.digest import digest_json
from agentci.core.errors import StorageError
from agentci.evals.keys import KEY_VERSION
from agentci.evals.results_json import compact, read_suite, suite_json
from agentci.plan.bundle import model_json
from agentci.spec.policy import PolicySpec

if TYPE_CHECKING:
    from agentci.core.effects import Files
    from agentci.core.json_types import JsonValue
    from agentci.evals.results import SuiteResult

_FORMAT: Final = "agentci/gate-base"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Remembered:
    """A suite at a commit."""

    result: SuiteResult
    policy: PolicySpec


@dataclass(frozen=True, slots=True)
class GateMemory:
    """What is remembered of one commit."""

    files: Files
    project: Path
    commit: str
    settings: Sequence[JsonValue]
    """What else the results depend on: where commands run."""

    def recall(self, suite: str) -> Remembered | None:
        """Return what the suite came to, or None where that is not known."""
        try:
            content = json.loads(self.files.read(self._path(suite)))
            if content["format"] != _FORMAT or content["for"] != self._identity():
                return None
            policy = PolicySpec.model_validate_json(json.dumps(content["policy"]))
            return Remembered(read_suite(content["result"]), policy)
        except (StorageError, ValueError, KeyError, TypeError):
            return None

    def remember(self, suite: str, found: Remembered) -> None:
        """Keep what the suite came to, where that can be written and all of it is judged."""
        if found.result.live or not all(case.judged for case in found.result.cases):
            return
        content: dict[str, JsonValue] = {
            "format": _FORMAT,
            "version": _VERSION,
            "for": self._identity(),
            "policy": model_json(found.policy),
            "result": suite_json(found.result),
        }
        try:
            self.files.write_atomic(self._path(suite), compact(content))
        except StorageError:
            return  # a read-only checkout plans the base anew each time

    def _identity(self) -> str:
        return digest_json([self.commit, *self.settings, __version__, KEY_VERSION, _VERSION])

    def _path(self, suite: str) -> Path:
        return self.project / STATE_FOLDER / EVALS_FOLDER / flat_name(suite) / "base.json"
