"""Risk and stretches of the demo borough, the same in every minute."""

import numpy as np
import pytest

import patrolplan as pp


@pytest.fixture(scope="session")
def demo_risk(static_demo_area):
    """Risk of the demo borough."""
    return pp.estimate_risk(static_demo_area)


@pytest.fixture(scope="session")
def static_hotspots(static_demo_area, demo_risk):
    """Hotspots of the demo borough."""
    return pp.find_hotspots(static_demo_area, demo_risk)


@pytest.fixture(scope="session")
def stretches(static_hotspots):
    """Pieces of the demo borough's hotspots."""
    return [np.array(pieces) for pieces in static_hotspots["pieces"]]
