"""Some months of recorded crime, and the incidents of a mask, and what follows from that."""

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, strategies as st

import patrolplan as pp
from patrolplan.risk.history import build_history

LANE = shapely.LineString([(-0.13, 51.52), (-0.1, 51.52)])
SCHOOLS = pd.DataFrame(
    {"urn": [1], "name": ["Mill School"], "longitude": -0.128, "latitude": 51.5201}
)


def _build(times, categories, *, at=None, **settings):
    """An area of one lane whose crimes are exact, at these times, along it or at one place."""
    crimes = pd.DataFrame({"datetime": times, "category": categories})
    crimes["longitude"] = np.linspace(-0.129, -0.101, len(crimes)) if at is None else at
    streets = gpd.GeoDataFrame({"name": ["Long Lane"]}, geometry=[LANE], crs="EPSG:4326")
    return pp.build_area(
        crimes=crimes.assign(latitude=51.52), schools=SCHOOLS, streets=streets, settings=settings
    )


def _take(area, *categories, **months):
    """The area with incidents of these categories alone."""
    return area.where(area.incidents["category"].isin(categories), **months)


@pytest.fixture(scope="module")
def timed_area():
    """400 crimes in two years, every hour and weekday among them; some without a time."""
    rng = np.random.default_rng(4)
    minutes = rng.integers(0, 2 * 365 * 24 * 60, 400)
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(minutes, unit="min")
    text = times.strftime("%Y-%m-%d %H:%M").to_numpy(dtype=object)
    text[:40] = times[:40].strftime("%Y-%m-%d")
    return _build(text, rng.choice(["Robbery", "Bicycle theft", "Drugs"], 400))


MONTHS = st.integers(0, 23).map(lambda n: f"{2024 + n // 12}-{n % 12 + 1:02}")
SPANS = st.lists(st.tuples(MONTHS, MONTHS).map(lambda span: tuple(sorted(span))), max_size=2)


@given(SPANS, st.none() | st.sets(st.integers(0, 23)), st.sampled_from(["Robbery", "Drugs"]))
def test_a_selection_is_that_of_a_slow_loop(timed_area, spans, hours, category):
    """A mask and months narrow together; a month of which nothing is selected is unknown."""
    rows = list(timed_area.incidents.itertuples())
    mask = [
        hours is None or (row.category == category and row.timed and row.occurred_at.hour in hours)
        for row in rows
    ]
    months = [f"{row.month:%Y-%m}" for row in rows]
    inside = [not spans or any(a <= month <= b for a, b in spans) for month in months]
    chosen = [row for row, *good in zip(rows, mask, inside, strict=True) if all(good)]
    words = [f"{first} to {last}" for first, last in spans] or None
    given_mask = None if hours is None else mask
    if not any(row.category != "Drugs" for row in chosen) or (words is None and hours is None):
        with pytest.raises(pp.InputError, match=r"is left|selects nothing"):
            timed_area.where(given_mask, months=words)
        return
    part = timed_area.where(given_mask, months=words)
    assert len(part.incidents) == len(chosen) == len(part.incident_catchment)
    crimes = part.tables[0]
    assert (crimes.used, crimes.rows) == (len(chosen), crimes.used + crimes.left_out)
    held = {f"{row.month:%Y-%m}" for row in chosen}
    held |= {month for month in months if spans and any(a <= month <= b for a, b in spans)}
    exposure = part.exposure
    assert {f"{month:%Y-%m}" for month in exposure.months[exposure.held.any(axis=1)]} == held


def test_provenance_tells_a_part_from_the_whole(demo_area):
    """Inputs name the selection, also of a selection from a selection."""
    area = _take(demo_area, "Robbery").where(months="2026-01")
    assert re.fullmatch(
        r"incidents of a mask \(\w{8}\); 2026-01", area.inputs["selection of crimes"]
    )
    other = _take(demo_area, "Drugs", "Robbery")
    assert (
        other.inputs["selection of crimes"]
        != _take(demo_area, "Robbery").inputs["selection of crimes"]
    )
    assert "selection of crimes" not in demo_area.inputs
    assert [note.key for note in area.accepted_checks] == ["incidents_selected"] * 2


def test_the_threshold_for_crime_holds_for_a_part():
    """Of groups of five, a month's few crimes are not used: they could be those of one person."""
    times = ["2024-03-01 15:00"] * 6 + ["2024-04-01 15:00"] * 3
    privacy = {"threshold": 5, "threshold_for_crime": True}
    area = _build(times, "Robbery", at=-0.12, privacy=privacy)
    assert len(area.incidents) == 9
    assert len(area.where(months="2024-03").incidents) == 6
    with pytest.raises(pp.InputError, match="no incident of a category that counts is left"):
        area.where(months="2024-04")


@pytest.mark.parametrize(
    ("given_words", "match"),
    [
        ({"months": "2025-13"}, "'2025-13' is not a month or a span of months; write such as"),
        ({"months": ["x", "2026-02 to 2025-12"]}, r"'x' is not(.|\n)*ends before it begins"),
        ({"months": "2031-01"}, "not within the data; choose months from 2024-10 to 2026-09"),
        ({"mask": [True, False]}, "not one of true and false for each of 12,872 incidents"),
        ({"mask": np.ones(12_872)}, "not one of true and false for each"),
        ({"mask": np.zeros(12_872, dtype=bool)}, r"no incident of a category that counts is left"),
        ({}, "selects nothing; give a mask, or months"),
    ],
)
def test_what_cannot_be_selected_is_refused(demo_area, given_words, match):
    """The message names every value seen and what to do."""
    with pytest.raises(pp.InputError, match=match):
        demo_area.where(**given_words)


def test_a_selection_is_cached_apart_from_the_whole(demo_area):
    """The whole area's counts and risk are the same before and after a part was looked at."""
    before = build_history(demo_area)
    part = build_history(_take(demo_area, "Robbery"))
    after = build_history(demo_area)
    assert part.counts.sum() < after.counts.sum() == before.counts.sum()
    again = build_history(_take(demo_area, "Robbery"))
    assert np.array_equal(again.counts, part.counts)
