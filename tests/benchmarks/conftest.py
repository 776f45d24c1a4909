"""Benchmarks are scripts: their tests import them, without leaving their folder on the path."""

import importlib
import sys
from pathlib import Path

FOLDER = str(Path(__file__).parents[2] / "benchmarks")

sys.path.append(FOLDER)
try:
    for name in ("after_school", "hotspot_peers"):  # with all that these import
        importlib.import_module(name)
finally:
    sys.path.remove(FOLDER)
