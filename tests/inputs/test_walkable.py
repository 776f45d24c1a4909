"""Which ways of OpenStreetMap a person on foot may use."""

import pytest

from patrolplan.inputs.osm_tags import NOT_STREETS, is_walkable


@pytest.mark.parametrize(
    "tags",
    [
        {"highway": "residential"},
        {"highway": "residential", "oneway": "yes"},
        {"highway": "primary", "oneway": "-1"},
        {"highway": "footway", "tunnel": "yes", "layer": "-1"},
        {"highway": "steps", "bridge": "yes"},
        {"highway": "pedestrian", "area": "yes"},
        {"highway": "cycleway"},
        {"highway": "service", "access": "private", "foot": "yes"},
        {"highway": "footway", "access": "no", "foot": "designated"},
        {"highway": "service", "access": "permissive"},
        {"highway": "footway", "indoor": "no"},
        {"highway": "living_street", "motor_vehicle": "no"},
    ],
)
def test_open_to_people_on_foot(tags):
    """Streets, paths, underpasses and one-way streets can be walked; `foot` overrules `access`."""
    assert is_walkable(tags)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"building": "yes"},
        {"waterway": "river"},
        {"railway": "rail", "foot": "yes"},
        {"highway": ""},
        {"highway": "service", "access": "private"},
        {"highway": "service", "access": "no"},
        {"highway": "residential", "foot": "no"},
        {"highway": "footway", "access": "yes", "foot": "private"},
        {"highway": "footway", "indoor": "yes"},
        {"highway": "footway", "indoor": "yes", "foot": "yes"},
        {"highway": "corridor", "foot": "yes"},
        *({"highway": kind} for kind in sorted(NOT_STREETS)),
    ],
)
def test_not_open_to_people_on_foot(tags):
    """Private, indoor, unbuilt and motor ways are no streets, nor is what has no highway tag."""
    assert not is_walkable(tags)


def test_contracts_name_what_is_never_a_street():
    """The kinds that the contracts leave out are left out."""
    assert {"corridor", "elevator", "construction", "proposed"} <= NOT_STREETS
