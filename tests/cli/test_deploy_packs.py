"""`agentci deploy packs`: what is printed, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.command_line import agentci


def environment(tmp_path: Path) -> dict[str, str]:
    """Return variables with an empty folder for packs, and no npm."""
    return {"AGENTCI_PACKS": str(tmp_path / "packs"), "PATH": "/nonexistent"}


def schema(tmp_path: Path) -> str:
    """Return the path of a provider's own schema."""
    block = {"block": {"attributes": {"name": {"type": "string", "required": True}}}}
    provider = {"provider": {"block": {}}, "resource_schemas": {"toy_box": block}}
    document = {"provider_schemas": {"registry.terraform.io/maker/toy": provider}}
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(document))
    return str(path)


def test_a_pack_of_a_providers_schema_is_built_and_listed(tmp_path: Path) -> None:
    env = environment(tmp_path)
    command = ("build", "maker/toy", "--schema", schema(tmp_path), "--provider-version", "1.2.3")
    built = agentci("deploy", "packs", *command, folder=tmp_path, env=env)
    assert (built.code, built.err) == (0, "")
    assert [line.split()[:3] for line in built.out.splitlines()] == [
        ["provider", "version", "types"],
        ["maker/toy", "1.2.3", "1"],
    ]
    listed = agentci("deploy", "packs", "list", "--json", folder=tmp_path, env=env)
    (pack,) = json.loads(listed.out)["packs"]
    assert (pack["source"], pack["status"], pack["types"]) == ("maker/toy", "present", 1)
    path = Path(pack["path"])
    assert path.name == f"{pack['digest'].removeprefix('sha256:')}.json"
    path.write_bytes(path.read_bytes() + b" ")
    damaged = agentci("deploy", "packs", "list", folder=tmp_path, env=env)
    assert damaged.code == 2
    assert "error[ACI-F651]" in damaged.err


def test_no_packs_are_no_error(tmp_path: Path) -> None:
    listed = agentci("deploy", "packs", "list", folder=tmp_path, env=environment(tmp_path))
    assert listed.code == 0
    assert len(listed.out.splitlines()) == 1


def test_without_npm_nothing_is_fetched(tmp_path: Path) -> None:
    built = agentci("deploy", "packs", "build", folder=tmp_path, env=environment(tmp_path))
    assert (built.code, built.out) == (6, "")
    assert "error[ACI-E662]" in built.err
    assert "--archive FILE" in built.err


def test_mistakes_of_the_call_are_told(tmp_path: Path) -> None:
    env = environment(tmp_path)
    for arguments, code in (
        (("nope",), "ACI-U652"),
        (("aws", "--type", "google_x"), "ACI-U653"),
        (("--type", "aws_x"), "ACI-U660"),
        (("aws", "--schema", schema(tmp_path)), "ACI-U661"),
    ):
        built = agentci("deploy", "packs", "build", *arguments, folder=tmp_path, env=env)
        assert built.code == 2
        assert f"error[{code}]" in built.err


def test_an_archive_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.tgz").write_bytes(b"x")
    command = ("deploy", "packs", "build", "docker", "--archive", "x.tgz")
    built = agentci(*command, folder=tmp_path, env=environment(tmp_path))
    assert built.code == 8
    assert "error[ACI-P650]" in built.err
