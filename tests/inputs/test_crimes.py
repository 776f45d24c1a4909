"""Recorded crime: copies, categories, times and months; open files are read once."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from table_files import write_lines

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs import timestamps
from patrolplan.inputs.crime_checks import check_categories, rename_categories
from patrolplan.inputs.crimes import read_crimes
from patrolplan.inputs.timestamps import MIN_GAP_MONTHS, is_isolated_month, parse_timestamps
from patrolplan.plausibility import Alarms
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")
HEADER = "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,Crime type,Context"


def _row(crime_id="", month="2024-05", category="Robbery", lon="-0.13", lat="51.52", force="Met"):
    return f"{crime_id},{month},{force},{force},{lon},{lat},On or near X,{category},"


def _file(folder, rows, name="a.csv"):
    return write_lines(folder, HEADER, *rows, name=name)


def _read(*paths, **options):
    left_out = LeftOut()
    crimes = read_crimes(paths, BNG, left_out, **options)
    return crimes, {row.reason: row.count for row in left_out.rows}


def test_native_files_of_lancashire(shared):
    """A whole native file comes in but for its rows without coordinates, which are counted."""
    folder = shared / "data" / "crimes" / "native_format_samples"
    crimes, left_out = _read(folder / "2022-09-lancashire-street.csv.gz")
    assert left_out == {"without coordinates": 404}
    assert len(crimes.incidents) == 15_538 - 404
    assert not crimes.is_exact.any()
    assert not crimes.incidents["timed"].any()
    assert set(crimes.incidents["force"]) == {"Lancashire Constabulary"}
    assert (crimes.incidents["month"] == "2022-09-01").all()
    assert crimes.incidents["occurred_at"].isna().all()


def test_several_forces_and_the_one_that_others_patrol(shared):
    """British Transport Police's crimes are left out and counted when the settings say so."""
    folder = shared / "data" / "crimes" / "2018-06"
    paths = sorted(folder.glob("*.csv.gz"))
    everyone, _ = _read(*paths)
    forces = everyone.incidents["force"].value_counts()
    crimes, left_out = _read(*paths, leave_out_forces=("British Transport Police",))
    assert left_out["recorded by British Transport Police"] == forces["British Transport Police"]
    assert set(crimes.incidents["force"]) == {"Metropolitan Police Service"}
    assert len(crimes.incidents) == forces["Metropolitan Police Service"]


OTHERS = {"force": "City", "month": "2024-06", "category": "Drugs", "lon": "-0.131",
          "lat": "51.521", "crime_id": "x2"}  # fmt: skip


@pytest.mark.parametrize("column", OTHERS)
def test_doubles_have_id_month_category_and_point_in_common(tmp_path, column):
    """A row of another file is a double exactly when ID, month, category and point agree."""
    first = _file(tmp_path, [_row("x1")], "a.csv")
    second = _file(tmp_path, [_row(**{"crime_id": "x1", column: OTHERS[column]})], "b.csv")
    crimes, left_out = _read(first, second)
    double = column == "force"
    assert left_out == ({"also in an earlier file": 1} if double else {})
    assert len(crimes.incidents) == 2 - double


ROWS = st.lists(st.tuples(st.sampled_from(["", "1", "2"]), st.sampled_from("AB")), max_size=5)


@given(files=st.lists(ROWS, min_size=1, max_size=3))
def test_doubles_equal_the_plain_rule(tmp_path_factory, files):
    """Over any files, the rows that remain are those in no earlier file, read row by row."""
    folder = tmp_path_factory.mktemp("doubles")
    expected, paths, seen = [], [], set()
    for number, rows in enumerate(files):
        expected += [row for row in rows if not row[0] or row not in seen]
        seen |= set(rows)
        lines = [_row(crime_id, category=category) for crime_id, category in rows]
        paths.append(_file(folder, lines, f"{number}.csv"))
    if not any(files):
        with pytest.raises(InputError, match="no row with a category"):
            _read(*paths)
        return
    crimes, left_out = _read(*paths)
    assert list(crimes.incidents["category"]) == [category for _, category in expected]
    assert sum(left_out.values()) == sum(map(len, files)) - len(expected)


def test_rows_are_left_out_under_the_first_reason(tmp_path):
    """A row without category, month or place is left out and counted once."""
    rows = [
        *(_row("1"), _row("2", category=""), _row("5", lon="", lat="")),
        *(_row(month, month=month) for month in ("2024-13", "May 2024", "2924-05")),
        _row("6", category="", month="", lon="", lat=""),
    ]
    crimes, left_out = _read(_file(tmp_path, rows))
    assert len(crimes.incidents) == 1
    reasons = {"a crime type": 2, "a month or time that can be read": 3, "coordinates": 1}
    assert left_out == {f"without {one}": count for one, count in reasons.items()}


def _extract(folder, header, *rows):
    """A table of one's own, all of it at one place."""
    lines = (f"{row},-0.13,51.52" for row in rows)
    return write_lines(folder, f"{header},longitude,latitude", *lines)


def test_only_open_data_is_cached(tmp_path, monkeypatch):
    """The second time rows and counts are the same, nothing is parsed; times are never cached."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "cache"))
    own = _extract(tmp_path, "date_time,category", "2024-01-05 15:40,Robbery")
    assert len(_read(own)[0].incidents) == 1
    assert not list((tmp_path / "cache").rglob("*.entry"))
    other = _row(category="Anti-social behaviour"), _row("a2", lon="", lat="")
    path = _file(tmp_path, [_row("a1"), *other])
    first, left_out = _read(path)
    monkeypatch.setattr("patrolplan.inputs.table_reader.read_counted_table", None)
    second, left_out_again = _read(path)
    pd.testing.assert_frame_equal(first.incidents, second.incidents)
    assert left_out == left_out_again
    assert len(list((tmp_path / "cache").rglob("*.entry"))) == 1


def test_own_extract_with_times_and_grid(tmp_path):
    """A force's own table: mapped columns, clock times, metres; places are exact, not snapped."""
    rows = "7;2024-05-03 15:40;Robbery;529509;181782", "8;04/05/2024 16:05;Robbery;529500.5;181700"
    path = write_lines(tmp_path, "ref;when;offence;E;N", *rows)
    ours = ("crime_id", "occurred_at", "category", "easting", "northing")
    columns = dict(zip(ours, ("ref", "when", "offence", "E", "N"), strict=True))
    crimes, left_out = _read(path, columns=columns)
    assert left_out == {}
    assert crimes.is_exact.all()
    incidents = crimes.incidents
    assert incidents["timed"].all()
    at = incidents["occurred_at"].astype(str).tolist()
    assert at == ["2024-05-03 15:40:00", "2024-05-04 16:05:00"]
    assert set(incidents["month"]) == {pd.Timestamp("2024-05-01")}
    assert list(incidents.geometry.x) == [529509, 529500.5]


def test_a_date_alone_among_times_is_not_midnight(tmp_path):
    """Each row has a time or not; 00:00 means an unknown time where it is too common."""
    rows = [f"2024-05-{day:02d} 00:00,Drugs" for day in range(1, 9)]
    rows += ["2024-05-03,Robbery", "2024-05-03 15:40,Robbery", "2024-05-04 00:00,Robbery"]
    rows += ["2024-05-04 09:00,Drugs"]
    crimes, _ = _read(_extract(tmp_path, "date_time,crime type", *rows))
    assert crimes.incidents["timed"].tolist() == [False] * 9 + [True, True, True]


@pytest.mark.parametrize(("dated", "exact"), [(1, False), (2, False), (3, True), (4, True)])
def test_most_rows_of_a_file_tell_what_its_places_are(tmp_path, dated, exact):
    """One row with a date makes no map point exact, nor one without an extract's place a point."""
    rows = [f"2024-05,{'2024-05-03 15:40' if k < dated else ''},Robbery" for k in range(4)]
    crimes, _ = _read(_extract(tmp_path, "month,date_time,crime type", *rows))
    assert crimes.is_exact.tolist() == [exact] * 4


FROM = "2026-03-06 22:00"
MANY = 40


def _read_committed(tmp_path, rows, alarms=None):
    """The last crime of a file, after many with an exact time; None where it was left out."""
    rows = [f"{row},Robbery" for row in [f"{FROM},{FROM}"] * MANY + rows]
    path = _extract(tmp_path, "committed_from,committed_to,category", *rows)
    crimes, left_out = _read(path, alarms=alarms)
    return crimes.incidents.iloc[-1] if len(crimes.incidents) > MANY else None, left_out


@pytest.mark.parametrize(("row", "at", "until", "timed"), [
    (f"{FROM},{FROM}", FROM, None, True), (f"{FROM},", FROM, None, True),
    (f",{FROM}", FROM, None, True),
    (f"{FROM},2026-03-07 07:30", FROM, "2026-03-07 07:30", False),
    (f"{FROM},2026-03-07 22:00", FROM, "2026-03-07 22:00", False),
    (f"{FROM},2026-03-07 22:01", FROM, None, False),
    (f"{FROM},2026-04-06 22:00", FROM, None, False),
    ("2026-03-06,2026-03-07", "2026-03-06", None, False),
    (f"2026-03-06,{FROM}", "2026-03-06", None, False),
])  # fmt: skip
def test_one_time_or_a_span_of_a_day_is_known(tmp_path, row, at, until, timed):
    """Alike, or one alone: a time. Up to 24 hours: a span. Longer, or dates: neither."""
    crime, left_out = _read_committed(tmp_path, [row])
    assert crime["occurred_at"] == pd.Timestamp(at)
    known = crime["occurred_until"]
    assert known is pd.NaT if until is None else known == pd.Timestamp(until)
    assert crime["timed"] == timed
    assert crime["month"] == pd.Timestamp("2026-03-01")
    assert not left_out


@pytest.mark.parametrize("last", ["2026-03-06 21:59", "2026-04-06 22:01", "soon"])
def test_a_last_time_that_cannot_be_true_counts_for_nothing(tmp_path, last):
    """Before the first or more than a month later: left out, unless the month is known."""
    crime, left_out = _read_committed(tmp_path, [f"{FROM},{last}"])
    if last == "soon":
        assert crime["timed"]
        return
    assert crime is None
    assert list(left_out.values()) == [1]
    head, row = "committed_from,committed_to,month,category", f"{FROM},{last},2026-03,Robbery"
    crimes = _read(_extract(tmp_path, head, row))[0].incidents
    assert crimes["month"].tolist() == [pd.Timestamp("2026-03-01")]
    assert crimes["occurred_at"].isna().all()


def test_many_wrong_spans_stop_the_command(tmp_path):
    """The message names the row, the column and what to write; a single one stops nothing."""
    alarms, rows = Alarms(), [f"{FROM},2026-03-07 06:{n:02}" for n in range(60)]
    _, left_out = _read_committed(tmp_path, [*rows, f"{FROM},2026-03-06 21:00"], alarms=alarms)
    assert list(left_out.values()) == [1]
    assert "committed_to" not in " ".join(map(str, alarms.take_problems()))
    _read_committed(tmp_path, [f"{FROM},2026-03-06 21:00"] * MANY, alarms=alarms)
    words = str(alarms.take_problems()[0])  # others: copies, a file of one time
    assert "'2026-03-06 21:00' cannot be read (40 such values in 80 rows)" in words
    assert "row 42, column 'committed_to'" in words
    assert "at most 31 days after the first, not before it" in words


def test_an_exact_time_wins_over_a_span(tmp_path):
    """Where a table has both, occurred_at counts, and the span where it is empty."""
    rows = ["2026-03-07 01:00", ""]
    lines = [f"{row},{FROM},2026-03-07 07:30,Robbery" for row in rows]
    path = _extract(tmp_path, "occurred_at,committed_from,committed_to,category", *lines)
    crimes = _read(path)[0].incidents
    assert crimes["timed"].tolist() == [True, False]
    assert crimes["occurred_until"].notna().tolist() == [False, True]
    assert crimes["occurred_at"].tolist() == [pd.Timestamp(rows[0]), pd.Timestamp(FROM)]


@pytest.mark.parametrize(("names", "own", "renamed"), [
    (["Robbery", "ROBBERY", None], (), ["Robbery", "Robbery", None]),
    ([" bicycle  THEFT"], (), ["Bicycle theft"]),
    (["ROBBERY", "Drugs"], ("ROBBERY",), ["ROBBERY", "Drugs"]),
    (["robbery", "ROBBERY"], ("ROBBERY",), ["ROBBERY", "ROBBERY"]),
    (["Robbery"], ("robbery",), ["Robbery"]), (["robberY"], ("robbery",), ["Robbery"]),
    (["Knife point"], ("Knife Point",), ["Knife Point"]),
    (["Robberies"], (), ["Robberies"]),
])  # fmt: skip
def test_case_and_spaces_do_not_make_another_category(names, own, renamed):
    """A name of the settings that the files have comes first, then those of data.police.uk."""
    column, _ = rename_categories(pd.Series(names, dtype="category"), own)
    assert column.astype(object).where(column.notna(), None).tolist() == renamed


def test_unknown_categories_have_count_nearest_name_and_what_they_replace():
    """The most frequent comes first; one replaces a known one that ended when it began."""
    of_year = {
        "Robbery": range(12), "Roberry": range(12), "ASB": [*range(12)] * 2, "Drugs": [5] * 10,
        "Narcotics": [7] * 10, "Rare": [6] * 9, "Late": [8] * 21, "Knife point": range(12),
    }  # fmt: skip
    months = pd.date_range("2025-01", "2025-12", freq="MS")
    rows = [(name, months[one]) for name, of in of_year.items() for one in of]
    frame = pd.DataFrame(rows, columns=["category", "month"]).astype({"category": "category"})
    found = check_categories(frame, (), ["Knife point"]).unknown
    assert [(one.name, one.count, one.nearest, one.replaces) for one in found] == [
        *(("ASB", 24, "", ""), ("Late", 21, "", ""), ("Roberry", 12, "Robbery", "")),
        *(("Narcotics", 10, "", "Drugs"), ("Rare", 9, "", "")),
    ]


CLOCK_TIMES = {
    "2024-07-01 10:00": "2024-07-01 10:00", "2024-07-01T10:00:30": "2024-07-01 10:00:30",
    "2024-07-01T10:00Z": "2024-07-01 11:00", "2024-01-01T10:00:00+00:00": "2024-01-01 10:00",
    "2024-07-01 10:00+0100": "2024-07-01 10:00",
    "2024-07-01 10:00:00.5+02:00": "2024-07-01 09:00:00.5",
    "03/04/2024 10:00": "2024-04-03 10:00", "03/04/2024 10:00:07": "2024-04-03 10:00:07",
    "25/12/2024": "2024-12-25", "12/25/2024 10:00": None, "2024-02-30": None, "yesterday": None,
    "2924-05-03 10:00": None, "03/05/0024 10:00": None, "9999-12-31T23:00Z": None, "": None,
}  # fmt: skip


@pytest.mark.parametrize("text", CLOCK_TIMES)
def test_clock_times(text):
    """Times are ISO or day first, in UK time where they say their distance from UTC."""
    wanted = pd.NaT if CLOCK_TIMES[text] is None else pd.Timestamp(CLOCK_TIMES[text])
    mixed = parse_timestamps(pd.Series(["2024-01-01T00:00+00:00", text, "01/06/2024 12:00"]))
    assert mixed[1] is wanted or mixed[1] == wanted
    assert list(mixed[[0, 2]]) == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-06-01 12:00")]


PRECISION = {
    0: ("2024-07-01", "25/12/2024", "", "9999-12-31 10:00"),
    1: ("2024-07-01 00:00", "2024-07-01T00:00:00.000Z", "2024-06-30T23:00Z", "03/04/2024 00:00:00"),
    2: ("20240701T1000", "2024-07-01 00:01", "2024-07-01 10:00:00+00:00", "03/04/2024 10:00"),
}


def test_precision_of_a_text():
    """A date alone has no time; midnight, written or local, differs from other times."""
    for precision, texts in PRECISION.items():
        for text in texts:
            column = pd.Series(["2024-07-01 12:00", text])
            found = timestamps.classify_precision(column, parse_timestamps(column))
            assert found.tolist() == [2, precision], text


def _find_known_times(**counts):
    """Whether the times of one kind are known, where each is recorded so many times."""
    text = [f"2024-07-{1 + k % 28:02d} {at[1:].replace('_', ':')}" for at, count in counts.items()
            for k in range(count)]  # fmt: skip
    times = parse_timestamps(pd.Series(text))
    precision = timestamps.classify_precision(pd.Series(text), times)
    return timestamps.is_time_known(precision, times, np.zeros(len(text), dtype=int))


def test_too_common_midnight_means_unknown():
    """00:00 far more common than 23:00 and 01:00 means unknown, else it is a time or chance."""
    is_known = _find_known_times(t00_00=44, t23_00=20, t01_00=10, t15_30=5)
    assert is_known.tolist() == [False] * 44 + [True] * 35
    assert _find_known_times(t00_00=43, t23_00=20).all()
    assert _find_known_times(t00_00=3, t15_30=9).all()


FIRST = pd.Period("2024-10", freq="M")


def _months(rows):
    """Rows of months, by the number of months after the first."""
    numbers = [FIRST + number for number, count in rows.items() for _ in range(count)]
    return pd.Series([month.to_timestamp() for month in numbers], dtype="datetime64[ns]")


USUAL = dict.fromkeys(range(24), 500)
SLIPS = [{451: 1}, {451: 1, 800: 2}, {451: 3, 452: 2}, {-300: 1}, {30: 1}]
ACCEPTED = [  # a month just begun, two not fetched, and recording that goes on after a year
    *(USUAL | more for more in ({24: 1}, {26: 1}, {40: 500}, {30: 200})),
    USUAL | dict.fromkeys(range(-60, -48), 480),  # an older time
    *({0: 1, 100: 1}, {0: 1}, {0: 3, 10: 2, 30: 4}, {}),  # nothing says which of them is wrong
]


@pytest.mark.parametrize(
    ("rows", "slips"), [*((USUAL | one, one) for one in SLIPS), *((one, {}) for one in ACCEPTED)]
)
def test_rows_far_from_all_others_are_left_out(rows, slips):
    """A row or a few beyond a long gap at either end, one gap after the other; else all count."""
    months = _months(rows)
    found = sorted(months[is_isolated_month(months)].dt.strftime("%Y-%m"))
    assert found == sorted(f"{FIRST + n}" for n, count in slips.items() for _ in range(count))


@given(st.dictionaries(st.integers(-40, 40), st.integers(1, 60), max_size=12))
def test_only_the_ends_beyond_long_gaps_are_left_out(rows):
    """The remaining months are one span, and less than a hundredth is cut off at each gap."""
    months = _months(rows)
    out = is_isolated_month(months)
    assert out.sum() <= 0.01 * len(months) * 2
    if out.any():
        inside, outside = months[~out], months[out]
        assert not outside.between(inside.min(), inside.max()).any()
        number = np.sort((months.dt.year * 12 + months.dt.month).unique())
        assert (np.diff(number) > MIN_GAP_MONTHS).any()


def test_a_wrong_month_is_reported_and_changes_nothing(tmp_path):
    """One row of 2062 leaves incidents and months as they are, and is counted with its month."""
    rows = [_row(month=f"{FIRST + n % 24}") for n in range(480)]
    slip = _file(tmp_path, [_row(month="2062-05")], "slip.csv")
    crimes, left_out = _read(_file(tmp_path, rows), slip)
    assert len(crimes.incidents) == 480
    assert f"{crimes.incidents['month'].max():%Y-%m}" == "2026-09"
    assert left_out == {"of 2062-05, alone and far from all other months": 1}
