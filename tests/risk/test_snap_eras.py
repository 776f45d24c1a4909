"""Across a change of snap points, old months still say where crime will be."""

import numpy as np
import pandas as pd
import pytest

import patrolplan as pp
from patrolplan.notes import Note
from patrolplan.risk.backtest import backtest_risk
from patrolplan.risk.models import PRIOR_COUNT

CHANGE = "2026-01"
ORIGINS = ("2026-02", "2026-06")


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


def prior_pai(area):
    """PAI at 5 % of the street of twelve-month counts, all crime weighted by harm."""
    table = backtest_risk(area, origins=ORIGINS).results
    rows = table[(table["category"] == "all") & (table["model"] == PRIOR_COUNT)]
    return float(rows.loc[rows["coverage"] == 0.05, "pai"].iloc[0])


@pytest.mark.slow
def test_prior_counts_are_as_good_after_the_points_are_replaced(demo_area, moved):
    """In the months after it prior counts capture within a tenth of what they would have."""
    assert prior_pai(moved) >= 0.9 * prior_pai(demo_area)


def test_a_change_of_points_is_noted_and_loses_no_crime(demo_area, moved):
    """Every crime keeps a catchment, those of the newest points alone, and the change is said."""
    assert len(moved.incidents) == pytest.approx(len(demo_area.incidents), abs=20)
    assert (moved.incident_catchment >= 0).all()
    assert Note("points_replaced", {"month": "January 2026"}) in moved.notes
    newest = moved.incidents["month"] >= f"{CHANGE}-01"
    points = moved.incidents.geometry[newest]
    seen = set(zip(points.x, points.y, strict=True))
    assert all(tuple(point) in seen for point in moved.catchments.xy.tolist())
    assert (moved.catchments.first_month >= np.datetime64(f"{CHANGE}-01")).all()


def test_old_crime_stays_on_its_streets(demo_area, moved):
    """Crime of months before the change lies where it lay, but for the width of a catchment."""
    old = [
        area.catchments.spread(
            np.bincount(
                area.incident_catchment[(area.incidents["month"] < f"{CHANGE}-01").to_numpy()],
                minlength=len(area.catchments),
            )
        )
        for area in (demo_area, moved)
    ]
    assert old[0].sum() == pytest.approx(old[1].sum(), abs=20)
    assert np.corrcoef(old[0], old[1])[0, 1] > 0.75
