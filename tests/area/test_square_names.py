"""Names of the squares of an area."""

import numpy as np

from patrolplan.area.square_names import MAX_STREETS, name_squares
from patrolplan.crs import find_squares


def test_a_square_is_named_by_the_streets_with_most_length_in_it(demo_area):
    """The same as by adding up the lengths of its pieces one by one."""
    network = demo_area.network
    of_piece = find_squares(network.piece_middle, network.projection.crs)
    squares = np.unique(of_piece, axis=0)[::7]
    for square, names in zip(squares, name_squares(network, squares), strict=True):
        lengths = {}
        for piece in range(len(of_piece)):
            if tuple(of_piece[piece]) == tuple(square) and network.piece_name[piece]:
                name = network.piece_name[piece]
                lengths[name] = lengths.get(name, 0) + network.piece_metres[piece]
        assert len(names) == min(MAX_STREETS, len(lengths))
        others = [lengths[name] for name in lengths if name not in names]
        assert all(lengths[name] >= max(others, default=0) - 1 for name in names)
    assert name_squares(network, [[27700, 1, 1]]) == [()]  # far from the area
