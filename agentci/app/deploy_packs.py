"""Makes schema packs: from bindings, fetched with npm or at hand, or from a provider's own schema.

Fetching is the one thing here that needs a network, and only `build` does it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from agentci.app import wiring
from agentci.app.deploy_pack_store import PackStore, StoredPack, open_store
from agentci.core.errors import EnvironmentProblem, FormatError, Location, UsageError
from agentci.core.programs import ProgramRequest
from agentci.deploy.packs.archive import pack_from_archive
from agentci.deploy.packs.format import PackContent, pack_bytes
from agentci.deploy.packs.provider_schema import schema_of
from agentci.deploy.packs.sources import SOURCES, PackSource, find_source, folder_of

if TYPE_CHECKING:
    from agentci.core.digest import Digest

_FETCH_TIMEOUT: Final = 600.0


@dataclass(frozen=True, slots=True)
class PackRequest:
    """Which packs are wanted, and what to make them from."""

    providers: tuple[str, ...] = ()
    """Names or addresses; none means all that our targets use."""
    types: tuple[str, ...] = ()
    """Types besides the usual ones. With `schema`: the only types; none means all."""
    archive: Path | None = None
    """A binding's archive that is at hand; nothing is fetched."""
    schema: Path | None = None
    """Output of `terraform providers schema -json`; no binding is needed."""
    version: str | None = None
    """Version of the provider whose schema that is."""


@dataclass(frozen=True, slots=True)
class BuiltPack:
    """A pack that is there now."""

    source: str
    version: str
    digest: Digest
    path: Path
    types: int
    """Resources and data sources."""
    size: int
    """Bytes."""
    status: Literal["built", "present"]


def build(request: PackRequest) -> tuple[BuiltPack, ...]:
    """Make packs that are not there yet.

    Raises:
        UsageError: when the request names what there is not.
        EnvironmentProblem: when a binding cannot be fetched.
        SafetyRefusal: when a fetched binding is not the pinned one.
        FormatError: when a file is not what it is said to be.
    """
    store = open_store(wiring.files(), wiring.env())
    if request.schema is not None:
        return (_from_schema(request, request.schema, store),)
    rows = tuple(find_source(name) for name in request.providers) or SOURCES
    if (request.archive is not None or request.types) and len(rows) != 1:
        message = "types and archives belong to one provider"
        hint = "name it: `agentci deploy packs build aws --type aws_sns_topic`"
        raise UsageError(message, code="ACI-U660", hint=hint)
    for type_ in request.types:
        folder_of(type_, rows[0].name)
    return tuple(_from_binding(request, row, store) for row in rows)


def stored() -> tuple[BuiltPack, ...]:
    """Return the packs of this machine, sorted by path.

    Raises:
        FormatError: when one is damaged.
    """
    store = open_store(wiring.files(), wiring.env())
    return tuple(_built(each, "present") for each in store.all())


def _from_binding(request: PackRequest, row: PackSource, store: PackStore) -> BuiltPack:
    added = sorted(set(request.types) - set(row.types))
    found = None if added else store.whole(row.source, row.version, row.digest)
    if found is not None:
        return _built(found, "present")
    if request.archive is not None:
        archive, name = wiring.files().read(request.archive), str(request.archive)
    else:
        archive, name = _fetched(row)
    data = pack_bytes(pack_from_archive(archive, row, name, extra=added))
    saved = store.save(data)
    if not added and saved.pack.digest != row.digest:
        message = f"the pack of `{row.source}` came out as `{saved.pack.digest}`"
        hint = f"expected is `{row.digest}`; agentci and its table of packs do not fit together"
        raise FormatError(message, code="ACI-F671", hint=hint)
    return _built(saved, "built")


def _fetched(row: PackSource) -> tuple[bytes, str]:
    programs = wiring.programs()
    package = f"{row.package}@{row.package_version}"
    if not programs.has("npm"):
        message = f"`npm` is not installed, which fetches `{package}`"
        hint = "install Node.js, or fetch the package elsewhere and give it with `--archive FILE`"
        raise EnvironmentProblem(message, code="ACI-E662", hint=hint)
    with wiring.scratch() as folder:
        argv = ("npm", "pack", package, "--silent", "--ignore-scripts", "--pack-destination", ".")
        result = programs.run(ProgramRequest(argv, folder, timeout=_FETCH_TIMEOUT))
        found = [path for path in wiring.files().list(folder) if path.suffix == ".tgz"]
        if result.exit_code != 0 or len(found) != 1:
            message = f"`npm pack {package}` failed: {result.said or 'no message'}"
            hint = "npm has to reach a registry; `npm view " + row.package + "` tries that"
            raise EnvironmentProblem(message, code="ACI-E663", hint=hint)
        return wiring.files().read(found[0]), package


def _from_schema(request: PackRequest, path: Path, store: PackStore) -> BuiltPack:
    if len(request.providers) != 1 or request.version is None or "/" not in request.providers[0]:
        message = "a schema is that of one provider in one version"
        hint = "`agentci deploy packs build hashicorp/aws --schema FILE --provider-version 6.50.0`"
        raise UsageError(message, code="ACI-U661", hint=hint)
    (source,) = request.providers
    try:
        document = json.loads(wiring.files().read(path))
    except (ValueError, RecursionError) as error:
        place = Location(file=str(path))
        raise FormatError(f"no JSON: {error}", code="ACI-F672", location=place) from None
    schema = schema_of(document, source, str(path), types=frozenset(request.types) or None)
    content = PackContent(
        source=source,
        version=request.version,
        exact=True,
        origin={"schema": "terraform providers schema -json"},
        schema=schema,
    )
    return _built(store.save(pack_bytes(content)), "built")


def _built(found: StoredPack, status: Literal["built", "present"]) -> BuiltPack:
    content = found.pack.content
    return BuiltPack(
        source=content.source,
        version=content.version,
        digest=found.pack.digest,
        path=found.path,
        types=len(found.pack.types),
        size=found.size,
        status=status,
    )
