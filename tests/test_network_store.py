"""A network on disk is the network, shared and not to be written to."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest

from patrolplan.network_store import keep_network
from patrolplan.network_store import open_network


def metres(folder):
    """Metres of street, as another process sees them."""
    return open_network(folder).metres


def test_opened_network_equals_the_kept(demo_area, tmp_path):
    """All arrays, the ways and what is worked out from them are the same."""
    keep_network(demo_area.network, tmp_path / "network")
    opened = open_network(tmp_path / "network")
    assert isinstance(opened.piece_metres, np.memmap)
    assert np.array_equal(opened.piece_nodes, demo_area.network.piece_nodes)
    assert np.array_equal(opened.piece_middle, demo_area.network.piece_middle)
    assert list(opened.piece_name) == list(demo_area.network.piece_name)
    pd.testing.assert_frame_equal(
        opened.parts.ways, demo_area.network.parts.ways, check_dtype=False
    )
    place = demo_area.schools.geometry.iloc[0]
    ours, theirs = (one.snap([[place.x, place.y]]) for one in (demo_area.network, opened))
    assert ours.piece == theirs.piece


def test_part_of_an_opened_network_is_its_own(demo_area, tmp_path):
    """A school's piece of the network is cut from the mapped arrays as from others."""
    keep_network(demo_area.network, tmp_path / "network")
    some = np.arange(0, len(demo_area.network), 3)
    ours, theirs = (
        one.take(some) for one in (demo_area.network, open_network(tmp_path / "network"))
    )
    assert np.array_equal(ours.node_xy, theirs.node_xy)


def test_opened_network_cannot_be_written_to(demo_area, tmp_path):
    """No process may change what the others see."""
    keep_network(demo_area.network, tmp_path / "network")
    with pytest.raises(ValueError, match="read-only"):
        open_network(tmp_path / "network").piece_metres[0] = 1.0


def test_another_process_opens_it(demo_area, tmp_path):
    """A worker needs the folder's name alone."""
    keep_network(demo_area.network, tmp_path / "network")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found = pool.submit(metres, tmp_path / "network").result()
    assert found == demo_area.network.metres
