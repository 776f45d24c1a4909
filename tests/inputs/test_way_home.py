"""Tables of ways home: clock, stops and places of publishers, and where pupils live in fives."""

import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from table_files import write_lines

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.origins import digest_origins, join_and_round, read_origins
from patrolplan.inputs.way_home import HALF_HOURS, read_clock, read_places, read_stops
from patrolplan.plausibility import Alarms
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")
STOPS = "kind,longitude,latitude,boardings"


def _read(read, path):
    left_out, alarms = LeftOut(), Alarms()
    table = read([path], BNG, left_out, alarms=alarms)
    counts = {row.reason: row.count for row in left_out.rows}
    (rows,) = left_out.rows_read.values()
    assert len(table) + sum(counts.values()) == rows
    return table, counts, [problem.what for problem in alarms.take_problems()]


def test_stops_of_our_layout(tmp_path):
    """Kinds match whatever their case; boardings may be missing; a stop without a place is left."""
    rows = ("bus_stop,-0.13,51.52,1200", "Bus stop,-0.13,51.5201,", "STATION,-0.131,51.52,n/a")
    path = write_lines(tmp_path, STOPS, *rows, "station,,,5")
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
    path = write_lines(tmp_path, "ATCOCode,StopType,Longitude,Latitude", *rows)
    stops, left_out, _ = _read(read_stops, path)
    assert stops["kind"].tolist() == ["bus_stop"] * 3 + ["station"] * 2
    assert left_out == {"of another kind": 5}


@pytest.mark.parametrize(("read", "cells", "messages"), [
    (read_stops, ("busstop,1", "busstop,1", ",1"),
     ["row 2, column 'kind': 'busstop' is not a kind (2 rows); write bus_stop or station",
      "row 4, column 'kind': the kind is missing (1 row)"]),
    (read_stops, ("station,-4", "station,many"),
     ["row 2, column 'boardings': '-4' is not a number (1 row)",
      "row 3, column 'boardings': 'many' is not a number (1 row)"]),
    (read_places, ("pub,", "tavern,"),
     ["row 3, column 'kind': 'tavern' is not a kind (1 row); write pub, bar, nightclub"]),
])  # fmt: skip
def test_each_wrong_value_is_named_once(tmp_path, read, cells, messages):
    """A wrong kind or number is named with its first row, how many rows have it, and a remedy."""
    path = write_lines(tmp_path, STOPS, *(one.replace(",", ",-0.13,51.52,") for one in cells))
    with pytest.raises(InputError) as error:
        _read(read, path)
    problems = map(str, error.value.problems)
    assert all(part in whole for part, whole in zip(messages, problems, strict=True))


def _clock(folder, *rows):
    lines = (",".join(map(str, row)) for row in rows)
    return write_lines(folder, "category,kind,from,share", *lines)


def _day(category="Robbery", kind="*", shares=range(1, 49)):
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
    rows = [*_day()[:-2], *_day("Drugs", "1-2")[1:], *_day("Arson", shares=[0] * 48)]
    with pytest.raises(InputError) as error:
        read_clock([_clock(tmp_path, *rows)], LeftOut())
    assert [problem.what for problem in error.value.problems] == [
        "category 'Robbery', kind '*' lacks 2 of 48 half-hours (23:00, 23:30)",
        "category 'Drugs', kind '1-2' lacks 1 of 48 half-hours (00:00)",
        "category 'Arson', kind '*' has shares of 0 alone",
    ]


AREAS = [f"E0100085{number}" for number in range(1, 6)]
PLACES = st.tuples(st.sampled_from(["100008", "100018", "7"]), st.sampled_from(AREAS))
COUNTS = st.dictionaries(PLACES, st.integers(0, 13))


def _frame(counts):
    rows = [(urn, area, float(pupils)) for (urn, area), pupils in counts.items()]
    return pd.DataFrame(rows, columns=["urn", "area", "pupils"])


def _write(folder, counts, name="origins.csv"):
    rows = (f"{urn},{area},{pupils}" for (urn, area), pupils in counts.items())
    return write_lines(folder, "urn,area,pupils", *rows, name=name)


def _join_by_hand(counts):
    """The rule word for word: join the first area with too few to its neighbour, again and again.

    Of a school's areas in order, one under five goes to the next; the last, which has no next, to
    the one before.
    """
    rows = []
    for urn in sorted({urn for urn, _ in counts}):
        areas = [[area, n] for (one, area), n in sorted(counts.items()) if one == urn]
        while len(areas) > 1 and any(n < 5 for _, n in areas):
            first = next(k for k, (_, n) in enumerate(areas) if n < 5)
            other = first + 1 if first + 1 < len(areas) else first - 1
            areas[other][1] += areas[first][1]
            del areas[first]
        rows += [(urn, area, float(5 * (n // 5))) for area, n in areas if n >= 5]
    return rows


@given(COUNTS, st.randoms())
def test_joined_counts_are_those_of_the_rule_by_hand(counts, random):
    """The single pass gives the counts of the rule applied step by step, whatever the order."""
    rows = list(counts.items())
    random.shuffle(rows)
    table = join_and_round(_frame(dict(rows)))
    assert list(table.itertuples(index=False, name=None)) == _join_by_hand(counts)
    for urn in {urn for urn, _ in counts}:  # a count loses under five, as does a school without one
        held = table.loc[table["urn"] == urn, "pupils"]
        whole = sum(pupils for (one, _), pupils in counts.items() if one == urn)
        assert 0 <= whole - held.sum() <= 4 * max(1, len(held))


@given(COUNTS, st.lists(st.tuples(st.integers(0, 14), st.integers(-4, 4)), max_size=12))
def test_files_alike_in_joined_counts_cannot_be_told_apart(tmp_path_factory, counts, changes):
    """Files that differ below the steps alone give the same table and the same digest."""
    other, keys = dict(counts), sorted(counts)
    for place, change in changes if keys else ():
        key = keys[place % len(keys)]
        changed = other | {key: max(0, other[key] + change)}
        if _join_by_hand(changed) == _join_by_hand(counts):
            other = changed
    folder = tmp_path_factory.mktemp("origins")
    one = read_origins([_write(folder, counts)])
    two = read_origins([_write(folder, other, "two.csv")])
    pd.testing.assert_frame_equal(one, two)
    assert digest_origins(one) == digest_origins(two)


def test_a_count_that_passes_a_step_changes_the_digest():
    """The digest is that of the counts: it differs where they do."""
    digests = {digest_origins(join_and_round(_frame({("7", "A"): n}))) for n in (8, 9, 10)}
    assert len(digests) == 2
