"""Crime held to the threshold: too few incidents leave no trace in anything that is written."""

import json
from dataclasses import replace

import numpy as np
import pytest
from attacks import small_town as town
from hypothesis import given, strategies as st

import patrolplan as pp
from patrolplan.crs import SQUARE_METRES
from patrolplan.notes import list_texts
from patrolplan.outputs.brief.brief_render import build_brief_document
from patrolplan.outputs.reason_words import describe_certainty
from patrolplan.privacy import meets_threshold
from patrolplan.settings import parse_settings
from patrolplan.team.brief import build_brief

LONE = "0.858242,51.526313"
COLUMNS = {name: name for name in ("category", "occurred_at", "longitude", "latitude")}
THEFT = [
    f"Theft from the person,2026-0{4 + row % 6}-1{row % 9} 15:{10 + row % 40},"
    f"{0.87118 + row % 7 * 1e-4:.5f},{51.530068 + row % 5 * 1e-4:.6f}"
    for row in range(120)
]


def _robberies(count):
    return [f"Robbery,2026-0{5 + row}-03 15:47,{LONE}" for row in range(count)]


@pytest.fixture(scope="module")
def load(demo, tmp_path_factory):
    """An area of the demo's streets with thefts in one place and robberies in another."""

    def area(robberies, **sections):
        folder = tmp_path_factory.mktemp("extract")
        lines = [",".join(COLUMNS), *THEFT, *robberies]
        (folder / "c.csv").write_text("\n".join(lines), encoding="utf-8")
        sources = {name: f"{demo.parent}/{name}.csv" for name in ("schools", "gates", "officers")}
        sources |= {"crimes": "c.csv", "streets": f"{demo.parent}/streets.osm.gz"}
        own = {"sources": sources, "columns": {"crimes": COLUMNS}, "schools": {"urns": ["900002"]}}
        own |= {"privacy": {"threshold_for_crime": True}, "seed": 1}
        return pp.load_area(parse_settings(own | sections, folder=folder))

    return area


def _written(area, folder):
    """Every file of a plan and of a brief, but for what names the files read."""
    area = replace(area, inputs={})
    plan = town.plan(area)
    pp.write_pack(plan, folder)
    since = area.incidents["occurred_at"].max().date().replace(day=1)
    brief = build_brief_document(build_brief(area, plan.hotspots, "900002", since))
    return {"brief": json.dumps(brief), **town.read_tree(folder)}


def test_too_few_of_a_category_leave_no_trace_in_any_output(load, tmp_path):
    """Maps, layers, cards, GPX, plan and brief are byte for byte those without the robberies."""
    without = _written(load([]), tmp_path / "without")
    assert _written(load(_robberies(4)), tmp_path / "with") == without
    kinds = {name.rpartition(".")[2] for name in without}
    assert kinds == {"brief", "gpkg", "gpx", "html", "json", "pdf", "qgs", "txt"}


def test_a_group_of_exactly_the_threshold_is_on_its_whole_square(load):
    """Five robberies count, evenly on every metre of street in their square, nowhere else.

    The hours of streets near pubs, which are public, differ: the clock is flat here.
    """
    settings = {"risk": {"model": "prior"}, "way_home": {"clock": "flat"}}
    area = pp.with_settings(load(_robberies(5)), **settings)
    risk = pp.estimate_risk(area)
    robbed = area.incidents["category"] == "Robbery"
    (square,) = set(area.incident_catchment[robbed])
    there = area.catchments.piece_catchment == square
    assert robbed.sum() == 5
    middle = area.network.piece_middle[there]
    assert len(set(map(tuple, middle // SQUARE_METRES))) == 1
    assert there.sum() > 10
    rate = risk.crime[there] / area.network.piece_metres[there]
    assert rate == pytest.approx(np.full(len(rate), rate[0]))
    assert rate[0] > 0
    around = area.network.piece_middle - middle.mean(axis=0)
    near = (np.abs(around) < 2 * SQUARE_METRES).all(axis=1)
    assert not risk.crime[near & ~there].any()


def test_no_exact_place_passes_the_door(load):
    """Incidents have no place but the middle of their square."""
    area = load(_robberies(5))
    xy = area.incidents.geometry.get_coordinates().to_numpy()
    assert (xy % SQUARE_METRES == SQUARE_METRES / 2).all()


def test_counts_under_the_threshold_are_not_told(load):
    """Rows left out and incidents that models were compared on are told as fewer than five."""
    area = load(_robberies(4))
    rows = [row.count_text for row in area.left_out if row.source == "crimes"]
    assert rows
    assert set(rows) == {"fewer than 5"}
    risk = pp.estimate_risk(load(_robberies(5), risk={"model": "auto"}))
    notes = " ".join(list_texts(risk.notes))
    assert "Recorded crime is counted in 250 m squares" in notes
    risk = pp.estimate_risk(area)
    certainty = describe_certainty(area, risk, pp.find_hotspots(area, risk))
    assert certainty
    assert all("placed to within a square of 250 m" in line for line in certainty)


def test_rates_of_squares_are_not_kept_for_another_run(load, tmp_path, monkeypatch):
    """Nothing counted on the squares of a force's own extract is written to the cache."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path))
    pp.estimate_risk(load(_robberies(5), risk={"model": "poisson"}))
    pp.estimate_risk(load(_robberies(5)))
    assert {path.name for path in tmp_path.iterdir()} <= {"streets", "arrays"}


def test_where_every_group_is_too_small_it_is_said(load):
    """Without one group that is large enough there is no plan, and the message says why."""
    privacy = {"threshold_for_crime": True, "threshold": 500}
    with pytest.raises(pp.InputError, match="no group of 500 incidents of any category is left"):
        load([], privacy=privacy)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=60), st.integers(2, 9))
def test_every_row_that_is_kept_has_enough_like_it(rows, threshold):
    """A row is kept exactly where the threshold of rows are of its place and kind."""
    place = np.array([row[0] for row in rows], dtype=np.int64)
    kind = np.array([row[1] for row in rows], dtype=np.int64)
    shown = meets_threshold(place, kind, threshold)
    assert shown.tolist() == [rows.count(row) >= threshold for row in rows]
