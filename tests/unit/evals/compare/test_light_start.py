"""A gate over recorded answers starts within a second, so what it judges with loads no library."""

from __future__ import annotations

import subprocess
import sys

from tests.support.command_line import ROOT

JUDGED = """
import sys
from agentci.evals.compare import multiplicity, paired_binary, power, sign_flip, superiority, trials
p = multiplicity.holm([paired_binary.mcnemar(broken=12, fixed=2), 0.5])[0]
interval = paired_binary.newcombe(both=20, base_only=12, head_only=2, neither=16)
print(superiority.judge(interval=interval, p_worse=p, margin=0.05))
power.detectable_drop(200, churn=0.02)
sign_flip.sign_flip([-0.2, 0.4] * 20)
trials.spread([[1, 0], [1, 1]], [[0, 0], [1, 1]])
print(sorted({"scipy", "numpy", "agentci.evals.compare.student"} & set(sys.modules)))
"""


def test_pass_and_fail_are_judged_without_scipy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", JUDGED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "regression\n[]\n"
