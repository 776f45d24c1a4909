"""Gates far from their school are told as gates."""

import pytest

import patrolplan as pp

GATES = "urn,longitude,latitude\n100002,-0.126,51.52\n100001,{place}\n"


def test_a_gate_without_a_street_is_named_with_its_row(lane):
    """Where a gate leaves a school without a street, file, row, value and distance are told."""
    area = lane({"gates": GATES.format(place="-0.128,51.625")})
    assert area.schools["urn"].tolist() == ["100002"]
    (reason,) = [row.reason for row in area.left_out if row.reason.startswith("URN")]
    assert reason == (
        "URN 100001 (Mill School): no walkable street within 250 m of its gate, "
        "-0.128, 51.625 (gates.csv, row 3), 11.7 km from the school's own point"
    )


@pytest.mark.parametrize("place", ["51.52,-0.128", "-0.128,51.625"])
def test_a_wrong_gate_of_a_school_that_is_asked_for_is_an_error_of_the_gates(lane, place):
    """Swapped or far off, the message names the gates' row, not the school's place."""
    with pytest.raises(pp.InputError) as told:
        lane({"gates": GATES.format(place=place)}, schools={"urns": ["100001", "100002"]})
    (line,) = str(told.value).splitlines()
    assert "gates.csv, row 3, column 'longitude'" in line
    assert place.split(",", maxsplit=1)[0] in line


def test_a_swapped_gate_does_not_take_the_blame_to_the_school(lane):
    """A gate whose coordinates are swapped is told with its row."""
    gates = {"gates": GATES.format(place="51.52,-0.128")}
    try:
        said = [row.reason for row in lane(gates).left_out]
    except pp.InputError as error:
        said = [str(error)]
    assert any("gates.csv, row 3" in line and "51.52" in line for line in said)


def test_a_gate_on_a_street_far_from_its_school_is_taken_and_noted(lane):
    """More than a kilometre away it may be right, so it counts and is told."""
    area = lane({"gates": GATES.format(place="-0.105,51.52")})
    assert area.schools["urn"].tolist() == ["100001", "100002"]
    (note,) = [note for note in area.notes if "The gate" in note]
    assert note == (
        "The gate of URN 100001 (Mill School) is taken as it is, -0.105, 51.52 (gates.csv, "
        "row 3), 1.6 km from the school's own point: check the row."
    )
