"""Officers' duties, from calendars and tables: when, whose, and that none of their text is read."""

import datetime as dt
import time

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from table_files import write_lines

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.duties import MAX_EVENTS, read_all_duties, read_calendars
from patrolplan.tables import LeftOut

FIRST, LAST = dt.date(2026, 1, 1), dt.date(2027, 12, 31)
OFFICERS = ("SSO-01", "SSO-02", "J. O'Neil")
LONDON = ";TZID=Europe/London"


def _event(*lines, start="20261116T090000", end="20261116T100000", zone=LONDON):
    return ["BEGIN:VEVENT", f"DTSTART{zone}:{start}", f"DTEND{zone}:{end}", *lines, "END:VEVENT"]


def _write(folder, *events, name="SSO-01.ics", head=()):
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", *head]
    lines += [line for event in events for line in event]
    path = folder / name
    path.write_bytes("\r\n".join([*lines, "END:VCALENDAR", ""]).encode())
    return path


def _read(*paths):
    return read_calendars(paths, OFFICERS, first=FIRST, last=LAST)


def _list_times(duties):
    return [(f"{one.date:%m-%d}", one.from_minutes / 60, one.to_minutes / 60) for one in duties]


def test_an_event_stays_at_its_hour_when_the_clocks_change(tmp_path):
    """Weekly at nine is at nine in summer and in winter; at nine UTC it is an hour later before."""
    rule = "RRULE:FREQ=WEEKLY;COUNT=2"
    for month, day in ((10, 19), (3, 23)):
        at = f"2026{month:02}{day}T090000"
        local = _write(tmp_path, _event(rule, start=at, end=at.replace("T09", "T10")))
        duties, _ = _read(local)
        assert [one.from_minutes for one in duties] == [540, 540]
        start, end = f"{at}Z", f"{at.replace('T09', 'T10')}Z"
        universal = _write(tmp_path, _event(rule, start=start, end=end, zone=""))
        hours = [600, 540] if month == 10 else [540, 600]
        assert [one.from_minutes for one in _read(universal)[0]] == hours


def test_times_without_a_zone_are_local_and_others_are_converted(tmp_path):
    """Floating times, names of zones on Windows, and other zones give the time here."""
    floating = _event(zone="")
    windows = _event(zone=";TZID=GMT Standard Time")
    york = _event(zone=";TZID=America/New_York", start="20261116T040000", end="20261116T050000")
    duties, _ = _read(_write(tmp_path, floating, windows, york))
    assert _list_times(duties) == [("11-16", 9.0, 10.0)] * 3


def test_dates_are_left_out_added_and_moved(tmp_path):
    """EXDATE leaves one out, RDATE adds one, RECURRENCE-ID moves one, and a cancelled one goes."""
    rule = "RRULE:FREQ=WEEKLY;UNTIL=20261214T090000Z"
    dates = f"EXDATE{LONDON}:20261123T090000", f"RDATE{LONDON}:20261203T130000"
    weekly = _event("UID:a", rule, *dates)
    at = {"start": "20261201T110000", "end": "20261201T113000"}
    moved = _event("UID:a", f"RECURRENCE-ID{LONDON}:20261130T090000", **at)
    gone = _event("UID:a", f"RECURRENCE-ID{LONDON}:20261207T090000", "STATUS:CANCELLED")
    duties, left_out = _read(_write(tmp_path, weekly, moved, gone))
    assert _list_times(duties) == [
        *(("11-16", 9.0, 10.0), ("12-01", 11.0, 11.5), ("12-03", 13.0, 14.0), ("12-14", 9.0, 10.0))
    ]
    assert left_out == {"cancelled": 1}


def test_whole_days_are_leave_and_nights_have_a_part_on_each_day(tmp_path):
    """Days without hours last all day; what goes past midnight is cut there."""
    days = _event(start="20261116", end="20261118", zone=";VALUE=DATE")
    night = _event(start="20261119T220000", end="20261120T060000")
    duties, _ = _read(_write(tmp_path, days, night))
    assert _list_times(duties) == [
        *(("11-16", 0.0, 24.0), ("11-17", 0.0, 24.0), ("11-19", 22.0, 24.0), ("11-20", 0.0, 6.0))
    ]
    assert [one.kind for one in duties] == ["leave", "leave", "away", "away"]


@pytest.mark.parametrize(("lines", "name", "officer"), [
    ([], "SSO-02.ics", "SSO-02"), ([], "j-o-neil.ics", "J. O'Neil"),
    (['ATTENDEE;CN="SSO-02":mailto:a@b'], "team.ics", "SSO-02"),
    (["X-PATROLPLAN-OFFICER:SSO-01", "ATTENDEE;CN=SSO-02:mailto:a@b"], "x.ics", "SSO-01"),
    (["ATTENDEE;CN=Somebody Else:mailto:a@b"], "team.ics", None),
])  # fmt: skip
def test_an_event_is_of_whom_it_names(tmp_path, lines, name, officer):
    """By our own property, an attendee, or the file's name; of nobody known it is counted."""
    duties, left_out = _read(_write(tmp_path, _event(*lines), name=name))
    assert [one.officer for one in duties] == ([officer] if officer else [])
    assert left_out == ({} if officer else {"of no officer in the table": 1})


def test_no_text_of_a_calendar_is_read(tmp_path, monkeypatch):
    """Titles, descriptions and places never reach the parser, folded over lines or not."""
    words = "Pupil Name"
    texts = [f"{name}:{words}\r\n {words}" for name in ("SUMMARY", "DESCRIPTION", "LOCATION")]
    texts += ["BEGIN:VALARM", f"DESCRIPTION:{words}", "END:VALARM"]
    path = _write(tmp_path, _event(*texts, f"X-ALT-DESC:{words}", f"ORGANIZER;CN={words}:x"))
    broken = _write(tmp_path, _event("RRULE:FREQ=NEVER", *texts), name="SSO-02.ics")
    seen = []
    parse = __import__("icalendar").Calendar.from_ical
    monkeypatch.setattr(
        "icalendar.Calendar.from_ical", lambda text, **how: seen.append(text) or parse(text, **how)
    )
    duties, _ = _read(path)
    with pytest.raises(InputError) as error:
        _read(broken)
    assert len(duties) == 1
    assert words not in "".join(seen) + str(error.value) + repr(duties)


@pytest.mark.parametrize(("lines", "message"), [
    *(
        ([f"RRULE:FREQ={rule}"], "recurs within a day, or by a rule that is not followed")
        for rule in ("SECONDLY", "DAILY;BYHOUR=1,2", "DAILY;INTERVAL=0", "DAILY;BYMONTH=2")
    ),
    (["RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"], "its rule holds on no day"),
    (["RRULE:FREQ=NEVER"], "RRULE cannot be read"),
    (["RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"], "RRULE cannot be read"),
    (["RECURRENCE-ID;RANGE=THISANDFUTURE:20261116T090000"], "changes all later events too"),
    (["EXDATE:99"], "EXDATE cannot be read"),
])  # fmt: skip
def test_a_rule_that_cannot_be_followed_is_refused_by_its_line(tmp_path, lines, message):
    """Endless rules within a day, and rules that never hold, take no time and have a message."""
    begin = time.perf_counter()
    with pytest.raises(InputError) as error:
        _read(_write(tmp_path, _event(), _event(*lines)))
    assert "SSO-01.ics, line 7: " in str(error.value)
    assert message in str(error.value)
    assert time.perf_counter() - begin < 5


def test_an_endless_rule_is_followed_between_the_days_alone(tmp_path):
    """A daily event without end has one duty a day of the span."""
    daily = _event("RRULE:FREQ=DAILY", start="20200101T090000", end="20200101T093000")
    duties, _ = _read(_write(tmp_path, daily))
    assert len(duties) == (LAST - FIRST).days + 1
    assert (duties[0].date, duties[-1].date) == (FIRST, LAST)


def test_too_many_events_and_days_are_refused(tmp_path):
    """A file with more events than anybody has, or more days, has a message."""
    with pytest.raises(InputError, match="more than 20,000"):
        _read(_write(tmp_path, *[_event()] * (MAX_EVENTS + 1)))
    years = _event(start="20260101T000000", end="20280101T000000")
    with pytest.raises(InputError, match="gives more than 50,000 days with a duty"):
        _read(_write(tmp_path, *[years] * 80))


PIECES = st.sampled_from([
    *("BEGIN:VEVENT", "END:VEVENT", "BEGIN:VALARM", "END:VALARM", "UID:a", "SEQUENCE:x"),
    *("DTSTART:20261116T090000", "DTSTART;VALUE=DATE:20261116", "DTSTART;TZID=No/Where:2026"),
    *("DTEND:20261116T100000Z", "DURATION:PT1H", "DURATION:-P1W", "DTEND;VALUE=DATE:99990101"),
    *("RRULE:FREQ=DAILY;COUNT=3", "RRULE:FREQ=MONTHLY;BYDAY=-1MO;BYSETPOS=9", "RRULE:", "X"),
    *("EXDATE:20261116T090000", "RDATE;VALUE=PERIOD:20261201T090000Z/PT1H", "GEO:1;2", "GEO:x"),
    *("RECURRENCE-ID:20261116T090000", "ATTENDEE;CN=SSO-02:x", "CATEGORIES:court", " folded"),
    *("DTSTART:00010101T000000Z", "DTSTART;TZID=Pacific/Apia:99991231T235959", "\0"),
    "TZID:\u00e9",
])  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.one_of(PIECES, st.text(max_size=30)), max_size=25))
def test_whatever_a_file_holds_there_are_duties_or_messages(tmp_path, lines):
    """No line makes the reader fail in another way, and duties lie within their days."""
    path = _write(tmp_path, ["BEGIN:VEVENT", *lines, "END:VEVENT"])
    try:
        duties, _ = _read(path)
    except InputError:
        return
    for one in duties:
        assert FIRST <= one.date <= LAST
        assert 0 <= one.from_minutes < one.to_minutes <= 1440


@given(
    start=st.dates(dt.date(2025, 1, 1), dt.date(2027, 6, 1)),
    frequency=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    interval=st.integers(1, 4),
    count=st.integers(1, 30),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_rule_gives_the_days_that_counting_gives(tmp_path, start, frequency, interval, count):
    """Days, weeks, months and years on, as counted one by one."""
    rule = f"RRULE:FREQ={frequency};INTERVAL={interval};COUNT={count}"
    at = f"{start:%Y%m%d}"
    path = _write(tmp_path, _event(rule, start=f"{at}T090000", end=f"{at}T093000"))
    wanted = []
    for number in range(5000):
        day = start + dt.timedelta(days=number)
        months = 12 * (day.year - start.year) + day.month - start.month
        steps = {
            "DAILY": number % interval == 0,
            "WEEKLY": number % (7 * interval) == 0,
            "MONTHLY": day.day == start.day and months % interval == 0,
            "YEARLY": day.day == start.day and months % (12 * interval) == 0,
        }
        wanted += [day] if steps[frequency] and len(wanted) < count else []
    duties, _ = _read(path)
    assert [one.date for one in duties] == [day for day in wanted if FIRST <= day <= LAST]


HEADER = "officer,date,from,to,kind,urn,longitude,latitude"
SPAN = (dt.date(2026, 1, 1), dt.date(2026, 12, 31))
BNG = Projection()


def _read_duties(path):
    return read_all_duties([path], BNG, officers=("A", "B"), span=SPAN, left_out=LeftOut())


def test_a_table_and_a_calendar_give_the_same_duty(tmp_path):
    """The same hours are the same rows, whichever file has them."""
    path = write_lines(tmp_path, HEADER, "A,2026-11-16,09:00,10:30,court,,,")
    event = _event("CATEGORIES:court", end="20261116T103000", zone="")
    table, calendar = map(_read_duties, (path, _write(tmp_path, event, name="A.ics")))
    pd.testing.assert_frame_equal(table.drop(columns="geometry"), calendar.drop(columns="geometry"))
    assert table.geometry.is_empty.all() == calendar.geometry.is_empty.all()


def test_places_are_schools_or_points(tmp_path):
    """A URN stays, degrees are metres, a home visit is mid-square, and neither is no place."""
    rows = ("16,09:00,10:00,assembly,900001,,", "17,09:00,10:00,home_visit,,-0.1346,51.5205",
            "18,09:00,10:00,training,,,")  # fmt: skip
    duties = _read_duties(write_lines(tmp_path, HEADER, *(f"A,2026-11-{row}" for row in rows)))
    assert list(duties["urn"]) == ["900001", "", ""]
    assert list(duties.geometry.is_empty) == [True, False, True]
    assert (duties.geometry.iloc[1].x, duties.geometry.iloc[1].y) == (529750, 181750)
