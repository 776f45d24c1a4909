"""Counts at corners: what is wrong with one is named with its row, its value and what to do."""

import pandas as pd
import pytest

import patrolplan as pp
from patrolplan.errors import InputError
from patrolplan.settings import load_settings

NAMES = ("urn", "longitude", "latitude", "date", "from", "to", "pupils")
CELLS = ("900003", "0.875485", "51.526806", "2026-12-03", "15:20", "15:25", "7")
ROW = dict(zip(NAMES, CELLS, strict=True))


@pytest.fixture(scope="module")
def load(copy_demo, tmp_path_factory):
    """Load the demo borough with counts of these rows."""
    folder = tmp_path_factory.mktemp("counts")
    settings = load_settings(copy_demo(folder, "2026-09"))
    sources = settings.sources.model_copy(update={"counts": ("own.csv",)})
    settings = settings.model_copy(update={"sources": sources})

    def load(*rows):
        pd.DataFrame([ROW | row for row in rows]).to_csv(folder / "own.csv", index=False)
        return pp.load_area(settings)

    return load


NEXT = {"from": "15:25", "to": "15:30"}


def test_counts_come_in(load):
    """Rows that follow each other, other corners and days; none of an unknown school."""
    area = load({}, NEXT, {"latitude": "51.52596"}, {"date": "2026-12-04"}, {"urn": "900099"})
    counts = area.way_home.counts
    assert counts["pupils"].tolist() == [7] * 4
    assert counts["from_minutes"].tolist() == [920, 925, 920, 920]
    [table] = [one for one in area.tables if one.source == "counts"]
    assert (table.rows, table.used, table.left_out) == (5, 4, 1)
    assert "900099" in next(note.text for note in area.notes if "counts" in note.text)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({}, "row 3, column 'from': '15:20': the corner is counted twice at this time"),
        (NEXT | {"from": "15:22"}, "'15:22': the corner is counted twice"),
        (NEXT | {"pupils": "900"}, "900 makes 907 at this corner on the day: more than the roll"),
        (NEXT | {"pupils": "3.5"}, "'3.5' is not a number of pupils"),
        (NEXT | {"pupils": ""}, "'' is not a number of pupils"),
        (NEXT | {"to": "15:20"}, "'15:20' is not after the start"),
        (NEXT | {"date": "2026-12-05"}, "2026-12-05 is a day without school (Saturday)"),
        (NEXT | {"date": "2026-12-25"}, "2026-12-25 is a day without school (Friday)"),
        (NEXT | {"longitude": "0.95"}, "m from any street; correct its coordinates"),
        (NEXT | {"longitude": "51.5", "latitude": "0.87"}, "m from any street"),
    ],
)
def test_what_is_wrong_is_named(load, row, said):
    """With the file, and as the only problem."""
    with pytest.raises(InputError) as error:
        load({}, row)
    [message] = str(error.value).splitlines()
    assert "own.csv" in message
    assert "row 3, column" in message
    assert said in message
