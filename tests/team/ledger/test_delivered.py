"""From tick boxes to visits: short answers and tables; which visits are the same one."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, strategies as st
from team.entries import make_visit

from patrolplan.errors import InputError
from patrolplan.team.ledger import delivered, visits
from patrolplan.team.ledger.delivered import Answer, find_odd_visits

MONDAY = dt.date(2026, 11, 30)


ANSWERS = {"": Answer(15), "=": Answer(15), "=/4": Answer(15, 4), "-": Answer(0), "0": Answer(0)}
ANSWERS |= {"12.5": Answer(12.5), "12,5": Answer(12.5), "12/0": Answer(12, 0)}
ANSWERS |= {"-s": Answer(0, None, "sick"), "8/2i": Answer(8, 2, "incident")}
ANSWERS |= {"0w": Answer(0, None, "weather"), "=O": Answer(15, None, "other")}


@pytest.mark.parametrize(("text", "answer"), ANSWERS.items())
def test_short_answers(text, answer):
    """Each way to answer for a stop."""
    assert delivered.parse_answer(text, 15) == answer


def test_days_and_officers_without_stops_are_reported(ledger, promised_week):
    """The message names who is on duty, or says to hand the week out."""
    with pytest.raises(InputError, match="no week is handed out for 2026-11-30"):
        delivered.find_promised_stops(ledger, "SSO-01", MONDAY)
    ledger.hand_out(promised_week)
    on_duty = min(dose["officer"] for dose in promised_week.doses if dose["date"] == MONDAY)
    with pytest.raises(InputError, match=rf"'SSO-99' has no stops .*on duty: .*{on_duty}"):
        delivered.find_promised_stops(ledger, "SSO-99", MONDAY)


def _take(ledger, *rows, officers=None, **columns):
    """Visits of a table of these rows, and of these values in further columns."""
    names = ["officer", "date", "urn", "hotspot", "stop", "minutes", "engagements", "with"]
    names += ["people", "arrive", "reason", "window"]
    rows = [(*row, *[None] * 5)[:12] for row in rows]
    table = pd.DataFrame(rows, columns=names, index=range(2, 2 + len(rows))).assign(**columns)
    table = table.astype({"stop": "Int64", "engagements": "Int64"})
    return delivered.build_table_visits(ledger, table, Path("v.csv"), officers or ())


def test_a_table_names_stops_by_number_or_hotspot(handed, due):
    """Both name the same visit; a stand-in names another's hotspot with the school."""
    officer, urn, name = (due[0][column] for column in ("officer", "urn", "hotspot"))
    by_number = _take(handed, (officer, MONDAY, None, None, 1, 15.0, 2))
    assert by_number == _take(handed, (officer, MONDAY, None, name, None, 15.0, 2))
    (visit,) = _take(handed, ("SSO-99", MONDAY, urn, name, None, 10.0, None))
    assert (visit.officer, visit.urn, visit.hotspot) == ("SSO-99", urn, name)


def test_stops_at_one_place_are_one_visit(handed, promised_week):
    """Where a patrol comes to a place twice, a table has a row for each, and the ledger a visit."""
    stops = {}
    for dose in promised_week.doses:
        key = (dose["officer"], dose["date"], dose["urn"], dose["id"])
        stops.setdefault(key, []).append(dose["stop"])
    (officer, day, urn, place), numbers = next(row for row in stops.items() if len(row[1]) > 1)
    (visit,) = _take(handed, *((officer, day, urn, None, number, 14.0, 1) for number in numbers))
    count = len(numbers)
    assert (visit.id, visit.minutes, visit.engagements) == (place, 14.0 * count, count)


def test_every_wrong_row_of_a_table_is_reported(handed, promised_week):
    """Unknown officers, days, stops and hotspots, and rows that stand twice."""
    officer = promised_week.doses[0]["officer"]
    rows = [
        ("SSO-77", MONDAY, None, "H1", None, 15.0, None),
        (officer, dt.date(2026, 12, 25), None, "H1", None, 15.0, None),
        (officer, MONDAY, None, None, 9, 15.0, None),
        (officer, MONDAY, None, "H999", None, 15.0, None),
        (officer, MONDAY, None, None, 1, 15.0, None),
        (officer, MONDAY, None, None, 1, 14.0, None),
        ("SSO-99", MONDAY, None, "H1", None, 15.0, None),
    ]
    with pytest.raises(InputError) as raised:
        _take(handed, *rows, officers={officer, "SSO-99"})
    lines = [str(problem) for problem in raised.value.problems]
    expected = [
        "row 2, column 'officer': there is no officer 'SSO-77'",
        "row 3, column 'date': no week is handed out for 2026-12-25",
        f"row 4, column 'stop': {officer} has no stop 9 on 2026-11-30",
        "row 5, column 'hotspot': 'H999' is not a hotspot of that week",
        "row 7:",
        "row 8, column 'officer': SSO-99 has no patrol on 2026-11-30",
    ]
    assert [part for part, line in zip(expected, lines, strict=True) if part not in line] == []


def test_officers_who_came_together_are_a_column(handed, due):
    """`with` names them; an officer without own stops has those of the one they came with."""
    dose = due[0]
    officer, urn = dose["officer"], dose["urn"]
    row = (officer, MONDAY, None, None)
    (visit,) = _take(handed, (*row, 1, 15.0, None, "SSO-99; SSO-98"))
    assert (visit.officer, visit.together) == (officer, ("SSO-98", "SSO-99"))
    reverse = ("SSO-99", MONDAY, urn, None, 1, 15.0, None, f"{officer};SSO-98")
    assert _take(handed, reverse) == (visit,)
    there = {one["officer"] for one in due if one["id"] == dose["id"]}
    # The second officer has a patrol of their own that day, which does not come here.
    other = next(one["officer"] for one in due if one["officer"] not in there)
    by_name = (other, MONDAY, None, dose["hotspot"], None, 15.0, None, officer)
    (visit,) = _take(handed, by_name)
    assert (visit.officer, visit.urn, visit.together) == (officer, urn, (other,))
    (visit,) = _take(handed, (*row, 1, 15.0, None, "-"))
    assert visit.together == ()
    wrong = (*row, 1, 15.0, None, officer), (*row, 2, 15.0, None, "SSO-77")
    with pytest.raises(InputError) as raised:
        _take(handed, *wrong, officers={officer})
    first, second = map(str, raised.value.problems)
    assert f"row 2, column 'with': {officer} cannot come with {officer}" in first
    assert "row 3, column 'with': there is no officer 'SSO-77'" in second


def test_a_stop_of_two_windows_is_named_by_its_window_or_time(ledger, promised_week, due):
    """A number alone could be either; with a time, a hotspot's is the nearer one."""
    dose = promised_week.doses[0]
    early = {**dose, "window": "morning", "arrive": "08:20"}
    ledger.hand_out(replace(promised_week, doses=(*promised_week.doses, early)))
    who = (dose["officer"], MONDAY, None)
    first = (*who, None, 1, 15.0, None)
    with pytest.raises(InputError, match=r"more than one stop 1 on .*the window in 'window'"):
        _take(ledger, first)
    found = list(_take(ledger, first, window="morning"))
    for arrive in ("08:25", dose["arrive"]):
        found += _take(ledger, (*who, due[0]["hotspot"], None, 9.0, None), arrive=arrive)
    assert [visit.window for visit in found] == ["morning", "morning", "after_school"]
    assert [entry.outcome for entry in ledger.record(found)] == ["new", "corrected", "new"]
    assert len(ledger.read_delivered(MONDAY, MONDAY)) == 2


def test_odd_days_are_named(handed, visit):
    """Days far ahead, more minutes than the patrol had and odd tracks are said; a plan is not."""
    assert find_odd_visits(handed, handed.record([visit(0, 15.0)])) == []
    far = dt.datetime.now().astimezone().date() + dt.timedelta(days=40)
    odd = find_odd_visits(handed, handed.record([visit(0, 400.0), visit(0, 1.0, date=far)]))
    assert odd[1].endswith(": the day is in the future; correct the date.")
    assert "400 minutes are more than the patrol had" in odd[0]
    night = ((0.0, 7 * 3600.0),)  # from midnight to seven, before any patrol
    odd = find_odd_visits(handed, handed.record([visit(0, 15.0, tracks=night)]))
    assert "goes on for hours" in odd[0]
    assert "of another time than the patrol" in odd[1]


def _visit(officer="SSO-01", **values):
    return replace(make_visit(officer, MONDAY, "H1", 15.0), **values)


def _find(visit, *recorded):
    rows = [visits.RecordedVisit(number, 1, one) for number, one in enumerate(recorded, start=1)]
    return [row.number for row in visits.find_same_visits(visit, rows)]


def test_a_place_is_the_same_under_any_name():
    """A hotspot's number does not matter, nor the kind of a place: its ID does."""
    assert _find(_visit(hotspot="H91"), _visit()) == [1]
    assert _find(_visit(hotspot="T-01", kind="tasked"), _visit()) == [1]
    assert _find(_visit(id="P1-1b"), _visit()) == []


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
    assert visits.parse_visit_row(visits.build_visit_row(visit)) == visit
