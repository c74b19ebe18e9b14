"""An error code means one thing: it stands in one package, or is shared there on purpose."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).parent.parent.parent / "agentci"
CODE = re.compile(r"ACI-[A-Z][0-9]{3}")

SHARED = {
    "ACI-E130": "adapters raise it, models decide on another try by it",
    "ACI-E131": "adapters raise it, models decide on another try by it",
    "ACI-E132": "adapters raise it, models decide on another try by it",
    "ACI-E133": "adapters raise it, models decide on another try by it",
    "ACI-F160": "the importer raises it, its command skips such files",
    "ACI-P121": "record refuses the object, the verify command lists it",
    "ACI-P120": "record raises it, the import command adds its own hint",
}


def test_a_code_belongs_to_one_package() -> None:
    packages: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        package = path.relative_to(PACKAGE).parts[0]
        for code in CODE.findall(path.read_text(encoding="utf-8")):
            packages.setdefault(code, set()).add(package)
    clashes = {code: sorted(found) for code, found in packages.items() if len(found) > 1}
    assert {code: found for code, found in clashes.items() if code not in SHARED} == {}
    assert sorted(SHARED) == sorted(code for code in clashes if code in SHARED)
