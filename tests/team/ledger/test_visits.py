"""Which visits are the same one, and what entering one again makes of it."""

import datetime as dt

from hypothesis import given, strategies as st

from patrolplan.team.ledger.visits import (
    RecordedVisit,
    Visit,
    build_visit_row,
    find_same_visits,
    parse_visit_row,
)

MONDAY = dt.date(2026, 11, 30)


def _visit(officer="SSO-01", hotspot="H1", place_id="P1-1a", minutes=15.0, **values):
    place = ("900001", place_id, hotspot, "High Street", 0.87, 51.53)
    return Visit(officer, MONDAY, *place, minutes, None, "csv", **values)


def _find(visit, *recorded):
    rows = [RecordedVisit(number, 1, one) for number, one in enumerate(recorded, start=1)]
    return [row.number for row in find_same_visits(visit, rows)]


def test_a_place_is_the_same_under_any_name():
    """A hotspot's number does not matter, nor the kind of a place: its ID does."""
    assert _find(_visit(hotspot="H91"), _visit()) == [1]
    assert _find(_visit(hotspot="T-01", kind="tasked"), _visit()) == [1]
    assert _find(_visit(place_id="P1-1b"), _visit()) == []


def test_people_tell_visits_apart():
    """Another officer's visit is another one, unless they came together; then all are found."""
    other, alone = _visit("SSO-03"), _visit("SSO-02")
    assert _find(_visit("SSO-01"), other, alone) == []
    assert _find(_visit("SSO-02"), other, alone) == [2]
    both = _visit("SSO-02", together=("SSO-03",))
    assert _find(both, other, alone) == [2, 1]
    assert _find(_visit("SSO-03"), both) == [1]


NAMES = st.text("ABC-12 é", min_size=1).map(str.strip).filter(bool)
SPANS = st.tuples(st.integers(0, 43_000), st.integers(43_001, 86_400))


@given(together=st.lists(NAMES, unique=True), tracks=st.lists(SPANS, max_size=3))
def test_a_row_holds_a_whole_visit(together, tracks):
    """A visit written to a row of the ledger and read again is the same."""
    visit = _visit(together=tuple(together), tracks=tuple(tracks))
    assert parse_visit_row(build_visit_row(visit)) == visit
