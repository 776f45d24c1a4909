"""Benchmarks are run by hand: what they take from the program is there all the same."""

import ast
import importlib
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[2] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_what_a_benchmark_imports_of_the_program_exists(path):
    """Each name that it takes from a module is in that module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for node in (node for node in imports if (node.module or "").startswith("patrolplan")):
        module = importlib.import_module(node.module)
        assert not [own.name for own in node.names if not hasattr(module, own.name)]
