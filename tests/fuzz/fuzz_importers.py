"""Coverage-guided fuzzing of the importers with atheris, started by hand.

    pip install atheris
    python -m tests.fuzz.fuzz_importers CORPUS_FOLDER -max_total_time=600 -max_len=4096

`CORPUS_FOLDER` collects inputs; a first run starts from small documents of every format. Any
exception but the two that importers promise, and any answer that cannot be kept, is a crash.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["agentci"]):
    from agentci.core.digest import digest_bytes
    from agentci.core.errors import EnvironmentProblem, FormatError
    from agentci.core.lane import Lane
    from agentci.record.document import encode
    from agentci.record.exporters.vcr import export_vcr
    from agentci.record.http.form import load_answer
    from agentci.record.importers.registry import IMPORTERS, read_foreign
    from agentci.record.interaction import Address, Interaction
    from agentci.record.keys import interaction_key

    for name in (*IMPORTERS, "agentci.record.importers.foreign_yaml"):
        __import__(name)

import yaml

from tests.support.foreign_seeds import SEEDS


def one_input(data: bytes) -> None:
    """Read `data` as a file of recordings; keep, answer and export what is in it."""
    try:
        found = read_foreign(data, "fuzzed")
    except (FormatError, EnvironmentProblem):
        return
    kept: list[Interaction] = []
    for recording in found.recordings:
        key = interaction_key(recording.request)
        interaction = Interaction(
            Address(Lane("x"), key, 1),
            recording.kind,
            recording.request,
            recording.response,
            recording.notes,
            {"url": recording.url},
        )
        encode(interaction, digest_bytes)
        load_answer(recording.response)
        kept.append(interaction)
    if kept and read_foreign(export_vcr(kept).data, "again").format != "vcrpy v1":
        message = "an export is not read back"
        raise AssertionError(message)


def _write_seeds(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS):
        (folder / f"seed-{number}.yaml").write_bytes(yaml.safe_dump(seed).encode())
        if number:
            text = json.dumps(seed, default=lambda value: value.decode("latin-1"))
            (folder / f"seed-{number}.json").write_text(text)


if __name__ == "__main__":
    folders = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if folders:
        _write_seeds(Path(folders[0]))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
