from __future__ import annotations

from typing import Any

import pytest

from agentci.core.errors import SafetyRefusal
from agentci.deploy.literal_secrets import refuse_literal_secrets
from agentci.spec.yaml_document import parse_document
from tests.support.deploy_specs import GOOD, Path, changed, spec_text

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
API = ("services", "api")


def _refused(spec: dict[str, Any]) -> SafetyRefusal:
    with pytest.raises(SafetyRefusal) as caught:
        refuse_literal_secrets(parse_document(spec_text(spec).encode(), "deploy/shop.yaml"))
    return caught.value


def test_a_good_spec_holds_none() -> None:
    refuse_literal_secrets(parse_document(spec_text(GOOD).encode(), "deploy/shop.yaml"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*API, "env", "GITHUB"), TOKEN),
        ((*API, "env", "DB_PASSWORD"), "hunter2-and-more!"),
        ((*API, "env", "URL"), "postgres://app:Sup3rS3cret@db/app"),
        ((*API, "command"), ["serve", "--token", TOKEN]),
        ((*API, "health", "cmd"), ["curl", "-H", f"Authorization: Bearer {TOKEN}"]),
        (
            ("services", "tools", "build", "run", 0),
            ["git", "clone", f"https://x:{TOKEN}@h.example"],
        ),
        (("description",), f"the key is {TOKEN}"),
    ],
)
def test_a_secret_is_refused_wherever_it_stands(path: Path, value: Any) -> None:
    error = _refused(changed(path, value))
    assert (error.code, error.exit_code) == ("ACI-P601", 8)
    assert error.location is not None
    assert error.location.line is not None


def test_the_refusal_does_not_repeat_the_secret() -> None:
    error = _refused(changed((*API, "env", "GITHUB"), TOKEN))
    assert "services.api.env.GITHUB" in error.message
    assert TOKEN[:12] not in f"{error.message}{error.hint}{error.location}"
