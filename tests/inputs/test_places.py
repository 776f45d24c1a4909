"""The clock, and bus stops, stations, pubs and takeaways in our layout and their publishers'."""

import csv

import numpy as np
import pytest
from hypothesis import given, strategies as st
from inputs.readers import write

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.way_home import HALF_HOURS, read_clock, read_places, read_stops
from patrolplan.plausibility import Alarms
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")


def _read(read, *paths, columns=None):
    left_out, alarms = LeftOut(), Alarms()
    table = read(paths, BNG, left_out, columns=columns or {}, alarms=alarms)
    counts = {row.reason: row.count for row in left_out.rows}
    source = next(iter(left_out.rows_read))
    assert len(table) + sum(counts.values()) == left_out.rows_read[source]
    return table, counts, [problem.what for problem in alarms.take_problems()]


def test_stops_of_our_layout(tmp_path):
    """Kinds match whatever their case; boardings may be missing; a stop without a place is left."""
    path = write(
        tmp_path,
        "kind,longitude,latitude,boardings",
        "bus_stop,-0.13,51.52,1200",
        "Bus stop,-0.13,51.5201,",
        "STATION,-0.131,51.52,n/a",
        "station,,,5",
    )
    stops, left_out, _ = _read(read_stops, path)
    assert stops["kind"].tolist() == ["bus_stop", "bus_stop", "station"]
    np.testing.assert_array_equal(stops["boardings"], [1200, np.nan, np.nan])
    assert left_out == {"without coordinates": 1}
    x, y = BNG.to_metres([-0.13], [51.52])
    assert (stops.geometry.x[0], stops.geometry.y[0]) == (x[0], y[0])


def test_stops_of_transport_for_london(shared):
    """London's bus stops come in as they are published, without the virtual ones."""
    path = shared / "data/streets/tfl_bus_stops_central_london.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    virtual = sum(row["Virtual_Bus_Stop"] == "1" for row in rows)
    stops, left_out, alarms = _read(read_stops, path)
    assert len(stops) == len(rows) - virtual > 3000
    assert set(stops["kind"]) == {"bus_stop"}
    assert left_out["virtual, with no stop on the street"] == virtual > 0
    assert alarms == []


def test_stops_of_the_national_register(tmp_path):
    """NaPTAN's bus stops and stations come in; entrances, platforms and taxi ranks do not."""
    types = ("BCT", "BCS", "BCQ", "RLY", "MET", "RSE", "TMU", "PLT", "TXR", "BST")
    rows = [f"490{n},{kind},-0.13,51.52{n}" for n, kind in enumerate(types)]
    path = write(tmp_path, "ATCOCode,StopType,Longitude,Latitude", *rows)
    stops, left_out, _ = _read(read_stops, path)
    assert stops["kind"].tolist() == ["bus_stop"] * 3 + ["station"] * 2
    assert left_out == {"of another kind": 5}


@pytest.mark.parametrize(
    ("read", "rows", "messages"),
    [
        (
            read_stops,
            ["busstop,-0.13,51.52,1", "busstop,-0.13,51.52,1", ",-0.13,51.52,1"],
            [
                "row 2, column 'kind': 'busstop' is not a kind (2 rows); write bus_stop or station",
                "row 4, column 'kind': the kind is missing (1 row)",
            ],
        ),
        (
            read_stops,
            ["station,-0.13,51.52,-4", "station,-0.13,51.52,many"],
            [
                "row 2, column 'boardings': '-4' is not a number (1 row)",
                "row 3, column 'boardings': 'many' is not a number (1 row)",
            ],
        ),
        (
            read_places,
            ["pub,-0.13,51.52,", "tavern,-0.13,51.52,"],
            ["row 3, column 'kind': 'tavern' is not a kind (1 row); write pub, bar, nightclub"],
        ),
    ],
)
def test_each_wrong_value_is_named_once(tmp_path, read, rows, messages):
    """A wrong kind or number is named with its first row, how many rows have it, and a remedy."""
    path = write(tmp_path, "kind,longitude,latitude,boardings", *rows)
    with pytest.raises(InputError) as error:
        _read(read, path)
    problems = [str(problem) for problem in error.value.problems]
    assert len(problems) == len(messages)
    assert all(part in whole for part, whole in zip(messages, problems, strict=True))


def _clock(folder, *rows):
    lines = (",".join(map(str, row)) for row in rows)
    return write(folder, "category,kind,from,share", *lines)


def _day(category="Robbery", kind="*", shares=None):
    shares = range(1, 49) if shares is None else shares
    return [(category, kind, start, share) for start, share in zip(HALF_HOURS, shares, strict=True)]


@given(st.lists(st.floats(0, 1e6), min_size=48, max_size=48), st.integers(0, 47))
def test_shares_of_a_day_add_up_to_one(tmp_path_factory, shares, some):
    """Whatever their sum in the file, shares come in as proportions, by half-hour."""
    shares[some] += 0.01  # a day without any share is refused
    rows = _day(shares=[repr(share) for share in shares])[::-1]
    table = read_clock([_clock(tmp_path_factory.mktemp("clock"), *rows)], LeftOut())
    assert table["from_minutes"].tolist() == list(range(0, 1440, 30))
    assert table["share"].tolist() == pytest.approx(np.array(shares) / sum(shares))


def test_a_day_that_is_not_whole_names_what_is_missing(tmp_path):
    """Each category and kind without all its half-hours, or with shares of 0 alone, is named."""
    path = _clock(
        tmp_path, *_day()[:-2], *_day("Drugs", "1-2")[1:], *_day("Arson", shares=[0] * 48)
    )
    with pytest.raises(InputError) as error:
        read_clock([path], LeftOut())
    found = [str(problem) for problem in error.value.problems]
    assert "category 'Robbery', kind '*' lacks 2 of 48 half-hours (23:00, 23:30)" in found[0]
    assert "category 'Drugs', kind '1-2' lacks 1 of 48 half-hours (00:00)" in found[1]
    assert "category 'Arson', kind '*' has shares of 0 alone" in found[2]
