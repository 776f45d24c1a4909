"""Where an officer is during a stop: one place at a time, as long on a street as it is long."""

import numpy as np
import pytest

from patrolplan.pupils.presence import Visit


def test_a_beat_is_the_mean_of_its_pieces(demo_area, demo_plan):
    """Walking up and down meets the mean of standing at each piece, weighted by its metres."""
    presence, network = demo_plan.risk.in_time.pupils.presence, demo_area.network
    urn = demo_area.schools["urn"].iloc[0]
    row = demo_plan.hotspots["pieces"].str.len().argmax()
    pieces = np.array(demo_plan.hotspots["pieces"].iloc[row])
    start = presence.get_bell(urn) + 5
    walked = Visit.along(network, pieces, start, start + 15)
    stood = [Visit.at(xy, start, start + 15) for xy in network.piece_middle[pieces]]
    met = [presence.share_met_by(urn, [visit]) for visit in stood]
    mean = np.average(met, weights=network.piece_metres[pieces])
    assert len(pieces) > 1
    assert presence.share_met_by(urn, [walked]) == pytest.approx(mean)
