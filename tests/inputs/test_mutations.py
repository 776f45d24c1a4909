"""Data that is wrong as a whole ends in an error or a note that names the cause."""

import gzip
import io
import re
import shutil

import numpy as np
import pandas as pd
import pytest

import patrolplan as pp
from patrolplan.errors import InputError
from patrolplan.notes import list_texts


@pytest.fixture(scope="module")
def original(copy_demo, tmp_path_factory):
    """The demo borough with three months of crime."""
    return copy_demo(tmp_path_factory.mktemp("original"), "2026-07", "2026-08", "2026-09").parent


@pytest.fixture
def copy(original, tmp_path):
    """A copy of it to be changed."""
    return shutil.copytree(original, tmp_path / "area")


def _bytes(pattern, change):
    def apply(folder):
        for path in sorted(folder.glob(pattern)):
            path.write_bytes(change(path.read_bytes()))

    return apply


def _text(pattern, change):
    """What changes a file as text."""
    return _bytes(pattern, lambda content: change(content.decode("cp1252")).encode("cp1252"))


def _edit(pattern, old, new, *, every=1, first=2):
    """What changes text in each nth line of the files, from a line on."""

    def change(text):
        lines = text.splitlines()
        for number in range(first - 1, len(lines), every):
            lines[number] = re.sub(old, new, lines[number])
        return "\n".join(lines) + "\n"

    return _text(pattern, change)


def _table(pattern, change, **options):
    """What changes the table of each file, read and written as text."""

    def apply(text):
        table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
        return change(table).to_csv(index=False, **options)

    return _text(pattern, apply)


def _swap(first, second):
    return lambda table: table.rename(columns={first: second, second: first})


def _quote_first_and_last(text):
    """A quote in the first and in the last row: everything between is one cell."""
    first, last = text.index("On or near"), text.rindex("On or near")
    return f'{text[:first]}"{text[first:last]}"{text[last:]}'


def _copy_reversed(folder):
    """The same crimes in another order and packed: no byte is the same."""
    head, *rows = (folder / FILE).read_text(encoding="utf-8").splitlines()
    content = gzip.compress("\n".join([head, *rows[::-1]]).encode())
    (folder / FILE).with_name("more-street.csv.gz").write_bytes(content)
    _replace_crimes(folder, "crimes/*/*-street.csv*")


def _replace_crimes(folder, pattern, more=""):
    path = folder / "patrolplan.toml"
    text = path.read_text(encoding="utf-8").replace("crimes/*/*-street.csv", pattern)
    path.write_text(text + more, encoding="utf-8")


def _copy_most(folder):
    """A second download of a month that has a few crimes more."""
    lines = (folder / FILE).read_bytes().splitlines()
    (folder / FILE).with_name("old-street.csv").write_bytes(b"\n".join(lines[:-20]))


def _set(text):
    return _text("patrolplan.toml", lambda before: f"{before}\n{text}\n")


def _extract(form):
    """A force's own extract in place of open data, with times written in a form."""

    def change(folder):
        tables = [pd.read_csv(path) for path in sorted(folder.glob(CRIMES))]
        table = pd.concat(tables).dropna(subset="Longitude")
        minutes = np.random.default_rng(1).integers(420, 40_000, len(table))
        times = pd.to_datetime(table["Month"]) + pd.to_timedelta(minutes, "min")
        table = table.assign(occurred_at=times.dt.strftime(form)).drop(columns="Month")
        table.to_csv(folder / "own.csv", index=False)
        more = '\n[columns.crimes]\noccurred_at = "occurred_at"\n'
        _replace_crimes(folder, "own.csv", more)

    return change


CRIMES = "crimes/*/*eastmere-street.csv"
AUGUST = "crimes/2026-0[89]/*.csv"
FILE = "crimes/2026-09/2026-09-eastmere-street.csv"
TITLES = b"Crimes in Eastmere,,,,,,,,,,,\nExported by the ward team,,,,,,,,,,,\n"

REFUSED = {
    # rows and files
    "quotes that swallow a file": (_text(CRIMES, _quote_first_and_last),
        "a quotation mark is out of place"),
    "a comma in a third of the places": (_edit(CRIMES, "On or near", "On, or near", every=3),
        "have more or fewer fields than the header"),
    "a file cut short": (_bytes(FILE, lambda text: text[:40_000]), "it was cut short"),
    "the second column of a name": (_edit(CRIMES, "Context", "Month", first=1, every=9999),
        "has two columns 'Month'"),
    "titles above the header": (_bytes(CRIMES, lambda text: TITLES + text),
        "no column 'Crime type'; add it to the header"),
    "a file twice, packed and sorted": (_copy_reversed, "583 of its 583 rows are also in"),
    "an earlier download of the month": (_copy_most, "are also in earlier files"),
    # dates and times
    "months by name": (_edit(CRIMES, r",20\d\d-\d\d,", ",Sep-26,"), "'Sep-26' cannot be read"),
    "months of 2036": (_edit(FILE, ",2026-09,", ",2036-09,"),
        "months in the future, up to 2036-09"),
    "months of 1926": (_edit(FILE, ",2026-09,", ",1926-09,"), "'1926-09' cannot be read"),
    "reports with UK dates": (_edit("reports.csv", r"(20..)-(..)-(..)", r"\3/\2/\1"),
        "write dates as YYYY-MM-DD"),
    "reports of 2011": (_edit("reports.csv", r",20..-", ",2011-"),
        "reports are not of the years 2023 to 2028: they are of 2011 to 2011"),
    "reports of 2199": (_edit("reports.csv", r",20..-", ",2199-"), "not in the future"),
    "bells on a 12-hour clock": (_edit("bell_times.csv", ",1[45]:", ",03:"), "24-hour clock"),
    "hours on a 12-hour clock": (_edit("officers.csv", r"1[45]:(\d\d)-1[78]:", r"02:\1-06:"),
        "outside 07:00 to 19:00"),
    "a window on a 12-hour clock": (_set('[patrol.windows.late]\nfrom = "03:00"\nto = "04:30"'),
        "[patrol.windows.late]: 03:00 to 04:30 lies outside"),
    "an extract with the month first": (_extract("%m/%d/%Y %H:%M"), "has the month before the day"),
    "an extract on a 12-hour clock": (_extract("%Y-%m-%d %I:%M"),
        "none of its 1,780 times is after 12:59"),
    "an extract with am and pm": (_extract("%Y-%m-%d %I:%M %p"), "M' cannot be read"),
    # places
    "a tenth of crimes swapped": (_edit(CRIMES, r",(0\.8\d+),(51\.5\d+),", r",\2,\1,", every=10),
        "changed places"),
    "crimes with decimal commas": (_edit(CRIMES, r",0\.(8\d+),", r',"0,\1",'),
        "write decimal degrees with a point"),
    "crimes to two decimals": (_edit(CRIMES, r",(0\.8\d)\d*,(51\.5\d)\d*,", r",\1,\2,"),
        "coordinates rounded to 100 m or more"),
    "no coordinates": (_edit(CRIMES, r",0\.8\d+,51\.5\d+,", ",,,"), "rows have no coordinates"),
    "schools with commas in thousands": (_edit("schools.csv", r",(59\d)(\d{3}),", r',"\1,\2",'),
        "write whole metres without commas"),
    "schools to the kilometre":
        (_edit("schools.csv", r",(59\d)\d{3},(18\d)\d{3},", r",\g<1>000,\g<2>000,"),
        "coordinates rounded to 100 m or more"),
    "reports swapped": (_table("reports.csv", _swap("longitude", "latitude")),
        "put longitude and latitude in their own columns"),
    "reports with decimal commas": (_edit("reports.csv", r",0\.(8\d+),", r',"0,\1",'),
        "write decimal degrees with a point"),
    "a barred place swapped": (_edit("tasked_places.csv", "(0.868684),(51.532404)", r"\2,\1"),
        "T-02 lies"),
    "gates swapped": (_table("gates.csv", _swap("longitude", "latitude")), "900001 lies 8,846 km"),
    "bases swapped": (_table("officers.csv", _swap("base_longitude", "base_latitude")),
        "from the area"),
    # words
    "a category renamed": (_edit(AUGUST, ",Violence and sexual offences,", ",Violence,"),
        "begins when 'Violence and sexual offences' ends"),
    "categories by code": (_edit(CRIMES, ",Anti-social behaviour,", ",ASB,"),
        "are of unknown categories: 'ASB'"),
    "reports in title case": (_edit("reports.csv", "after_school", "After School"),
        "write before_school or lunch"),
    "officers without hours": (_edit("officers.csv", r"\d\d:\d\d-\d\d:\d\d", ""),
        "9 of 9 officers have no hours"),
}  # fmt: skip

NOTED = {
    "a robbery in two in capitals": (_edit(CRIMES, ",Robbery,", ",ROBBERY,", every=2), "'ROBBERY'"),
    "a category in other case from August": (_edit(AUGUST, " and sexual ", " and  Sexual "),
        "is counted as 'Violence and sexual offences'"),
    "one row with a comma": (_edit(FILE, "On or near", "On, or near", every=9999, first=50),
        "with more or fewer fields than the header (2026-09-eastmere-street.csv, row 50)"),
    "a few typing errors in a category": (_edit(FILE, ",Shoplifting,", ",Shop lifting,", every=5),
        "nearest 'Shoplifting'"),
    "one officer without hours": (_edit("officers.csv", r"\d\d:\d\d-\d\d:\d\d", "", every=99),
        "SSO-01 has no hours on any day"),
    "NULL for one place in twenty": (_edit(CRIMES, r",0\.8\d+,51\.5\d+,", ",NULL,NULL,", every=20),
        "crimes: 128 left out, without coordinates"),
    "a header again in the middle": (_bytes(FILE, lambda text: text + text.splitlines()[0] + b"\n"),
        "without a month or time that can be read"),
    "a row with a total": (_bytes(FILE, lambda text: text + b",,,,,,Total: 583,,,,,\n"),
        "with nothing in the columns that are read"),
}  # fmt: skip

HARMLESS = {
    "nothing": lambda _: None,
    "blank rows at the end": _bytes(CRIMES, lambda text: text + b"\n,,,,,,,,,,,\n\n"),
    "line ends of Windows": _bytes(CRIMES, lambda text: text.replace(b"\n", b"\r\n")),
    "a byte order mark": _bytes(CRIMES, lambda text: b"\xef\xbb\xbf" + text),
    "quotes around every cell": _table(CRIMES, lambda table: table, quoting=1),
    "a line break in a cell": _edit(CRIMES, r"On or near ([^,]+),", r'"On\nor near \1",'),
}


@pytest.mark.parametrize("name", REFUSED)
def test_data_that_is_wrong_as_a_whole_is_refused(copy, name):
    """The error names the cause, and the values of reports are not in it."""
    mutate, words = REFUSED[name]
    mutate(copy)
    with pytest.raises(InputError) as error:
        pp.load_area(copy / "patrolplan.toml")
    assert words in str(error.value)
    if name.startswith("reports"):
        assert not re.search(r"'.*\d|After School|R\d{5}", str(error.value))


def test_slips_are_noted_and_stop_nothing(copy):
    """What may be a slip is left out or counted, and the reader is shown what each was."""
    for mutate, _ in NOTED.values():
        mutate(copy)
    area = pp.load_area(copy / "patrolplan.toml")
    text = "\n".join([*map(str, area.left_out), *list_texts(area.notes)])
    missing = [name for name, (_, words) in NOTED.items() if words not in text]
    assert not missing, text


@pytest.mark.parametrize("name", HARMLESS)
def test_good_data_in_any_dress_is_read_alike(copy, expected, name):
    """Line ends, marks, separators and quotes change nothing, and nothing is noted about them."""
    HARMLESS[name](copy)
    area = pp.load_area(copy / "patrolplan.toml")
    assert (len(area.incidents), area.left_out, area.notes, area.alarms) == expected
    assert all(table.rows == table.used + table.left_out for table in area.tables)


@pytest.fixture(scope="module")
def expected(original):
    """Incidents, rows left out, notes and alarms of the untouched copy.

    The only alarm is of the month before the first: a few of its crimes were published late.
    """
    area = pp.load_area(original / "patrolplan.toml")
    assert [alarm.check for alarm in area.alarms] == ["missing_months"]
    return len(area.incidents), area.left_out, area.notes, area.alarms
