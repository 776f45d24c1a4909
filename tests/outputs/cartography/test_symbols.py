"""Signs of the ground: each is drawn, and explained below the map."""

import numpy as np
import pytest

from patrolplan.outputs.cartography.legend import build_sign_entries
from patrolplan.outputs.cartography.page import Page
from patrolplan.outputs.cartography.symbols import SYMBOLS, draw_symbols
from patrolplan.outputs.cartography.viewport import Viewport

VIEWPORT = Viewport(100.0, 100.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("kind", SYMBOLS)
def test_every_sign_is_drawn_and_explained(kind):
    """Where one is on the map, the legend has its words and draws it too."""
    window = Page(100.0, 100.0).add_window((0.0, 0.0, 100.0, 100.0))
    draw_symbols(window, {kind: np.array([(50.0, 50.0)])})
    drawn = [shape for _, shape in window.items]
    entries = build_sign_entries(VIEWPORT, [kind], way="walk", speed_kmh=4.8, grid_square="")
    (entry,) = [entry for entry in entries if entry.text == SYMBOLS[kind].words]
    below = Page(100.0, 100.0).add_window((0.0, 0.0, 100.0, 100.0))
    entry.draw_sign(below, 50.0 - SYMBOLS[kind].width / 2, 50.0)
    assert drawn
    assert drawn == [shape for _, shape in below.items]


def test_an_unknown_sign_is_an_error():
    """It is not drawn as another."""
    window = Page(100.0, 100.0).add_window((0.0, 0.0, 100.0, 100.0))
    with pytest.raises(KeyError):
        draw_symbols(window, {"windmill": np.array([(50.0, 50.0)])})
