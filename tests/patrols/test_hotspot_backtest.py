"""A force's own hotspots against ours: the same street, the same months, the same count."""

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hexagons import make_hexagons, measure_slowly

import patrolplan as pp
from patrolplan.outputs.backtest_report import describe_comparison, list_comparison_rows
from patrolplan.patrols.hotspot_backtest import CHOSEN_BY, COLUMNS
from patrolplan.risk.history import build_history, get_harm_days

ORIGINS = ("2026-04", "2026-09")


@pytest.fixture(scope="module")
def backtest(demo_area):
    """The demo borough on six hold-out months."""
    return pp.backtest_risk(demo_area, origins=ORIGINS)


@pytest.fixture(scope="module")
def theirs(demo_area):
    """Some hexagons in the middle of the borough."""
    west, south, east, north = shapely.total_bounds(demo_area.network.piece_lines)
    x, y = (west + east) / 2, (south + north) / 2
    return make_hexagons((x - 400, y - 300, x + 400, y + 300), 165)


@pytest.fixture(scope="module")
def compared(demo_area, theirs, backtest):
    """These hexagons against ours."""
    return pp.compare_hotspots(demo_area, theirs.to_crs(4326), backtest=backtest)


def _take(compared, category="all"):
    rows = compared.results
    return rows[rows["category"] == category].set_index("chosen_by")


def test_theirs_are_counted_as_by_a_slow_loop(demo_area, theirs, compared, backtest):
    """Street and harm in theirs are those of each piece, cut by each hexagon, month by month."""
    network, history = demo_area.network, build_history(demo_area)
    shapes = list(theirs.geometry)
    cut = np.array([measure_slowly(line, shapes) for line in network.piece_lines])
    inside = cut[:, :-1].sum(axis=1) / cut.sum(axis=1)
    counts = sum(history.get_month_counts(month) for month in backtest.trials.origins)
    harm = counts @ get_harm_days(history.targets, demo_area.settings.risk.harm)
    found = _take(compared)
    held = (demo_area.catchments.spread(harm) * inside).sum() / harm.sum()
    assert found.loc["theirs", "hit_rate"] == pytest.approx(held, rel=1e-6)
    street = (inside * network.piece_metres).sum() / network.metres
    assert found["coverage"].drop("our hotspots").tolist() == pytest.approx([street] * 3)
    robbery = history.targets.index("Robbery")
    spread = demo_area.catchments.spread(counts[:, robbery])
    share = (spread * inside).sum() / spread.sum()
    assert _take(compared, "Robbery").loc["theirs", "hit_rate"] == pytest.approx(share, rel=1e-6)


def test_ours_and_the_counts_are_those_of_the_backtest(demo_area, backtest):
    """Where theirs have 5 % of the street, ours and the counts hold what the back-test says."""
    lines = demo_area.network.piece_lines
    west, south, east, north = shapely.total_bounds(lines)

    def excess(edge):
        part = shapely.intersection(lines, shapely.box(west, south, edge, north))
        return shapely.length(part).sum() / shapely.length(lines).sum() - 0.05

    low, high = west, east
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    strip = gpd.GeoDataFrame(geometry=[shapely.box(west, south, low, north)], crs=27700)
    found = _take(pp.compare_hotspots(demo_area, strip, backtest=backtest))
    rows = backtest.results
    is_wanted = (rows["category"] == "all") & (rows["coverage"] == 0.05)
    expected = rows[is_wanted].set_index("model")["pai"]
    assert found.loc["ours", "pai"] == pytest.approx(expected["auto"], rel=1e-4)
    assert found.loc["prior count", "pai"] == pytest.approx(expected["prior count"], rel=1e-4)


def test_our_hotspots_take_as_much_street_at_most(compared):
    """Ours are the best first, and no longer than theirs; differences are to theirs."""
    for category in compared.results["category"].unique():
        rows = _take(compared, category)
        assert tuple(rows.index) == CHOSEN_BY
        assert rows.loc["our hotspots", "coverage"] <= rows.loc["theirs", "coverage"] + 1e-9
        assert rows.loc["theirs", ["difference", "difference_low", "difference_high"]].eq(0).all()
        whole = rows.dropna()
        np.testing.assert_allclose(whole["hit_rate"] / whole["coverage"], whole["pai"])
        assert (whole["difference_low"] <= whole["difference"] + 1e-9).all()
        assert (whole["difference"] <= whole["difference_high"] + 1e-9).all()
    assert tuple(compared.results) == COLUMNS
    assert (_take(compared).loc["our hotspots", "pai"]) > 1


def test_all_street_is_a_tie(demo_area, backtest):
    """Polygons around everything hold everything, once, as any way to choose its streets does."""
    around = shapely.box(*shapely.total_bounds(demo_area.network.piece_lines)).buffer(50)
    far = shapely.box(0, 0, 10, 10)
    drawn = ["2026-02", "2026-05-20", "2026-01"]
    whole = gpd.GeoDataFrame({"drawn": drawn}, geometry=[around, around, far], crs=27700)
    compared = pp.compare_hotspots(demo_area, whole, backtest=backtest)
    found = _take(compared).drop("our hotspots")
    np.testing.assert_allclose(found[["pai", "hit_rate", "coverage"]], 1)
    assert (compared.places, compared.outside) == (3, 1)
    assert compared.flattered_months == 2
    words = describe_comparison(compared)
    assert any("2 of these months had begun when" in line for line in words)
    assert "1 of 3 designated places have no street of the area." in words


def test_the_sentence_says_what_they_hold(compared):
    """Theirs and ours stand in one sentence each, with street, PAI and interval."""
    theirs = _take(compared).loc["theirs"]
    first, *ways = describe_comparison(compared)[:4]
    assert first.startswith(f"Designated places hold {100 * theirs.hit_rate:.0f} % of harm on ")
    assert f"{100 * theirs.coverage:.1f} % of the street" in first
    assert "streets of most expected harm" in ways[0]
    assert " to +" in ways[0]
    assert any("not known when" in line for line in describe_comparison(compared))
    assert len(list_comparison_rows(compared)) == len(compared.results)


def test_few_incidents_in_a_place_are_hidden(demo_area, theirs, backtest):
    """Where crime is held to the threshold, a place with fewer incidents of a kind hides the kind.

    Not only its own number: the difference of the others would show it.
    """
    held = dataclasses.replace(backtest.trials, min_crime_count=5)
    tiny = theirs.iloc[:1].assign(geometry=theirs.geometry.iloc[[9]].centroid.buffer(90).array)
    test = dataclasses.replace(backtest, trials=held)
    rows = pp.compare_hotspots(demo_area, tiny, backtest=test).results
    shown, is_single = rows["pai"].notna(), rows["category"] != "all"
    events = rows["n_events"] * rows["hit_rate"]
    assert (events[shown & is_single] >= 5).all()
    assert shown[is_single].any()
    assert (~shown).any()
    numbers = ["hit_rate", "n_events", "ratio", "difference", "difference_low"]
    assert rows.loc[~shown, numbers].isna().all(axis=None)


def _frame(*shapes, crs="EPSG:27700", **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


BOX = shapely.box(0, 0, 10, 10)


@pytest.mark.parametrize(
    ("places", "match"),
    [
        (_frame(BOX), "none of the 1 places has a street of the area; check their CRS"),
        (_frame(BOX, crs=None), "has places without a CRS; set it with set_crs"),
        (_frame(BOX, shapely.Point(1, 1)), "row 1: has a shape that is not a polygon"),
        (_frame(BOX, drawn=["last year"]), "row 0, column 'drawn': 'last year' is not a valid"),
        (_frame(), "has no place"),
    ],
)
def test_places_that_cannot_be_counted_are_refused(demo_area, places, match):
    """The message has the row, the problem, and what to do."""
    with pytest.raises(pp.InputError, match=match):
        pp.compare_hotspots(demo_area, places)


def test_a_backtest_of_a_window_is_refused(demo_area, theirs, backtest):
    """Crime inside a window cannot be set against places that count at all hours."""
    narrow = dataclasses.replace(backtest, results=backtest.results.assign(window="lunch"))
    with pytest.raises(pp.InputError, match="compared at all hours; give one without a window"):
        pp.compare_hotspots(demo_area, theirs, backtest=narrow)
    with pytest.raises(TypeError, match="takes a GeoDataFrame"):
        pp.compare_hotspots(demo_area, pd.DataFrame())
