"""Schools: the newest daily register, only the area's schools, no names of people."""

import csv
import io

import pytest

from patrolplan.crs import Projection
from patrolplan.errors import FetchError
from patrolplan.inputs.download.gias import COLUMNS
from patrolplan.inputs.schools import read_schools
from patrolplan.tables import LeftOut

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
HEADER = (*COLUMNS, "HeadFirstName", "HeadLastName", "TelephoneNum", "PercentageFSM")
INSIDE = {"Easting": "528500", "Northing": "181500"}


def register(*schools):
    """A daily file as GIAS writes it: Windows-1252, every cell quoted."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, restval="", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    people = {"HeadFirstName": "Ada", "HeadLastName": "Nosey", "TelephoneNum": "02079460000"}
    state = {"EstablishmentStatus (name)": "Open"}
    for school in schools:
        writer.writerow(people | state | INSIDE | school)
    return text.getvalue().encode("cp1252")


SCHOOLS = register(
    {"URN": "100100", "EstablishmentName": "St Mary\u2019s, Café Lane"},
    {"URN": "99999", "EstablishmentName": "Older", "EstablishmentStatus (name)": "Closed"},
    {"URN": "100200", "EstablishmentName": "Far Away", "Easting": "400000"},
    {"URN": "100300", "EstablishmentName": "No Place", "Easting": "", "Northing": ""},
)


def test_the_areas_schools_are_written_without_people(world, serving, place, fetch):
    """Schools in the area stay, by URN, in the layout the reader knows; heads and phones do not."""
    world.register = {"edubasealldata20261124.csv": SCHOOLS}
    settings = place()
    fetch(settings, serving(world), only=["schools"])
    path = settings.folder / "schools.csv"
    text = path.read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["URN"] for row in rows] == ["99999", "100100"]
    assert "Nosey" not in text
    assert "0207946" not in text
    read = read_schools([path], Projection(), LeftOut())
    assert list(read["name"]) == ["St Mary\u2019s, Café Lane"]


def test_the_newest_of_the_last_days_is_used(world, serving, place, fetch):
    """Where today's file does not exist yet, the day before's is requested."""
    world.register = {"edubasealldata20261122.csv": SCHOOLS, "edubasealldata20261121.csv": b"older"}
    fetch(place(), serving(world), only=["schools"])
    assert [path[-12:] for _, path, *_ in world.requests] == [
        "20261124.csv",
        "20261123.csv",
        "20261122.csv",
    ]


@pytest.mark.parametrize("body", [b"", b"<html>Busy</html>", b"URN,Name\n1,x\n", b'"a\n"b,"c\n'])
def test_another_file_is_refused(world, serving, place, fetch, quick_web, body):
    """An answer that is not a register is requested again, then reported."""
    world.register = {"edubasealldata20261124.csv": body}
    with pytest.raises(FetchError, match=r"sends? a (CSV )?table"):
        fetch(place(), serving(world), only=["schools"], web=quick_web(total=1))
    assert len(world.requests) == 2
