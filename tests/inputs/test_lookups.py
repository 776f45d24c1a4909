"""Officers: their schools, hours and bases.

Tasked places: to be visited or barred, with a reason.

Term dates.

Visits typed into a table: all that is wrong is told, by row and column.
"""

import datetime as dt

import pandas as pd
import pytest

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.lookups import (
    WEEKDAYS,
    read_officers,
    read_tasked_places,
    read_term_dates,
    read_visits,
)

BNG = Projection("EPSG:27700")
GOOD = {
    "officer": "SSO-01",
    "school_urns": "100008; 100041;",
    "mon": "14:30-18:30",
    "tue": "",
    "wed": "08:00-16:00",
    "thu": "",
    "fri": "14:00-17:30",
    "max_patrols_per_week": "3",
    "mode": "walk",
    "base_longitude": "-0.1346",
    "base_latitude": "51.5205",
}


def _file(folder, *rows, name="officers.csv"):
    path = folder / name
    lines = [",".join(GOOD), *(",".join((GOOD | row).values()) for row in rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _refused(*paths):
    with pytest.raises(InputError) as told:
        read_officers(paths, BNG)
    return str(told.value).splitlines()


def test_officers_come_in_with_schools_hours_and_base(tmp_path):
    """An officer's schools are a list, days off are empty, the base is in metres."""
    officers = read_officers([_file(tmp_path, {}, {"officer": "SSO-02", "mode": "bicycle"})], BNG)
    first = officers.iloc[0]
    assert list(officers["officer"]) == ["SSO-01", "SSO-02"]
    assert first["school_urns"] == ["100008", "100041"]
    assert [first[day] for day in WEEKDAYS] == ["14:30-18:30", "", "08:00-16:00", "", "14:00-17:30"]
    assert first["max_patrols_per_week"] == 3
    assert (round(first.geometry.x), round(first.geometry.y)) == (529520, 181825)
    assert list(officers["mode"]) == ["walk", "bicycle"]


def test_no_file_gives_no_officers():
    """Without a file of officers there is an empty table with the same columns."""
    officers = read_officers([], BNG)
    assert len(officers) == 0
    assert {"officer", "school_urns", *WEEKDAYS, "mode"} <= set(officers.columns)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"officer": ""}, "officer"),
        ({"mon": "14:30"}, "mon"),
        ({"tue": "18:30-14:30"}, "tue"),
        ({"wed": "14:30-14:30"}, "wed"),
        ({"thu": "14:30-24:30"}, "thu"),
        ({"fri": "off"}, "fri"),
        ({"max_patrols_per_week": "-1"}, "max_patrols_per_week"),
        ({"max_patrols_per_week": "2.5"}, "max_patrols_per_week"),
        ({"max_patrols_per_week": ""}, "max_patrols_per_week"),
        ({"mode": "car"}, "mode"),
        ({"mode": ""}, "mode"),
        ({"base_longitude": "190"}, "base_longitude"),
        ({"base_latitude": "51,5".replace(",", ".5.")}, "base_latitude"),
        ({"base_latitude": ""}, "base_latitude"),
    ],
)
def test_wrong_value_is_named_by_row_and_column(tmp_path, row, column):
    """A value that is not as the contracts say is told with row, column and itself."""
    path = _file(tmp_path, {"officer": "SSO-00"}, row)
    (line,) = _refused(path)
    assert line.startswith(f"{path}, row 3, column '{column}': '{row[column]}'")


def test_all_wrong_values_of_all_files_are_named(tmp_path):
    """Problems of several rows and files are told at once, doubled names across files too."""
    one = _file(tmp_path, {"mode": "car", "mon": "x"}, {"officer": "B", "tue": "y"}, name="1.csv")
    two = _file(tmp_path, {"officer": "B"}, name="2.csv")
    lines = _refused(one, two)
    assert len(lines) == 4
    assert any("2.csv, row 2, column 'officer': 'B' stands twice" in line for line in lines)


HEADER = "place_id,longitude,latitude,must_visit,schools,from,to,reason,by\n"


def _file_tasked(tmp_path, *rows):
    path = tmp_path / "tasked.csv"
    path.write_text(HEADER + "\n".join(rows), encoding="utf-8")
    return path


def test_places_come_with_schools_days_and_reason(tmp_path):
    """Schools are split at semicolons, days are dates, and the place is in metres."""
    path = _file_tasked(
        tmp_path, "T1,-0.1346,51.5205,TRUE,100; 200,2026-11-02,2026-12-18,robberies,Insp. A"
    )
    place = read_tasked_places([path], Projection()).iloc[0]
    assert place["schools"] == ["100", "200"]
    assert place["must_visit"]
    assert (place["to"] - place["from"]).days == 46
    assert (place.geometry.x, place.geometry.y) == pytest.approx((529520, 181825), abs=2)


def test_every_wrong_value_is_told_at_once(tmp_path):
    """All wrong values are told, each with its row, column and remedy."""
    path = _file_tasked(
        tmp_path,
        "T1,999,51.5,maybe,*,2026-13-01,2026-12-18,,Insp. A",
        "T1,-0.1,51.5,true,,2026-12-18,2026-12-01,why,",
    )
    with pytest.raises(InputError) as error:
        read_tasked_places([path], Projection())
    told = [f"{problem.place}: {problem.what}" for problem in error.value.problems]
    assert sorted(told) == sorted(
        [
            "row 3, column 'place_id': 'T1' stands twice",
            "row 2, column 'longitude': '999' is no coordinate",
            "row 2, column 'must_visit': 'maybe' is neither true nor false",
            "row 3, column 'schools': '' names no school",
            "row 2, column 'from': '2026-13-01' is no date",
            "row 3, column 'to': '2026-12-01' is before the first day",
            "row 2, column 'reason': '' is missing",
            "row 3, column 'by': '' is missing",
        ]
    )


def test_no_file_is_no_place():
    """Without a file there are no tasked places, in a table of the same columns."""
    assert read_tasked_places([], Projection()).empty


def _file_terms(folder, *rows, name="terms.csv", header="urn,from,to,kind"):
    path = folder / name
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return path


@pytest.mark.parametrize("header", ["urn,from,to,kind", "urn or *,from,to,kind"])
def test_term_dates_come_in_as_days(tmp_path, header):
    """Terms and closed days come in with their days, for a school or for all."""
    rows = ("*,2025-09-01,2025-12-19,term", "900001,2025-10-27,2025-10-27,closed")
    terms = read_term_dates([_file_terms(tmp_path, *rows, header=header)])
    assert list(terms["urn"]) == ["*", "900001"]
    assert list(terms["kind"]) == ["term", "closed"]
    assert list(terms["to"]) == [pd.Timestamp("2025-12-19"), pd.Timestamp("2025-10-27")]


def test_no_file_gives_no_dates():
    """Without a file there is an empty table with the same columns."""
    terms = read_term_dates([])
    assert len(terms) == 0
    assert list(terms.columns) == ["urn", "from", "to", "kind"]


def test_all_wrong_values_are_named_by_row_and_column(tmp_path):
    """Dates that do not exist, spans backwards and unknown kinds are told, all of them."""
    one = _file_terms(
        tmp_path,
        "*,2025-09-31,2025-12-19,term",
        "*,2025-09-01,19/12/2025,term",
        "*,2025-12-19,2025-09-01,term",
        ",2025-09-01,2025-12-19,holiday",
    )
    two = _file_terms(tmp_path, "*,,2025-12-19,term", name="two.csv")
    with pytest.raises(InputError) as told:
        read_term_dates([one, two])
    lines = str(told.value).splitlines()
    expected = [
        f"{one}, row 2, column 'from': '2025-09-31' is no date",
        f"{one}, row 3, column 'to': '19/12/2025' is no date",
        f"{one}, row 4, column 'to': '2025-09-01' is before the first day",
        f"{one}, row 5, column 'urn': '' names no school",
        f"{one}, row 5, column 'kind': 'holiday' is no kind",
        f"{two}, row 2, column 'from': '' is no date",
    ]
    assert len(lines) == len(expected)
    for start in expected:
        assert any(line.startswith(start) for line in lines), start


@pytest.fixture
def visits(tmp_path):
    """Write a table and read it."""

    def call(*lines):
        path = tmp_path / "visits.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        return read_visits(path)

    return call


def test_a_table_by_the_numbers_on_the_card(visits):
    """Stops by number, engagements where they were counted, and row numbers of the file."""
    table = visits("officer,date,stop,minutes,engagements", "SSO-01,2026-12-01,2,12.5,3",
                   "SSO-01,2026-12-01,3,0,")  # fmt: skip
    assert table.index.tolist() == [2, 3]
    assert table["date"].tolist() == [dt.date(2026, 12, 1)] * 2
    assert table["stop"].tolist() == [2, 3]
    assert table["minutes"].tolist() == [12.5, 0.0]
    assert table["engagements"].tolist() == [3, pd.NA]
    assert table["urn"].isna().all()


def test_everything_wrong_is_told(visits):
    """One message for each wrong value, with its row, column, the value, and what to do."""
    with pytest.raises(InputError) as raised:
        visits("officer,date,hotspot,stop,minutes,engagements", ",2026-12-01,H1,,15,",
               "SSO-01,01/12/2026,H1,,15,", "SSO-01,2026-12-01,,,15,", "SSO-01,2026-12-01,H1,,900,",
               "SSO-01,2026-12-01,H1,,many,", "SSO-01,2026-12-01,H1,x,15,-1")  # fmt: skip
    told = [str(problem) for problem in raised.value.problems]
    for row, column, value in [
        (2, "officer", "''"), (3, "date", "'01/12/2026'"), (4, "hotspot", "''"),
        (5, "minutes", "'900'"), (6, "minutes", "'many'"), (7, "stop", "'x'"),
        (7, "engagements", "'-1'"),
    ]:  # fmt: skip
        assert any(f"row {row}, column '{column}': {value}" in line for line in told), column
    assert len(told) == 7


def test_a_table_without_places_is_refused(visits):
    """A visit is somewhere."""
    with pytest.raises(InputError, match="neither 'hotspot' nor 'stop'"):
        visits("officer,date,minutes", "SSO-01,2026-12-01,15")
