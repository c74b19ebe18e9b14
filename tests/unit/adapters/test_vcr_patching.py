"""Which vcrpy does, and what is kept apart where several cassettes are in use."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

from agentci.adapters import vcr_patching
from agentci.app import wiring
from agentci.app.in_process import TapeInUse, UseRequest
from agentci.core.errors import EnvironmentProblem
from agentci.core.lane import Lane
from agentci.record.session import Mode


@pytest.mark.parametrize(("version", "does"), [("8.2.1", False), ("8.3.0", True), ("10.0", False)])
def test_only_a_vcrpy_that_knows_httpx2_does(
    version: str, does: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: version)
    assert (vcr_patching.check_version() is None) is does
    if not does:
        with pytest.raises(EnvironmentProblem, match=f"vcrpy {version} is installed") as caught:
            wiring.interception()
        assert caught.value.code == "ACI-E171"


def test_without_vcrpy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "vcr"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "agentci.adapters.vcr_patching")
    monkeypatch.delattr("agentci.adapters.vcr_patching")
    monkeypatch.setitem(sys.modules, "vcr", None)
    with pytest.raises(EnvironmentProblem) as caught:
        wiring.interception()
    assert caught.value.code in {"ACI-E170", "ACI-E171"}
    assert "agentci-pipelines[vcr]" in str(caught.value.hint)


def test_a_cassette_that_is_opened_first_may_be_closed_first(tmp_path: Path) -> None:
    def start(name: str) -> TapeInUse:
        return TapeInUse(UseRequest(folder=tmp_path / name, lane=Lane("main"), mode=Mode.AUTO))

    first, second = start("a"), start("b")
    first.stop(failed=False)
    second.stop(failed=False)
