"""Tags say of every leg where it leads, also where signs leave no room on it."""

import numpy as np
import shapely

from patrolplan.outputs.cartography.labels import place_labels
from patrolplan.outputs.cartography.route import (
    build_leader_labels,
    build_leg_labels,
    separate_legs,
)

SIZE = {"width": 400.0, "height": 300.0}
SIGNS = shapely.MultiPoint([(150, 150), (180, 150)]).buffer(9)
LEGS = separate_legs(
    [np.array([[150.0, 150.0], [180.0, 150.0]]), np.array([[180.0, 150.0], [180.0, 280.0]])]
)
OCCUPIED = np.array([[150.0, 150.0, 20.0, 20.0, 0.0], [180.0, 150.0, 20.0, 20.0, 0.0]])


def test_a_leg_between_touching_signs_is_tagged_by_a_line():
    """A leg with no room on it has its tag away from it; the line to it crosses nothing else."""
    near = place_labels(
        [tag.candidates for tag in build_leg_labels(LEGS, ["1→2", "2→3"])],
        occupied=OCCUPIED,
        **SIZE,
    )
    assert [number for number, _ in near] == [1]
    first, _ = build_leader_labels(LEGS, ["1→2", "2→3"], covered=SIGNS)
    [(_, box)] = place_labels([first.candidates], occupied=OCCUPIED, **SIZE)
    lead = first.leader_ends[np.argmin(np.abs(first.candidates.boxes - box).sum(axis=1))]
    line = shapely.LineString([lead, box[:2]])
    assert shapely.distance(shapely.Point(lead), shapely.LineString(LEGS[0].line)) < 0.1
    assert not line.intersects(SIGNS)
    assert not line.intersects(shapely.LineString(LEGS[1].line))
