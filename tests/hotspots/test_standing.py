"""Where an officer stands to watch a stretch."""

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings, strategies as st
from small_networks import build_small_network

from patrolplan.hotspots import ground
from patrolplan.hotspots.ground import Ground, choose_standing_places, locate_places

SIGHT = 75.0
SMALL = [*ground.PATHS, "service", "steps"]
NOTHING = gpd.GeoDataFrame({"kind": [], "name": []}, geometry=[], crs="EPSG:27700")


def _features(*rows):
    kinds, names, places = zip(*rows, strict=True)
    points = [shapely.Point(place) for place in places]
    return gpd.GeoDataFrame({"kind": kinds, "name": names}, geometry=points, crs="EPSG:27700")


def _stretch(network, way):
    return np.flatnonzero(network.parts.piece_way == way)


def _stand(network, stretch, features=NOTHING):
    """What one stands at, the point, the way's name and what is there."""
    table = choose_standing_places(Ground(network, features), np.ones(len(network)), [stretch])
    xy, found = network.xy(locate_places(table))[0], table.iloc[0]
    name = network.piece_name[found["piece"]]
    return found["stand"], tuple(np.round(xy, 1).tolist()), name, found["at"]


def test_one_stands_on_the_street_and_not_in_the_service_road_beside_it():
    """From a hotspot in a service road 20 m off the high street one stands on the high street."""
    places, ways = [(0, 0), (60, 0), (300, 0), (0, 20), (60, 20)], [[0, 1, 2], [0, 3, 4, 1]]
    network = build_small_network(places, ways, ["High Street", ""], ["primary", "service"])
    _, (_, y), name, _ = _stand(network, _stretch(network, 1))
    assert (y, name) == (0.0, "High Street")


@pytest.mark.parametrize(("kind", "stand", "at"), [
    ("bus_stop", "bus_stop", "Town Hall"),
    ("station_entrance", "station_entrance", "Town Hall"),
    ("shop", "shop_front", ""),
])  # fmt: skip
def test_one_stands_where_people_wait_and_meet(kind, stand, at):
    """A bus stop, a station's entrance or a shop front counts more; a shop is never named."""
    ring = [(0, 0), (150, 0), (150, 200), (0, 200)]
    network = build_small_network(ring, [[0, 1], [1, 2, 3, 0]], ["High Street", "Back Lane"])
    there = _features((kind, "Town Hall", (78, 4)))
    found = _stand(network, _stretch(network, 0), there)
    assert (found[0], found[1], found[3]) == (stand, (78.0, 0.0), at)
    far = _features((kind, "Town Hall", (78, 40)))
    assert _stand(network, _stretch(network, 0), far)[0] == "street"


def _choose_slowly(network, features, risk, stretch):
    """The best of all places within sight, by a walk over the whole graph; None: there is none."""
    wider = network.walkable
    edges = (
        (*ends, metres) for ends, metres in zip(wider.piece_nodes, wider.piece_metres, strict=True)
    )
    graph = nx.MultiGraph()
    graph.add_weighted_edges_from(edges)
    ends = set(wider.piece_nodes[stretch].ravel().tolist())
    away = nx.multi_source_dijkstra_path_length(graph, ends, cutoff=SIGHT)
    whole = Ground(network, features)
    middles = network.piece_middle[stretch]

    def see(point):
        return risk[stretch][np.hypot(*(middles - point).T) <= SIGHT].sum()

    least = 0.5 * max(see(point) for point in middles)
    centre = np.average(middles, axis=0, weights=risk[stretch])
    best = None
    for number, point in enumerate(network.xy(locate_places(whole.places))):
        piece, offset, stand, _, lit = whole.places.iloc[number]
        first, last = wider.piece_nodes[piece].tolist()
        rest = network.piece_metres[piece] - offset
        walk = min(away.get(first, np.inf) + offset, away.get(last, np.inf) + rest)
        if walk > SIGHT or see(point) < least:
            continue
        key = (
            whole.rank[piece],
            lit == "no",
            -float(f"{see(point) * ground.PREFERENCE[stand]:.9g}"),
            round(float(np.hypot(*(point - centre))), 2),
            number,
        )
        best = key if best is None or key < best else best
    return None if best is None else tuple(whole.places.iloc[best[-1]][["piece", "stand"]])


def _find_beside(network, points, pieces):
    """(k,) which places are on a small way with a named street within 25 m, found one by one."""
    is_named = np.isin(network.piece_highway.astype(str), list(ground.STREETS)) & (
        network.piece_name != ""
    )
    lines = network.piece_lines[is_named & ~network.piece_is_crossing]
    near = [shapely.distance(lines, point).min(initial=np.inf) <= 25 for point in points]
    return np.array(near) & np.isin(network.piece_highway[pieces].astype(str), SMALL)


@st.composite
def _draw_case(draw):
    """A grid of a few streets, of all kinds, with names, light and levels; a stretch with risk."""
    size, step = 4, 40
    places = [(step * i, step * j) for i in range(size) for j in range(size)]
    links = [(i, i + 1) for i in range(size * size) if (i + 1) % size]
    links += [(i, i + size) for i in range(size * (size - 1))]
    ways = draw(st.lists(st.sampled_from(links), min_size=8, unique=True))
    count = len(ways)

    def each(values):
        return draw(st.lists(st.sampled_from(values), min_size=count, max_size=count))

    traits = {"lit": each(["", "yes", "no"]), "layer": each([0.0, 0.0, 0.0, 1.0])}
    network = build_small_network(
        places,
        [list(way) for way in ways],
        each(["", "High Street", "Mill Lane", "Dock Road"]),
        each(["residential", "primary", "pedestrian", "service", "footway", "steps"]),
        traits=traits,
    )
    seed = draw(st.integers(0, len(network) - 1))
    around = network.neighbours[[seed]].indices
    stretch = np.unique([seed, *around[: draw(st.integers(0, 4))]])
    risk = np.array(draw(st.lists(st.floats(0.1, 9), min_size=len(network), max_size=len(network))))
    xy = st.tuples(st.integers(0, 120), st.integers(0, 120))
    rows = draw(st.lists(st.tuples(st.sampled_from(["bus_stop", "shop"]), xy), max_size=3))
    features = _features(*((kind, "A", at) for kind, at in rows)) if rows else NOTHING
    return network, features, risk, stretch


@settings(max_examples=60, deadline=None)
@given(_draw_case())
def test_the_place_equals_a_slow_search_and_is_never_beside_a_street(case):
    """On any streets: the best of all places within sight, else the stretch or a street by it."""
    network, features, risk, stretch = case
    table = choose_standing_places(Ground(network, features), risk, [stretch])
    piece, point = table["piece"].iloc[0], shapely.Point(network.xy(locate_places(table))[0])
    expected = _choose_slowly(network, features, risk, stretch)
    if expected is not None:
        assert (piece, table["stand"].iloc[0]) == expected
    else:
        lines = shapely.multilinestrings(network.piece_lines[stretch])
        assert table["stand"].iloc[0] == "street"
        assert shapely.distance(point, lines) <= 25 + 1e-6
    assert not _find_beside(network, [point], [piece]).any()


def test_every_stop_of_the_demo_is_where_one_would_stand(demo_area, demo_risk, demo_hotspots):
    """None on a small way beside a named street, none off the ground; most of the risk in view."""
    network, table = demo_area.network, demo_hotspots
    stops = zip(network.piece_lines[table["stop_piece"]], table["stop_metres"], strict=True)
    points = shapely.points([line.interpolate(metres).coords[0] for line, metres in stops])
    assert not _find_beside(network, points, table["stop_piece"].to_numpy()).any()
    assert (network.piece_layer[table["stop_piece"]] == 0).all()
    lit = {"": "unknown", "no": "no"}
    expected = [lit.get(value, "yes") for value in network.piece_lit[table["stop_piece"]]]
    assert list(table["stop_lit"]) == expected
    seen = total = 0.0
    for point, pieces in zip(points, table["pieces"], strict=True):
        away = np.hypot(*(network.piece_middle[pieces] - [point.x, point.y]).T)
        seen += demo_risk.joined[pieces][away <= SIGHT].sum()
        total += demo_risk.joined[pieces].sum()
    assert seen > 0.8 * total
    assert (table["stop_stand"] != "street").mean() > 0.4
    for row in range(0, len(table), 10):
        stretch = np.asarray(table["pieces"].iloc[row])
        expected = _choose_slowly(network, demo_area.features, demo_risk.joined, stretch)
        got = (table["stop_piece"].iloc[row], table["stop_stand"].iloc[row])
        assert expected is None or got == expected
