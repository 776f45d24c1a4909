"""The optional tables: what they read as, and that every wrong value is named by row and column."""

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from table_files import write_lines

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs import small_tables
from patrolplan.inputs.origins import read_origins
from patrolplan.inputs.polygons import read_areas, read_designated
from patrolplan.inputs.small_tables import LEAVING_COLUMNS, read_bell_times, read_officers
from patrolplan.inputs.way_home import read_clock
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")
GOOD = {
    "officer": "SSO-01", "school_urns": "100008; 100041;", "mon": "14:30-18:30", "tue": "",
    "wed": "08:00-16:00", "thu": "", "fri": "14:00-17:30", "max_patrols_per_week": "3",
    "mode": "walk", "base_longitude": "-0.1346", "base_latitude": "51.5205",
}  # fmt: skip


def _draw(folder, header, *rows, name):
    """The same as features of squares."""
    squares = [shapely.box(x, 180_000, x + 150, 180_150) for x in range(530_000, 532_000, 200)]
    cells = [dict(zip(header.split(","), row.split(","), strict=True)) for row in rows]
    gpd.GeoDataFrame(cells, geometry=squares[: len(rows)], crs=BNG.crs).to_file(folder / name)
    return folder / name


def _join(row):
    return ",".join((GOOD | row).values())


def _write_officers(folder, *rows):
    return write_lines(folder, ",".join(GOOD | rows[0]), *map(_join, rows))


def test_officers_come_in_with_schools_hours_and_base(tmp_path):
    """An officer's schools are a list, days off are empty, the base is in metres."""
    path = _write_officers(tmp_path, {}, {"officer": "SSO-02", "mode": "bicycle"})
    officers = read_officers([path], BNG)
    first = officers.iloc[0]
    assert list(officers["officer"]) == ["SSO-01", "SSO-02"]
    assert first["school_urns"] == ["100008", "100041"]
    assert [*first["mon":"fri"]] == ["14:30-18:30", "", "08:00-16:00", "", "14:00-17:30"]
    assert first["max_patrols_per_week"] == 3
    assert (round(first.geometry.x), round(first.geometry.y)) == (529520, 181825)
    assert list(officers["mode"]) == ["walk", "bicycle"]


def test_a_role_says_who_patrols_alone_unless_the_table_does(tmp_path):
    """Officers and PCSOs do, wardens and school staff do not."""
    cells = [("", "", "officer", True), ("pcso", "", "pcso", True), ("warden", "", "warden", False),
             ("staff", "", "staff", False), ("pcso", "False", "pcso", False),
             ("warden", "true", "warden", True)]  # fmt: skip
    rows = [{"officer": f"P{n}", "role": role, "alone": alone, "gate_only": "True" * (n == 3)}
            for n, (role, alone, *_) in enumerate(cells)]  # fmt: skip
    officers = read_officers([_write_officers(tmp_path, *rows)], BNG)
    found = list(zip(officers["role"], officers["alone"], strict=True))
    assert found == [(role, alone) for *_, role, alone in cells]
    assert officers["gate_only"].tolist() == [n == 3 for n in range(6)]


TASKED_HEADER = "place_id,longitude,latitude,must_visit,schools,from,to,reason,by"


def test_places_come_with_schools_days_and_reason(tmp_path):
    """Schools are split at semicolons, days are dates, and the place is in metres."""
    row = "T1,-0.1346,51.5205,TRUE,100; 200,2026-11-02,2026-12-18,robberies,Insp. A"
    path = write_lines(tmp_path, TASKED_HEADER, row)
    place = small_tables.read_tasked_places([path], BNG).iloc[0]
    assert place["schools"] == ["100", "200"]
    assert place["must_visit"]
    assert (place["to"] - place["from"]).days == 46
    assert (place.geometry.x, place.geometry.y) == pytest.approx((529520, 181825), abs=2)


def test_every_time_of_day_is_accepted(tmp_path):
    """Every hour and minute there is can be a bell."""
    times = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60)]
    path = write_lines(tmp_path, "urn,finish_time", *map("{},{}".format, range(1440), times))
    assert read_bell_times([path])["finish_time"].tolist() == times


@pytest.mark.parametrize("headings", ["with,reason", "together,not_made"])
def test_a_table_of_visits(tmp_path, headings):
    """Stops by number, who came along, when, why not; an earlier phone map has other headings."""
    head = f"officer,date,stop,minutes,engagements,people,arrive,{headings}"
    rows = ("SSO-01,2026-12-01,2,12.5,3,3,15:41,SSO-02;SSO-03,", "SSO-01,2026-12-01,3,0,,,,,sick")
    table = small_tables.read_visits(write_lines(tmp_path, head, *rows))
    assert table.index.tolist() == [2, 3]
    wanted = {
        "date": [dt.date(2026, 12, 1)] * 2, "stop": [2, 3], "minutes": [12.5, 0.0],
        "engagements": [3, pd.NA], "people": [3, pd.NA], "arrive": ["15:41", pd.NA],
        "with": ["SSO-02;SSO-03", pd.NA], "reason": [pd.NA, "sick"], "urn": [pd.NA] * 2,
    }  # fmt: skip
    assert {name: table[name].tolist() for name in wanted} == wanted


TABLES = {
    "bells": (read_bell_times, "urn,finish_time"),
    "shares": (read_bell_times, f"urn,finish_time,{','.join(LEAVING_COLUMNS)}"),
    "gates": (lambda paths: small_tables.read_gates(paths, BNG), "urn,longitude,latitude"),
    "officers": (lambda paths: read_officers(paths, BNG), f"{','.join(GOOD)},role,alone"),
    "tasked": (lambda paths: small_tables.read_tasked_places(paths, BNG), TASKED_HEADER),
    "terms": (small_tables.read_term_dates, "urn,from,to,kind"),
    "duties": (lambda paths: small_tables.read_duties(paths, BNG, officers=("A", "B")),
        "officer,date,from,to,kind,urn,longitude,latitude"),
    "visits": (lambda paths: small_tables.read_visits(paths[0]),
        "officer,date,hotspot,stop,minutes,engagements,people,arrive,reason"),
    "clock": (lambda paths: read_clock(paths, LeftOut()), "category,kind,from,share"),
    "origins": (read_origins, "urn,area,pupils"),
    "areas": (lambda paths: read_areas(paths, BNG, LeftOut()), "area,residents,aged_5_16"),
    "designated": (lambda paths: read_designated(paths, BNG, LeftOut()),
        "place_id,name,days,from,to,minutes"),
}  # fmt: skip
SHAPES = ("areas", "designated")  # of which the first row is a file's first feature
NO_TIMES = (
    *("25:00", "24:00", "15:60", "3pm", "9:05", "15.10", "", "15:10:00", "15", "T15:15"),
    *("15:15+01:00", "15:1\u0665"),
)
NO_OFFICERS = [
    ("mon", "14:30"), ("tue", "18:30-14:30"), ("wed", "14:30-14:30"), ("thu", "14:30-24:30"),
    ("fri", "off"), ("max_patrols_per_week", "-1"), ("max_patrols_per_week", "2.5"),
    ("max_patrols_per_week", ""), ("mode", "tram"), ("mode", ""), ("base_longitude", "190"),
    ("base_latitude", "51.5.5"), ("base_latitude", ""), ("role", "head"), ("alone", "perhaps"),
]  # fmt: skip
NO_SHARES = [
    *(("late_share", cell) for cell in ("-0.1", "1.01", "25 %", "most", "nan")),
    *(("late_minutes", cell) for cell in ("-1", "241", "an hour", "16:10", "inf")),
    *(("walk_share", cell) for cell in ("-0.1", "60", "half")),
    *(("bus_share", cell) for cell in ("1.5", "x", "-")),
]
FAULTS = """
bells 1 | 1,15:10 |
bells 1 | 1,15:20 | urn: '1' is a duplicate
bells 1 | ,15:00 | urn: the URN is missing
bells 1 | 3,26:00 | finish_time: '26:00' is not a valid time
bells 2 | 1,15:10 | urn: '1' is a duplicate
bells 2 | 4,x | finish_time: 'x' is not a valid time
shares 1 | A,15:10,1,240,0.7,0.3 |
shares 1 | B,15:10,0,0.0,0.7,0.31 | bus_share: '0.31' and walk_share are more than 1 togeth
gates 1 | 1,-0.13,51.52 |
gates 1 | 2,,51.52 | longitude: '' is not a valid coordinate
gates 1 | 3,-0.13,north | latitude: 'north' is not a valid coordinate
gates 1 | ,-0.13,51.52 | urn: the URN is missing
gates 1 | 4,200,51.52 | longitude: '200' is not a valid coordinate
gates 1 | 5,-0.13,-91 | latitude: '-91' is not a valid coordinate
gates 2 | 1,-0.13,51.52 | urn: '1' is a duplicate
duties 1 | A,2026-11-16,09:00,10:00,court,,, |
duties 1 | C,2026-11-16,09:00,10:00,court,,, | officer: there is no officer 'C'
duties 1 | A,2026-13-16,09:00,10:00,court,,, | date: '2026-13-16' is not a valid date
duties 1 | A,2026-11-16,9,10:00,court,,, | from: '9' is not a valid time
duties 1 | A,2026-11-16,22:00,06:00,court,,, | to: '06:00' is not after the start
duties 1 | A,2026-11-16,09:00,09:00,court,,, | to: '09:00' is not after the start
duties 1 | A,2026-11-16,09:00,10:00,party,,, | kind: 'party' is not a kind
duties 2 | A,2026-11-16,09:00,10:00,court,9,-0.1,51.5 | urn: a duty at '9' has coordinates
duties 2 | A,2026-11-16,09:00,10:00,court,,-0.1, | latitude: '' is not a valid coordinate
duties 2 | A,2026-11-16,09:00,10:00,court,,190,51.5 | longitude: '190' is not a valid
tasked 1 | T0,999,51.5,true,*,2026-11-02,2026-12-18,a,b | longitude: '999' is not a valid
tasked 1 | T1,0,51.5,maybe,*,2026-11-02,2026-12-18,a,b | must_visit: 'maybe' is neither
tasked 1 | T1,0,51.5,true,*,2026-11-02,2026-12-18,a,b | place_id: 'T1' is a duplicate
tasked 1 | T2,0,51.5,true,,2026-11-02,2026-12-18,a,b | schools: the schools are missing
tasked 1 | T3,0,51.5,true,*,2026-13-01,2026-12-18,a,b | from: '2026-13-01' is not a valid
tasked 1 | T4,0,51.5,true,*,2026-12-18,2026-12-01,a,b | to: '2026-12-01' is before the first
tasked 1 | T5,0,51.5,true,*,2026-11-02,2026-12-18,,b | reason: the reason is missing
tasked 2 | T6,0,51.5,true,*,2026-11-02,2026-12-18,a, | by: the requester is missing
terms 1 | *,2025-09-31,2025-12-19,term | from: '2025-09-31' is not a valid date
terms 1 | *,2025-09-01,19/12/2025,term | to: '19/12/2025' is not a valid date
terms 1 | *,2025-12-19,2025-09-01,term | to: '2025-09-01' is before the first day
terms 1 | ,2025-09-01,2025-12-19,term | urn: the school is missing
terms 1 | *,2025-09-01,2025-12-19,holiday | kind: 'holiday' is not a kind
terms 2 | *,,2025-12-19,term | from: '' is not a valid date
visits 1 | ,2026-12-01,H1,,15,,,, | officer: the officer is missing
visits 1 | SSO-01,01/12/2026,H1,,15,,,, | date: '01/12/2026'
visits 1 | SSO-01,2026-12-01,,,15,,,, | hotspot: the place is missing
visits 1 | SSO-01,2026-12-01,H1,,900,,,, | minutes: '900'
visits 1 | SSO-01,2026-12-01,H1,,many,,,, | minutes: 'many'
visits 1 | SSO-01,2026-12-01,H1,x,15,,,, | stop: 'x'
visits 1 | SSO-01,2026-12-01,H1,,15,-1,,, | engagements: '-1'
visits 1 | SSO-01,2026-12-01,H2,,15,,0,, | people: '0' is not a number of people, 1 to 99
visits 1 | SSO-01,2026-12-01,H3,,0,,,25:00, | arrive: '25:00' is not a valid time
visits 1 | SSO-01,2026-12-01,H4,,0,,,,no time | reason: 'no time' is not a reason
clock 1 | Robbery,*,00:30,1 |
clock 1 | ,*,00:00,1 | category: the category is missing
clock 1 | Robbery,02-Jan,00:00,1 | kind: '02-Jan' is not a kind of place
clock 1 | Robbery,1-2,00:15,1 | from: '00:15' is not the start of a half-hour
clock 1 | Robbery,1-2,24:00,1 | from: '24:00' is not the start of a half-hour
clock 1 | Robbery,12+,00:30,-1 | share: '-1' is not a share
clock 1 | Robbery,3-5,00:30,x | share: 'x' is not a share
clock 1 | Robbery,*,00:30,1 | from: '00:30' is a duplicate
origins 1 | 7,B,8 |
origins 1 | ,A,3 | urn: the URN is missing
origins 1 | 7,,3 | area: the area is missing
origins 1 | 7,B,617 | area: this school has the same area in an earlier row
areas 1 | A,10, |
areas 1 | ,, | area: the area's name is missing
areas 1 | B,-1, | residents: '-1' is not a number of people
areas 2 | A,,3 | area: 'A' is a duplicate
areas 2 | C,9,10 | aged_5_16: '10' is more than all residents of the area
areas 2 | D,many,3 | residents: 'many' is not a number of people
designated 1 | HO-1,Mill,,,, |
designated 1 | H3,Mill,,,, | place_id: 'H3' is how hotspots are called
designated 1 | <b>,Mill,,,, | place_id: '<b>' is not an id
designated 1 | HO-1,Mill,,,, | place_id: 'HO-1' is a duplicate
designated 1 | HO-5,Mill,mon+tue,,, | days: 'mon+tue' is not a list of days
designated 1 | HO-6,Mill,,25:00,16:00, | from: '25:00' is not a valid time
designated 1 | HO-7,Mill,,16:00,, | to: the time is missing while the other one is there
designated 1 | HO-8,Mill,,,,some | minutes: 'some' is not a number of minutes
"""
"""Table, number of its file, a row, and the column and words of what is wrong with it."""

ROLE = {"role": "", "alone": ""}
SAYS = {"max_patrols_per_week": "not a number of patrols", "mode": "not a mode",
        "role": "not a role", "alone": "neither true nor false",
        **dict.fromkeys(("base_longitude", "base_latitude"), "not a valid coordinate")}  # fmt: skip
MORE_FAULTS = {
    "bells": [
        (f"9{n},{time}", "finish_time", f"'{time}' is not a valid time; write HH:MM, such")
        for n, time in enumerate(NO_TIMES)
    ],
    "shares": [
        (",".join((f"{n}", "15:10", *(cell * (name == column) for name in LEAVING_COLUMNS))),
         column, f"'{cell}' is not a ")
        for n, (column, cell) in enumerate(NO_SHARES)
    ],
    "officers": [
        (_join(ROLE), None, ""),
        (_join(ROLE), "officer", "'SSO-01' is a duplicate"),
        *((_join(ROLE | {"officer": f"W{n}", column: value}), column,
           f"'{value}' is {SAYS.get(column, 'not a span of hours')}")
          for n, (column, value) in enumerate(NO_OFFICERS)),
    ],
    "origins": [  # whose numbers no message shows
        (f"7,C{n},{pupils}", "pupils", "is not a number of pupils; write a whole number")
        for n, pupils in enumerate(("61x7", "-617", "6.17", "", "\u0665"))
    ],
}  # fmt: skip


def _list_faults(table):
    """The number of the file, the row, the column, and what is wrong."""
    for line in FAULTS.strip().splitlines():
        place, row, words = (part.strip() for part in line.split("|"))
        column, _, what = words.partition(": ")
        if place[:-2] == table:
            yield place[-1], row, column, what
    for fault in MORE_FAULTS.get(table, ()):
        yield "2", *fault


@pytest.mark.parametrize("table", TABLES)
def test_every_wrong_value_of_every_file_is_named(tmp_path, table):
    """Each wrong value has one message, with its file, row and column, all in one error."""
    (read, header), first = TABLES[table], 1 if table in SHAPES else 2
    ending, write_rows = ("gpkg", _draw) if table in SHAPES else ("csv", write_lines)
    files, expected = {}, []
    for number, row, column, what in _list_faults(table):
        rows = files.setdefault(f"{number}.{ending}", [])
        rows.append(row)
        if column:
            place = f"{tmp_path}/{number}.{ending}, row {first + len(rows) - 1}"
            expected.append(f"{place}, column '{column}': {what}")
    paths = [write_rows(tmp_path, header, *rows, name=name) for name, rows in files.items()]
    with pytest.raises(InputError) as error:
        read(paths)
    lines = str(error.value).splitlines()
    for start in expected:
        assert any(line.startswith(start) for line in lines), start
    assert len(lines) == len(expected)
    assert table != "origins" or "61" not in str(error.value).replace(str(tmp_path), "")


@pytest.mark.parametrize(("header", "message"), [
    ("officer,stop,minutes", r"no column 'date'; add it\.$"),
    ("officer,date,minutes", "row 2, column 'hotspot': the place is missing; write the stop"),
])  # fmt: skip
def test_visits_without_a_column_are_refused(tmp_path, header, message):
    """A visit has a day and a place; no settings could map the columns of an option's table."""
    with pytest.raises(InputError, match=message):
        small_tables.read_visits(write_lines(tmp_path, header, "SSO-01,2026-12-01,15"))


def test_shares_of_a_school_are_numbers_or_not_known(tmp_path):
    """What is written is read as it is, and an empty cell is not known."""
    path = write_lines(tmp_path, TABLES["shares"][1], "1,15:10,0.25,60,,.5")
    found = read_bell_times([path]).loc["1", [*LEAVING_COLUMNS]]
    np.testing.assert_equal(found.to_numpy(dtype=float), [0.25, 60, np.nan, 0.5])
