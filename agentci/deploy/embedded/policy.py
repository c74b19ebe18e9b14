"""IAM policies in JSON: their grammar, and the few rules that tell one kind from another.

The grammar is that of the IAM User Guide, "Grammar of the IAM JSON policy language". Whether an
action exists is not known here, only how it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

from agentci.deploy.embedded.finding import Mistake, Path, kind_of
from agentci.spec.suggestion import did_you_mean

PolicyKind: TypeAlias = Literal["identity", "trust", "resource"]
"""Of a role or user; who may take on a role; of a bucket, a queue, a repository."""

_TOP: Final = ("Id", "Statement", "Version")
_STATEMENT: Final = (
    "Action", "Condition", "Effect", "NotAction", "NotPrincipal", "NotResource", "Principal",
    "Resource", "Sid",
)  # fmt: skip
_VERSIONS: Final = ("2012-10-17", "2008-10-17")
_PRINCIPALS: Final = ("AWS", "CanonicalUser", "Federated", "Service")
_ACTION: Final = re.compile(r"\*|[a-z0-9-]+:[A-Za-z0-9*?]+")
_SID: Final = re.compile(r"[A-Za-z0-9]*")
_ORDERED: Final = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan")
_OPERATORS: Final = frozenset(
    {
        *(f"{kind}{how}" for kind in ("Numeric", "Date") for how in _ORDERED),
        *(f"Arn{how}" for how in ("Equals", "Like", "NotEquals", "NotLike")),
        *(f"String{how}" for how in ("Equals", "Like", "NotEquals", "NotLike")),
        *("NumericGreaterThanEquals", "DateGreaterThanEquals"),
        *("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
        *("BinaryEquals", "Bool", "IpAddress", "NotIpAddress", "Null"),
    }
)


def check_policy(value: object, kind: PolicyKind) -> Iterator[Mistake]:
    """Yield what is wrong with a policy."""
    if not isinstance(value, dict):
        yield Mistake((), f"{kind_of(value)} where a policy has to be")
        return
    yield from _unknown(value, _TOP, ())
    version = value.get("Version")
    if version not in _VERSIONS:
        message = "`Version` is missing" if version is None else f"`{version}` is no version"
        yield Mistake(("Version",), message, f"it is `{_VERSIONS[0]}`")
    statements = value.get("Statement")
    if isinstance(statements, dict):
        yield from _statement(statements, kind, ("Statement",))
    elif isinstance(statements, list) and statements:
        for index, each in enumerate(statements):
            yield from _statement(each, kind, ("Statement", index))
    else:
        yield Mistake(("Statement",), "a policy has statements")


def _statement(value: object, kind: PolicyKind, path: Path) -> Iterator[Mistake]:
    if not isinstance(value, dict):
        yield Mistake(path, f"{kind_of(value)} where a statement has to be")
        return
    yield from _unknown(value, _STATEMENT, path)
    if value.get("Effect") not in {"Allow", "Deny"}:
        yield Mistake((*path, "Effect"), "`Effect` is `Allow` or `Deny`")
    yield from _one_of(value, ("Action", "NotAction"), path)
    for key in ("Action", "NotAction"):
        for action in _texts(value.get(key)):
            if not isinstance(action, str) or not _ACTION.fullmatch(action):
                yield Mistake((*path, key), f"`{action}` is no action", "it is `SERVICE:ACTION`")
    yield from _parties(value, kind, path)
    sid = value.get("Sid")
    if (
        sid is not None
        and not (isinstance(sid, str) and _SID.fullmatch(sid))
        and kind != "resource"
    ):
        yield Mistake((*path, "Sid"), "a `Sid` has letters and digits alone")
    yield from _condition(value.get("Condition"), (*path, "Condition"))


def _parties(value: Mapping[str, Any], kind: PolicyKind, path: Path) -> Iterator[Mistake]:
    """Check whom and what a statement is about, which depends on the kind of policy."""
    if kind == "identity":
        yield from _none_of(value, ("Principal", "NotPrincipal"), "of a role", path)
    else:
        yield from _one_of(value, ("Principal", "NotPrincipal"), path)
        for key in ("Principal", "NotPrincipal"):
            yield from _principal(value.get(key), (*path, key))
    if kind == "trust":
        yield from _none_of(value, ("Resource", "NotResource"), "of trust", path)
    elif kind == "identity":
        yield from _one_of(value, ("Resource", "NotResource"), path)
    for key in ("Resource", "NotResource"):
        for resource in _texts(value.get(key)):
            if not isinstance(resource, str) or not resource:
                yield Mistake((*path, key), f"{kind_of(resource)} where an ARN has to be")


def _principal(value: object, path: Path) -> Iterator[Mistake]:
    if value is None or value == "*":
        return
    if not isinstance(value, dict):
        yield Mistake(path, "it is `*`, or an object such as `{Service = ...}`")
        return
    yield from _unknown(value, _PRINCIPALS, path)


def _condition(value: object, path: Path) -> Iterator[Mistake]:
    if value is None:
        return
    if not isinstance(value, dict):
        yield Mistake(path, f"{kind_of(value)} where an object has to be")
        return
    for operator in sorted(value):
        bare = operator.removeprefix("ForAllValues:").removeprefix("ForAnyValue:")
        bare = bare.removesuffix("IfExists")
        if bare not in _OPERATORS:
            message = f"`{operator}` is no operator of conditions"
            yield Mistake((*path, operator), message, did_you_mean(bare, _OPERATORS))
        elif not isinstance(value[operator], dict):
            yield Mistake((*path, operator), "it holds keys and their values")


def _unknown(value: Mapping[str, Any], known: tuple[str, ...], path: Path) -> Iterator[Mistake]:
    for key in sorted(value):
        if key not in known:
            yield Mistake((*path, key), f"there is no `{key}`", did_you_mean(key, known))


def _one_of(value: Mapping[str, Any], keys: tuple[str, str], path: Path) -> Iterator[Mistake]:
    if sum(key in value for key in keys) != 1:
        yield Mistake(path, f"a statement has either `{keys[0]}` or `{keys[1]}`")


def _none_of(
    value: Mapping[str, Any], keys: tuple[str, ...], what: str, path: Path
) -> Iterator[Mistake]:
    for key in keys:
        if key in value:
            yield Mistake((*path, key), f"a policy {what} has no `{key}`")


def _texts(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
