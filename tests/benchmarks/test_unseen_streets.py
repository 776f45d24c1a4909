"""Cards of a place that nothing was made for can be walked, from the plan to the printed page."""

import check_cards
import check_stops
import pytest
from seeded_area import SCHOOLS, write_seeded_area

import patrolplan as pp


@pytest.fixture(scope="module")
def seeded(shared, tmp_path_factory):
    """The area on the streets of Camberwell, and the folder of its plan."""
    folder = tmp_path_factory.mktemp("camberwell")
    streets = shared / "data" / "streets" / "camberwell_full_2023-08.osm.gz"
    area = pp.load_area(write_seeded_area(folder, streets))
    risk = pp.estimate_risk(area)
    plan = pp.plan_patrols(area, risk, pp.find_hotspots(area, risk))
    pp.write_pack(plan, folder / "plan")
    return area, folder / "plan"


@pytest.mark.slow
def test_cards_of_camberwell_hide_nothing(seeded):
    """Names on the maps, turns, steps, levels and passages: each is where an officer needs it."""
    area, folder = seeded
    result = check_cards.check_folder(folder, area)
    assert result["cards"] == len(SCHOOLS)
    assert result["corners"] > 20
    assert result["findings"] == []


@pytest.mark.slow
def test_stops_of_camberwell_are_on_its_streets(seeded):
    """No stop beside a street, and none next door to another."""
    area, folder = seeded
    result = check_stops.summarise(area, check_stops.read_plan(folder))
    assert result["stops"] > len(SCHOOLS)
    assert result["findings"] == []
