"""Streets of a small town, for tests that need hardly more than neighbours and lengths."""

from small_networks import build_small_network


def build_grid(size=5, metres=90.0):
    """Streets of a small town: a square grid, whose streets have no names."""
    places = [(x * metres, y * metres) for y in range(size) for x in range(size)]
    rows = [[y * size + x for x in range(size)] for y in range(size)]
    ways = [*rows, *([row[x] for row in rows] for x in range(size))]
    return build_small_network(places, ways, [""] * len(ways))
