"""Officers: their schools, hours and bases."""

import pytest

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.lookups import WEEKDAYS, read_officers

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
