"""Where pupils go from the gate: homes on the streets and beyond them, bus stops and stations.

Homes are known from a school's own counts by area, or by the residents of areas, or by the length
of street of each kind. Where the known streets end is found on a grid of squares: a square with a
node of the network is covered, and so is one in a gap between such squares, as over a river or a
park. Homes beyond the covered squares are reached over exits, which are nodes at their edge.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.inputs.way_home import WayHomeTables
from patrolplan.network.network import Positions, StreetNetwork


@dataclass(frozen=True, eq=False)
class GateTree:
    """Walking distances from a gate to all streets within a limit.

    A link is a piece of street, or one of the two parts of the gate's own piece. It runs from its
    nearer node to the other.
    """

    network: StreetNetwork  # the walkable network
    gate: Positions  # where the gate is on it
    nodes: NDArray[np.int64]  # (n,) numbers in the network; the gate is a further one, n here
    node_metres: NDArray[np.float64]  # (n + 1,) from the gate to each, inf beyond the limit
    link_piece: NDArray[np.int64]  # (l,) piece of each link
    link_nodes: NDArray[np.int64]  # (l, 2) nearer (within the limit) and farther, as numbered here
    link_metres: NDArray[np.float64]  # (l,) length

    @property
    def root(self) -> int:
        """The gate's number among the nodes here."""
        return len(self.nodes)

    @property
    def middle_metres(self) -> NDArray[np.float64]:
        """(l,) from the gate over the nearer end to the middle of each link."""
        return np.asarray(self.node_metres[self.link_nodes[:, 0]] + self.link_metres / 2)

    def measure_to(
        self, places: Positions
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """How far places on streets are, over which node, and the metres after it; inf beyond."""
        # A place on a piece is reached over one of its ends: the one with the shorter way in all.
        wanted = self.network.piece_nodes[places.piece]
        ends = np.minimum(np.searchsorted(self.nodes, wanted), len(self.nodes) - 1)
        after = np.column_stack(
            [places.offset_metres, self.network.piece_metres[places.piece] - places.offset_metres]
        )
        away = np.where(self.nodes[ends] == wanted, self.node_metres[ends], np.inf) + after
        side = away.argmin(axis=1)
        row = np.arange(len(places))
        metres, node, rest = away[row, side], ends[row, side], after[row, side]
        # On the gate's own piece the way may be along it, over no node.
        own = np.abs(places.offset_metres - self.gate.offset_metres[0])
        is_direct = (places.piece == self.gate.piece[0]) & (own <= metres)
        return (
            np.where(is_direct, own, metres),
            np.where(is_direct, self.root, node),
            np.where(is_direct, own, rest),
        )


SQUARE_METRES = 200.0
GAP_SQUARES = 2
"""Gaps between streets up to twice this many squares wide, as over a river or park, are no edge."""


@dataclass(frozen=True, eq=False)
class Covered:
    """Squares of `SQUARE_METRES` that have streets, or are between them."""

    corner: NDArray[np.int64]  # column and row of the first square, counted from the CRS's origin
    is_covered: NDArray[np.bool_]  # (w, h) by column and row
    is_edge: NDArray[np.bool_]  # (w, h) those of them with a neighbour that is not
    homes: NDArray[np.float64]  # (w, h) weighted metres of street in each, see `HOMES_BY_KIND`

    def look_up(self, squares: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """(k,) of squares: whether each is covered, and the homes in it."""
        at = squares - self.corner
        inside = np.asarray(((at >= 0) & (at < self.is_covered.shape)).all(axis=1))
        column, row = np.where(inside[:, None], at, 0).T
        covered = np.asarray(inside & self.is_covered[column, row])
        return covered, np.where(inside, self.homes[column, row], 0.0)


def find_square_numbers(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """(k, 2) column and row of the square of each point."""
    return np.floor(xy / SQUARE_METRES).astype(np.int64)


def find_covered(network: StreetNetwork, homes: NDArray[np.float64]) -> Covered:
    """Squares that hold a node, with the gaps between them closed and holes filled."""
    # The pad keeps closing and erosion away from the border of the grid.
    square = find_square_numbers(network.node_xy)
    pad = GAP_SQUARES + 1
    corner = square.min(axis=0) - pad
    shape = tuple((square.max(axis=0) - corner + 1 + pad).tolist())
    held = np.zeros(shape, dtype=bool)
    held[tuple((square - corner).T)] = True

    from scipy import ndimage  # noqa: PLC0415 - heavy, and of pupils alone

    # Homes go on where the file of streets ends, but not in a river or a park: a gap that is no
    # wider than twice so many squares is closed.
    around = np.ones((3, 3))
    closed = ndimage.binary_closing(held, around, iterations=GAP_SQUARES)
    covered = ndimage.binary_fill_holes(closed | held)
    in_square = np.zeros(shape)
    at = find_square_numbers(network.piece_middle) - corner
    np.add.at(in_square, tuple(at.T), homes)
    return Covered(corner, covered, covered & ~ndimage.binary_erosion(covered, around), in_square)


@dataclass(frozen=True, eq=False)
class AreaHomes:
    """Where homes of areas are: shares of each area on pieces, and in places beyond the streets."""

    areas: dict[str, int]  # number of each area, by its name
    residents: NDArray[np.float64]  # (a,) see `_count_residents`
    piece_area: NDArray[np.int64]  # (p,) area that holds each piece, -1 for none
    piece_share: NDArray[np.float64]  # (p,) share of its homes there
    place_area: NDArray[np.int64]  # (b,) the same of places beyond the streets
    place_share: NDArray[np.float64]
    place_xy: NDArray[np.float64]  # (b, 2)


def locate_area_homes(
    network: StreetNetwork, areas: gpd.GeoDataFrame, homes: NDArray[np.float64], covered: Covered
) -> AreaHomes:
    """Spread each area over the streets in it, and over its squares that have none."""
    polygons = areas.geometry.to_numpy()
    tree = shapely.STRtree(shapely.points(network.piece_middle))
    area, piece = tree.query(polygons, predicate="intersects")
    piece_area = np.full(len(network), -1)
    piece_area[piece[::-1]] = area[::-1]  # of areas that overlap the first one counts
    sample_area, sample_xy = _sample_squares(polygons)
    beyond = ~covered.look_up(find_square_numbers(sample_xy))[0]
    samples = np.bincount(sample_area, minlength=len(areas))
    # How much of an area lies beyond the streets is estimated by its squares: their homes are not
    # known, so its residents are spread over all of it evenly first.
    share_beyond = np.bincount(sample_area[beyond], minlength=len(areas)) / samples
    held = piece_area >= 0
    metres = np.bincount(piece_area[held], homes[held], minlength=len(areas))
    weight = np.where(held, homes, 0.0)
    # An area whose streets are all of kinds without homes has them spread by length instead.
    length = np.bincount(piece_area[held], network.piece_metres[held], minlength=len(areas))
    is_bare = held & (metres[piece_area] <= 0)
    weight[is_bare] = network.piece_metres[is_bare]
    total = np.where(metres > 0, metres, length)
    share = np.zeros(len(network))
    share[held] = ((1 - share_beyond) / np.where(total > 0, total, 1.0))[piece_area[held]]
    share *= weight
    # Houses off the known streets, between them: at the nearest.
    lost = np.flatnonzero((total <= 0) & (share_beyond < 1))
    nearest = network.snap(shapely.get_coordinates(shapely.point_on_surface(polygons[lost])))
    free = ~held[nearest.piece]
    piece_area[nearest.piece[free]] = lost[free]
    share[nearest.piece[free]] = 1 - share_beyond[lost[free]]
    return AreaHomes(
        {str(name): number for number, name in enumerate(areas["area"])},
        _count_residents(areas),
        piece_area,
        share,
        sample_area[beyond],
        1.0 / samples[sample_area[beyond]],
        sample_xy[beyond],
    )


def _count_residents(areas: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """(a,) residents aged 5 to 16, or a share of all where that is not known; 0 for neither."""
    # Where only some areas say how many are of school age, the others have as many in proportion;
    # where none does, residents stand for pupils, since only proportions count.
    young, everyone = areas["aged_5_16"].astype(float), areas["residents"].astype(float)
    both = young.notna() & (everyone > 0)
    ratio = young[both].sum() / everyone[both].sum() if both.any() else 0.0
    share = 1.0 if young.isna().all() else ratio
    return np.asarray(young.fillna(everyone * share).fillna(0.0))


def _sample_squares(polygons: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Centres of the squares in each polygon, or a point on it: (k,) polygon and (k, 2) metres."""
    low, high = find_square_numbers(np.reshape(shapely.total_bounds(polygons), (2, 2)))
    centres = _locate_squares(_list_squares(low, high))
    number, row = shapely.STRtree(shapely.points(centres)).query(polygons, predicate="contains")
    bare = np.setdiff1d(np.arange(len(polygons)), number)
    on_bare = shapely.get_coordinates(shapely.point_on_surface(polygons[bare]))
    number, xy = np.r_[number, bare], np.concatenate([centres[row], on_bare])
    order = np.lexsort((*xy.T[::-1], number))
    return number[order], xy[order]


def _list_squares(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.int64]:
    """(k, 2) all squares from one corner (2,) to another."""
    grid = np.meshgrid(*map(np.arange, low, high + 1), indexing="ij")
    return np.stack(grid, axis=-1).reshape(-1, 2)


def _locate_squares(squares: NDArray[np.int64]) -> NDArray[np.float64]:
    """(k, 2) the middle of each square."""
    return np.asarray((squares + 0.5) * SQUARE_METRES)


DETOUR = 1.25  # walking distance beyond the streets, as a multiple of the straight line

KINDS_BY_HOMES: Mapping[float, tuple[str, ...]] = {
    1.0: ("residential", "living_street"),
    0.8: ("unclassified",),
    0.6: ("tertiary",),
    0.4: ("secondary",),
    0.3: ("primary", "tertiary_link", "pedestrian"),
    0.2: ("secondary_link",),
    0.1: ("primary_link", "trunk", "trunk_link", "service", "footway", "path"),
}
"""Homes a metre of each kind of street, relative to a residential street; other kinds have none.
Assumed: main streets are shops and offices first, and pavements often run along another street."""
HOMES_BY_KIND = {kind: homes for homes, kinds in KINDS_BY_HOMES.items() for kind in kinds}

DECAY_METRES = (500.0, 900.0)
"""Over which the share of homes falls to a third, for primary and for secondary schools: assumed.
Casualties of children on foot in London fit best with at most 600 and at least 900 m."""

SPREAD_METRES = 40.0  # a detour that makes a way a third as likely
CATCHMENT_DECAYS = 3.0
"""Maximum walk home in decay lengths: 1.5 and 2.7 km by default, as 10-year-olds
walk up to 1.4 km and 14-year-olds up to 3.0 km (Chillon and others 2015)."""

WALK_FALL_METRES = 650.0
"""How sharply walking turns to riding where the homes are known: the odds of walking fall to a
third over this distance, as between under one mile (83 %, National Travel Survey 2024) and between
one and two miles (assumed 30 %)."""


@dataclass(frozen=True, eq=False)
class Destinations:
    """Where pupils of a school who walk all the way go."""

    link_homes: NDArray[np.float64]  # (l,) walkers who live along each link of the tree
    exits: NDArray[np.int64]  # (k,) nodes of the tree
    exit_pupils: NDArray[np.float64]  # (k,) walkers who leave the streets there

    @property
    def total(self) -> float:
        """Walkers in all."""
        return float(self.link_homes.sum() + self.exit_pupils.sum())


class Homes:
    """Where pupils of an area's schools live, from areas and schools' own counts by area."""

    def __init__(self, network: StreetNetwork, tables: WayHomeTables) -> None:
        self.network = network
        kinds = pd.Series(network.piece_highway, dtype=object)
        by_kind = kinds.map(HOMES_BY_KIND).fillna(0.0).to_numpy(dtype=np.float64)
        self.street_homes = by_kind * network.piece_metres
        self.covered = find_covered(network, self.street_homes)
        self.areas: AreaHomes | None = None
        if len(tables.areas):
            self.areas = locate_area_homes(network, tables.areas, self.street_homes, self.covered)
        self.own = self._read_own(tables.origins)
        at = find_square_numbers(network.node_xy) - self.covered.corner
        self.is_edge_node: NDArray[np.bool_] = self.covered.is_edge[tuple(at.T)]

    def _read_own(self, origins: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
        """(a,) pupils of each school by area, for schools that have any in a known area."""
        if self.areas is None or not len(origins):
            return {}
        size, number = len(self.areas.areas), origins["area"].astype(str).map(self.areas.areas)
        known = origins.assign(number=number).dropna(subset="number")
        counts: dict[str, NDArray[np.float64]] = {
            str(urn): np.bincount(
                rows["number"].astype(int), rows["pupils"].astype(float), minlength=size
            ).astype(float)
            for urn, rows in known.groupby("urn")
        }
        return {urn: count for urn, count in counts.items() if count.sum() > 0}

    def is_by_residents(self, urn: str) -> bool:
        """Whether homes come from the residents of areas; else own counts, or street length."""
        has_residents = self.areas is not None and self.areas.residents.sum() > 0
        return has_residents and urn not in self.own

    def place_walkers(
        self, tree: GateTree, urn: str, walkers: NDArray[np.float64], roll: NDArray[np.float64]
    ) -> Destinations:
        """Where pupils who walk all the way live; `walkers` and all, `roll`, are (2,) by stage."""
        # Primary and secondary pupils live at different distances and walk in different shares, so
        # each stage of an all-through school is placed by itself.
        none = np.empty(0)
        found = Destinations(np.zeros(len(tree.link_piece)), none.astype(np.int64), none)
        for stage in np.flatnonzero(walkers > 0).tolist():
            weights = self._weigh(tree, urn, DECAY_METRES[stage], walkers[stage] / roll[stage])
            scale = walkers[stage] / weights.total if urn not in self.own else roll[stage]
            found = Destinations(
                found.link_homes + weights.link_homes * scale,
                np.r_[found.exits, weights.exits],
                np.r_[found.exit_pupils, weights.exit_pupils * scale],
            )
        return found

    def _weigh(self, tree: GateTree, urn: str, decay: float, walk_share: float) -> Destinations:
        """Walkers in proportion; where the school's own counts are known, as shares of its roll."""
        part = tree.link_metres / self.network.piece_metres[tree.link_piece]
        reach, metres = CATCHMENT_DECAYS * decay, tree.middle_metres
        if self.areas is not None and urn in self.own:
            # Where the pupils live is counted, so distance says only who of them walks.
            total = float(self.own[urn].sum())
            on_piece, places, beyond = _spread_areas(self.areas, self.own[urn] / total)
            links = on_piece[tree.link_piece] * part
            exits, home_metres, chosen = _choose_exits(self, tree, places)
            walked = np.r_[metres, home_metres]
            odds = _find_walking(walked, np.r_[links, beyond], walk_share, reach)
            leaving = (beyond * odds[len(links) :]) @ chosen
            return Destinations(links * odds[: len(links)], exits, leaving)
        if self.areas is not None and self.is_by_residents(urn):
            on_piece, places, beyond = _spread_areas(self.areas, self.areas.residents)
        else:
            on_piece = self.street_homes
            places, beyond = self._guess_beyond(tree, reach)
        # Nobody counted them: homes near the school are likelier, those beyond the reach are out.
        near = np.hypot(*(places - self.network.xy(tree.gate)[0]).T) <= reach
        exits, home_metres, chosen = _choose_exits(self, tree, places[near])
        links = on_piece[tree.link_piece] * part * _decay(metres, decay, reach)
        leaving = (beyond[near] * _decay(home_metres, decay, reach)) @ chosen
        weights = Destinations(links, exits, leaving)
        if weights.total > 0:
            return weights
        # No known homes are within reach: street length alone decides where homes are.
        none = np.empty(0, dtype=np.int64)
        length = tree.link_metres * _decay(metres, decay, reach)
        return Destinations(length, none, none.astype(np.float64))

    def _guess_beyond(
        self, tree: GateTree, reach: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Squares beyond the streets within reach, (b, 2), and homes there, (b,)."""
        # A school near the edge would else have all its pupils on one side. Each square beyond has
        # as many homes as those with streets within reach have on average.
        at = self.network.xy(tree.gate)[0]
        wide = int(np.ceil(reach / SQUARE_METRES)) + 1
        squares = _list_squares(find_square_numbers(at) - wide, find_square_numbers(at) + wide)
        squares = squares[np.hypot(*(_locate_squares(squares) - at).T) <= reach]
        is_covered, homes = self.covered.look_up(squares)
        if is_covered.all() or not is_covered.any():
            return np.empty((0, 2)), np.empty(0)
        beyond = _locate_squares(squares[~is_covered])
        return beyond, np.full(len(beyond), homes[is_covered].mean())


def _spread_areas(
    areas: AreaHomes, count: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Homes of areas (a,): on pieces (p,), and at places beyond the streets (b, 2) and (b,)."""
    on_piece = np.where(areas.piece_area >= 0, count[areas.piece_area], 0.0) * areas.piece_share
    held = count[areas.place_area] > 0
    beyond = count[areas.place_area[held]] * areas.place_share[held]
    return on_piece, areas.place_xy[held], beyond


def _decay(metres: NDArray[np.float64], decay: float, reach: float) -> NDArray[np.float64]:
    """Weight of homes by distance."""
    return np.where(metres <= reach, np.exp(-np.minimum(metres, reach) / decay), 0.0)


def _find_walking(
    metres: NDArray[np.float64], homes: NDArray[np.float64], walk_share: float, reach: float
) -> NDArray[np.float64]:
    """(k,) share of pupils at each distance who walk, so that `walk_share` of all of them do."""
    # No pupil walks beyond the reach: walkers are fewer than wanted if too few live within.
    within = metres <= reach
    near, some = metres[within], homes[within]

    def walk(even: float) -> NDArray[np.float64]:
        return np.asarray(1 / (1 + np.exp(np.clip((near - even) / WALK_FALL_METRES, -50, 50))))

    # The odds of walking fall with distance at a known rate. The distance at which they are even is
    # found by bisection: walkers grow with it, from nobody at one end of the search to all.
    low, high = -40 * WALK_FALL_METRES, reach + 40 * WALK_FALL_METRES
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if some @ walk(middle) > walk_share else (middle, high)
    share = np.zeros(len(metres))
    share[within] = walk(high)
    return share


def _choose_exits(
    homes: Homes, tree: GateTree, places: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """How pupils leave the streets to homes beyond them, (b, 2).

    Gives (k,) nodes of the tree at the edge of the streets, (b,) the walk to each home over its
    nearest exit, and (b, k) the share of those who go over each.
    """
    reached = np.isfinite(tree.node_metres[:-1])
    nodes = np.flatnonzero(homes.is_edge_node[tree.nodes] & reached)
    if not len(nodes) or not len(places):
        return nodes[:0], np.full(len(places), np.inf), np.empty((len(places), 0))
    x, y = tree.network.node_xy[tree.nodes[nodes]].T
    # No hypot: its care for very large and very small numbers takes four times as long.
    straight = np.sqrt((places[:, :1] - x) ** 2 + (places[:, 1:] - y) ** 2)
    metres = straight * DETOUR + tree.node_metres[nodes]
    # The odds of an exit fall with the length of the whole way, as those of ways in `spread_flow`:
    # a street that ends at the edge is no other than one that goes on.
    least = metres.min(axis=1)
    odds = np.exp((metres - least[:, None]) / -SPREAD_METRES)
    return nodes, least, odds / odds.sum(axis=1, keepdims=True)
