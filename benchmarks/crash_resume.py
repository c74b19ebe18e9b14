"""Crashes a run of concurrent branches at random writes and resumes it, many times over.

    PYTHONPATH=. python benchmarks/crash_resume.py [RUNS]

Five branches run the same sub-pipeline and ask a model, which never answers twice alike, exactly
the same. Each run crashes up to three times, before, during or after a write; schedules are
shuffled by seed. Exits with 1 for a swapped answer or a step that was executed without need.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.replay.test_shuffled_crashes import MAIN, SUB, crash_and_resume
from tests.support.engine_world import World, read_world, write_files


def main() -> int:
    """Run, count and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    wrong: list[str] = []
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        files = {"pipeline.yaml": MAIN, "sub/pipeline.yaml": SUB, "sub/ask.md": "Say something."}
        bundle = read_world(write_files(Path(folder), files)).bundle
        for seed in range(runs):
            try:
                crash_and_resume(World(bundle), seed)
            except AssertionError as error:
                wrong.append(f"seed {seed}: {error}")
    print(f"runs                         {runs}")
    print(f"swapped or needlessly rerun  {len(wrong)}")
    print(f"seconds                      {time.perf_counter() - start:.1f}")
    for line in wrong[:10]:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
