"""Output of HiGHS stays off standard output."""

import subprocess
import sys

SHARPENED = """
import numpy as np
from scipy import sparse
from patrolplan.team.mip import MixedIntegerProgramme

rng = np.random.default_rng(0)
programme = MixedIntegerProgramme(
    objective=rng.uniform(1, 9, 60),
    lower=np.zeros(60),
    upper=np.ones(60),
    is_integer=np.ones(60, dtype=bool),
    matrix=sparse.csr_array(rng.integers(0, 9, (20, 60)).astype(np.float64)),
    row_lower=np.full(20, -np.inf),
    row_upper=np.full(20, 40.0),
)

for answer in (
    programme.solve(gap=1e-6, nodes=1, start=np.zeros(60)),
    programme.solve(gap=1e-6, nodes=100, seconds=20.0),
    programme.solve_relaxation(seconds=20.0),
):
    assert answer.bound > 0
print('{"ok": true}')
"""


def test_solving_prints_nothing_to_standard_output():
    """Any call of HiGHS is silent."""
    run = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", SHARPENED], capture_output=True, text=True, check=True
    )
    assert run.stdout == '{"ok": true}\n'
