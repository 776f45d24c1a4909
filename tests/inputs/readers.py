"""The readers of every kind of table, and files spoiled for them."""

from patrolplan.crs import Projection
from patrolplan.inputs.crimes import read_crimes
from patrolplan.inputs.reports import read_reports
from patrolplan.inputs.schools import read_schools
from patrolplan.inputs.small_tables import (
    read_bell_times,
    read_gates,
    read_officers,
    read_tasked_places,
    read_term_dates,
)
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")
TABLES = {
    "schools.csv": lambda path: read_schools([path], BNG, LeftOut()),
    "bell_times.csv": lambda path: read_bell_times([path]),
    "gates.csv": lambda path: read_gates([path], BNG),
    "officers.csv": lambda path: read_officers([path], BNG),
    "term_dates.csv": lambda path: read_term_dates([path]),
    "tasked_places.csv": lambda path: read_tasked_places([path], BNG),
    "reports.csv": lambda path: read_reports([path]),
    "crimes/2026-09/2026-09-eastmere-street.csv": lambda path: read_crimes([path], BNG, LeftOut()),
}
INSERTIONS = (
    *(b"", b'"', b",", b";", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b"\xc3", b"\xff", b"\xff\xfe"),
    *(b"-9", b"1e999", b"nan"),
)


def write(folder, *lines, name="table.csv"):
    """Write the lines of a table; gives its path."""
    path = folder / name
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def spoil(content, changes):
    """The content after cutting and putting in: places, how much is cut there, what is put."""
    for place, cut, put in changes:
        content = content[:place] + put + content[place + cut :]
    return content
