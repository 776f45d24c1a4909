"""Schools from GIAS, or from any table whose columns are mapped."""

import numpy as np
import pandas as pd
import pytest
from table_files import write_lines

from patrolplan.crs import Projection
from patrolplan.inputs.schools import read_schools
from patrolplan.plausibility import Alarms
from patrolplan.settings import SchoolSettings
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")
HEADER = "URN,EstablishmentName,EstablishmentStatus (name),PhaseOfEducation (name),Easting,Northing"


def _file(folder, *rows, header=HEADER):
    return write_lines(folder, header, *rows, name="schools.csv")


def _read(path, columns=None, **wanted):
    left_out, selection = LeftOut(), SchoolSettings(**wanted)
    schools = read_schools([path], BNG, left_out, selection=selection, columns=columns)
    return schools, {row.reason: row.count for row in left_out.rows}


DRIVEN = {
    True: [("Special", ""), ("Nursery", "Local authority nursery school"),
           ("Not applicable", "Community special school"),
           ("Not applicable", "Free schools special")],
    False: [("Primary", "Community school"), ("Not applicable", "Pupil referral unit"), ("", "")],
}  # fmt: skip


@pytest.mark.parametrize("expected", [True, False])
def test_special_schools_and_nurseries_are_known_by_type_or_phase(tmp_path, expected):
    """Their pupils are driven, whatever the school is called; without a type the phase tells."""
    rows = [f"10000{n},Nursery Lane Special School,Open,{phase},529509,181782,{kind}"
            for n, (phase, kind) in enumerate(DRIVEN[expected])]  # fmt: skip
    path = _file(tmp_path, *rows, header=f"{HEADER},TypeOfEstablishment (name)")
    assert _read(path)[0]["is_driven"].tolist() == [expected] * len(rows)


def test_atlas_by_column_mapping(shared):
    """The 2016 atlas reads by a mapping; a URN with a row for each phase is one school."""
    path = shared / "data/schools/london_schools_atlas_2016.csv"
    raw = pd.read_csv(path, dtype=str, encoding="cp1252")
    is_open = raw["STATUS"].str.startswith("Open")
    raw = raw[is_open]
    schools, left_out = _read(path, columns={"name": "SCHOOL_NAM", "phase": "PHASE"})
    assert left_out["not open"] == (~is_open).sum() > 0
    assert left_out["duplicate URN"] == raw["URN"].duplicated().sum() > 0
    assert schools["urn"].is_unique
    assert len(schools) == raw["URN"].nunique()
    grid = raw.drop_duplicates("URN").set_index("URN")[["EASTING", "NORTHING"]].astype(float)
    grid = grid.loc[schools["urn"]].to_numpy()
    apart = np.hypot(schools.geometry.x - grid[:, 0], schools.geometry.y - grid[:, 1])
    assert np.median(apart) < 5


def test_every_school_left_out_is_counted_once(tmp_path):
    """Closed, doubled, unwanted and unplaced schools are counted under one reason each."""
    rows = (
        *("1,Good,Open,Secondary", "1,Good again,Open,Secondary", "2,Shut,Closed,Secondary"),
        *('3,Soon,"Open, but proposed to close",Secondary', "4,Small,Open,Primary"),
        *(",,Open,Secondary", "6,Proposed,Proposed to open,Secondary"),
    )
    placed = (f"{row},529509,181782" for row in rows)
    path = _file(tmp_path, *placed, "5,Nowhere,Open,Secondary,,")
    schools, left_out = _read(path, phases=["Secondary"])
    assert list(schools["urn"]) == ["1", "3"]
    once = "without a URN of letters and digits", "duplicate URN", "not selected in [schools]"
    assert left_out == dict.fromkeys((*once, "without coordinates"), 1) | {"not open": 2}


def test_a_school_without_a_urn_has_a_stable_one(tmp_path):
    """Its URN comes from name and place, so it is the same in any order and beside any school."""
    row = ",Village School,Open,Primary,529509,181782"
    alone, left_out = _read(_file(tmp_path, row))
    assert left_out == {}
    assert alone["urn"].str.fullmatch(r"local-[0-9a-f]{8}").all()
    others = (",Other School,Open,Primary,529509,181782", "1,Good,Open,Primary,529509,181782")
    among, _ = _read(_file(tmp_path, *others, row))
    assert len(among) == 3
    assert set(alone["urn"]) < set(among["urn"])


def test_urns_that_are_not_plain_names_are_left_out(tmp_path):
    """A URN names files, so one with tricks in it is left out and counted."""
    urns = "../../etc/passwd", "..", "a/b", "a\\b", ".hidden", "C:x", "100 008", "-1", "x" * 33
    rows = (f"{urn},Trick,Open,S,529509,181782" for urn in urns)
    schools, left_out = _read(_file(tmp_path, "1,Good,Open,S,529509,181782", *rows))
    assert list(schools["urn"]) == ["1"]
    assert left_out == {"without a URN of letters and digits": len(urns)}


FIGURES = "NumberOfPupils,SchoolCapacity,StatutoryLowAge,StatutoryHighAge"
OURS = ["roll", "capacity", "low_age", "high_age"]


def test_figures_of_the_register(shared):
    """Rolls, places and ages of the real register come in; an empty cell is not known, not 0."""
    path = shared / "data/schools/edubasealldata_london_2020-03_subset.csv.gz"
    raw = pd.read_csv(path, dtype=str).set_index("URN")
    schools, _ = _read(path)
    raw = raw.loc[schools["urn"]]
    for ours, theirs in zip(OURS, FIGURES.split(","), strict=True):
        held = pd.to_numeric(raw[theirs]).to_numpy()
        assert np.isnan(held).any() or theirs.startswith("Statutory")
        np.testing.assert_array_equal(schools[ours], held)
    assert (schools["refused_figures"] == "").all()


@pytest.mark.parametrize(("figures", "column", "value"), [
    ("-5,420,3,11", "roll", "-5"), ("10001,420,3,11", "roll", "10001"),
    ('"1,164",420,3,11', "roll", "1,164"), ("inf,420,3,11", "roll", "inf"),
    ("410,many,3,11", "capacity", "many"), ("410,420,-1,11", "low_age", "-1"),
    ("410,420,3,99", "high_age", "99"),
])  # fmt: skip
def test_a_figure_that_cannot_be_is_not_known(tmp_path, figures, column, value):
    """One wrong figure is not known, the others count; it is named with file, row and value."""
    rows = [f"{urn},Hill,Open,Primary,529509,{181782 + urn},410,420,3,11" for urn in range(12)]
    rows.append(f"100,Mill,Open,Primary,529509,181780,{figures}")
    path, alarms = _file(tmp_path, *rows, header=f"{HEADER},{FIGURES}"), Alarms()
    schools = read_schools([path], BNG, LeftOut(), alarms=alarms).set_index("urn").loc["100":]
    assert schools[OURS].isna().sum(axis=1).tolist() == [1]
    assert np.isnan(schools[column].iloc[0])
    assert schools["refused_figures"].tolist() == [f"{column} '{value}' (schools.csv, row 14)"]
    assert alarms.take_problems() == []
