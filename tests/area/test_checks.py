"""The sources of an area together: implausible data stops the command, is accepted, or is noted."""

import json

import pytest
from hypothesis import HealthCheck, given, settings as limits, strategies as st

import patrolplan as pp
from patrolplan.notes import list_texts

WORDS = "URN,EstablishmentName,Longitude,Latitude\n100001,Mill School,-0.128,51.5201\n"
HEADER = "Crime ID,Month,Longitude,Latitude,Crime type"
TASKED = "place_id,longitude,latitude,must_visit,schools,from,to,reason,by\n"
DAYS = "2026-11-02,2026-12-18,watch,Insp. A"


def test_an_accepted_check_has_its_reason_on_the_area(lane):
    """A place far away stops loading; with a reason it is read, and the reason is noted."""
    tables = {"tasked_places": TASKED + f"T1,-0.5,51.52,true,*,{DAYS}\n"}
    with pytest.raises(pp.InputError, match=r"T1 lies 2\d km from the area.*far_places = \"why\""):
        lane(tables)
    area = lane(tables, accept={"far_places": "the list of the whole force"})
    (alarm,) = area.alarms
    assert (alarm.check, alarm.accepted) == ("far_places", "the list of the whole force")
    assert list_texts(area.accepted_checks) == [
        f"Accepted in the settings (the list of the whole force): {alarm.message}."
    ]
    assert set(area.accepted_checks) <= set(area.notes)


@pytest.mark.parametrize(
    ("place", "schools", "noted"),
    [("-0.0980,51.52", "*", True), ("-0.12,51.52", "*", False), ("-0.5,51.52", "999999", False)],
)
def test_a_place_just_outside_is_noted_and_others_places_are_not(lane, place, schools, noted):
    """A tasked place just outside the area is noted; one for other schools may be anywhere."""
    area = lane({"tasked_places": TASKED + f"T1,{place},true,{schools},{DAYS}\n"})
    assert any(note.key == "tasked_place_outside" for note in area.notes) is noted
    assert area.alarms == ()


@pytest.mark.parametrize(
    ("bell", "stops"), [("10:59", True), ("11:00", False), ("19:00", False), ("19:01", True)]
)
def test_bells_lie_in_the_day(lane, bell, stops):
    """A school day ends from 11:00 to 19:00, or the bell is read as of another clock."""
    table = {"bell_times": f"urn,finish_time\n100001,{bell}\n"}
    if stops:
        with pytest.raises(pp.InputError, match=f"'{bell}' .URN 100001. is not a plausible end"):
            lane(table)
    else:
        assert lane(table).alarms == ()


CRIME = st.sampled_from(
    [
        "a1,2024-05,-0.1280,51.5201,Robbery",
        "a2,2024-06,-0.1270,51.5201,ROBBERY",
        ",2024-05,-0.1280,51.5201,Drugs",
        "a3,May,-0.1280,51.5201,Robbery",
        "a4,2024-05,,,Robbery",
        "a5,2024-05,-0.1280,51.5201,",
        "a6,2024-05,-0.1280,51.5201,Robbery,more",
        "a7,2024-05",
        '"a8",2024-05,-0.1280,51.5201,"Robbery"',
        "a9,2024-05,2.35,48.85,Robbery",
        "",
        ",,,,",
    ]
)
SCHOOL = st.sampled_from(
    [
        "100002,Hill School,-0.1260,51.5201",
        "100003,Away School,2.35,48.85",
        "100004,No Place,,",
        "../x,Bad URN,-0.1260,51.5201",
        "100005,One, Two,-0.1260,51.5201",
        "",
    ]
)


@limits(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(
    st.lists(CRIME, max_size=8),
    st.lists(CRIME, max_size=8),
    st.lists(SCHOOL, max_size=6),
    st.lists(st.sampled_from(["100001", "100003", "7"]), max_size=3, unique=True),
)
def test_rows_are_used_or_left_out(lane, tmp_path, first, second, schools, bells):
    """For every table, rows in the files are rows used and rows left out, whatever is wrong."""
    good = "a0,2024-05,-0.1280,51.5201,Robbery"
    (tmp_path / "more.csv").write_text("\n".join([HEADER, good, *second]), encoding="utf-8")
    table = {
        "crimes": "\n".join([HEADER, good, *first]),
        "schools": WORDS + "\n".join(schools),
        "bell_times": "urn,finish_time\n" + "".join(f"{urn},15:10\n" for urn in bells),
    }
    for name, text in table.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    sources = {name: f"{name}.csv" for name in table} | {"streets": "x.osm"}
    sources["crimes"] = ["crimes.csv", "more.csv"]
    accept = dict.fromkeys(("malformed_rows", "refused_rows", "duplicate_files"), "a test")
    area = lane(sources=sources, accept=accept)
    counts = {one.source: one for one in area.tables}
    for one in counts.values():
        assert one.rows == one.used + one.left_out
        assert one.left_out == sum(row.count for row in area.left_out if row.source == one.source)
    assert counts["crimes"].rows == 2 + sum(bool(row.strip(",")) for row in first + second)
    assert counts["crimes"].used == len(area.incidents)
    assert counts["schools"].rows == 1 + sum(map(bool, schools))
    assert counts["bell times"].rows == len(bells)


def test_check_prints_tables_and_alarms(demo, run):
    """`check --json` has the rows of each table and the alarms: none for the demo borough."""
    code, out, _ = run("check", "--json", "--config", demo)
    document = json.loads(out)
    assert code == 0
    assert document["alarms"] == []
    sources = [one["source"] for one in document["tables"]]
    assert sources[:3] == ["crimes", "schools", "reports"]
    for one in document["tables"]:
        assert set(one) == {"source", "rows", "used", "left_out"}
        assert one["rows"] == one["used"] + one["left_out"]
        assert one["source"] != "reports" or not any(one[key] % 5 for key in ("rows", "used"))
