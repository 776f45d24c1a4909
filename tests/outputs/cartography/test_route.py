"""Tags say of every leg where it leads, also where signs leave no room on it."""

import numpy as np
import shapely

from patrolplan.outputs.cartography.labels import place
from patrolplan.outputs.cartography.route import led_tags, leg_tags, strands

SIZE = {"width": 400.0, "height": 300.0}
SIGNS = shapely.MultiPoint([(150, 150), (180, 150)]).buffer(9)
LEGS = strands(
    [np.array([[150.0, 150.0], [180.0, 150.0]]), np.array([[180.0, 150.0], [180.0, 280.0]])]
)
TAKEN = np.array([[150.0, 150.0, 20.0, 20.0, 0.0], [180.0, 150.0, 20.0, 20.0, 0.0]])


def test_a_leg_between_touching_signs_is_tagged_by_a_line():
    """A leg with no room on it has its tag aside of it; the line there crosses nothing else."""
    near = place([tag.wish for tag in leg_tags(LEGS, ["1→2", "2→3"], [0, 1])], taken=TAKEN, **SIZE)
    assert [number for number, _ in near] == [1]
    [first] = led_tags(LEGS, ["1→2", "2→3"], [0], covered=SIGNS)
    [(_, box)] = place([first.wish], taken=TAKEN, **SIZE)
    lead = first.leads[np.argmin(np.abs(first.wish.boxes - box).sum(axis=1))]
    line = shapely.LineString([lead, box[:2]])
    assert shapely.distance(shapely.Point(lead), shapely.LineString(LEGS[0].line)) < 0.1
    assert not line.intersects(SIGNS)
    assert not line.intersects(shapely.LineString(LEGS[1].line))


def test_a_leg_has_one_tag():
    """A tag that stands at its leg is not said again by a line."""
    tags = [*leg_tags(LEGS[1:], ["2→3"], [0]), *led_tags(LEGS[1:], ["2→3"], [0], covered=SIGNS)]
    [(number, _)] = place([tag.wish for tag in tags], taken=TAKEN, **SIZE)
    assert tags[number].leads is None
