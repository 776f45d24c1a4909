"""Benchmarks are scripts: their tests import them, without leaving their folder on the path."""

import importlib
import sys
from pathlib import Path

FOLDER = str(Path(__file__).parents[2] / "benchmarks")
SCRIPTS = (
    *("after_school", "gate_patrols", "how_sure", "how_sure_page", "hotspot_peers"),
    *("null_worlds", "timed_crimes"),
)

sys.path.append(FOLDER)
try:
    for name in SCRIPTS:
        importlib.import_module(name)
finally:
    sys.path.remove(FOLDER)
