"""Where the cassette of a lane is: every lane has a file name of its own on every file system.

Two lanes never share a path, not even where upper and lower case, or composed and decomposed
letters, are one. `fix[2]/code/coder` is `fix.2/code/coder.yaml`.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

from agentci.core.digest import digest_bytes, hex_of
from agentci.core.lane import Lane
from agentci.record.object_store import FOLDER_NAME

SUFFIX: Final = ".yaml"
_MAX_SEGMENT = 180  # bytes; most file systems take 255, and a suffix follows
_CUT_SEGMENT = 100
_WELL_FORMED = re.compile(r"[^\[\]#~]+(?:\[[^\[\]#~]*\]|#[^\[\]#~]*|~[^\[\]#~]*)*")
_ESCAPED = re.compile(r"[^a-z0-9_%-]")
_ESCAPED_IN_TOKENS = re.compile(r"[^a-z0-9_%\[\]#~-]")
_TOKENS = str.maketrans({"[": ".", "]": "", "#": "+"})


def lane_path(lane: Lane) -> PurePosixPath:
    """Return the path of the lane's file below the folder of cassettes."""
    *folders, name = (_segment(segment) for segment in lane.split("/"))
    # `code[yaml]/x` must not want a folder where the lane `code` has its file.
    return PurePosixPath(
        *(f"{part}," if part.endswith(SUFFIX) or part == FOLDER_NAME else part for part in folders),
        name + SUFFIX,
    )


def _segment(segment: str) -> str:
    """Spell a segment in small ASCII letters.

    `[` becomes `.`, `]` goes, `#` becomes `+`; other characters stand as `=` and hexadecimal
    bytes. Where there were capitals, a mask of their positions follows a comma.
    """
    if not segment:
        return "="
    well_formed = _WELL_FORMED.fullmatch(segment)
    lower = "".join(char.lower() if "A" <= char <= "Z" else char for char in segment)
    if well_formed:
        text = _ESCAPED_IN_TOKENS.sub(_hexadecimal, lower).translate(_TOKENS)
    else:
        text = _ESCAPED.sub(_hexadecimal, lower)
    capitals = sum(1 << index for index, char in enumerate(segment) if "A" <= char <= "Z")
    text = f"{text},{capitals:x}" if capitals else text
    if len(text) <= _MAX_SEGMENT:
        return text
    digest = digest_bytes(segment.encode("utf-8", "surrogatepass"))
    return f"{text[:_CUT_SEGMENT]},,{hex_of(digest)[:32]}"


def _hexadecimal(match: re.Match[str]) -> str:
    return "".join(f"={byte:02x}" for byte in match[0].encode("utf-8", "surrogatepass"))
