"""Which visits are the same one, and what entering one again makes of it."""

import dataclasses
import datetime as dt

import pandas as pd
from hypothesis import given, strategies as st

from patrolplan.crs import Projection
from patrolplan.team.ledger.visits import (
    RecordedVisit,
    Visit,
    build_visit_row,
    find_same_visits,
    parse_visit_row,
    revise_visit,
)

MONDAY = dt.date(2026, 11, 30)
NORTH, SOUTH = 51.5300, 51.5297
"""Two latitudes 33 m apart."""


def _visit(officer="SSO-01", hotspot="H1", latitude=NORTH, minutes=15.0, **values):
    place = ("900001", hotspot, "High Street", 0.87, latitude)
    return Visit(officer, MONDAY, *place, minutes, None, "csv", **values)


def _recorded(*visits):
    return [RecordedVisit(number, 1, visit) for number, visit in enumerate(visits, start=1)]


def _spots(*places):
    """Hotspots handed out: name, kind, latitude of the stop, and the ends of the stretch."""
    line, point = "LINESTRING (0.87 {}, 0.87 {})", "POINT (0.87 {})"
    rows = [
        (name, kind, 0.87, stop, line.format(low, high) if high else point.format(stop))
        for name, kind, stop, low, high in places
    ]
    return pd.DataFrame(rows, columns=["hotspot", "kind", "longitude", "latitude", "stretch"])


def _find(visit, recorded, spots):
    found = find_same_visits(visit, recorded, spots, Projection())
    return [row.number for row in found]


def test_a_stop_is_the_same_place_under_any_number():
    """A hotspot's number does not matter, its stop does; a tasked place goes by its id alone."""
    recorded = _recorded(_visit(), _visit(hotspot="T-01", kind="tasked"))
    spots = _spots(("H91", "hotspot", NORTH, NORTH, 51.531), ("T-01", "tasked", SOUTH, None, None))
    assert _find(_visit(hotspot="H91"), recorded, spots) == [1]
    moved = _visit(hotspot="T-01", latitude=SOUTH, kind="tasked")
    assert _find(moved, recorded, spots) == [2]
    other = _visit(hotspot="T-02", kind="tasked")
    assert _find(other, recorded, spots) == []


def test_near_stops_of_one_week_stay_apart():
    """Two stops within 50 m of each other are two visits, entered one by one."""
    spots = _spots(("H1", "hotspot", NORTH, NORTH, 51.531), ("H2", "hotspot", SOUTH, 51.529, SOUTH))
    assert _find(_visit(hotspot="H2", latitude=SOUTH), _recorded(_visit()), spots) == []


def test_a_stop_that_moved_along_its_stretch_is_the_same_place():
    """A stop that the week no longer has belongs to the hotspot on whose stretch it lies."""
    spots = _spots(
        ("H7", "hotspot", SOUTH, 51.529, 51.531), ("H8", "hotspot", 51.54, 51.539, 51.541)
    )
    recorded = _recorded(_visit())
    assert _find(_visit(hotspot="H7", latitude=SOUTH), recorded, spots) == [1]
    assert _find(_visit(hotspot="H8", latitude=51.54), recorded, spots) == []


def test_a_hotspot_of_an_earlier_plan_stays_itself():
    """A week may stop at a hotspot that its plan no longer has: a point, but a hotspot's stop."""
    spots = _spots(("H1", "hotspot", NORTH, None, None))
    assert _find(_visit(), _recorded(_visit(hotspot="H91")), spots) == [1]


def test_people_tell_visits_apart():
    """Another officer's visit is another one, unless they came together; then all are found."""
    alone = _visit("SSO-02")
    recorded = _recorded(_visit("SSO-03"), alone)
    spots = _spots(("H1", "hotspot", NORTH, NORTH, 51.531))
    assert _find(_visit("SSO-01"), recorded, spots) == []
    assert _find(_visit("SSO-02"), recorded, spots) == [2]
    both = _visit("SSO-02", together=("SSO-03",))
    assert _find(both, recorded, spots) == [2, 1]
    assert _find(_visit("SSO-03"), _recorded(both), spots) == [1]


def test_what_is_not_given_stays_as_it_was():
    """People and engagements of the revision before stay; "-" says that nobody came along."""
    both = dataclasses.replace(_visit("SSO-02", together=("SSO-03",)), engagements=4)
    before = RecordedVisit(1, 1, both)
    entry = revise_visit(_visit("SSO-03", minutes=12.0), before, 9)
    assert (entry.outcome, entry.number, entry.revision) == ("corrected", 1, 2)
    assert (entry.visit.officer, entry.visit.together) == ("SSO-02", ("SSO-03",))
    assert (entry.visit.minutes, entry.visit.engagements) == (12.0, 4)
    alone = revise_visit(_visit("SSO-02", together=()), before, 9)
    assert (alone.outcome, alone.visit.together) == ("corrected", ())
    assert revise_visit(_visit("SSO-02"), before, 9).outcome == "same"
    assert revise_visit(_visit("SSO-02"), None, 9).number == 9


NAMES = st.text("ABC-12 é", min_size=1).map(str.strip).filter(bool)
SPANS = st.tuples(st.integers(0, 43_000), st.integers(43_001, 86_400))


@given(together=st.lists(NAMES, unique=True), tracks=st.lists(SPANS, max_size=3))
def test_a_row_holds_a_whole_visit(together, tracks):
    """A visit written to a row of the ledger and read again is the same."""
    visit = _visit(together=tuple(together), tracks=tuple(tracks))
    assert parse_visit_row(build_visit_row(visit)) == visit
