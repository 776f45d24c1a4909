"""Eras of snap points: found where points are replaced, and crossed without losing a crime."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from small_networks import build_small_network

import patrolplan as pp
from patrolplan.area.snap_eras import carry_over, find_era_starts
from patrolplan.network.catchments import build_catchments

LANE = build_small_network([(0, 0), (1200, 0)], [[0, 1]])


def crimes(months=10, points=60, per_month=120, *, replaced=None, first="2023-01-01", seed=1):
    """Months and points of crime; from month `replaced` on all points are new."""
    rng = np.random.default_rng(seed)
    month = np.repeat(np.arange(months), per_month)
    place = rng.integers(points, size=len(month))
    place += points * (month >= (months if replaced is None else replaced))
    return pd.Series(pd.date_range(first, periods=months, freq="MS").to_numpy()[month]), place


@pytest.mark.parametrize("replaced", [1, 2, 5, 9])
def test_an_era_begins_where_points_are_replaced(replaced):
    """Points that are all new from a month on begin an era, at either end of the data too."""
    months, place = crimes(replaced=replaced)
    starts = find_era_starts(months, place)
    assert starts.tolist() == sorted(set(months))[::replaced][:2]


@given(st.integers(0, 1000), st.integers(5, 400))
def test_the_same_points_are_one_era(seed, points):
    """Points that stay are one era, however many are first seen late."""
    months, place = crimes(points=points, seed=seed)
    assert len(find_era_starts(months, place)) == 1


def test_a_force_that_starts_late_begins_no_era():
    """Many new points are not an era while the old ones continue."""
    months, place = crimes()
    more, new = crimes(replaced=0)
    late = more >= pd.Timestamp("2023-06-01")
    both = pd.concat([months, more[late]], ignore_index=True)
    assert len(find_era_starts(both, np.append(place, new[late]))) == 1


def test_the_known_era_needs_no_large_numbers():
    """In July 2022 data.police.uk replaced its points: so few crimes that none can tell are cut."""
    months, place = crimes(per_month=5, first="2022-03-01")
    assert find_era_starts(months, place)[-1] == pd.Timestamp("2022-07-01")
    months, place = crimes(first="2022-03-01")
    assert len(find_era_starts(months, place)) == 1


@given(st.integers(0, 100), st.integers(2, 8), st.integers(2, 8), st.integers(1, 40))
def test_crimes_are_carried_to_streets_that_both_eras_share(seed, before, after, number):
    """Every crime of an earlier era lands in a catchment that shares street with its own."""
    rng = np.random.default_rng(seed)
    old, new = (
        build_catchments(LANE, np.column_stack([rng.uniform(0, 1200, n), np.zeros(n)]))
        for n in (before, after)
    )
    own = rng.integers(-1, len(old), number)
    months = pd.Series(pd.Timestamp("2022-01-01")).repeat(number)
    category = rng.integers(3, size=number)
    found = carry_over(LANE, old, new, own, category, months)
    shared = set(zip(old.piece_catchment.tolist(), new.piece_catchment.tolist(), strict=True))
    for one, other in zip(own.tolist(), found.tolist(), strict=True):
        assert other == -1 if one == -1 else (one, other) in shared
    assert (found == carry_over(LANE, old, new, own, category, months)).all()


def test_crimes_are_divided_by_shared_street_in_every_run_of_months():
    """A point equally near to two new ones gives half of its crimes to each, every year."""
    points = np.array([[600.0, 0.0]])
    old, new = build_catchments(LANE, points), build_catchments(LANE, [[590.0, 0], [610.0, 0]])
    months = pd.Series(pd.date_range("2020-01-01", periods=24, freq="MS")).repeat(5)
    found = carry_over(LANE, old, new, np.zeros(120, int), np.zeros(120, int), months)
    for part in np.split(found, 4):
        assert abs((part == 0).sum() - 15) <= 2


def test_the_order_of_files_decides_nothing():
    """Crimes carried over are as many in each catchment and month, whatever their order."""
    months = pd.Series(pd.date_range("2020-01-01", periods=20, freq="MS")).repeat(3)
    old, new = (
        build_catchments(LANE, [[300.0, 0], [900.0, 0]]),
        build_catchments(LANE, [[500.0, 0], [700.0, 0]]),
    )
    own = np.arange(60) % 2
    order = np.random.default_rng(0).permutation(60)
    one = carry_over(LANE, old, new, own, own * 0, months)
    other = carry_over(LANE, old, new, own[order], own * 0, months.iloc[order])
    assert sorted(zip(one, months, strict=True)) == sorted(
        zip(other, months.iloc[order], strict=True)
    )


def test_a_new_point_nearby_gets_more_than_one_far_away():
    """Crime is densest around its point: the new point near the old one gets most of it."""
    points = np.array([[200.0, 0.0]])
    old, new = build_catchments(LANE, points), build_catchments(LANE, [[220.0, 0], [1000.0, 0]])
    months = pd.Series(pd.Timestamp("2022-01-01")).repeat(50)
    found = carry_over(LANE, old, new, np.zeros(50, int), np.zeros(50, int), months)
    assert (found == 0).all()


CHANGE = "2026-01"


@pytest.fixture(scope="module")
def moved(copy_demo, demo, tmp_path_factory):
    """The demo borough with all points moved by some 40 m from January 2026 on."""
    months = sorted(path.name for path in (demo.parent / "crimes").iterdir())
    settings = copy_demo(tmp_path_factory.mktemp("moved"), *months)
    rng, new = np.random.default_rng(7), {}
    for path in sorted(settings.parent.glob("crimes/*/*-street.csv")):
        if path.parent.name < CHANGE:
            continue
        table = pd.read_csv(path, dtype=str)
        for row in table.index[table["Longitude"].notna()]:
            place = tuple(table.loc[row, ["Longitude", "Latitude"]])
            if place not in new:
                x, y = map(float, place)
                angle = rng.uniform(0, 2 * np.pi)
                new[place] = (
                    f"{x + 0.0006 * np.cos(angle):.6f}",
                    f"{y + 0.0004 * np.sin(angle):.6f}",
                )
            table.loc[row, ["Longitude", "Latitude"]] = new[place]
        table.to_csv(path, index=False)
    return pp.load_area(settings)


def test_a_change_of_points_is_noted_and_loses_no_crime(demo_area, moved):
    """Every crime keeps a catchment, those of the newest points alone, and the change is said."""
    assert len(moved.incidents) == pytest.approx(len(demo_area.incidents), abs=20)
    assert (moved.incident_catchment >= 0).all()
    (note,) = [note.text for note in moved.notes if note.key == "points_replaced"]
    assert "were replaced in January 2026: earlier crimes" in note
    newest = moved.incidents["month"] >= f"{CHANGE}-01"
    points = moved.incidents.geometry[newest]
    seen = set(zip(points.x, points.y, strict=True))
    assert all(tuple(point) in seen for point in moved.catchments.xy.tolist())
    assert (moved.catchments.first_month >= np.datetime64(f"{CHANGE}-01")).all()
