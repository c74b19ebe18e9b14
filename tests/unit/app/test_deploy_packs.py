"""Packs are made once, kept by their digest, and looked at whenever they are read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agentci.app import deploy_packs, wiring
from agentci.app.deploy_pack_store import PackStore, open_store
from agentci.app.deploy_packs import PackRequest, build, stored
from agentci.core.digest import Digest, digest_bytes
from agentci.core.errors import EnvironmentProblem, FormatError, SafetyRefusal, UsageError
from agentci.deploy.packs.archive import pack_from_archive
from agentci.deploy.packs.format import pack_bytes
from agentci.deploy.packs.sources import PackSource
from tests.support.binding_text import archive, row
from tests.support.terraform_modules import FixedEnv


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackSource:
    """Return the one row of the table, whose archive is `toy.tgz`; packs go below `tmp_path`."""
    packed = archive()
    (tmp_path / "toy.tgz").write_bytes(packed)
    plain = row(packed)
    digest = digest_bytes(pack_bytes(pack_from_archive(packed, plain, "x")))
    pinned = replace(plain, digest=digest)
    monkeypatch.setenv("AGENTCI_PACKS", str(tmp_path / "packs"))
    monkeypatch.setattr(deploy_packs, "SOURCES", (pinned,))
    monkeypatch.setattr(deploy_packs, "find_source", lambda name: pinned)
    return pinned


def store(tmp_path: Path) -> PackStore:
    """Return the folder of packs."""
    return PackStore(tmp_path / "packs", wiring.files())


def test_a_pack_is_made_once(tmp_path: Path, toy: PackSource) -> None:
    request = PackRequest(archive=tmp_path / "toy.tgz")
    (built,) = build(request)
    assert (built.status, built.digest, built.types) == ("built", toy.digest, 1)
    (again,) = build(replace(request, archive=tmp_path / "nothing"))
    assert (again.status, again.path) == ("present", built.path)
    assert [each.digest for each in stored()] == [toy.digest]


def test_a_damaged_pack_is_made_anew(tmp_path: Path, toy: PackSource) -> None:
    (built,) = build(PackRequest(archive=tmp_path / "toy.tgz"))
    built.path.write_bytes(built.path.read_bytes().replace(b"toy_box", b"toy_bix"))
    with pytest.raises(FormatError) as error:
        stored()
    assert error.value.code == "ACI-F651"
    (again,) = build(PackRequest(archive=tmp_path / "toy.tgz"))
    assert again.status == "built"
    assert store(tmp_path).find(toy.source, toy.version, digest=toy.digest).size == built.size


def test_more_types_make_another_pack_which_is_found_first(tmp_path: Path, toy: PackSource) -> None:
    request = PackRequest(archive=tmp_path / "toy.tgz")
    build(request)
    (wide,) = build(replace(request, types=("toy_chest",)))
    assert wide.digest != toy.digest
    packs = store(tmp_path)
    assert packs.find(toy.source, toy.version).pack.digest == wide.digest
    assert packs.find(toy.source, toy.version, digest=toy.digest).pack.digest == toy.digest


def test_a_type_that_is_there_anyway_makes_no_other_pack(tmp_path: Path, toy: PackSource) -> None:
    (built,) = build(PackRequest(archive=tmp_path / "toy.tgz", types=("toy_box",)))
    assert built.digest == toy.digest


def test_another_archive_is_refused_and_nothing_is_kept(tmp_path: Path, toy: PackSource) -> None:
    (tmp_path / "toy.tgz").write_bytes(archive({}))
    with pytest.raises(SafetyRefusal):
        build(PackRequest(archive=tmp_path / "toy.tgz"))
    assert stored() == ()


def test_a_pack_that_comes_out_otherwise_is_refused(
    tmp_path: Path, toy: PackSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(toy, digest=Digest("sha256:" + "1" * 64))
    monkeypatch.setattr(deploy_packs, "SOURCES", (other,))
    with pytest.raises(FormatError) as error:
        build(PackRequest(archive=tmp_path / "toy.tgz"))
    assert error.value.code == "ACI-F671"


def test_without_npm_the_way_around_is_told(
    toy: PackSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(EnvironmentProblem, match="`npm` is not installed") as error:
        build(PackRequest())
    assert error.value.code == "ACI-E662"
    assert "--archive" in (error.value.hint or "")


def test_an_npm_that_fails_is_quoted(
    tmp_path: Path, toy: PackSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "bin/npm"
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\necho no such registry >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    with pytest.raises(EnvironmentProblem, match="no such registry") as error:
        build(PackRequest())
    assert error.value.code == "ACI-E663"


def test_npm_fetches_the_pinned_package(
    tmp_path: Path, toy: PackSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "bin/npm"
    npm.parent.mkdir()
    npm.write_text(
        '#!/bin/sh\n[ "$1 $2" = "pack @maker/provider-toy@9.0.0" ] || exit 1\n'
        f"cp {tmp_path}/toy.tgz maker-provider-toy-9.0.0.tgz\n"
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    (built,) = build(PackRequest())
    assert built.digest == toy.digest


def test_a_providers_own_schema_makes_an_exact_pack(tmp_path: Path, toy: PackSource) -> None:
    block = {"block": {"attributes": {"x": {"type": "string", "optional": True}}}}
    document = {
        "provider_schemas": {
            "registry.terraform.io/maker/toy": {
                "provider": {"block": {}},
                "resource_schemas": {"toy_box": block, "toy_car": block},
            }
        }
    }
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(document))
    request = PackRequest(("maker/toy",), schema=path, version="2.0.0", types=("toy_car",))
    (built,) = build(request)
    pack = store(tmp_path).find("maker/toy", "2.0.0").pack
    assert (pack.types, pack.content.exact) == (("toy_car",), True)
    assert built.path.parent == tmp_path / "packs/maker/toy/2.0.0"
    path.write_text("{")
    with pytest.raises(FormatError) as error:
        build(request)
    assert error.value.code == "ACI-F672"


@pytest.mark.parametrize(
    "request_",
    [
        PackRequest(schema=Path("x")),
        PackRequest(("maker/toy",), schema=Path("x")),
        PackRequest(("toy",), schema=Path("x"), version="1.0.0"),
        PackRequest(("a/b", "c/d"), schema=Path("x"), version="1.0.0"),
    ],
)
def test_a_schema_needs_one_provider_and_its_version(
    toy: PackSource, request_: PackRequest
) -> None:
    with pytest.raises(UsageError) as error:
        build(request_)
    assert error.value.code == "ACI-U661"


@pytest.mark.usefixtures("toy")
def test_types_belong_to_one_provider() -> None:
    with pytest.raises(UsageError) as error:
        build(PackRequest(("toy", "toys"), types=("toy_box",)))
    assert error.value.code == "ACI-U660"


def test_a_pack_in_the_wrong_folder_is_not_taken_for_another(
    tmp_path: Path, toy: PackSource
) -> None:
    (built,) = build(PackRequest(archive=tmp_path / "toy.tgz"))
    moved = tmp_path / "packs/other/toy/1.2.3" / built.path.name
    moved.parent.mkdir(parents=True)
    built.path.rename(moved)
    with pytest.raises(FormatError) as error:
        store(tmp_path).find("other/toy", "1.2.3")
    assert error.value.code == "ACI-F670"


def test_a_pack_that_is_not_there_comes_with_the_command_for_it(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="hashicorp/aws") as error:
        store(tmp_path).find("hashicorp/aws", "6.45.0")
    assert error.value.code == "ACI-E660"
    assert error.value.hint == "`agentci deploy packs build hashicorp/aws` makes it, once"


@pytest.mark.parametrize(
    ("values", "folder"),
    [
        ({"AGENTCI_PACKS": "/a", "HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/a"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/x/agentci/packs"),
        ({"HOME": "/h"}, "/h/.cache/agentci/packs"),
    ],
)
def test_packs_are_in_the_users_cache(values: dict[str, str], folder: str) -> None:
    assert open_store(wiring.files(), FixedEnv(values)).folder == Path(folder)


def test_without_a_home_the_variable_is_asked_for() -> None:
    with pytest.raises(EnvironmentProblem) as error:
        open_store(wiring.files(), FixedEnv({}))
    assert error.value.code == "ACI-E661"
