"""Officers' duties from tables and calendars together."""

import datetime as dt

import pandas as pd

from patrolplan.crs import Projection
from patrolplan.inputs.duties import read_all_duties
from patrolplan.tables import LeftOut

HEADER = "officer,date,from,to,kind,urn,longitude,latitude"
SPAN = (dt.date(2026, 1, 1), dt.date(2026, 12, 31))
BNG = Projection()


def _write(folder, *rows, name="duties.csv"):
    path = folder / name
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def _calendar(folder, start, end, kind, name="A.ics"):
    path = folder / name
    lines = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", f"DTSTART:{start}", f"DTEND:{end}"]
    path.write_text("\r\n".join([*lines, f"CATEGORIES:{kind}", "END:VEVENT", "END:VCALENDAR", ""]))
    return path


def _read(*paths, officers=("A", "B"), left_out=None):
    left_out = LeftOut() if left_out is None else left_out
    return read_all_duties(paths, BNG, officers=officers, span=SPAN, left_out=left_out)


def test_a_table_and_a_calendar_give_the_same_duty(tmp_path):
    """The same hours are the same rows, whichever file has them."""
    table = _read(_write(tmp_path, "A,2026-11-16,09:00,10:30,court,,,"))
    calendar = _read(_calendar(tmp_path, "20261116T090000", "20261116T103000", "court"))
    pd.testing.assert_frame_equal(table.drop(columns="geometry"), calendar.drop(columns="geometry"))
    assert table.geometry.is_empty.all() == calendar.geometry.is_empty.all()


def test_places_are_schools_or_points(tmp_path):
    """A URN stays, degrees are metres, a home visit is mid-square, and neither is no place."""
    duties = _read(
        _write(
            tmp_path,
            "A,2026-11-16,09:00,10:00,assembly,900001,,",
            "A,2026-11-17,09:00,10:00,home_visit,,-0.1346,51.5205",
            "A,2026-11-18,09:00,10:00,training,,,",
        )
    )
    assert list(duties["urn"]) == ["900001", "", ""]
    assert list(duties.geometry.is_empty) == [True, False, True]
    assert (duties.geometry.iloc[1].x, duties.geometry.iloc[1].y) == (529750, 181750)
