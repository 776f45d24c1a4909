"""Rolls and mode shares come from the table, and what is not in it is assumed and announced."""

import json

import numpy as np
import pandas as pd
import pytest

from patrolplan.pupils.rolls import MODES, PRESETS, count_pupils, find_mode_shares
from patrolplan.settings.pupils import WayHomeSettings

NONE = np.nan


def _schools(*rows):
    columns = ["phase", "roll", "capacity", "low_age", "high_age"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(urn=[f"{number}" for number in range(len(rows))])


@pytest.mark.parametrize(
    ("row", "expected", "kinds"),
    [
        (("Primary", 200, 250, 4, 11), (200, 0), []),
        (("Secondary", 900, NONE, 11, 18), (0, 900), []),
        (("Secondary", NONE, 1000, 11, 16), (0, 900), ["rolls_by_capacity"]),
        (("Secondary", 0, NONE, 11, 16), (0, 1000), ["rolls_assumed"]),
        (("All-through", 1400, NONE, 4, 18), (700, 700), []),
        (("Not applicable", 160, NONE, 3, 19), (80, 80), []),
        (("Not applicable", 100, NONE, NONE, NONE), (50, 50), ["stages_assumed"]),
        (("", NONE, NONE, NONE, NONE), (150, 150), ["rolls_assumed", "stages_assumed"]),
    ],
)
def test_pupils_by_stage(row, expected, kinds):
    """The roll is divided by years of age, else by phase; each assumption has a note."""
    rolls = count_pupils(_schools(row))
    np.testing.assert_allclose(rolls.by_stage, [expected])
    assert [note.kind for note in rolls.notes] == kinds


@pytest.mark.parametrize("preset", ["london", "england"])
def test_presets_are_shares(preset):
    """Shares of both stages leave some for those who are driven."""
    shares = find_mode_shares(WayHomeSettings(modes=preset))
    assert shares.shape == (2, len(MODES))
    assert np.all((shares.sum(axis=1) > 0.4) & (shares.sum(axis=1) < 1))
    assert shares[0, 0] == PRESETS[preset]["primary"]["walk"]


def test_check_announces_rolls_that_are_missing(run, copy_demo, tmp_path):
    """Without numbers of pupils the command says which figure is used instead, and for whom."""
    config = copy_demo(tmp_path, "2025-09")
    assert "no number of pupils" not in run("check", "--config", config)[1]
    path = tmp_path / "schools.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="cp1252")
    table.assign(NumberOfPupils="").to_csv(path, index=False, encoding="utf-8")
    code, out, _ = run("check", "--config", config, "--json")
    assert code == 0
    (line,) = [note for note in json.loads(out)["notes"] if "no number of pupils" in note]
    assert "90 % of the capacity" in line
