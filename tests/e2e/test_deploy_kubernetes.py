"""`kubectl` itself reads the rendered folders, and makes of them the same objects."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.command_line import ROOT
from tests.support.kubernetes_specs import GOOD, rendered

KUBECTL = shutil.which("kubectl")

_DIGESTS = """
import hashlib
from tests.support.kubernetes_specs import GOOD, rendered
found = hashlib.sha256()
for content in GOOD.values():
    for path, data in rendered(content).items():
        found.update(f"{path}\\0{len(data)}\\0".encode() + data)
print(found.hexdigest())
"""


@pytest.mark.slow
@pytest.mark.skipif(KUBECTL is None, reason="there is no kubectl on this machine")
@pytest.mark.parametrize("name", GOOD)
def test_kustomize_builds_exactly_the_rendered_objects(name: str, tmp_path: Path) -> None:
    files = rendered(GOOD[name])
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    done = subprocess.run(
        [str(KUBECTL), "kustomize", str(tmp_path)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    built = [each for each in yaml.safe_load_all(done.stdout) if each is not None]
    index = yaml.safe_load(files["kustomization.yaml"])["resources"]
    written = [yaml.safe_load(files[path]) for path in index]
    assert sorted(built, key=_identity) == sorted(written, key=_identity)


def _identity(content: dict[str, dict[str, str]]) -> tuple[str, str]:
    return str(content["kind"]), content["metadata"]["name"]


@pytest.mark.slow
def test_bytes_depend_on_no_hash_seed_locale_or_folder(tmp_path: Path) -> None:
    found = set()
    for seed, locale, folder in (("0", "C", ROOT), ("77", "C.UTF-8", tmp_path)):
        surroundings = {
            **{key: os.environ[key] for key in ("PATH",) if key in os.environ},
            "PYTHONPATH": str(ROOT),
            "PYTHONHASHSEED": seed,
            "LC_ALL": locale,
        }
        done = subprocess.run(
            [sys.executable, "-c", _DIGESTS],
            cwd=folder,
            env=surroundings,
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1
