"""What a result's key holds of a scorer."""

from __future__ import annotations

import sched  # noqa: F401 - one module that is no package
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from agentci.core.digest import Digest
from agentci.core.errors import AgentciError, UsageError
from agentci.evals.scorers import registry
from agentci.evals.scorers.identity import file_digests, identity
from agentci.evals.scorers.sources import source_digests
from agentci.spec.suite import ScorerSpec
from tests.support.scorer_services import services_for

SUITE = {
    "checks/scorers.py": "import helper\n",
    "checks/helper.py": "x = 1\n",
    "checks/deep/more.py": "y = 1\n",
    "checks/notes.txt": "n\n",
    "other.py": "z = 1\n",
    "hidden/tests/test_a.py": "t\n",
    "hidden/tests/data.json": "{}\n",
    "rubric.md": "r\n",
}


def _digests(tmp_path: Path, kind: str, options: Mapping[str, object]) -> Mapping[str, Digest]:
    services = services_for(tmp_path, suite=SUITE)
    return file_digests(kind, options, read=services.read, list_files=services.list_files)


def test_python_code_comes_with_what_it_may_import(tmp_path: Path) -> None:
    found = _digests(tmp_path, "python", {"function": "checks/scorers.py:check"})
    assert list(found) == ["checks/deep/more.py", "checks/helper.py", "checks/scorers.py"]


def test_a_folder_stands_for_all_its_files(tmp_path: Path) -> None:
    for options in ({"overlay": "hidden"}, {"overlay": "./hidden/"}):
        found = _digests(tmp_path, "pytest", options)
        assert list(found) == ["hidden/tests/data.json", "hidden/tests/test_a.py"]


def test_files_of_a_case_are_left_to_the_case(tmp_path: Path) -> None:
    assert _digests(tmp_path, "judge", {"rubric_file": "${{ case.rubric }}"}) == {}
    assert list(_digests(tmp_path, "judge", {"rubric_file": "rubric.md"})) == ["rubric.md"]
    assert _digests(tmp_path, "json_schema", {"schema": {}}) == {}


def test_a_missing_file_is_another_digest_than_any_content(tmp_path: Path) -> None:
    first = _digests(tmp_path, "judge", {"rubric_file": "later.md"})
    (tmp_path / "suite/later.md").write_text("now")
    second = _digests(tmp_path, "judge", {"rubric_file": "later.md"})
    assert list(first) == list(second) == ["later.md"]
    assert first != second


def test_an_identity_changes_with_everything_that_it_is_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = services_for(tmp_path, suite=SUITE)
    options = {"function": "checks/scorers.py:check"}

    def one(**more: object) -> object:
        spec = ScorerSpec.model_validate({"kind": "python", "with": options, **more})
        return identity(spec, services.read, services.list_files)

    first = one()
    assert one() == first
    changes = [
        one(name="x"),
        one(threshold=0.5),
        one(gates=False),
        one(**{"with": {**options, "a": 1}}),
    ]
    (tmp_path / "suite/checks/helper.py").write_text("x = 2\n")
    changes.append(one())
    monkeypatch.setattr("agentci.evals.scorers.kinds.python.Python.version", 2)
    registry.scorer_digest.cache_clear()
    changes.append(one())
    registry.scorer_digest.cache_clear()
    assert all(change != first for change in changes)
    assert len({repr(change) for change in changes}) == len(changes)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "their_scorers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "helper.py").write_text("LIMIT = 1\n")
    (package / "mine.py").write_text(
        "from their_scorers.helper import LIMIT\nclass Mine:\n    kind = 'mine'\n    version = 1\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("mine", "their_scorers.mine:Mine", registry.ENTRY_POINTS)
    gone = EntryPoint("gone", "their_scorers.gone:Gone", registry.ENTRY_POINTS)

    def points(*, group: str, name: str | None = None) -> list[EntryPoint]:
        assert group == "agentci.scorers"
        return [each for each in (point, gone) if name in {None, each.name}]

    monkeypatch.setattr("importlib.metadata.entry_points", points)
    registry.scorer.cache_clear()
    registry.scorer_digest.cache_clear()
    return package


def test_an_installed_scorer_is_found_and_its_package_is_in_the_digest(installed: Path) -> None:
    try:
        assert registry.scorer("mine").kind == "mine"
        assert "mine" in registry.scorer_names()
        first = registry.scorer_digest("mine")
        registry.scorer_digest.cache_clear()
        assert registry.scorer_digest("mine") == first
        (installed / "helper.py").write_text("LIMIT = 2\n")
        registry.scorer_digest.cache_clear()
        assert registry.scorer_digest("mine") != first
        with pytest.raises(AgentciError, match="cannot be imported") as caught:
            registry.scorer("gone")
        assert caught.value.code == "ACI-S500"
        with pytest.raises(UsageError, match="there is no scorer `min`"):
            registry.scorer("min")
    finally:
        registry.scorer.cache_clear()
        registry.scorer_digest.cache_clear()
        for name in [name for name in sys.modules if name.startswith("their_scorers")]:
            del sys.modules[name]


def test_a_module_without_a_package_is_its_own_source() -> None:
    assert list(source_digests("sched")) == ["sched.py"]
    assert list(source_digests("sys")) == []
