"""Further patrols past crowded hotspots."""

import numpy as np
import pytest
import shapely
from tasked_table import task

import patrolplan as pp
from patrolplan.patrols.errands import Errand, plan_errand
from patrolplan.patrols.planning_inputs import PlanningInputs

URN = "900001"


@pytest.fixture(scope="module", params=["on a hotspot", "apart"])
def tasked(request, demo_area, demo_plan):
    """A school's inputs and best patrol with a place to visit, and what its stop is called."""
    own = next(patrol for patrol in demo_plan.patrols if patrol.urn == URN)
    hotspots = demo_plan.hotspots
    metres = np.hypot(hotspots["stop_x"] - own.x, hotspots["stop_y"] - own.y)
    near = hotspots[metres < 500].iloc[-1]
    network = demo_area.network
    streets = shapely.points(network.piece_middle[network.find_pieces_within([own.x, own.y], 500)])
    quiet = max(streets, key=lambda street: hotspots.geometry.distance(street).min())
    apart = request.param == "apart"
    spot = quiet if apart else shapely.Point(network.piece_middle[near["pieces"][0]])
    area = task(demo_area, spot, schools=[URN])
    plan = pp.plan_patrols(area, demo_plan.risk, hotspots, urns=[URN])
    row = list(area.schools["urn"]).index(URN)
    inputs = PlanningInputs.from_area(area, plan.risk, hotspots)
    return (inputs, row), plan, "T1" if apart else near["hotspot"]


def test_taskings_are_no_matter_past_crowded_hotspots(tasked):
    """Keeping off every other stop, or off the place itself, a patrol leaves the place alone."""
    (inputs, row), plan, name = tasked
    (best,) = plan.patrols
    assert [stop.hotspot for stop in best.stops if stop.tasked] == [name]
    others = frozenset(stop.hotspot for stop in best.stops) - {name}
    assert others
    for off in (others, others | {name}):
        past = plan_errand(inputs, (row, Errand(URN, avoid=tuple(off)), (best,)))
        assert not any(stop.tasked for patrol in past.patrols for stop in patrol.stops)
        assert not off & set(past.hotspots)
