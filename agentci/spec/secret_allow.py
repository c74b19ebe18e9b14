"""What `agentci cassette scan` finds and a person has judged harmless, `agentci/secret-allow` v1.

The file is `secrets.allow.yaml` in the folder of the recordings. Knows nothing of how secrets are
found.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from agentci.spec.format_header import check_format
from agentci.spec.pipeline import Model
from agentci.spec.validation import validate
from agentci.spec.yaml_document import parse_document

ALLOW_FORMAT = "agentci/secret-allow"
ALLOW_VERSION = 1


class AllowedSecret(Model):
    """Findings that may stay. All conditions have to hold; at least one is needed."""

    reason: str = Field(
        min_length=8, description="Why it is harmless, for whoever reviews the file."
    )
    kind: str | None = Field(None, description="What `scan` calls it, for example `jwt`.")
    text: str | None = Field(
        None, min_length=6, description="The text itself, whole. Only for what is no secret."
    )
    cassette: str | None = Field(
        None, description="Folder below the recordings; `*` is any text. For other files, the path."
    )
    lane: str | None = Field(None, description="Lane; `*` is any text.")
    path: str | None = Field(
        None, description="Place as `scan` prints it; `*` is any text: `response.body.*`."
    )

    @model_validator(mode="after")
    def _has_a_condition(self) -> AllowedSecret:
        given = (self.kind, self.text, self.cassette, self.lane, self.path)
        if all(value is None for value in given):
            msg = "an entry without a condition would allow everything"
            raise ValueError(msg)
        return self


class SecretAllowList(Model):
    """The file."""

    format: Literal["agentci/secret-allow"]
    version: Literal[1]
    allow: tuple[AllowedSecret, ...] = Field((), description="One entry for each judgement.")


def read_allow_list(data: bytes, name: str) -> SecretAllowList:
    """Return the list in `data`; `name` is how errors call the file.

    Raises:
        SpecError: with all problems and their places.
        FormatError: when it is another format, or a newer version.
    """
    document = parse_document(data, name)
    check_format(document, ALLOW_FORMAT, ALLOW_VERSION)
    return validate(document, SecretAllowList)
