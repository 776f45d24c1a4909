"""Forms of times of day, sunrise and sunset as in almanacs, and words cut or counted."""

import datetime as dt

import pytest
from hypothesis import given, settings, strategies as st

from patrolplan.text import format_count, pluralise, shorten
from patrolplan.times import (
    compute_sunrise,
    compute_sunset,
    format_span,
    format_time,
    minutes_after_midnight,
    parse_time,
)

LONDON = (-0.12, 51.5)


@pytest.mark.parametrize(
    ("compute", "day", "printed"),
    [
        # Central London in universal time, as timetables of the US Naval Observatory print it.
        (compute_sunset, (2014, 11, 1), "16:34"),
        (compute_sunset, (2014, 11, 11), "16:17"),
        (compute_sunset, (2014, 11, 21), "16:04"),
        (compute_sunset, (2014, 12, 1), "15:55"),
        (compute_sunset, (2014, 12, 11), "15:51"),
        (compute_sunset, (2014, 12, 21), "15:53"),
        (compute_sunset, (2014, 12, 31), "16:01"),
        (compute_sunset, (2018, 11, 3), "16:31"),
        (compute_sunset, (2018, 11, 4), "16:29"),
        (compute_sunset, (2007, 10, 2), "17:37"),
        (compute_sunrise, (2014, 11, 1), "06:54"),
        (compute_sunrise, (2014, 11, 21), "07:28"),
        (compute_sunrise, (2014, 12, 1), "07:44"),
        (compute_sunrise, (2014, 12, 11), "07:56"),
        (compute_sunrise, (2014, 12, 21), "08:04"),
        (compute_sunrise, (2014, 12, 31), "08:06"),
    ],
)
def test_published_times_of_london(compute, day, printed):
    """The sun in London agrees with published tables to the minute that they are rounded to."""
    found = compute(dt.date(*day), *LONDON)
    hour, minute = (int(part) for part in printed.split(":"))
    published = dt.datetime(*day, hour, minute, tzinfo=dt.UTC)
    assert abs((found - published).total_seconds()) <= 90


@given(st.dates(dt.date(2000, 1, 1), dt.date(2060, 12, 31)), st.floats(50.0, 59.0))
def test_noon_lies_halfway_between_sunrise_and_sunset(day, latitude):
    """Sunrise and sunset are symmetric about solar noon, within a few seconds."""
    rises, sets = compute_sunrise(day, 0.0, latitude), compute_sunset(day, 0.0, latitude)
    assert rises < sets
    middle = rises + (sets - rises) / 2
    noon = dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC)
    assert abs((middle - noon).total_seconds()) < 17.5 * 60


def test_sun_does_not_set_in_the_polar_summer():
    """North of the polar circle there are days without a sunset."""
    assert compute_sunset(dt.date(2026, 6, 21), 20.0, 75.0) is None
    assert compute_sunset(dt.date(2026, 12, 21), 20.0, 75.0) is None
    assert compute_sunrise(dt.date(2026, 6, 21), 20.0, 75.0) is None


@given(st.dates(dt.date(2000, 1, 1), dt.date(2060, 12, 31)), st.floats(50.0, 59.0))
def test_neighbouring_days_differ_by_minutes(day, latitude):
    """Sunset moves by less than four minutes a day in Great Britain, with no jump anywhere."""
    today = compute_sunset(day, -2.0, latitude)
    tomorrow = compute_sunset(day + dt.timedelta(days=1), -2.0, latitude)
    assert abs((tomorrow - today).total_seconds() - 86_400) < 240


@given(st.times())
def test_times_are_read_as_they_are_written(time):
    """HH:MM of any minute is read back as the same, as a time and as minutes after midnight."""
    time = time.replace(second=0, microsecond=0)
    text = f"{time:%H:%M}"
    assert parse_time(text) == time
    assert minutes_after_midnight(text) == minutes_after_midnight(time)
    assert format_time(minutes_after_midnight(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "15", "9:30", "25:00", "12:60", "15:10:00", "15:10Z", "1\N{FULLWIDTH DIGIT FIVE}:10"],
)
def test_what_is_not_hours_and_minutes_is_refused(text):
    """A time is two digits, a colon and two digits, and a valid time of day."""
    with pytest.raises(ValueError, match="HH:MM"):
        parse_time(text)


def test_a_span_has_an_en_dash_and_rounds_to_minutes():
    """Two times are joined by a dash, each to the nearest minute, past midnight too."""
    assert format_span(919.6, 24 * 60 + 5) == "15:20\N{EN DASH}00:05"


@given(st.text(max_size=80), st.integers(5, 40))
@settings(deadline=None)
def test_shortened_names_keep_to_their_length(text, letters):
    """Names are cut to the letters allowed, and left alone when short."""
    short = shorten(text, letters)
    assert len(short) <= letters
    assert short == text or len(text) > letters


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 stops have"), (1, "1 stop has"), (2, "2 stops have")]
)
def test_words_go_with_their_count(count, words):
    """One has the singular, none and several have the plural."""
    assert f"{format_count(count, 'stop')} {pluralise(count, 'has', 'have')}" == words
