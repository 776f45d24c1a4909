"""Schools from GIAS, or from any table whose columns are mapped."""

import numpy as np
import pandas as pd
import pytest

from patrolplan.crs import Projection
from patrolplan.inputs.schools import read_schools
from patrolplan.plausibility import Alarms
from patrolplan.settings import SchoolSettings
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")
HEADER = "URN,EstablishmentName,EstablishmentStatus (name),PhaseOfEducation (name),Easting,Northing"


def _file(folder, *rows, name="schools.csv", header=HEADER):
    path = folder / name
    path.write_bytes("\n".join([header, *rows]).encode())
    return path


def _read(*paths, columns=None, **wanted):
    left_out = LeftOut()
    schools = read_schools(
        paths, BNG, left_out, selection=SchoolSettings(**wanted), columns=columns or {}
    )
    return schools, {row.reason: row.count for row in left_out.rows}


@pytest.mark.parametrize(
    ("phase", "kind", "expected"),
    [
        ("Not applicable", "Community special school", True),
        ("Not applicable", "Free schools special", True),
        ("Nursery", "Local authority nursery school", True),
        ("Special", "", True),
        ("Primary", "Community school", False),
        ("Not applicable", "Pupil referral unit", False),
        ("", "", False),
    ],
)
def test_special_schools_and_nurseries_are_known_by_type_or_phase(tmp_path, phase, kind, expected):
    """Their pupils are driven, whatever the school is called; without a type the phase tells."""
    row = f"100008,Nursery Lane Special School,Open,{phase},529509,181782,{kind}"
    path = _file(tmp_path, row, header=f"{HEADER},TypeOfEstablishment (name)")
    assert _read(path)[0]["is_driven"].tolist() == [expected]


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
    path = _file(
        tmp_path,
        "1,Good,Open,Secondary,529509,181782",
        "1,Good again,Open,Secondary,529509,181782",
        "2,Shut,Closed,Secondary,529509,181782",
        '3,Soon,"Open, but proposed to close",Secondary,529509,181782',
        "4,Small,Open,Primary,529509,181782",
        "5,Nowhere,Open,Secondary,,",
        ",,Open,Secondary,529509,181782",
        "6,Proposed,Proposed to open,Secondary,529509,181782",
    )
    schools, left_out = _read(path, phases=["Secondary"])
    assert list(schools["urn"]) == ["1", "3"]
    assert left_out == {
        "without a URN of letters and digits": 1,
        "not open": 2,
        "duplicate URN": 1,
        "not selected in [schools]": 1,
        "without coordinates": 1,
    }


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


@pytest.mark.parametrize(
    "urn", ["../../etc/passwd", "..", "a/b", "a\\b", ".hidden", "C:x", "100 008", "-1", "x" * 33]
)
def test_urns_that_are_not_plain_names_are_left_out(tmp_path, urn):
    """A URN names files, so one with tricks in it is left out and counted."""
    rows = ("1,Good,Open,S,529509,181782", f"{urn},Trick,Open,S,529509,181782")
    schools, left_out = _read(_file(tmp_path, *rows))
    assert list(schools["urn"]) == ["1"]
    assert left_out == {"without a URN of letters and digits": 1}


FIGURES = "NumberOfPupils,SchoolCapacity,StatutoryLowAge,StatutoryHighAge"


def test_figures_of_the_register(shared):
    """Rolls, places and ages of the real register come in; an empty cell is not known, not 0."""
    path = shared / "data/schools/edubasealldata_london_2020-03_subset.csv.gz"
    raw = pd.read_csv(path, dtype=str).set_index("URN")
    schools, _ = _read(path)
    raw = raw.loc[schools["urn"]]
    for ours, theirs in zip(
        ("roll", "capacity", "low_age", "high_age"), FIGURES.split(","), strict=True
    ):
        held = pd.to_numeric(raw[theirs]).to_numpy()
        assert np.isnan(held).any() or theirs.startswith("Statutory")
        np.testing.assert_array_equal(schools[ours], held)
    assert (schools["refused_figures"] == "").all()


def _read_figures(folder, *figures, columns=None, names=FIGURES):
    """Schools with these figures after twelve with good ones, and the alarms."""
    good = [
        f"{urn},School {urn},Open,Primary,529509,{181782 + urn},410,420,3,11" for urn in range(12)
    ]
    rows = [f"{100 + n},Mill,Open,Primary,529509,18178{n},{one}" for n, one in enumerate(figures)]
    path = _file(folder, *good, *rows, header=f"{HEADER},{names}")
    alarms = Alarms()
    schools = read_schools([path], BNG, LeftOut(), columns=columns, alarms=alarms)
    return schools.set_index("urn").loc["100":], [str(one) for one in alarms.take_problems()]


@pytest.mark.parametrize(
    ("figures", "column", "value"),
    [
        ("-5,420,3,11", "roll", "-5"),
        ("10001,420,3,11", "roll", "10001"),
        ('"1,164",420,3,11', "roll", "1,164"),
        ("inf,420,3,11", "roll", "inf"),
        ("410,many,3,11", "capacity", "many"),
        ("410,420,-1,11", "low_age", "-1"),
        ("410,420,3,99", "high_age", "99"),
    ],
)
def test_a_figure_that_cannot_be_is_not_known(tmp_path, figures, column, value):
    """One wrong figure is not known, the others count; it is named with file, row and value."""
    schools, alarms = _read_figures(tmp_path, figures)
    assert schools[["roll", "capacity", "low_age", "high_age"]].isna().sum(axis=1).tolist() == [1]
    assert np.isnan(schools[column].iloc[0])
    assert schools["refused_figures"].tolist() == [f"{column} '{value}' (schools.csv, row 14)"]
    assert alarms == []
