"""A request of any program, read: masked, and in the form that is keyed.

Model calls get the key that agentci's own gateway gives them, everything else the form `http`. The
proxy and the tapes of Python programs read alike here, so each replays what the other recorded.
Must not know how a request came in, and sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agentci.core.json_types import JsonObject, JsonValue
from agentci.record.http.content import parse_json_body
from agentci.record.http.form import http_request
from agentci.record.importers.dialects import model_request
from agentci.record.interaction import InteractionKind
from agentci.record.surroundings import Surroundings

if TYPE_CHECKING:
    from agentci.record.mask_file import MaskFile
    from agentci.record.masking_rules import ClientRequest, Masked

IN_PROGRAM: Final = "own"
"""The name under which patterns are counted that a program or its tests give."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it was sent, with its content encodings undone."""

    method: str
    url: str
    """As recordings have it: the provider's own, wherever the call really goes."""
    path: str
    """Of the address that the client has called."""
    body: bytes
    content_type: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Masking:
    """What of a request does not count."""

    around: Surroundings = field(default_factory=Surroundings)
    rules: tuple[str, ...] = ()
    """Patterns that the user declares."""
    declared_in: str = "pipeline"
    """The name under which they are counted."""
    of_all: bool = True
    """Whether what no known client sends, and is no model call, may name folders as well."""


@dataclass(frozen=True, slots=True)
class ReadCall:
    """A request, ready to be looked up."""

    kind: InteractionKind
    canonical: JsonObject
    masked: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By mask (`name/revision`), then by rule: how much was masked."""
    names_folders: bool = False
    """Whether its folders are masked; then its answer may name them, too."""


def read_call(sent: Sent, masking: Masking | None = None) -> ReadCall:
    """Return what a request asks for; without `masking`, all of it counts.

    Raises:
        ValueError: when its address is not absolute.
        UsageError: when a declared pattern is no regular expression.
    """
    value = parse_json_body(sent.body)
    if masking is None:
        return _plain(sent, value)
    if value is None:
        return _plain(sent, value, names_folders=masking.of_all)
    masks = _masks(sent, value, masking)
    if not masks and not masking.rules:
        return _plain(sent, value)
    masked = _masked(value, masks, masking)
    request = model_request(sent.method, sent.url, masked.body)
    if request is not None:
        return ReadCall("model", request, masked.counts, bool(masks))
    body = json.dumps(masked.body, ensure_ascii=False).encode() if masked.counts else sent.body
    request = http_request(sent.method, sent.url, body=body, content_type=sent.content_type)
    return ReadCall("http", request, masked.counts, bool(masks))


def masking_notes(
    masked: Mapping[str, Mapping[str, int]], marks: Mapping[str, int]
) -> dict[str, JsonValue]:
    """Return what a recording says of what was masked in its request and marked in its answer."""
    notes: dict[str, JsonValue] = {}
    if masked:
        notes["masked"] = {name: dict(each) for name, each in masked.items()}
    if marks:
        notes["marks"] = dict(marks)
    return notes


def _plain(sent: Sent, value: JsonValue, *, names_folders: bool = False) -> ReadCall:
    request = model_request(sent.method, sent.url, value)
    if request is not None:
        return ReadCall("model", request)
    request = http_request(sent.method, sent.url, body=sent.body, content_type=sent.content_type)
    return ReadCall("http", request, names_folders=names_folders)


def _masks(sent: Sent, value: JsonValue, masking: Masking) -> tuple[MaskFile, ...]:
    # a program that sends no JSON needs none of it, nor pydantic and YAML
    from agentci.record.mask_file import shipped_masks  # noqa: PLC0415
    from agentci.record.masking_rules import find_masks  # noqa: PLC0415

    masks = find_masks(_sender(sent), shipped_masks())
    is_known = any(mask.applies for mask in masks)
    if is_known or masking.of_all or model_request(sent.method, sent.url, value) is not None:
        return masks
    return ()


def _sender(sent: Sent) -> ClientRequest:
    from agentci.record.masking_rules import ClientRequest  # noqa: PLC0415 - as above

    return ClientRequest(sent.user_agent, sent.path, sent.body.decode("utf-8"))


def _masked(value: JsonValue, masks: tuple[MaskFile, ...], masking: Masking) -> Masked:
    from agentci.record.masking_rules import mask_body  # noqa: PLC0415 - as above

    return mask_body(
        value, masks, masking.around, rules=masking.rules, declared_in=masking.declared_in
    )
