"""The first two keys of every file: its format and its version. Knows no particular format."""

from __future__ import annotations

from collections.abc import Mapping

from agentci.core.errors import FormatError
from agentci.spec.yaml_document import Document


def check_format(document: Document, name: str, version: int) -> None:
    """Refuse a document of another format, or of a newer version, before its content is judged.

    A missing or misspelt header is left to validation, which reports it with everything else.

    Raises:
        FormatError: when the header names something that this release does not read.
    """
    value = document.value
    if not isinstance(value, Mapping):
        return
    locate = document.positions.locate
    found, number = value.get("format"), value.get("version")
    if isinstance(found, str) and found != name and found.startswith("agentci/"):
        message = f"this is a file of format `{found}`, not `{name}`"
        raise FormatError(message, code="ACI-F101", location=locate(("format",)))
    if found == name and type(number) is int and number != version:
        message = f"version {number} of `{name}` is not one that this release reads"
        hint = f"it reads version {version}; upgrade agentci, or check the number"
        raise FormatError(message, code="ACI-F102", hint=hint, location=locate(("version",)))
