"""Calendars and tables of a week and a month: what is in them, and that nothing of it runs."""

import csv
import datetime as dt
import io
from dataclasses import replace
from itertools import pairwise
from zoneinfo import ZoneInfo

import icalendar
import pytest
from outputs.printed import change_settings

import patrolplan as pp
from patrolplan.outputs.week import spreadsheet as tables
from patrolplan.outputs.week.calendars import render_calendar, render_calendars
from patrolplan.outputs.week.roster import Roster
from patrolplan.team.calendar_state import NEVER_SENT, follow_calendars
from patrolplan.team.ledger.monthly_return import FIGURE_COLUMNS
from patrolplan.team.ledger.promised import PromisedWeek
from patrolplan.team.ledger.visits import Visit
from patrolplan.team.week import Week
from patrolplan.times import format_time

LONDON = ZoneInfo("Europe/London")
PROPERTIES = ("OFFICER", "KIND", "URN", "WINDOW")
DAY = dt.date(2026, 12, 1)
FORMULA = '=HYPERLINK("http://x")'


def read_events(content):
    """Events of a calendar, by UID."""
    calendar = icalendar.Calendar.from_ical(content)
    return {str(event["UID"]): event for event in calendar.walk("VEVENT")}


def list_walkers(duty):
    """Who walks a patrol, and what it is to them."""
    return [(duty.officer, "patrol"), *((name, "crew") for name in duty.crew)]


def render_all(roster):
    """Every officer's calendar."""
    return render_calendars(roster, roster.officers)


def move_week(week, days) -> Week:
    """The same week a number of days later."""
    step = dt.timedelta(days=days)
    duties = tuple(replace(duty, date=duty.date + step) for duty in week.duties)
    return replace(week, days=tuple(day + step for day in week.days), duties=duties, unmet=())


def test_a_calendar_holds_the_officers_week(roll):
    """Every patrol is an event from its start at the gate to its end, with what identifies it."""
    found = set()
    for content in render_all(roll).values():
        for event in read_events(content).values():
            start, end = (event[name].dt.astimezone(LONDON) for name in ("DTSTART", "DTEND"))
            own = (str(event[f"X-PATROLPLAN-{name}"]) for name in PROPERTIES)
            found.add((*own, f"{start:%Y-%m-%d %H:%M}", f"{end:%H:%M}"))
    wanted = set()
    for duty in roll.week.duties:
        start, end = map(format_time, (duty.start_minutes, duty.end_minutes))
        for walker in list_walkers(duty):
            wanted.add((*walker, duty.urn, duty.patrol.window, f"{duty.date} {start}", end))
    assert found == wanted


@pytest.mark.parametrize("monday", ["2026-03-23", "2026-03-30", "2026-10-19", "2026-10-26"])
def test_times_are_those_of_london_on_both_sides_of_a_change_of_the_clocks(week, monday):
    """The moment of a patrol is that at which a clock in London shows its time."""
    moved = move_week(week, (dt.date.fromisoformat(monday) - week.start).days)
    clocks = {f"{duty.date} {format_time(duty.start_minutes)}" for duty in moved.duties}
    for content in render_all(Roster(moved)).values():
        for event in read_events(content).values():
            assert event["DTSTART"].dt.tzinfo is not None
            assert f"{event['DTSTART'].dt.astimezone(LONDON):%Y-%m-%d %H:%M}" in clocks


def read_calendar(week, officer):
    """The events of an officer's calendar of a week, by identity."""
    roster = Roster(week)
    return read_events(render_calendar(roster, roster.officers_by_name[officer]))


def test_a_changed_week_is_a_later_version_of_the_same_events(week):
    """Equal weeks give equal bytes; each change and each draw replaces the events before it."""
    duty = week.duties[0]
    later = replace(duty, start_minutes=duty.start_minutes + 7, end_minutes=duty.end_minutes + 7)
    again = replace(week.draw, number=week.draw.number + 1)
    changed = follow_calendars(replace(week, duties=(later, *week.duties[1:])), week)
    redrawn = follow_calendars(replace(changed, draw=again), changed)
    undone = follow_calendars(week, redrawn)
    assert render_all(Roster(week)) == render_all(Roster(follow_calendars(week, week)))
    events = [read_calendar(one, duty.officer) for one in (week, changed, redrawn, undone)]
    for before, after in pairwise(events):
        assert before.keys() == after.keys()
        for uid in before:
            assert before[uid]["SEQUENCE"] < after[uid]["SEQUENCE"]
            assert before[uid]["DTSTAMP"].dt < after[uid]["DTSTAMP"].dt
    starts = [{event["DTSTART"].dt for event in one.values()} for one in events]
    assert starts[0] != starts[1]
    assert starts[0] == starts[3]


def test_a_withdrawn_patrol_is_cancelled_until_it_comes_back(week):
    """It stays in the calendar as cancelled, later than before, and is confirmed on its return."""
    officer = week.duties[0].officer
    kept = tuple(duty for duty in week.duties if officer not in duty.people)
    gone = follow_calendars(replace(week, duties=kept), week)
    still_gone = follow_calendars(replace(week, duties=kept[1:]), gone)
    back = follow_calendars(week, still_gone)
    weeks = (week, gone, still_gone, back)
    events = [read_calendar(one, officer) for one in weeks]
    assert all(one.keys() == events[0].keys() for one in events)
    statuses = [{str(event["STATUS"]) for event in one.values()} for one in events]
    assert statuses == [{"CONFIRMED"}, {"CANCELLED"}, {"CANCELLED"}, {"CONFIRMED"}]
    numbers = [{int(event["SEQUENCE"]) for event in one.values()} for one in events]
    assert [max(one) for one in numbers] == sorted({*map(max, numbers)})
    assert f"calendars/{officer}.ics" in render_all(Roster(gone))
    assert not back.calendar.withdrawn


def test_who_left_the_team_is_told_that_patrols_are_withdrawn(week):
    """An officer who is no longer in the officers table still gets the cancelled events."""
    officer = week.duties[0].officer
    kept = tuple(duty for duty in week.duties if officer not in duty.people)
    officers = week.plan.area.officers
    smaller = replace(week.plan.area, officers=officers[officers["officer"] != officer])
    gone = replace(week, duties=kept, plan=replace(week.plan, area=smaller))
    content = render_all(Roster(follow_calendars(gone, week)))[f"calendars/{officer}.ics"]
    assert {str(event["STATUS"]) for event in read_events(content).values()} == {"CANCELLED"}


def test_a_new_week_withdraws_nothing_of_the_week_before(week):
    """Patrols of last week have been; a calendar of this week does not cancel them."""
    assert follow_calendars(move_week(week, 7), week).calendar == NEVER_SENT


def test_identities_are_all_different(roll):
    """No two patrols of the week share a UID, nor do those of another week."""
    contents = [*render_all(roll).values(), *render_all(Roster(move_week(roll.week, 7))).values()]
    uids = [uid for content in contents for uid in read_events(content)]
    walkers = sum(len(list_walkers(duty)) for duty in roll.week.duties)
    assert len(uids) == len(set(uids)) == 2 * walkers


def test_who_walks_along_has_the_patrol_too(week):
    """A companion's calendar has the patrol with another identity and kind, and says with whom."""
    duty = replace(week.duties[0], crew=("SSO-08",))
    roster = Roster(replace(week, duties=(duty,)))
    contents = render_all(roster)
    assert set(contents) == {f"calendars/{name}.ics" for name in (duty.officer, "SSO-08")}
    (lead,) = read_events(contents[f"calendars/{duty.officer}.ics"]).values()
    (mate,) = read_events(contents["calendars/SSO-08.ics"]).values()
    assert (str(lead["X-PATROLPLAN-KIND"]), str(mate["X-PATROLPLAN-KIND"])) == ("patrol", "crew")
    assert lead["UID"] != mate["UID"]
    assert "With SSO-08." in lead["DESCRIPTION"]
    assert f"With {duty.officer}." in mate["DESCRIPTION"]


def test_nothing_but_when_and_which_school_is_given_away(roll):
    """No hotspot, no street of a stop, no reason and no tasking stands in any calendar."""
    text = b"".join(render_all(roll).values()).replace(b"\r\n ", b"").decode()
    for duty in roll.week.duties:
        for stop in (stop for stop in duty.patrol.stops if stop.kind != "gate"):
            assert f"{stop.hotspot}\\n" not in text
            assert f" {stop.hotspot} " not in text
            assert stop.place not in text
            assert stop.tasking is None or stop.tasking.reason not in text
    for word in ("Recorded", "crime", "robbery", "unsafe", "asked", "T-01"):
        assert word not in text


@pytest.mark.slow
def test_hostile_names_stay_text_and_lines_stay_short(hostile):
    """Names that try to begin properties are read back as one value; lines are folded."""
    roster = Roster(hostile)
    for content in render_all(roster).values():
        assert all(len(line) <= 75 for line in content.split(b"\r\n"))
        assert content.count(b"BEGIN:VEVENT") == len(read_events(content))
        for event in read_events(content).values():
            assert "\n" not in event["SUMMARY"]
            assert event.keys() <= {
                *("UID", "DTSTART", "DTEND", "DTSTAMP", "SEQUENCE", "SUMMARY", "LOCATION"),
                *("DESCRIPTION", "STATUS", "CLASS", "X-PATROLPLAN-OFFICER", "X-PATROLPLAN-URN"),
                *("X-PATROLPLAN-KIND", "X-PATROLPLAN-WINDOW"),
            }


def test_elsewhere_times_are_those_of_the_place(week):
    """Outside Great Britain no zone is known, so that times are what the clock shows there."""
    area = change_settings(week.plan.area, area={"crs": "EPSG:32630"})
    roster = Roster(replace(week, plan=replace(week.plan, area=area)))
    content = render_calendar(roster, roster.officers[0])
    assert b"VTIMEZONE" not in content
    assert all(event["DTSTART"].dt.tzinfo is None for event in read_events(content).values())


def list_cells(tables):
    """The cells of CSV files."""
    texts = (io.StringIO(content.decode("utf-8-sig"), newline="") for content in tables)
    return [cell for text in texts for row in csv.reader(text) for cell in row]


def test_no_cell_of_the_return_runs_as_a_formula(tmp_path, demo_area):
    """Names from files are text in every table, and a row sums what was promised and given."""
    spot = {"id": "P1", "sees": "", "hotspot": "=H1", "place": "@High Street",
            "longitude": 0.87, "latitude": 51.53,
            "shape": "POINT (0.87 51.53)"}  # fmt: skip
    dose = {"officer": "+SSO", "date": DAY, "urn": "-900001", "stop": 1, "school": "=1+1",
            "id": "P1", "arrive": "15:30", "minutes": 15.0}  # fmt: skip
    url = f"sqlite:///{tmp_path / 'l.sqlite'}"
    with pp.Ledger(url, "Eastmere", demo_area.projection) as ledger:
        ledger.hand_out(PromisedWeek((DAY,), (dose,), (spot,)))
        ledger.record([Visit("+SSO", DAY, "-900001", "P1", "=H1", "@High Street", 0.87, 51.53,
                             9.5, 2, "csv")])  # fmt: skip
        folder = tmp_path / "return"
        made = tables.build_return_tables(ledger, "2026-12")
        tables.write_return(made, "Eastmere", "2026-12", folder)
    cells = list_cells(path.read_bytes() for path in folder.glob("*.csv"))
    assert {"'=H1", "'@High Street", "'+SSO", "'-900001", "'=1+1"} <= set(cells)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    text = (folder / "by-officer.csv").read_text(encoding="utf-8-sig").splitlines()
    heading, row = csv.reader(text)
    assert heading == ["officer", *FIGURE_COLUMNS, "delivered_percent"]
    assert ",".join(row) == "'+SSO,1,1,0,0,15.0,9.5,9.5,15.0,9.5,2,63.3"


def test_no_cell_runs_as_a_formula(hostile):
    """With any names no cell of a week's tables would be run; only a table with rows is written."""
    written = tables.render_week_tables(Roster(hostile))
    assert [*written] == ["week.csv", "unmet.csv", "demands.csv"]
    cells = list_cells(written.values())
    assert f"'{FORMULA}" in cells
    for cell in cells:
        assert cell.lstrip()[:1] not in {"=", "+", "-", "@"}
        assert cell[:1] not in {"\t", "\r", "\n"}
    all_met = Roster(replace(hostile, unmet=(), demands=()))
    assert [*tables.render_week_tables(all_met)] == ["week.csv"]


def test_risky_cells_become_text():
    """A cell that a spreadsheet would run is written as text."""
    for cell in ("=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\tx", "\r=1", "\uff1d1"):
        assert tables.escape_cell(cell) == f"'{cell}"
