from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from agentci.core.digest import digest_bytes
from agentci.core.errors import FormatError
from agentci.deploy.lock import (
    DeployLock,
    Evidence,
    dump_deploy_lock,
    entry_of,
    read_deploy_lock,
)
from tests.support.deploy_specs import rendered

EVIDENCE = Evidence(
    decision=digest_bytes(b"decision"),
    suite="pipelines/triage",
    verdict="same",
    blocks=False,
    score=0.9,
    judged=10,
    commit="a" * 40,
    cassettes=digest_bytes(b"cassettes"),
    images={"api": "sha256:x"},
    recorded=1_800_000_000,
)
ENTRY = entry_of(rendered(), evidence=EVIDENCE)
LOCK = DeployLock({"shop.yaml": ENTRY})


def test_a_lock_comes_back() -> None:
    data = dump_deploy_lock(LOCK)
    assert read_deploy_lock(data, "lock") == LOCK
    assert dump_deploy_lock(read_deploy_lock(data, "lock")) == data


def test_entries_are_sorted_whatever_their_order() -> None:
    one = DeployLock({"a.yaml": ENTRY, "b.yaml": ENTRY})
    other = DeployLock({"b.yaml": ENTRY, "a.yaml": ENTRY})
    assert dump_deploy_lock(one) == dump_deploy_lock(other)


def test_an_edited_entry_is_known_by_its_seal() -> None:
    content = json.loads(dump_deploy_lock(LOCK))
    content["specs"]["shop.yaml"]["evidence"]["score"] = 1.0
    found = read_deploy_lock(json.dumps(content).encode(), "lock")
    assert found.edited == {"shop.yaml"}


def test_another_layout_is_known() -> None:
    content = json.loads(dump_deploy_lock(LOCK))
    assert read_deploy_lock(json.dumps(content).encode(), "lock").reformatted


def test_a_new_entry_is_sealed() -> None:
    edited = replace(LOCK, edited=frozenset({"shop.yaml"}))
    assert not edited.with_entry("shop.yaml", ENTRY).edited


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", "a//b", "./a", "a\\b", ""])
def test_a_lock_names_no_file_outside_of_its_folder(path: str) -> None:
    content = json.loads(dump_deploy_lock(LOCK))
    content["specs"]["shop.yaml"]["files"] = {path: digest_bytes(b"")}
    with pytest.raises(FormatError) as caught:
        read_deploy_lock(json.dumps(content).encode(), "lock")
    assert caught.value.code == "ACI-F603"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"format": "agentci/lock", "version": 1}, "ACI-F601"),
        ({"format": "agentci/deploy-lock", "version": 2}, "ACI-F602"),
        ({"format": "agentci/deploy-lock", "version": True}, "ACI-F602"),
        ({"format": "agentci/deploy-lock", "version": 1}, "ACI-F603"),
        ({"format": "agentci/deploy-lock", "version": 1, "specs": {"a": {}}}, "ACI-F603"),
        ({"format": "agentci/deploy-lock", "version": 1, "specs": {"a": None}}, "ACI-F603"),
        ([], "ACI-F603"),
    ],
)
def test_what_is_no_lock_is_refused(content: Any, code: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_deploy_lock(json.dumps(content).encode(), "lock")
    assert caught.value.code == code


@pytest.mark.parametrize(
    "data", [b"", b"{", b"<<<<<<< ours\n", b'{"a": 1, "a": 2}', b"[" * 100_000, b"\xff"]
)
def test_damage_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        read_deploy_lock(data, "lock")
