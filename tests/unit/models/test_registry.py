"""Provider rows and the dialects that they name."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from agentci.core.errors import UsageError
from agentci.models import registry
from agentci.models.registry import Provider, find_provider, load_dialect, provider_names

BUILT_IN = provider_names()


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_row_names_a_dialect_that_can_be_imported(name: str) -> None:
    dialect = load_dialect(find_provider(name).dialect)
    assert dialect.name
    assert dialect.version >= 1
    assert isinstance(dialect.seed_support, bool)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_row_is_complete(name: str) -> None:
    row = find_provider(name)
    assert row.name == name
    assert row.local or row.base_url or row.base_url_env
    assert row.local or row.key_env
    assert row.base_url is None or not row.base_url.endswith("/")
    assert not row.key_required or (row.base_url or "").startswith("https://")


def test_an_unknown_provider_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="there is no provider `opneai`") as caught:
        find_provider("opneai")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("did you mean `openai`?")
    assert "`ollama`" in caught.value.hint


def test_a_dialect_that_cannot_be_imported_is_a_clear_error() -> None:
    for reference in ("agentci.no_such:X", "agentci.models.registry:NOTHING", "", "no_colon"):
        with pytest.raises(UsageError) as caught:
            load_dialect(reference)
        assert caught.value.code == "ACI-U131"


OTHER = Provider("other", "agentci.models.providers.gemini:DIALECT", "https://other.example/api")
NOT_A_ROW = "text"


def install(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    entry = EntryPoint("other", value, registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: EntryPoints([entry]))
    registry._installed.cache_clear()


@pytest.fixture(autouse=True)
def _forget_installed_rows() -> None:
    registry._installed.cache_clear()


def test_other_packages_add_rows_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "test_rows", sys.modules[__name__])
    install(monkeypatch, "test_rows:OTHER")
    assert find_provider("other") is OTHER
    assert provider_names()[-1] == "other"


def test_an_entry_point_that_is_no_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "test_rows", sys.modules[__name__])
    install(monkeypatch, "test_rows:NOT_A_ROW")
    with pytest.raises(UsageError, match="is not a `Provider`"):
        find_provider("other")


def test_rows_cost_no_import_of_dialects_or_metadata() -> None:
    code = (
        "import sys; from agentci.models.registry import find_provider; find_provider('openai'); "
        "print([n for n in sys.modules if n.startswith('agentci.models.providers.') "
        "or n == 'importlib.metadata'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
