"""The notebooks hold no outputs, and those of a borough name their settings in one line."""

from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def _code(path):
    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_user_changes_one_line(path):
    """The settings file is named once, next to the line to change."""
    lines = [line for cell in _code(path) for line in cell.source.splitlines()]
    named = [line for line in lines if "SETTINGS =" in line]
    change = ['SETTINGS = pp.demo_settings()  # your own: SETTINGS = "patrolplan.toml"']
    assert named == change
    assert not any("patrolplan." in line and "import" in line for line in lines)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_is_kept(path):
    """What ran somewhere else is not shown as if it had run here; cells are short."""
    for cell in _code(path):
        assert cell.outputs == []
        assert cell.execution_count is None
        assert len(cell.source.splitlines()) <= 15
