"""Mask files: what of a known client's requests changes from run to run, as data.

One file per client, `agentci/mask` version 1, shipped beside this module's package. Knows the
format; what a rule does to a request is in `agentci.record.masking_rules`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, field_validator

from agentci.spec.format_header import check_format
from agentci.spec.pipeline import Model
from agentci.spec.validation import validate
from agentci.spec.yaml_document import parse_document

MASK_FORMAT: Final = "agentci/mask"
MASK_VERSION: Final = 1
UNKNOWN_CLIENT: Final = "unknown-client"
"""The mask for requests that no other mask applies to."""

_FOLDER = Path(__file__).with_name("masks")
_WORD = re.compile(r"<<(\w+)>>")
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_SHORT_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_SHORT_DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
WORDS: Final = {
    "date": rf"(?:\d{{4}}-\d\d-\d\d|\d\d?/\d\d?/\d{{4}}"
    rf"|(?:{_SHORT_DAYS}) (?:{_SHORT_MONTHS}) \d\d? \d{{4}}"
    rf"|(?:(?:{_DAYS}), )?(?:{_MONTHS}) \d\d?, \d{{4}}|(?:{_MONTHS}) \d{{4}})",
    "time": r"\d\d?:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AP]M)?(?: ?(?:UTC|Z|[+-]\d\d:?\d\d))?",
    "uuid": r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
}
"""What `<<date>>`, `<<time>>` and `<<uuid>>` stand for in a pattern: the spellings clients use."""
PLACES: Final = frozenset({"cwd", "home", "cwd_name", "cwd_slug", "home_slug"})
"""Words for the folders of the program, which are only known when it runs."""


class Applies(Model):
    """One sign of a client. Everything that is given has to hold."""

    user_agent: str | None = Field(None, description="Regular expression for the header.")
    path: str | None = Field(None, description="Regular expression for the path.")
    body: str | None = Field(None, description="Regular expression for the text of the body.")


class Drop(Model):
    """A value that is left out of the key."""

    path: str = Field(description="For example `metadata.user_id` or `input[*].id`.")
    why: str


class Replace(Model):
    """A text that is replaced where it matches."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$", description="Shown where masks are listed.")
    pattern: str = Field(
        description="Regular expression; only its group `value` is replaced, or all of it. "
        "`<<date>>`, `<<time>>`, `<<uuid>>`, `<<cwd>>`, `<<cwd_name>>`, `<<home>>`... may be used."
    )
    with_: str = Field(alias="with")
    at: str | None = Field(None, description="Only below this path; default: everywhere.")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        for word in _WORD.findall(pattern):
            if word not in WORDS and word not in PLACES:
                msg = f"there is no word `<<{word}>>`"
                raise ValueError(msg)
        try:
            re.compile(expand(pattern, dict.fromkeys(PLACES, "x")))
        except re.error as error:
            msg = f"it is no regular expression: {error.msg}"
            raise ValueError(msg) from None
        return pattern


class MaskFile(Model):
    """The mask of one client."""

    format: Literal["agentci/mask"]
    version: Literal[1]
    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    revision: int = Field(ge=1, description="Raised with every change of what is masked.")
    description: str
    tested: str = Field("", description="Versions of the client that it was written for.")
    applies: tuple[Applies, ...] = Field((), description="Signs of the client; one is enough.")
    drop: tuple[Drop, ...] = ()
    unordered: tuple[str, ...] = Field((), description="Lists whose order does not count.")
    replace: tuple[Replace, ...] = ()
    folders: bool = Field(True, description="Mask the working directory and HOME everywhere.")


def read_mask(data: bytes, name: str) -> MaskFile:
    """Return the mask in `data`; `name` is how errors call the file.

    Raises:
        SpecError: with all problems and their places.
        FormatError: when it is another format, or a newer version.
    """
    document = parse_document(data, name)
    check_format(document, MASK_FORMAT, MASK_VERSION)
    return validate(document, MaskFile)


@cache
def shipped_masks() -> tuple[MaskFile, ...]:
    """Return the masks that ship with agentci, sorted by name, the one for all others last."""
    masks = [read_mask(path.read_bytes(), path.name) for path in _FOLDER.glob("*.yaml")]
    return tuple(sorted(masks, key=lambda mask: (mask.name == UNKNOWN_CLIENT, mask.name)))


def expand(pattern: str, places: dict[str, str]) -> str:
    """Return `pattern` with its words put in; a folder that is not known matches nothing."""

    def put(match: re.Match[str]) -> str:
        word = match[1]
        if word in WORDS:
            return WORDS[word]
        return re.escape(places[word]) if places.get(word) else r"(?!)"

    return _WORD.sub(put, pattern)
