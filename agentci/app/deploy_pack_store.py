"""Schema packs on this machine: one folder for all projects, a file for each digest.

`NAMESPACE/NAME/VERSION/HEX.json`; the name is checked against the content whenever one is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.core.digest import Digest, digest_bytes, hex_of, parse_digest
from agentci.core.errors import EnvironmentProblem, FormatError, Location, MissingTool
from agentci.deploy.packs.format import SchemaPack, read_pack

if TYPE_CHECKING:
    from agentci.core.effects import Env, Files

FOLDER_VARIABLE: Final = "AGENTCI_PACKS"


@dataclass(frozen=True, slots=True)
class StoredPack:
    """A pack, and where it is."""

    path: Path
    size: int
    """Bytes."""
    pack: SchemaPack


@dataclass(frozen=True, slots=True)
class PackStore:
    """The folder of packs."""

    folder: Path
    files: Files

    def all(self) -> tuple[StoredPack, ...]:
        """Return all packs, sorted by path.

        Raises:
            FormatError: when one is damaged.
        """
        paths = [path for path in self.files.list(self.folder) if path.suffix == ".json"]
        return tuple(self._read(path) for path in paths)

    def find(self, source: str, version: str, *, digest: Digest | None = None) -> StoredPack:
        """Return the pack of a provider: the one with `digest`, or else the one with most types.

        Raises:
            EnvironmentProblem: when there is none.
            FormatError: when it is damaged.
        """
        folder = self.folder / source / version
        paths = self.files.list(folder)
        if digest is not None:
            paths = tuple(path for path in paths if path.stem == hex_of(digest))
        found = tuple(self._read(path) for path in paths)
        if not found:
            message = f"there is no schema pack for `{source}` {version} on this machine"
            hint = f"`agentci deploy packs build {source}` makes it, once"
            raise MissingTool(message, code="ACI-E660", hint=hint)
        return max(found, key=lambda each: (len(each.pack.types), each.pack.digest))

    def whole(self, source: str, version: str, digest: Digest) -> StoredPack | None:
        """Return a pack, or None where it is missing or damaged."""
        try:
            return self.find(source, version, digest=digest)
        except (EnvironmentProblem, FormatError):
            return None

    def save(self, data: bytes) -> StoredPack:
        """Check a pack, and keep it.

        Raises:
            FormatError: when it is none.
        """
        pack = read_pack(data, "the new schema pack")
        path = self._path(pack.content.source, pack.content.version, pack.digest)
        self.files.write_atomic(path, data)
        return StoredPack(path, len(data), pack)

    def _path(self, source: str, version: str, digest: Digest) -> Path:
        return self.folder / source / version / f"{hex_of(digest)}.json"

    def _read(self, path: Path) -> StoredPack:
        data = self.files.read(path)
        try:
            digest = parse_digest(f"sha256:{path.stem}")
        except ValueError:
            digest = digest_bytes(b"")  # no pack has it
        pack = read_pack(data, str(path), digest=digest)
        place = path.parent.relative_to(self.folder).as_posix()
        if place != f"{pack.content.source}/{pack.content.version}":
            message = f"this is the schema pack of `{pack.content.source}` {pack.content.version}"
            hint = "`agentci deploy packs build` puts packs where they belong"
            raise FormatError(message, code="ACI-F670", hint=hint, location=Location(str(path)))
        return StoredPack(path, len(data), pack)


def open_store(files: Files, env: Env) -> PackStore:
    """Return the packs of this machine: `AGENTCI_PACKS`, or `agentci/packs` in the user's cache.

    Raises:
        EnvironmentProblem: when no variable says where that is.
    """
    asked = env.get(FOLDER_VARIABLE)
    if asked:
        return PackStore(Path(asked).absolute(), files)
    cache, home = env.get("XDG_CACHE_HOME"), env.get("HOME")
    if not cache and not home:
        message = f"neither `{FOLDER_VARIABLE}` nor `HOME` says where schema packs are"
        hint = f"set `{FOLDER_VARIABLE}` to a folder"
        raise EnvironmentProblem(message, code="ACI-E661", hint=hint)
    base = Path(cache) if cache else Path(home or "") / ".cache"
    return PackStore(base.absolute() / "agentci" / "packs", files)
