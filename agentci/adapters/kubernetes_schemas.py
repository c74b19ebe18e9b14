"""The published schemas of Kubernetes, from the package `kubernetes-validate`, which is an extra.

Imported only when manifests are validated: its schemas take 108 MB on the disk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kubernetes_validate import SchemaNotFoundError, ValidationError, utils, validate

_KIND: Final = re.compile(r"[A-Za-z]+")
_API: Final = re.compile(r"([a-z0-9-]+(\.[a-z0-9-]+)*/)?[a-z0-9]+")


def known_versions() -> frozenset[str]:
    """Return the versions of Kubernetes that it has schemas for, as `1.33`."""
    return frozenset(utils.major_minor(version) for version in utils.all_versions())


def check_object(content: Mapping[str, Any], version: str) -> str | None:
    """Hold an object against the strict schema of its kind; return what is wrong, or None.

    The package only warns of a kind that it does not know, and takes an older version's schemas
    where it lacks those of `version`; here the first is wrong, and the second is up to the caller.
    """
    api, kind = content.get("apiVersion"), content.get("kind")
    if not isinstance(api, str) or not isinstance(kind, str):
        return "`apiVersion` and `kind` have to be texts"
    if not _KIND.fullmatch(kind) or not _API.fullmatch(api):  # the package makes a path of both
        return f"`{kind}` of `{api}` is no kind"
    try:
        validate({**content}, version, strict=True)
    except SchemaNotFoundError:
        return f"Kubernetes {version} has no kind `{kind}` of `{api}`"
    except ValidationError as error:
        where = ".".join(str(part) for part in error.absolute_path) or "the object"
        return f"`{where}`: {str(error.message)[:200]}"
    return None
