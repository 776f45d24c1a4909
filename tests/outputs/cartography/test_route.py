"""Tags say of every leg where it leads, also where signs leave no room on it."""

import numpy as np
import shapely

from patrolplan.outputs.cartography.labels import place_labels
from patrolplan.outputs.cartography.place_names import ShownStreet, build_route_labels
from patrolplan.outputs.cartography.route import (
    SHAPE_TOLERANCE,
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


def test_a_legs_shape_is_its_line_with_few_vertices():
    """A leg's shape for measuring is its line within a printer's resolution, with fewer points."""
    bend = np.column_stack([np.arange(0.0, 300.0, 3.0), 40 * np.sin(np.arange(0.0, 10.0, 0.1))])
    [leg] = separate_legs([bend])
    line = shapely.LineString(leg.line)
    assert shapely.hausdorff_distance(line, leg.shape, densify=0.01) <= SHAPE_TOLERANCE
    assert shapely.get_num_coordinates(leg.shape) < 0.5 * len(leg.line)


def test_names_cost_more_the_farther_they_stand_from_the_route():
    """Places near the route are chosen from, and each costs what its distance to the route says."""
    rng = np.random.default_rng(3)
    route = shapely.LineString([(0.0, 0.0), (200.0, 20.0), (400.0, 0.0)])
    for _ in range(20):
        line = shapely.LineString(rng.uniform((0, -150), (400, 150), (2, 2)))
        street = ShownStreet("Mill Lane", np.array([line]), rank=2)
        [free] = build_route_labels([street], shapely.LineString(), walked=())
        [label] = build_route_labels([street], route, walked=())
        away = shapely.distance(shapely.points(free.candidates.boxes[:, :2]), route)
        near = away <= 45.0 if (away <= 45.0).any() else np.ones(len(away), dtype=bool)
        wanted = free.candidates.costs + np.maximum(0.0, away - 14.0) * 0.4
        np.testing.assert_allclose(label.candidates.costs, wanted[near], atol=1e-9)
