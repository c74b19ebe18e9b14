"""The guard in front of a folder of recordings: no secret is written, redacted ones stay findable.

By default a recording with a secret is refused. In a folder of redacted recordings, and where a
caller asks for it, secrets are replaced instead, in live requests before they are keyed and in
answers before they are written. What finds and replaces is in `agentci.record.secrets`, which is
imported only where something is recorded or the folder is redacted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Final

from agentci.core.errors import Location, SafetyRefusal
from agentci.core.lane import Lane

if TYPE_CHECKING:
    from agentci.core.effects import Files
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.record.interaction import Interaction
    from agentci.record.secrets.allow import AllowList
    from agentci.record.secrets.redactor import Redactor
    from agentci.record.secrets.scan import CleanTexts, Spotted


class OnSecret(StrEnum):
    """What becomes of a recording with a secret in it."""

    REFUSE = "refuse"
    """It is not written; the run stops with exit code 8."""
    REDACT = "redact"
    """It is written with placeholders, and so is all that follows in its folder."""

    @classmethod
    def of(cls, *, redact: bool) -> OnSecret:
        """Return what a caller asks for."""
        return cls.REDACT if redact else cls.REFUSE


_MARKER: Final = "redaction.json"
_NAMED: Final = 5
_PATCH: Final = "patch"


def is_redacted(files: Files, folder: Path) -> bool:
    """Say whether the recordings in `folder` are redacted."""
    return files.exists(folder / _MARKER)


class SecretGuard:
    """Keeps secrets out of the recordings in one folder. Works the same from any thread."""

    def __init__(
        self, files: Files, folder: Path, *, on_secret: OnSecret = OnSecret.REFUSE
    ) -> None:
        """Guard `folder`, whose list of allowed findings is beside it."""
        self._files = files
        self._folder = folder
        self._on_secret = on_secret
        self._lock = RLock()
        self._redactors: dict[Lane, Redactor] = {}
        self._version: int | None = None
        self._clean: CleanTexts | None = None

    def as_recorded(self, request: JsonObject, lane: Lane) -> JsonObject:
        """Return a live request as it is keyed and stored: redacted, where recordings are.

        Raises:
            FormatError: when the folder was redacted by a newer release.
        """
        version = self._redacting()
        if not version:
            return request
        with self._lock:
            return self._redactor(lane, version).redact(request)

    def learn(self, response: JsonObject, lane: Lane) -> None:
        """Take note of an answer that was replayed, for the numbers of its placeholders."""
        version = self._redacting()
        if version:
            with self._lock:
                self._redactor(lane, version).pass_over(response)

    def checked(
        self,
        interaction: Interaction,
        added: JsonObject,
        *,
        keeps: Mapping[str, int] | None = None,
    ) -> Interaction:
        """Return `interaction` as it may be written.

        `added` is the part of its request that is written; `keeps` counts what is not, as in a
        `record.delta.Delta`.

        Raises:
            SafetyRefusal: when it holds what looks like a secret; names the places, never the text.
        """
        from agentci.record.secrets.scan import (  # noqa: PLC0415 - nothing for a replay
            CleanTexts,
            spot_in,
        )

        if self._clean is None:
            self._clean = CleanTexts()
        lane = interaction.address.lane
        version = self._redacting()
        if version:
            interaction = self._redacted(interaction, version)
        found = [
            each
            for each in spot_in(interaction, added, keeps=keeps, clean=self._clean)
            if not self._allows(each, lane)
        ]
        if found:
            raise _refusal(found, lane)
        return interaction

    def _redacted(self, interaction: Interaction, version: int) -> Interaction:
        parts: JsonObject = {
            "response": interaction.response,
            "notes": interaction.notes,
            "provenance": interaction.provenance,
        }
        with self._lock:
            redactor = self._redactor(interaction.address.lane, version)
            new = redactor.redact(parts)
            if redactor.has_redacted and not is_redacted(self._files, self._folder):
                from agentci.record.secrets.marker import write_marker  # noqa: PLC0415

                write_marker(self._files, self._folder)
        if new is parts:
            return interaction
        if _PATCH in interaction.response:
            _check_patch(interaction, new)
        response, notes, provenance = (new[name] for name in parts)
        assert isinstance(response, Mapping)
        assert isinstance(notes, Mapping)
        assert isinstance(provenance, Mapping)
        return replace(interaction, response=response, notes=notes, provenance=provenance)

    def _redacting(self) -> int:
        """Return the version of the rules to redact with; 0 where nothing is redacted."""
        with self._lock:
            if self._version is None:
                self._version = self._find_version()
            return self._version

    def _find_version(self) -> int:
        if is_redacted(self._files, self._folder):
            from agentci.record.secrets.marker import read_marker  # noqa: PLC0415

            return read_marker(self._files, self._folder)
        if self._on_secret is OnSecret.REFUSE:
            return 0
        from agentci.record.secrets.rules import RULES_VERSION  # noqa: PLC0415

        return RULES_VERSION

    def _redactor(self, lane: Lane, version: int) -> Redactor:
        redactor = self._redactors.get(lane)
        if redactor is None:
            from agentci.record.secrets.redactor import Redactor  # noqa: PLC0415

            redactor = self._redactors[lane] = Redactor(version)
        return redactor

    def _allows(self, found: Spotted, lane: Lane) -> bool:
        from agentci.record.secrets.allow import load_allow_list  # noqa: PLC0415

        allowed = load_allow_list(self._files, self._folder.parent)
        return allowed.allows(found, cassette=self._folder.name, lane=lane)


def _check_patch(interaction: Interaction, new: JsonObject) -> None:
    """Refuse to redact a change of files: a git tree could not be what it is without the secret."""
    response = new["response"]
    if isinstance(response, Mapping) and response.get(_PATCH) != interaction.response[_PATCH]:
        raise SafetyRefusal(
            "a tool wrote what looks like a secret into a file; a change of files cannot be "
            "redacted, so it was not recorded",
            code="ACI-P122",
            hint="let the tool not write secrets, or allow it in `secrets.allow.yaml`",
            location=Location(lane=interaction.address.lane),
        )


def refuse_secrets(value: JsonValue, *, lane: str, allowed: AllowList | None = None) -> None:
    """Let `value` pass only where no secret is in it, or an allowed one.

    Raises:
        SafetyRefusal: naming the kinds and the places, never the text.
    """
    from agentci.record.secrets.scan import spot  # noqa: PLC0415 - nothing for a replay

    found = [
        each
        for each in spot(value, path=("text",) if isinstance(value, str) else ())
        if allowed is None or not allowed.allows(each, cassette="", lane=lane)
    ]
    if found:
        raise _refusal(found, Lane(lane))


def _refusal(found: list[Spotted], lane: Lane) -> SafetyRefusal:
    places = list(dict.fromkeys(f"`{each.kind}` in `{each.path}`" for each in found))
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    return SafetyRefusal(
        "the request or the answer holds what looks like a secret: "
        f"{', '.join(places[:_NAMED])}{more}; it was not recorded",
        code="ACI-P120",
        hint="take it out of prompts, files and tool output, and replace it with a new one; what "
        "is no secret is allowed by an entry in `secrets.allow.yaml`",
        location=Location(lane=lane),
    )
