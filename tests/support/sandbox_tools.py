"""The tools that sandbox tests need: there in CI, or the test fails; elsewhere it is skipped."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

from agentci.adapters.sandboxes import probe

IMAGE = "agentci-test:busybox-2"
"""`/bin` with a static busybox, built here, because nothing can be pulled in a test."""


def missing(reason: str) -> NoReturn:
    """Skip the test for `reason`; in CI, where every tool has to be, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has to have this: {reason}")
    pytest.skip(reason)


def require_bwrap() -> None:
    """Need a bubblewrap that works."""
    found = probe("bwrap")
    if not found.available:
        missing(found.reason)


def require_docker() -> None:
    """Need a Docker Engine, and the test image in it."""
    reason = _docker_problem()
    if reason is not None:
        missing(reason)


@cache
def _docker_problem() -> str | None:
    if probe("docker", image=IMAGE).available:
        return None
    found = probe("docker")
    if not found.available and "is not on this machine" not in found.reason:
        return found.reason
    busybox = shutil.which("busybox")
    if busybox is None:
        return "the package busybox-static is not installed"
    _load_image(Path(busybox))
    return None


def _load_image(busybox: Path) -> None:
    import docker  # noqa: PLC0415 - slow, and few tests need it

    listed = subprocess.run((str(busybox), "--list"), capture_output=True, text=True, check=True)
    data = busybox.read_bytes()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, mode in (("bin", 0o755), ("tmp", 0o1777)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)
        program = tarfile.TarInfo("bin/busybox")
        program.size, program.mode = len(data), 0o755
        tar.addfile(program, io.BytesIO(data))
        for name in sorted(set(listed.stdout.split()) - {"busybox"}):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    client = docker.from_env()
    try:
        repository, tag = IMAGE.split(":")
        client.api.import_image_from_data(archive.getvalue(), repository=repository, tag=tag)
    finally:
        client.close()
