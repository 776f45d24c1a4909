"""The sources of an area together: schools, gates, bells and places that are odd; daylight."""

import dataclasses
import datetime as dt

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings as limits, strategies as st

import patrolplan as pp
from patrolplan.area.patrol_window import find_daylight, find_sunset_minutes
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
    text = f"Accepted in the settings (the list of the whole force): {alarm.message}."
    assert list_texts(area.accepted_checks) == [text]
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


CRIMES = """\
a1,2024-05,-0.1280,51.5201,Robbery
a2,2024-06,-0.1270,51.5201,ROBBERY
,2024-05,-0.1280,51.5201,Drugs
a3,May,-0.1280,51.5201,Robbery
a4,2024-05,,,Robbery
a5,2024-05,-0.1280,51.5201,
a6,2024-05,-0.1280,51.5201,Robbery,more
a7,2024-05

"a8",2024-05,-0.1280,51.5201,"Robbery"
a9,2024-05,2.35,48.85,Robbery
,,,,"""
SCHOOLS = """\
100002,Hill School,-0.1260,51.5201
100003,Away School,2.35,48.85
100004,No Place,,

../x,Bad URN,-0.1260,51.5201
100005,One, Two,-0.1260,51.5201"""
CRIME = st.lists(st.sampled_from(CRIMES.split("\n")), max_size=8)


@limits(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(
    CRIME,
    CRIME,
    st.lists(st.sampled_from(SCHOOLS.split("\n")), max_size=6),
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


GATES = "urn,longitude,latitude\n100002,-0.126,51.52\n100001,{place}\n"


def test_a_gate_without_a_street_is_named_with_its_row(lane):
    """Where a gate leaves a school without a street, file, row, value and distance are named."""
    area = lane({"gates": GATES.format(place="-0.128,51.625")})
    assert area.schools["urn"].tolist() == ["100002"]
    (reason,) = [row.reason for row in area.left_out if row.reason.startswith("URN")]
    assert reason == (
        "URN 100001 (Mill School): no walkable street within 250 m of its gate, "
        "-0.128, 51.625 (gates.csv, row 3), 11.7 km from the school's location"
    )


@pytest.mark.parametrize("place", ["51.52,-0.128", "-0.128,51.625"])
def test_a_wrong_gate_of_a_required_school_is_an_error_of_the_gates(lane, place):
    """Swapped or far off, the message names the gates' row, not the school's place."""
    with pytest.raises(pp.InputError) as error:
        lane({"gates": GATES.format(place=place)}, schools={"urns": ["100001", "100002"]})
    (line,) = str(error.value).splitlines()
    assert "gates.csv, row 3, column 'longitude'" in line
    assert place.split(",", maxsplit=1)[0] in line


def test_a_gate_on_a_street_far_from_its_school_is_used_and_noted(lane):
    """More than a kilometre away it may be right, so it is used and noted."""
    area = lane({"gates": GATES.format(place="-0.105,51.52")})
    assert area.schools["urn"].tolist() == ["100001", "100002"]
    (note,) = [note for note in area.notes if note.key == "gate_far"]
    assert note.text == (
        "The gate of URN 100001 (Mill School) is used as given, -0.105, 51.52 (gates.csv, "
        "row 3), 1.6 km from the school's location: check the row."
    )


OFFICERS = (
    "officer,school_urns,mon,tue,wed,thu,fri,max_patrols_per_week,mode,"
    "base_longitude,base_latitude\nA,100001;{urn},,,,,,1,walk,-0.13,51.52\n"
)
TERMS = "urn,from,to,kind\n*,2026-09-01,2026-12-18,term\n{urn},2026-11-02,2026-11-03,closed\n"
TABLES = {
    "bell_times": "urn,finish_time\n100001,15:10\n{urn},15:20\n",
    "gates": "urn,longitude,latitude\n100001,-0.128,51.52\n{urn},-0.126,51.52\n",
    "term_dates": TERMS, "officers": OFFICERS,
    "tasked_places": TASKED + f"T1,-0.12,51.52,true,100001;{{urn}},{DAYS}\n",
}  # fmt: skip


def _find_rows_and_notes(area, source):
    rows = [(row.reason, row.count) for row in area.left_out if row.source == source]
    return rows, [note for note in list_texts(area.notes) if "URN" in note]


def test_schools_have_their_own_figures_of_the_bell_times(lane):
    """How pupils leave is a number where given, and not known for a school without a row."""
    bells = "urn,finish_time,late_share,late_minutes,walk_share,bus_share\n"
    area = lane({"bell_times": f"{bells}100002,15:10,0,,0.5,.25\n"})
    figures = area.schools[["late_share", "late_minutes", "walk_share", "bus_share"]]
    np.testing.assert_array_equal(figures, [[np.nan] * 4, [0, np.nan, 0.5, 0.25]])
    assert not area.schools["is_driven"].any()


@pytest.mark.parametrize("table", TABLES)
def test_an_urn_that_no_school_has_is_reported_with_the_nearest(lane, table):
    """A mistyped URN is counted and noted by its table, with the URN that may be meant."""
    area = lane({table: TABLES[table].format(urn="10002")})
    rows, notes = _find_rows_and_notes(area, table.replace("_", " "))
    what = "no school has the URN 10002 (nearest: 100002)"
    assert rows == [(what, 1)]
    assert notes == [f"[sources] {table}: {what}, so it has no effect there. Correct it."]


@pytest.mark.parametrize(("table", "urn", "why"), [
    *((table, "100003", "not open") for table in TABLES),
    ("officers", "100004", "outside the area"),
    ("term_dates", "100002", "not selected in [schools]"),
])  # fmt: skip
def test_rows_of_schools_that_are_left_out_are_counted_with_the_reason(lane, table, urn, why):
    """A row of a school that is known but not planned for is counted, and needs no correction."""
    schools = {"schools": {"urns": ["100001"]}} if urn == "100002" else {}
    area = lane({table: TABLES[table].format(urn=urn)}, **schools)
    rows, notes = _find_rows_and_notes(area, table.replace("_", " "))
    assert rows == [(f"of schools that are left out ({why})", 1)]
    assert notes == []


WALKWAY = """
<node id='3' version='1' lon='-0.1290' lat='51.5203'/>
<node id='4' version='1' lon='-0.1270' lat='51.5203'/>
<way id='6' version='1'><nd ref='1'/><nd ref='3'/><nd ref='4'/><nd ref='2'/>
<tag k='highway' v='footway'/><tag k='name' v='High Walk'/><tag k='bridge' v='yes'/>
{layer}</way>
</osm>"""
ON_WALKWAY = {"gates": GATES.format(place="-0.128,51.5203")}


@pytest.fixture
def write_walkway(lane, tmp_path):
    """What puts a walkway on the map, nearer to the point of the Mill School than its street."""

    def write(layer="", *, ground=True):
        text = (tmp_path / "x.osm").read_text()
        if not ground:
            text = text.replace("v='residential'/>", "v='footway'/><tag k='layer' v='1'/>")
        walkway = WALKWAY.format(layer=f"<tag k='layer' v='{layer}'/>" if layer else "")
        (tmp_path / "x.osm").write_text(text.replace("</osm>", walkway), encoding="utf-8")
        schools = (tmp_path / "s.csv").read_text().replace("-0.128,51.5201", "-0.128,51.5202")
        (tmp_path / "s.csv").write_text(schools, encoding="utf-8")
        return lane

    return write


def test_a_gate_above_the_street_stops_the_command_unless_accepted(write_walkway):
    """It is named with level, row and what to do; with a reason it stays, and papers print why."""
    load = write_walkway()
    with pytest.raises(pp.InputError) as error:
        load(ON_WALKWAY)
    (line,) = str(error.value).splitlines()
    assert "gates.csv, row 3" in line
    assert "URN 100001 (Mill School)" in line
    assert "'High Walk' is a bridge above the ground (layer 1)" in line
    assert 'or accept it under [accept] with gate_levels = "why"' in line
    area = load(ON_WALKWAY, accept={"gate_levels": "the gate is on the podium"})
    row = area.schools["urn"].tolist().index("100001")
    assert area.network.piece_name[area.gates.piece[row]] == "High Walk"
    assert [alarm.check for alarm in area.alarms] == ["gate_levels"]
    (note,) = area.accepted_checks
    assert "the gate is on the podium" in note.text


def test_an_assumed_gate_is_put_on_the_ground(write_walkway):
    """A school without a gate starts from the street, although the walkway is nearer."""
    area = write_walkway()()
    assert set(area.network.piece_name[area.gates.piece]) == {"Long Lane"}
    assert area.alarms == ()


def test_an_assumed_gate_without_a_street_at_ground_level_stops_the_command(write_walkway):
    """Where every street near is above the ground, the gate has to be given."""
    with pytest.raises(pp.InputError, match=r"give the gate on the street in \[sources\] gates"):
        write_walkway(ground=False)()


def test_many_unknown_urns_are_counted_after_the_first(lane):
    """Of many unknown URNs the first are named and the others counted."""
    bells = "urn,finish_time\n" + "".join(f"X{n},15:10\n" for n in range(9))
    rows, _ = _find_rows_and_notes(lane({"bell_times": bells}), "bell times")
    assert rows == [("no school has the URN X0, X1, X2, X3, X4 and 4 more", 9)]


def test_sunset_is_in_local_time(demo_area):
    """The demo borough is east of London: sunset is an hour later by the clock in summer."""
    winter, summer = dt.date(2026, 12, 21), dt.date(2026, 6, 21)
    assert find_sunset_minutes(demo_area, winter) == pytest.approx(15 * 60 + 50, abs=3)
    assert find_sunset_minutes(demo_area, summer) == pytest.approx(21 * 60 + 17, abs=3)
    assert find_sunset_minutes(demo_area, None) is None


def test_no_sunset_where_local_time_is_not_known(demo_area):
    """An area in another CRS may be in another time zone: no time is printed then."""
    area = demo_area.settings.area.model_copy(update={"crs": "EPSG:32630"})
    settings = demo_area.settings.model_copy(update={"area": area})
    moved = dataclasses.replace(demo_area, settings=settings)
    assert find_sunset_minutes(moved, dt.date(2026, 12, 21)) is None
    assert find_daylight(moved, dt.date(2026, 12, 21)) is None


@pytest.mark.parametrize("day", [dt.date(2026, 11, 4), dt.date(2026, 2, 18), dt.date(2026, 12, 9)])
def test_daylight_is_that_of_the_darkest_day_of_the_week(demo_area, day):
    """Patrols that end by its sunset end by that of every day of the week, and none is lost."""
    daylight = find_daylight(demo_area, day)
    week = [day + dt.timedelta(days=number - day.weekday()) for number in range(7)]
    sunsets = [find_sunset_minutes(demo_area, one) for one in week]
    rises = [find_sunset_minutes(demo_area, one, rising=True) for one in week]
    assert daylight.sunset_minutes == min(sunsets)
    assert daylight.sunrise_minutes == max(rises)
    assert not daylight.is_dark(max(rises), min(sunsets))
    assert daylight.is_dark(max(rises) - 1, min(sunsets))
    assert daylight.is_dark(max(rises), min(sunsets) + 1)
    assert find_daylight(demo_area, None) is None
