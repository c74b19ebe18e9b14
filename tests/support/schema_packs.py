"""Schema packs for tests, made once for a machine: from npm, with a Node of this machine or PyPI's.

    python -m tests.support.schema_packs

They are where `agentci deploy packs build` puts them: `AGENTCI_PACKS`, or the user's cache.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from functools import cache, partial
from pathlib import Path

from agentci.app import wiring
from agentci.app.deploy_pack_store import PackStore, open_store
from agentci.app.deploy_packs import PackRequest, build
from agentci.deploy.packs.sources import SOURCES, PackSource
from tests.support.client_installs import NotInstalled, node_folder, npm_command, twice

_PATIENCE = 900.0


@cache
def packs() -> PackStore:
    """Return the store with the pinned packs of all providers in it.

    Raises:
        NotInstalled: when one is not there and cannot be made.
    """
    store = open_store(wiring.files(), wiring.env())
    store.folder.mkdir(parents=True, exist_ok=True)
    with (store.folder / "tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers begin at the same time
        for row in SOURCES:
            if store.whole(row.source, row.version, row.digest) is None:
                twice(partial(_make, row))
    return store


def _make(row: PackSource) -> None:
    with tempfile.TemporaryDirectory() as folder:
        package = f"{row.package}@{row.package_version}"
        command = [*npm_command(), "pack", package, "--silent", "--ignore-scripts"]
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PATH": f"{node_folder()}{os.pathsep}{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
        if done.returncode != 0:
            raise NotInstalled(f"`{' '.join(command)}` ended with {done.returncode}: {done.stderr}")
        (archive,) = Path(folder).glob("*.tgz")
        build(PackRequest(providers=(row.source,), archive=archive))


def main() -> int:
    """Make what is missing, and say what is there."""
    store = packs()
    for each in store.all():
        content = each.pack.content
        sys.stdout.write(f"{content.source} {content.version}: {len(each.pack.types)} types\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
