"""Recordings of LangChain's tests: vcrpy's requests and responses in two lists, often in gzip."""

from __future__ import annotations

from collections.abc import Iterator

from agentci.record.importers.exchange import Exchange, Foreign, MalformedError, items, mapping
from agentci.record.importers.vcrpy_v1 import read_pair

NAME = "LangChain pairs"


def detects(document: Foreign) -> bool:
    """Say whether `document` is of this format."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("requests"), list)
        and isinstance(document.get("responses"), list)
    )


def read(document: Foreign) -> Iterator[Exchange]:
    """Yield the exchanges in order.

    Raises:
        MalformedError: for one that lacks a field, and where one list is longer than the other.
    """
    requests = items(document.get("requests"), "`requests`")
    responses = items(document.get("responses"), "`responses`")
    if len(requests) != len(responses):
        message = f"there are {len(requests)} requests and {len(responses)} responses"
        raise MalformedError(message)
    for request, response in zip(requests, responses, strict=True):
        yield read_pair(mapping(request, "a request"), mapping(response, "a response"))
