"""A folder of cassettes: which lane is in which file, appending, and the digest of all.

Knows nothing of modes or of what was played.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from agentci.core.digest import Digest, digest_json
from agentci.core.effects import Files
from agentci.core.errors import FormatError, Location
from agentci.core.lane import Lane
from agentci.record.cassette import Cassette, content_digest
from agentci.record.forcing import Forcing
from agentci.record.lane_path import SUFFIX, lane_path
from agentci.record.object_store import FOLDER_NAME, ObjectStore
from agentci.record.yaml_read import YamlProblem, parse

_LANE = re.compile(rb"^lane:.*\n", re.MULTILINE)
_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")
_PROBE = ".agentci-probe"


class CassetteFolder:
    """The cassettes below one folder."""

    def __init__(self, files: Files, folder: Path, objects: ObjectStore) -> None:
        """Work below `folder`, which need not exist yet."""
        self._files = files
        self._folder = folder
        self._forcing = Forcing(files)
        self.objects = objects

    @property
    def folder(self) -> Path:
        """The folder of all of them."""
        return self._folder

    def path(self, lane: Lane) -> Path:
        """Return the file of `lane`."""
        return self._folder / lane_path(lane)

    def load(self, lane: Lane) -> Cassette:
        """Return the cassette of `lane`; an empty one where there is no file.

        Raises:
            FormatError: when the file is no cassette of this lane.
        """
        path = self.path(lane)
        return self.parse(self._files.read(path) if self._files.exists(path) else b"", lane)

    def empty(self, lane: Lane) -> Cassette:
        """Return a cassette without recordings, whatever is on disk."""
        return self.parse(b"", lane)

    def parse(self, data: bytes, lane: Lane) -> Cassette:
        """Return the cassette that `data` holds."""
        # Enough for a person to find the file, without the paths of this machine.
        name = "/".join((*self._folder.parts[-2:], str(lane_path(lane)))).lstrip("/")
        return Cassette(data, lane=lane, name=name, objects=self.objects)

    def append(self, cassette: Cassette, text: bytes) -> None:
        """Write `text` to the end of the cassette's file, from where `settle` forces it out.

        What a killed writer left half written is cut off first.
        """
        path = self.path(cassette.lane)
        if cassette.whole_until < len(cassette.data):
            torn = cassette.data[cassette.whole_until :]
            self._files.update(path, lambda data: data.removesuffix(torn))
            cassette.whole_until = len(cassette.data)
        file = self._files.open_append(path)
        try:
            file.append(text)
        finally:
            file.close()
        self._forcing.wrote(path)

    def settle(self) -> None:
        """Return when everything that was appended is on the disk, and safe from a power cut."""
        self._forcing.finish()

    def update(self, lane: Lane, change: Callable[[bytes], bytes | None]) -> None:
        """Replace the file of `lane`, with no append in between."""
        self._files.update(self.path(lane), change)

    def probe(self) -> None:
        """Raise a `StorageError` now if nothing can be written here; leaves no folder behind."""
        nearest = next(
            folder for folder in (self._folder, *self._folder.parents) if self._files.exists(folder)
        )
        path = nearest / _PROBE
        self._files.write_atomic(path, b"")
        self._files.remove(path)

    def files(self) -> tuple[Path, ...]:
        """Return the files of all lanes, sorted by path."""
        return tuple(
            path
            for path in self._files.list(self._folder)
            if path.suffix == SUFFIX and path.relative_to(self._folder).parts[0] != FOLDER_NAME
        )

    def strangers(self) -> tuple[Path, ...]:
        """Return files that nothing reads, sorted by path: neither a lane's nor an object."""
        known = {self.objects.path(digest) for digest in self.objects.digests()}
        known.update(self.files())
        return tuple(path for path in self._files.list(self._folder) if path not in known)

    def lanes(self) -> tuple[Lane, ...]:
        """Return the lanes that have a file, sorted.

        An empty file is none: a process was killed between making it and writing to it.

        Raises:
            FormatError: for a file that is no cassette.
        """
        return tuple(sorted(self.lane_of(path) for path in self.files() if self._files.read(path)))

    def lanes_with(self, key: Digest) -> tuple[Lane, ...]:
        """Return the lanes that have a recording of the request `key`, sorted."""
        text = f"key: {key}\n".encode()
        found = (path for path in self.files() if text in self._files.read(path))
        return tuple(sorted(self.lane_of(path) for path in found))

    def remove_unused_objects(self) -> None:
        """Remove the objects that no cassette names any more."""
        digests = tuple(self.objects.digests())
        if digests:
            named: set[bytes] = set()
            for path in self.files():
                named.update(_DIGEST.findall(self._files.read(path)))
            for digest in digests:
                if digest.encode() not in named:
                    self.objects.remove(digest)

    def digest(self) -> Digest:
        """Return the digest of all cassettes by lane, without their provenance."""
        return digest_json(
            {
                path.relative_to(self._folder).as_posix(): content_digest(self._files.read(path))
                for path in self.files()
            }
        )

    def lane_of(self, path: Path) -> Lane:
        """Return the lane whose file is `path`.

        Raises:
            FormatError: when it is no cassette, or is that of a lane which has another file.
        """
        found = _LANE.search(self._files.read(path))
        try:
            header = parse(found[0]) if found is not None else None
        except YamlProblem:
            header = None
        lane = header.get("lane") if isinstance(header, Mapping) else None
        if not isinstance(lane, str) or self.path(Lane(lane)) != path:
            raise FormatError(
                f"`{path}` is not the cassette of a lane",
                code="ACI-F110",
                hint="remove the file, or restore it from version control",
                location=Location(file=str(path)),
            )
        return Lane(lane)

    def __iter__(self) -> Iterator[Cassette]:
        return (self.load(lane) for lane in self.lanes())
