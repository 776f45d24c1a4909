"""Benchmarks import each other by name, so their folder is on the path, after everything else."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
