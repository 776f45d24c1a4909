"""Feared places: the heaviest squares in reach of each school, and the patrols that go there."""

import dataclasses

import numpy as np
import pytest

from patrolplan.network.graph import compute_walk_metres
from patrolplan.patrols.errands import find_errands
from patrolplan.patrols.feared_places import FEARED_A_SCHOOL, find_feared_places, name_place


@pytest.fixture(scope="module")
def places(demo_area, demo_plan):
    """Those of the demo borough."""
    return find_feared_places(demo_area, demo_plan.risk, demo_plan.hotspots)


def test_they_are_the_heaviest_squares_in_reach_of_each_school(demo_area, demo_plan, places):
    """The same as by a plain loop over schools, squares and pieces."""
    of_piece, voice = demo_area.reports.group_of_piece, demo_plan.risk.reports
    weight = [sum(voice[of_piece == group]) for group in range(len(demo_area.reports))]
    for row, urn in enumerate(demo_area.schools["urn"]):
        walk = compute_walk_metres(
            demo_area.network.walkable,
            demo_area.gates.take([row]),
            demo_area.settings.patrol.radius_metres,
        )
        reached = {
            group: walk[of_piece == group].min()
            for group in range(len(weight))
            if weight[group] > 0 and np.isfinite(walk[of_piece == group].min())
        }
        ranked = sorted(reached, key=lambda group: (-round(weight[group], 12), reached[group]))
        mine = {place.group for place in places if urn in place.schools}
        assert mine == set(ranked[:FEARED_A_SCHOOL])
    assert [place.weight for place in places] == sorted((p.weight for p in places), reverse=True)


def test_their_hotspots_stand_in_their_square(demo_area, demo_plan, places):
    """Every hotspot of a place has its stopping place in it, and every such hotspot is named."""
    group = demo_area.reports.group_of_piece[demo_plan.hotspots["stop_piece"]]
    for place in places:
        inside = demo_plan.hotspots["hotspot"][group == place.group]
        assert place.hotspots == tuple(inside)
        assert {hotspot for _, hotspot in place.nearest} <= set(place.hotspots)
        assert place.name == name_place(demo_area.reports.squares[place.group])


def test_a_place_that_no_patrol_goes_to_is_an_errand_of_the_two_nearest_schools(
    demo_area, demo_plan
):
    """Where somebody's patrol stops there, there is no errand; special schools have none."""
    schools = demo_area.schools
    walking = list(schools["urn"][~schools["is_driven"]])
    places = find_feared_places(demo_area, demo_plan.risk, demo_plan.hotspots, walking)
    assert len(walking) < len(schools)
    bare = [dataclasses.replace(patrol, stops=(), variants=()) for patrol in demo_plan.patrols]
    errands = find_errands(dataclasses.replace(demo_plan, patrols=tuple(bare)), ["feared"])
    wanted = [(urn, (hotspot,)) for place in places for urn, hotspot in place.nearest[:2]]
    assert [(errand.urn, errand.watch) for errand in errands] == wanted
    walked = {
        name
        for patrol in demo_plan.patrols
        for walk in (patrol, *(one for v in patrol.variants for one in v.patrols))
        for stop in walk.stops
        for name in stop.covered
    }
    left = [place for place in places if walked.isdisjoint(place.hotspots)]
    found = {errand.watch[0] for errand in find_errands(demo_plan, ["feared"])}
    assert found == {hotspot for place in left for _, hotspot in place.nearest[:2]}


def test_a_week_of_the_demo_goes_to_every_feared_place(demo_area, demo_plan, demo_week):
    """Within a week each has a visit at a stop in its square, or a reason in words."""
    feared = [demand for demand in demo_week.demands if demand.kind == "feared"]
    assert len(feared) == 11
    hotspots = demo_plan.hotspots.set_index("hotspot")
    of_piece, squares = demo_area.reports.group_of_piece, demo_area.reports.squares
    for demand in feared:
        assert (demand.why is None) == bool(demand.met_by)
        for visitor in demand.met_by:
            (duty,) = (
                duty
                for duty in demo_week.duties
                if (duty.officer, duty.urn, duty.date)
                == (visitor.officer, visitor.urn, visitor.date)
            )
            pieces = [
                hotspots.at[name, "stop_piece"]
                for stop in duty.patrol.stops
                for name in stop.covered
                if name in hotspots.index
            ]
            stands = {
                name_place(squares[of_piece[piece]]) for piece in pieces if of_piece[piece] >= 0
            }
            assert demand.place in stands
