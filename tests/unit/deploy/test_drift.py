from __future__ import annotations

from dataclasses import replace

import pytest

from agentci.core.digest import digest_bytes
from agentci.core.errors import FormatError
from agentci.deploy.artifact import Generator
from agentci.deploy.drift import Drift, DriftKind, DriftResult, find_drift
from agentci.deploy.lock import DeployLock, dump_deploy_lock, entry_of, read_deploy_lock
from tests.support.deploy_specs import changed, files_of, rendered

PROJECT = rendered()
LOCK = DeployLock({"shop.yaml": entry_of(PROJECT, evidence=None)})
LOCK_BYTES = dump_deploy_lock(LOCK)
FILES = files_of(PROJECT)
OTHER = Generator(2, digest_bytes(b"other"))


def _kinds(result: DriftResult) -> list[DriftKind]:
    return [drift.kind for drift in result.drifts]


def _one(result: DriftResult) -> Drift:
    (drift,) = result.drifts
    return drift


def _read(data: bytes) -> DeployLock:
    return read_deploy_lock(data, "lock")


def test_what_was_just_rendered_has_not_drifted() -> None:
    assert find_drift(PROJECT, on_disk=FILES, lock=_read(LOCK_BYTES)) == DriftResult(())


def test_a_spec_that_was_never_rendered_says_so() -> None:
    assert _kinds(find_drift(PROJECT, on_disk={}, lock=None)) == [DriftKind.NOT_RENDERED]
    assert _kinds(find_drift(PROJECT, on_disk={}, lock=DeployLock())) == [DriftKind.NOT_RENDERED]


def test_a_changed_spec_is_told_from_edited_files() -> None:
    project = rendered(changed(("services", "api", "env", "MODE"), "other"))
    drift = _one(find_drift(project, on_disk=FILES, lock=LOCK))
    assert drift.kind is DriftKind.SPEC_CHANGED
    assert "`shop/compose/compose.yaml`" in drift.message


def test_a_changed_spec_and_an_edited_file_are_both_told() -> None:
    project = rendered(changed(("services", "api", "env", "MODE"), "other"))
    files = {**FILES, "shop/compose/tools.Dockerfile": b"FROM scratch\n"}
    found = find_drift(project, on_disk=files, lock=LOCK)
    assert _kinds(found) == [DriftKind.SPEC_CHANGED, DriftKind.FILE_EDITED]


def test_an_edited_file_is_named_with_its_line() -> None:
    content = FILES["shop/compose/compose.yaml"] or b""
    edited = content.replace(b"read_only: true", b"read_only: false", 1)
    line = content[: content.index(b"read_only: true")].count(b"\n") + 1
    files = {**FILES, "shop/compose/compose.yaml": edited}
    drift = _one(find_drift(PROJECT, on_disk=files, lock=LOCK))
    assert drift.kind is DriftKind.FILE_EDITED
    assert drift.message == f"`shop/compose/compose.yaml` was edited by hand in line {line}"


def test_a_removed_file_is_an_edit() -> None:
    files = {**FILES, "shop/compose/compose.yaml": None}
    drift = _one(find_drift(PROJECT, on_disk=files, lock=LOCK))
    assert (drift.kind, drift.file) == (DriftKind.FILE_EDITED, "shop/compose/compose.yaml")
    assert "removed" in drift.message


def test_another_generator_with_other_bytes_is_told() -> None:
    first, *rest = PROJECT.artifacts
    other = replace(first, content=first.content + b"\n")
    project = replace(PROJECT, artifacts=(other, *rest), generators={"compose": OTHER})
    drift = _one(find_drift(project, on_disk=FILES, lock=LOCK))
    assert drift.kind is DriftKind.GENERATOR_CHANGED
    assert first.path in drift.message


def test_another_generator_with_the_same_bytes_is_no_drift() -> None:
    project = replace(PROJECT, generators={"compose": OTHER})
    found = find_drift(project, on_disk=FILES, lock=LOCK)
    assert found.drifts == ()
    assert found.note is not None


def test_an_entry_that_was_sealed_anew_with_other_digests_is_an_edited_lock() -> None:
    entry = LOCK.specs["shop.yaml"]
    path = "shop/compose/compose.yaml"
    forged = replace(entry, files={**entry.files, path: digest_bytes(b"x")})
    found = find_drift(PROJECT, on_disk=FILES, lock=DeployLock({"shop.yaml": forged}))
    assert _kinds(found) == [DriftKind.LOCK_EDITED]
    gone = replace(entry, files={name: each for name, each in entry.files.items() if name != path})
    found = find_drift(PROJECT, on_disk=FILES, lock=DeployLock({"shop.yaml": gone}))
    assert _kinds(found) == [DriftKind.LOCK_EDITED]


def test_each_kind_has_its_own_code_text_and_exit_code() -> None:
    drifts = [Drift(kind, "f", "m", "h") for kind in DriftKind]
    assert len({drift.code for drift in drifts}) == len(drifts)
    assert {drift.kind: drift.exit_code for drift in drifts}[DriftKind.LOCK_EDITED] == 8
    assert [drift.exit_code for drift in drifts].count(1) == 4


@pytest.mark.parametrize("path", sorted(FILES))
def test_every_edit_of_a_byte_of_every_file_is_found_and_named(path: str) -> None:
    content = FILES[path] or b""
    for position in range(len(content)):
        flipped = bytes([content[position] ^ 1])
        for edit in (flipped, b"", content[position : position + 1] * 2):
            files = {**FILES, path: content[:position] + edit + content[position + 1 :]}
            drift = _one(find_drift(PROJECT, on_disk=files, lock=LOCK))
            assert (drift.kind, drift.file) == (DriftKind.FILE_EDITED, path)


def test_every_edit_of_a_byte_of_the_lock_is_found() -> None:
    for position in range(len(LOCK_BYTES)):
        for edit in (
            bytes([LOCK_BYTES[position] ^ 1]),
            b"",
            LOCK_BYTES[position : position + 1] * 2,
        ):
            data = LOCK_BYTES[:position] + edit + LOCK_BYTES[position + 1 :]
            try:
                found = find_drift(PROJECT, on_disk=FILES, lock=_read(data))
            except FormatError:
                continue
            assert found.drifts, position
            assert {drift.kind for drift in found.drifts} == {DriftKind.LOCK_EDITED}, position
