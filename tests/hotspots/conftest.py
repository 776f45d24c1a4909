"""Risk and stretches of the demo borough, the same in every minute."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def stretches(static_hotspots):
    """Pieces of the demo borough's hotspots."""
    return [np.array(pieces) for pieces in static_hotspots["pieces"]]
