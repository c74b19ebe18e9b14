"""The archive of a binding, as npm packs it: is it the right one, and what is in it for a pack.

Archives come from outside: members are only read by the names that are asked for, up to a size.
"""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from collections.abc import Collection, Iterator
from typing import Any, Final

from agentci.core.errors import FormatError, Location, SafetyRefusal
from agentci.deploy.packs.bindings import Binding, BindingError, read_binding
from agentci.deploy.packs.format import PackContent
from agentci.deploy.packs.sources import PackSource, folder_of

_LIBRARY: Final = "package/lib/"
_PROVIDER: Final = "provider"
_LARGEST_FILE: Final = 32 * 1024 * 1024
_LARGEST_ALL: Final = 512 * 1024 * 1024


def integrity_of(archive: bytes) -> str:
    """Return the digest of an archive as npm writes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()


def pack_from_archive(
    archive: bytes, row: PackSource, name: str, *, extra: Collection[str] = ()
) -> PackContent:
    """Return the pack of a row's types and of `extra` ones; `name` is the archive, for errors.

    Raises:
        SafetyRefusal: when it is not the archive that is pinned.
        FormatError: when it cannot be read, or lacks a type.
        UsageError: when an extra type is none of this provider.
    """
    found = integrity_of(archive)
    if found != row.integrity:
        message = (
            f"`{name}` is not `{row.package}` {row.package_version}: its digest is `{found}`, "
            f"not `{row.integrity}`"
        )
        raise SafetyRefusal(message, code="ACI-P650", hint="fetch it anew from the registry")
    folders = {folder_of(type_, row.name): type_ for type_ in sorted({*row.types, *extra})}
    texts = _texts(archive, {*folders, _PROVIDER}, name)
    schema: dict[str, Any] = {"provider": {}, "resources": {}, "data_sources": {}}
    for folder in sorted(texts):
        binding = _read(texts[folder], f"{name}:{_LIBRARY}{folder}")
        kind = "data_sources" if folder.startswith("data-") else "resources"
        if folder == _PROVIDER:
            schema["provider"] = binding.block
        else:
            schema[kind][binding.type] = binding.block
    _complete(schema, folders.values(), name)
    origin = {
        "binding": row.package,
        "version": row.package_version,
        "integrity": found,
        "licence": "MPL-2.0",
    }
    return PackContent(row.source, row.version, exact=False, origin=origin, schema=schema)


def _read(texts: dict[str, list[str]], name: str) -> Binding:
    try:
        return read_binding("\n".join(texts["js"]), "\n".join(texts["ts"]))
    except BindingError as error:
        place = Location(file=name)
        raise FormatError(
            f"this binding is not understood: {error}", code="ACI-F658", location=place
        ) from None


def _complete(schema: dict[str, Any], wanted: Collection[str], name: str) -> None:
    there = {*schema["resources"], *(f"data.{type_}" for type_ in schema["data_sources"])}
    missing = sorted(set(wanted) - there)
    if missing or not schema["provider"]:
        names = ", ".join(f"`{type_}`" for type_ in missing) or "the provider itself"
        message = f"`{name}` has no {names}"
        raise FormatError(message, code="ACI-F659")


def _texts(archive: bytes, folders: Collection[str], name: str) -> dict[str, dict[str, list[str]]]:
    """Return the JavaScript and the declarations of each folder, in the order of their names."""
    found: dict[str, dict[str, str]] = {}
    total = 0
    try:
        for member, data in _members(archive, folders):
            total += len(data)
            if total > _LARGEST_ALL:
                raise _unreadable(name, "more than it can hold")
            folder, _, rest = member.partition("/")
            found.setdefault(folder, {})[rest] = data.decode("utf-8")
    except (tarfile.TarError, EOFError, OSError, UnicodeDecodeError, ValueError) as error:
        raise _unreadable(name, str(error)) from None
    return {
        folder: {
            "js": [files[path] for path in sorted(files) if path.endswith(".js")],
            "ts": [files[path] for path in sorted(files) if path.endswith(".d.ts")],
        }
        for folder, files in found.items()
    }


def _members(archive: bytes, folders: Collection[str]) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r|gz") as tar:
        for member in tar:
            inside = member.name.removeprefix(_LIBRARY)
            if inside == member.name or inside.partition("/")[0] not in folders:
                continue
            if not member.isfile() or not inside.endswith((".js", ".d.ts")):
                continue
            if member.size > _LARGEST_FILE:
                msg = f"`{member.name[:200]}` has {member.size} bytes"
                raise ValueError(msg)
            stream = tar.extractfile(member)
            assert stream is not None
            yield inside, stream.read()


def _unreadable(name: str, reason: str) -> FormatError:
    return FormatError(f"`{name}` cannot be read as a package of npm: {reason}", code="ACI-F660")
