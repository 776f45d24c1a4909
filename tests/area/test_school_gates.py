"""Gates far from their school, and URNs in optional tables that no school has, are reported."""

import numpy as np
import pytest

import patrolplan as pp
from patrolplan.notes import list_texts

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


TASKED = "place_id,longitude,latitude,must_visit,schools,from,to,reason,by\n"
DAYS = "2026-11-02,2026-12-18,why,who"
OFFICERS = (
    "officer,school_urns,mon,tue,wed,thu,fri,max_patrols_per_week,mode,"
    "base_longitude,base_latitude\nA,100001;{urn},,,,,,1,walk,-0.13,51.52\n"
)
TABLES = {
    "bell_times": "urn,finish_time\n100001,15:10\n{urn},15:20\n",
    "gates": "urn,longitude,latitude\n100001,-0.128,51.52\n{urn},-0.126,51.52\n",
    "term_dates": "urn,from,to,kind\n*,2026-09-01,2026-12-18,term\n{urn},2026-11-02,2026-11-03,"
    "closed\n",
    "officers": OFFICERS,
    "tasked_places": TASKED + f"T1,-0.12,51.52,true,100001;{{urn}},{DAYS}\n",
}


def _find_rows_and_notes(area, source):
    rows = [(row.reason, row.count) for row in area.left_out if row.source == source]
    return rows, [note for note in list_texts(area.notes) if "URN" in note]


def test_schools_have_their_own_figures_of_the_bell_times(lane):
    """How pupils leave is a number where given, and not known for a school without a row."""
    bells = "urn,finish_time,late_share,late_minutes,walk_share,bus_share\n"
    area = lane({"bell_times": f"{bells}100002,15:10,0,,0.5,.25\n"})
    columns = ["late_share", "late_minutes", "walk_share", "bus_share"]
    nan = float("nan")
    expected = [[nan] * 4, [0, nan, 0.5, 0.25]]
    np.testing.assert_array_equal(area.schools[columns], expected)
    assert not area.schools["is_driven"].any()


@pytest.mark.parametrize("table", TABLES)
def test_an_urn_that_no_school_has_is_reported_with_the_nearest(lane, table):
    """A mistyped URN is counted and noted by its table, with the URN that may be meant."""
    area = lane({table: TABLES[table].format(urn="10002")})
    rows, notes = _find_rows_and_notes(area, table.replace("_", " "))
    assert rows == [("no school has the URN 10002 (nearest: 100002)", 1)]
    assert notes == [
        (
            f"[sources] {table}: no school has the URN 10002 (nearest: 100002), so it has no "
            "effect there. Correct it."
        )
    ]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    ("urn", "why"),
    [
        ("100003", "not open"),
        ("100004", "outside the area"),
        ("100002", "not selected in [schools]"),
    ],
)
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
        text = text.replace("</osm>", walkway)
        (tmp_path / "x.osm").write_text(text, encoding="utf-8")
        schools = (tmp_path / "s.csv").read_text().replace("-0.128,51.5201", "-0.128,51.5202")
        (tmp_path / "s.csv").write_text(schools, encoding="utf-8")
        return lane

    return write


def test_a_gate_above_the_street_stops_the_command(write_walkway):
    """A gate that is given on a walkway is named with its level, its row and what to do."""
    with pytest.raises(pp.InputError) as error:
        write_walkway()(ON_WALKWAY)
    (line,) = str(error.value).splitlines()
    assert "gates.csv, row 3" in line
    assert "URN 100001 (Mill School)" in line
    assert "'High Walk' is a bridge above the ground (layer 1)" in line
    assert 'or accept it under [accept] with gate_levels = "why"' in line


def test_a_gate_above_the_street_is_accepted_with_a_reason(write_walkway):
    """With a reason in the settings the gate stays on the walkway, and every paper prints why."""
    area = write_walkway()(ON_WALKWAY, accept={"gate_levels": "the gate is on the podium"})
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
