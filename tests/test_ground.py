"""The ground: arrays, errors, notes, checks, degrees and metres, tables, times and words."""

import ast
import datetime as dt
import re
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, strategies as st
from hypothesis.extra import numpy as hnp
from pyproj import Transformer

import patrolplan
from patrolplan import crs as grid, errors, times
from patrolplan.arrays import expand_ranges, find_unique_points
from patrolplan.crs import BRITISH_GRID, SQUARE_METRES, Projection, find_squares, locate_in_squares
from patrolplan.notes import Note, list_texts
from patrolplan.plausibility import ALLOWED_ROWS, Alarm, Alarms, exceeds_bound
from patrolplan.tables import LeftOutRow, list_left_out, render_html_table
from patrolplan.text import format_count, format_letters, pluralise, shorten
from patrolplan.times import compute_sunrise, compute_sunset, format_time, minutes_after_midnight

SOURCE = Path(patrolplan.__file__).parent


@given(hnp.arrays(float, st.tuples(st.integers(1, 40), st.just(2)), elements=st.integers(-3, 3)))
def test_distinct_places_are_those_of_numpy(xy):
    """Places and their numbers are those of numpy.unique over rows."""
    places, number = find_unique_points(xy)
    expected, back = np.unique(xy, axis=0, return_inverse=True)
    assert np.array_equal(places, expected)
    assert np.array_equal(number, back.reshape(-1))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6), st.booleans()), max_size=12))
def test_ranges_are_those_of_a_plain_loop(rows):
    """All ranges one after the other, also empty ones; a reversed one begins with its last."""
    starts, counts = (np.array([row[at] for row in rows], dtype=np.int64) for at in (0, 1))
    ranges = [list(range(start, start + count)) for start, count, _ in rows]
    assert expand_ranges(starts, counts).tolist() == list(chain.from_iterable(ranges))
    turned = [row[::-1] if back else row for row, (*_, back) in zip(ranges, rows, strict=True)]
    is_reversed = np.array([back for *_, back in rows], dtype=bool)
    found = expand_ranges(starts, counts, is_reversed=is_reversed).tolist()
    assert found == list(chain.from_iterable(turned))


def test_a_problem_is_one_line():
    """Messages of other libraries may have several lines."""
    problem = errors.Problem("a.osm", "is broken (XML error:\n  line 3)", "fetch it again")
    assert str(problem) == "a.osm: is broken (XML error: line 3); fetch it again."


def test_errors_are_ours_and_the_builtin_one():
    """Who catches the built-in error that they expect catches ours as well."""
    ours = errors.InputError, errors.SettingsError, errors.OutputError
    for error, builtin in zip(ours, (ValueError, ValueError, OSError), strict=True):
        assert {errors.PatrolplanError, builtin} <= {*error.__mro__}


def test_collecting_goes_on_after_a_problem_and_lets_faults_through():
    """errors.Problems are all raised at the end, in their order; a fault of the program at once."""
    problems = errors.Problems()
    with pytest.raises(KeyError), problems.collect():
        raise KeyError
    problems.raise_if_any()
    for name in ("a", "b"):
        with problems.collect():
            raise errors.InputError.one(name, "is wrong", "fix it")
    problems.add("c", "is wrong", "fix it")
    with pytest.raises(errors.InputError) as caught:
        problems.raise_if_any()
    assert [problem.file for problem in caught.value.problems] == ["a", "b", "c"]


def test_what_a_person_can_fix_comes_before_what_was_assumed():
    """And that before the rest; a note is about the schools that it names, or about all."""
    known, assumed = Note("key", "Text."), Note("key", "Text.", short="homes not known")
    fix = Note("key", "Text.", short="bell assumed", fix="give it", about={"urns": ["1", "2"]})
    assert [one.urgency for one in (known, assumed, fix)] == ["known", "assumed", "fix"]
    assert [fix.is_about("2"), fix.is_about("3"), known.is_about("3")] == [True, False, True]
    assert list_texts([known, Note("b", "Two."), assumed]) == ["Text.", "Two."]


def test_each_key_stands_at_one_place():
    """A note is declared once: two sentences never share a key by accident."""
    keys = [
        (node.args[0].value, path.name)
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Note"
        if isinstance(node.args[0], ast.Constant)
    ]
    assert len(keys) > 60
    assert len(dict(keys)) == len(set(keys))


def test_a_bound_allows_a_few_rows_and_a_share():
    """A number of rows, or a share of all, may be wrong; more are not typing errors."""
    for more in (0, 1):
        assert exceeds_bound(ALLOWED_ROWS + more, 11, 0.01) is bool(more)
        assert exceeds_bound(100 + more, 10_000, 0.01) is bool(more)
    assert exceeds_bound(101, 10_000, 0.5) is False


def test_an_accepted_alarm_has_its_reason_and_no_folder():
    """An accepted check is no problem; its message is the same on every machine."""
    alarms = Alarms({"no_hours": "they come on Monday"})
    alarms.add("no_hours", "/home/me/officers.csv", "none has hours", "write hours", "row 2")
    assert alarms.take_problems() == []
    message = "officers.csv, row 2: none has hours"
    assert alarms.list_alarms() == (Alarm("no_hours", message, "they come on Monday"),)


@given(st.floats(-0.5, 0.3), st.floats(51.3, 51.7))
def test_there_and_back_is_the_same_place(longitude, latitude):
    """Degrees turned to metres and back are the same to the rounding of degrees."""
    projection = Projection("EPSG:27700")
    back = projection.to_degrees(*projection.to_metres([longitude], [latitude]))
    assert back[0][0] == pytest.approx(longitude, abs=2e-6)
    assert back[1][0] == pytest.approx(latitude, abs=2e-6)


def test_longitude_comes_first_whatever_the_crs_says():
    """Coordinates go in as longitude, latitude and come out as easting, northing."""
    x, y = Projection("EPSG:32630").to_metres([-0.13], [51.52])
    transformer = Transformer.from_crs("EPSG:4326", "EPSG:32630", always_xy=True)
    assert (x[0], y[0]) == pytest.approx(transformer.transform(-0.13, 51.52))
    assert x[0] < 1_000_000 < y[0]


DATUM = "446.448,-125.157,542.06,0.15,0.247,0.842,-20.489"
"""From the ellipsoid of the British grid to that of GPS; without it places are 100 m off."""

TMERC = (
    "+proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996 +x_0={} +y_0=77 +ellps=airy "
    f"+towgs84={DATUM} +units=m"
)
CRSES = (
    *(BRITISH_GRID, "EPSG:32630", "EPSG:32631", "EPSG:3035"),
    *(TMERC.format(3), TMERC.format(400_100.5)),
)


@given(st.floats(-6, 1.7), st.floats(50, 58), st.sampled_from(CRSES))
@example(1.5, 50.0, CRSES[-2])
def test_a_place_has_one_square_in_every_crs(longitude, latitude, crs):
    """The square of a place is that of the British grid, in any CRS of the place."""
    x, y = Projection(BRITISH_GRID).to_metres([longitude], [latitude])
    metres = np.array([x[0], y[0]])
    middle = (np.floor(metres / SQUARE_METRES) + 0.5) * SQUARE_METRES
    degrees = Projection(BRITISH_GRID).to_degrees(middle[:1], middle[1:])
    theirs = np.stack(Projection(crs).to_metres(*degrees), axis=1)
    assert find_squares(theirs, crs).tolist() == [[27700, *(middle // SQUARE_METRES)]]


@given(st.floats(-179.9, 179.9), st.floats(-80, 84))
def test_squares_cover_the_world(longitude, latitude):
    """Every place has a square of 250 m whose corners are within 250 m of it."""
    square = find_squares([[longitude, latitude]])
    crs = f"EPSG:{square[0, 0]}"
    here = np.stack(Projection(crs).to_metres([longitude], [latitude]), axis=1)
    for across, up in ((0, 0), (1, 1), (0.5, 0.5)):
        corner = locate_in_squares(square, across, up, crs)
        assert (np.abs(corner - here) <= 250.001).all()


def test_a_place_that_does_not_exist_is_nowhere():
    """Degrees beyond the poles, and NaN, have no square."""
    wrong = [[0, 91], [181, 0], [np.nan, 51], [0, np.inf]]
    assert (find_squares(wrong) == grid.NOWHERE).all()
    distinct, number = grid.number_squares(find_squares([*wrong, [-0.1, 51.5]]))
    assert (len(distinct), number.tolist()) == (2, [0, 0, 0, 0, 1])
    assert np.isnan(locate_in_squares(np.array([grid.NOWHERE]), 0, 0, BRITISH_GRID)).all()


def test_text_from_data_is_escaped():
    """Names and values cannot become markup."""
    html = render_html_table("<b>", {"<i>": "<script>"}, next_call="f(x) & g")
    assert re.findall(r"<(?!/?(?:strong|table|tr|th|td|code)\b)", html) == []
    assert "&lt;script&gt;" in html


@given(count=st.integers(1, 200), threshold=st.integers(1, 100))
def test_small_counts_are_told_as_fewer_than_the_threshold(count, threshold):
    """A count under the threshold never shows, one at or above it does."""
    row = LeftOutRow("reports", "unknown band", count, threshold)
    assert row.count_text == (f"fewer than {threshold}" if count < threshold else str(count))
    expected = {"source": "reports", "reason": "unknown band", "count": row.count_text}
    assert list_left_out([row]) == [expected]


LONDON = (-0.12, 51.5)
# Central London in universal time, as timetables of the US Naval Observatory print it.
SUNSETS = """2014-11-01 16:34, 2014-11-11 16:17, 2014-11-21 16:04, 2014-12-01 15:55,
2014-12-11 15:51, 2014-12-21 15:53, 2014-12-31 16:01, 2018-11-03 16:31, 2018-11-04 16:29,
2007-10-02 17:37"""
SUNRISES = """2014-11-01 06:54, 2014-11-21 07:28, 2014-12-01 07:44, 2014-12-11 07:56,
2014-12-21 08:04, 2014-12-31 08:06"""


@pytest.mark.parametrize(
    ("compute", "table"), [(compute_sunset, SUNSETS), (compute_sunrise, SUNRISES)]
)
def test_published_times_of_london(compute, table):
    """The sun in London agrees with published tables to the minute that they are rounded to."""
    for printed in table.split(","):
        published = dt.datetime.fromisoformat(f"{printed.strip()}+00:00")
        found = compute(published.date(), *LONDON)
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
    assert times.parse_time(text) == time
    assert minutes_after_midnight(text) == minutes_after_midnight(time)
    assert format_time(minutes_after_midnight(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "15", "9:30", "25:00", "12:60", "15:10:00", "15:10Z", "1\N{FULLWIDTH DIGIT FIVE}:10"],
)
def test_what_is_not_hours_and_minutes_is_refused(text):
    """A time is two digits, a colon and two digits, and a valid time of day."""
    with pytest.raises(ValueError, match="HH:MM"):
        times.parse_time(text)


@given(st.text(max_size=80), st.integers(5, 40))
def test_shortened_names_keep_to_their_length(text, letters):
    """Names are cut to the letters allowed, and left alone when short."""
    short = shorten(text, letters)
    assert len(short) <= letters
    assert short == text or len(text) > letters


def test_words_go_with_their_count():
    """One has the singular, none and several have the plural."""
    words = (f"{format_count(n, 'stop')} {pluralise(n, 'has', 'have')}" for n in range(3))
    assert [*words] == ["0 stops have", "1 stop has", "2 stops have"]
    assert [*map(format_letters, (0, 25, 26, 701, 702))] == ["A", "Z", "AA", "ZZ", "AAA"]
