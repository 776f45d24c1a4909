"""Risk and stretches of the demo borough."""

import numpy as np
import pytest

import patrolplan as pp


@pytest.fixture(scope="session")
def demo_risk(demo_area):
    """Risk of the demo borough."""
    return pp.estimate_risk(demo_area)


@pytest.fixture(scope="session")
def stretches(demo_plan):
    """Pieces of the demo borough's hotspots."""
    return [np.array(pieces) for pieces in demo_plan.hotspots["pieces"]]
