"""Where pupils go from the gate: homes on the streets and beyond them, bus stops and stations.

Homes are known from a school's own counts by area, or by the residents of areas, or by the length
of street of each kind. Homes beyond the streets are reached over exits, which are nodes at the edge
of the streets. Where the streets end is found on a grid of squares, see `_find_covered`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from patrolplan.inputs.way_home import WayHomeTables
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.network import Positions, StreetNetwork
from patrolplan.pupils.gate_tree import GateTree

SQUARE_METRES = 200.0
GAP_SQUARES = 2
"""Gaps between streets up to twice so many squares wide, such as a river or a park, are no edge."""

DETOUR = 1.25
"""Walking distance beyond the streets, as a multiple of the straight line."""

HOMES_BY_KIND: Mapping[str, float] = {
    "residential": 1.0,
    "living_street": 1.0,
    "unclassified": 0.8,
    "tertiary": 0.6,
    "tertiary_link": 0.3,
    "secondary": 0.4,
    "secondary_link": 0.2,
    "primary": 0.3,
    "primary_link": 0.1,
    "pedestrian": 0.3,
    "trunk": 0.1,
    "trunk_link": 0.1,
    "service": 0.1,
    "footway": 0.1,
    "path": 0.1,
}
"""Homes a metre of each kind of street, relative to a residential street; other kinds have none.
Assumed: main streets are shops and offices first, and pavements often run along another street."""

CATCHMENT_DECAYS = 3.0
"""Nobody walks home farther than so many decay lengths: 1.5 and 2.7 km by default, as 10-year-olds
walk up to 1.4 km and 14-year-olds up to 3.0 km (Chillon and others 2015)."""

WALK_FALL_METRES = 650.0
"""How sharply walking gives way to riding where the homes are known: the odds of walking fall to a
third over this distance, as between under one mile (83 %, National Travel Survey 2024) and between
one and two miles (assumed 30 %)."""

STOP_SPREAD_METRES = 200.0
"""A stop that is so much farther is a third as likely: pupils need the stop of their own line."""


@dataclass(frozen=True, eq=False)
class Destinations:
    """Where the pupils of one school go, as shares of one pupil by whatever mode.

    Parameters
    ----------
    link_homes
        (l,) walkers who live along each link of the tree.
    exits, exit_pupils
        (k,) nodes of the tree, and walkers who leave the streets there.
    """

    link_homes: NDArray[np.float64]
    exits: NDArray[np.int64]
    exit_pupils: NDArray[np.float64]

    @property
    def total(self) -> float:
        """Walkers in all."""
        return float(self.link_homes.sum() + self.exit_pupils.sum())


def _sum_destinations(parts: list[Destinations]) -> Destinations:
    return Destinations(
        np.sum([part.link_homes for part in parts], axis=0),
        np.concatenate([part.exits for part in parts]),
        np.concatenate([part.exit_pupils for part in parts]),
    )


@dataclass(frozen=True, eq=False)
class Covered:
    """Squares of `SQUARE_METRES` that hold streets, or lie between them.

    Parameters
    ----------
    corner
        Column and row of the first square, counted from the CRS's origin.
    is_covered
        (w, h) by column and row.
    homes
        (w, h) weighted metres of street in each, see `HOMES_BY_KIND`.
    """

    corner: NDArray[np.int64]
    is_covered: NDArray[np.bool_]
    homes: NDArray[np.float64]

    def find(self, xy: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(k,) whether the square of each point is covered."""
        return np.asarray(self.look_up(find_square_numbers(xy))[0])

    def look_up(self, squares: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """(k,) of squares: whether each is covered, and the homes in it."""
        at = squares - self.corner
        shape = np.array(self.is_covered.shape)
        inside = ((at >= 0) & (at < shape)).all(axis=1)
        column, row = np.where(inside[:, None], at, 0).T
        covered = inside & self.is_covered[column, row]
        return covered, np.where(inside, self.homes[column, row], 0.0)

    @cached_property
    def is_edge(self) -> NDArray[np.bool_]:
        """(w, h) covered squares with a neighbour that is not."""
        inner = ndimage.binary_erosion(self.is_covered, np.ones((3, 3)), border_value=0)
        return np.asarray(self.is_covered & ~inner)


def find_square_numbers(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """(k, 2) column and row of the square of each point."""
    return np.floor(xy / SQUARE_METRES).astype(np.int64)


def _find_covered(network: StreetNetwork, homes: NDArray[np.float64]) -> Covered:
    """Squares that hold a node, with the gaps between them closed and holes filled."""
    square = find_square_numbers(network.node_xy)
    pad = GAP_SQUARES + 1
    corner = square.min(axis=0) - pad
    shape = tuple((square.max(axis=0) - corner + 1 + pad).tolist())
    held = np.zeros(shape, dtype=bool)
    held[tuple((square - corner).T)] = True
    closed = ndimage.binary_closing(held, np.ones((3, 3)), iterations=GAP_SQUARES)
    in_square = np.zeros(shape)
    at = find_square_numbers(network.piece_middle) - corner
    np.add.at(in_square, tuple(at.T), homes)
    return Covered(corner, ndimage.binary_fill_holes(closed | held), in_square)


@dataclass(frozen=True, eq=False)
class AreaHomes:
    """How the homes of areas lie: shares of each area on pieces, and in places beyond the streets.

    Parameters
    ----------
    areas
        Number of each area, by its name.
    residents
        (a,) residents (those aged 5 to 16 where given); all zero where neither is known.
    piece_area, piece_share
        (p,) area that holds each piece, -1 for none, and the share of its homes there.
    place_area, place_share, place_xy
        (b,) places beyond the streets.
    """

    areas: dict[str, int]
    residents: NDArray[np.float64]
    piece_area: NDArray[np.int64]
    piece_share: NDArray[np.float64]
    place_area: NDArray[np.int64]
    place_share: NDArray[np.float64]
    place_xy: NDArray[np.float64]


def _locate_area_homes(
    network: StreetNetwork,
    areas: gpd.GeoDataFrame,
    homes: NDArray[np.float64],
    covered: Covered,
) -> AreaHomes:
    """Spread each area over the streets in it, and over its squares that have none."""
    polygons = areas.geometry.to_numpy()
    tree = shapely.STRtree(shapely.points(network.piece_middle))
    area, piece = tree.query(polygons, predicate="intersects")
    piece_area = np.full(len(network), -1)
    piece_area[piece[::-1]] = area[::-1]  # of areas that overlap the first one counts
    sample_area, sample_xy = _sample_squares(polygons)
    beyond = ~covered.find(sample_xy)
    samples = np.bincount(sample_area, minlength=len(areas))
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
    # Houses off the streets we know, between them: at the nearest.
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
    """(a,) residents aged 5 to 16, for some areas estimated from all residents; 0 if not known."""
    young, everyone = (
        areas[name].to_numpy(dtype=np.float64) for name in ("aged_5_16", "residents")
    )
    if np.isnan(young).all():
        return np.nan_to_num(everyone)
    both = ~np.isnan(young) & (everyone > 0)
    ratio = young[both].sum() / everyone[both].sum() if both.any() else 0.0
    return np.nan_to_num(np.where(np.isnan(young), everyone * ratio, young))


def _sample_squares(polygons: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Centres of the squares in each polygon, or one point on it: (k,) polygon and (k, 2) metres."""
    corners = find_square_numbers(shapely.bounds(polygons).reshape(-1, 2)).reshape(-1, 2, 2)
    numbers, points = [], []
    for number, (first, last) in enumerate(corners.tolist()):
        column, row = np.meshgrid(
            np.arange(first[0], last[0] + 1), np.arange(first[1], last[1] + 1), indexing="ij"
        )
        centres = (np.column_stack([column.ravel(), row.ravel()]) + 0.5) * SQUARE_METRES
        within = centres[shapely.contains_xy(polygons[number], *centres.T)]
        if not len(within):
            within = shapely.get_coordinates(shapely.point_on_surface(polygons[number]))
        numbers.append(np.full(len(within), number))
        points.append(within)
    return np.concatenate(numbers), np.concatenate(points)


class Homes:
    """Where pupils of an area's schools live.

    Parameters
    ----------
    network
        The walkable network.
    tables
        Areas, and schools' own counts by area.
    """

    def __init__(self, network: StreetNetwork, tables: WayHomeTables) -> None:
        self.network = network
        kinds = pd.Series(network.piece_highway, dtype=object)
        by_kind = kinds.map(HOMES_BY_KIND).fillna(0.0).to_numpy(dtype=np.float64)
        self.street_homes = by_kind * network.piece_metres
        self.covered = _find_covered(network, self.street_homes)
        self.areas: AreaHomes | None = None
        if len(tables.areas):
            self.areas = _locate_area_homes(network, tables.areas, self.street_homes, self.covered)
        self.own = self._read_own(tables.origins)
        at = find_square_numbers(network.node_xy) - self.covered.corner
        self.is_edge_node: NDArray[np.bool_] = self.covered.is_edge[tuple(at.T)]

    def _read_own(self, origins: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
        """(a,) pupils of each school by area, for schools that have any in a known area."""
        if self.areas is None or not len(origins):
            return {}
        number = origins["area"].astype(str).map(self.areas.areas)
        known = origins[number.notna()].assign(number=number.dropna().astype(int))
        counts = {
            str(urn): np.bincount(rows["number"], rows["pupils"], minlength=len(self.areas.areas))
            for urn, rows in known.groupby("urn")
        }
        return {urn: count for urn, count in counts.items() if count.sum() > 0}

    def is_by_residents(self, urn: str) -> bool:
        """Whether homes come from the residents of areas; else own counts, or street length."""
        return urn not in self.own and self.areas is not None and self.areas.residents.sum() > 0

    def place_walkers(
        self,
        tree: GateTree,
        urn: str,
        walkers: NDArray[np.float64],
        roll: NDArray[np.float64],
        decay_metres: NDArray[np.float64],
        spread_metres: float,
    ) -> Destinations:
        """Where those live who walk all the way.

        Parameters
        ----------
        tree
            The school's.
        walkers, roll
            (2,) by stage: those who walk, and all.
        decay_metres
            (2,) by stage.
        spread_metres
            Of the choice between exits.
        """
        parts = []
        for stage in np.flatnonzero(walkers > 0).tolist():
            decay = float(decay_metres[stage])
            weights = self._weigh(tree, urn, decay, spread_metres, walkers[stage] / roll[stage])
            scale = walkers[stage] / weights.total if urn not in self.own else roll[stage]
            parts.append(
                Destinations(weights.link_homes * scale, weights.exits, weights.exit_pupils * scale)
            )
        if not parts:
            none = np.empty(0)
            return Destinations(np.zeros(len(tree.link_piece)), none.astype(np.int64), none)
        return _sum_destinations(parts)

    def _weigh(
        self, tree: GateTree, urn: str, decay: float, spread_metres: float, walk_share: float
    ) -> Destinations:
        """Walkers in proportion; where the school's own counts are known, as shares of its roll."""
        part = tree.link_metres / self.network.piece_metres[tree.link_piece]
        reach = CATCHMENT_DECAYS * decay
        metres = tree.middle_metres
        if urn in self.own:
            on_piece, places, beyond = self._spread_areas(self.own[urn])
            links = on_piece[tree.link_piece] * part
            exits = _Exits.choose(self, tree, places, spread_metres)
            total = float(self.own[urn].sum())
            walked = np.r_[metres, exits.home_metres]
            odds = _find_walking(walked, np.r_[links, beyond] / total, walk_share, reach)
            return Destinations(
                links / total * odds[: len(links)], *exits.sum(beyond / total * odds[len(links) :])
            )
        if self.is_by_residents(urn):
            assert self.areas is not None
            on_piece, places, beyond = self._spread_areas(self.areas.residents)
        else:
            on_piece = self.street_homes
            places, beyond = self._guess_beyond(tree, reach)
        near = np.hypot(*(places - self.network.xy(tree.gate)[0]).T) <= reach
        exits = _Exits.choose(self, tree, places[near], spread_metres)
        links = on_piece[tree.link_piece] * part * _decay(metres, decay, reach)
        homes = exits.sum(beyond[near] * _decay(exits.home_metres, decay, reach))
        weights = Destinations(links, *homes)
        if weights.total > 0:
            return weights
        # Nobody lives within reach of what is known: streets alone say where homes are.
        return Destinations(
            tree.link_metres * _decay(metres, decay, reach), *exits.sum(0.0 * beyond[near])
        )

    def _spread_areas(
        self, count: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Homes of areas (a,): on pieces (p,), and at places beyond the streets (b, 2) and (b,)."""
        areas = self.areas
        assert areas is not None
        on_piece = np.where(areas.piece_area >= 0, count[areas.piece_area], 0.0) * areas.piece_share
        held = count[areas.place_area] > 0
        beyond = count[areas.place_area[held]] * areas.place_share[held]
        return on_piece, areas.place_xy[held], beyond

    def _guess_beyond(
        self, tree: GateTree, reach: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Squares beyond the streets within reach, (b, 2), and homes there, (b,).

        They hold as many homes as the squares with streets within reach do on average.
        """
        at = self.network.xy(tree.gate)[0]
        wide = int(np.ceil(reach / SQUARE_METRES)) + 1
        steps = np.arange(-wide, wide + 1)
        around = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
        squares = around + find_square_numbers(at)
        centre = (squares + 0.5) * SQUARE_METRES
        squares = squares[np.hypot(*(centre - at).T) <= reach]
        is_covered, homes = self.covered.look_up(squares)
        if is_covered.all() or not is_covered.any():
            return np.empty((0, 2)), np.empty(0)
        beyond = (squares[~is_covered] + 0.5) * SQUARE_METRES
        return beyond, np.full(len(beyond), homes[is_covered].mean())


def _decay(metres: NDArray[np.float64], decay: float, reach: float) -> NDArray[np.float64]:
    """How much homes count by distance."""
    return np.where(metres <= reach, np.exp(-np.minimum(metres, reach) / decay), 0.0)


def _find_walking(
    metres: NDArray[np.float64], homes: NDArray[np.float64], walk_share: float, reach: float
) -> NDArray[np.float64]:
    """(k,) share of those at each distance who walk, so that they are `walk_share` of all in sum.

    The odds of walking fall with distance at a known rate; where they are even is found by halving.
    Nobody walks beyond the reach, so walkers are fewer where too few live within it.
    """
    within = metres <= reach
    near, some = metres[within], homes[within]

    def walk(even: float) -> NDArray[np.float64]:
        return np.asarray(1 / (1 + np.exp(np.clip((near - even) / WALK_FALL_METRES, -50, 50))))

    low, high = -40 * WALK_FALL_METRES, reach + 40 * WALK_FALL_METRES
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if some @ walk(middle) > walk_share else (middle, high)
    share = np.zeros(len(metres))
    share[within] = walk(high)
    return share


@dataclass(frozen=True, eq=False)
class _Exits:
    """Over which exits one goes to each home beyond the streets.

    Parameters
    ----------
    nodes
        (k,) nodes of the tree at the edge of the streets.
    home_metres
        (b,) walking distance to each home over its nearest exit.
    chosen
        (b, k) share of those who go over each exit.
    """

    nodes: NDArray[np.int64]
    home_metres: NDArray[np.float64]
    chosen: NDArray[np.float64]

    @classmethod
    def choose(
        cls, homes: Homes, tree: GateTree, places: NDArray[np.float64], spread_metres: float
    ) -> "_Exits":
        """The odds of an exit fall with the length of the whole way, as those of ways do."""
        reached = np.isfinite(tree.node_metres[:-1])
        nodes = np.flatnonzero(homes.is_edge_node[tree.nodes] & reached)
        if not len(nodes) or not len(places):
            far = np.full(len(places), np.inf)
            return cls(nodes[:0], far, np.empty((len(places), 0)))
        apart = places[:, None, :] - tree.network.node_xy[tree.nodes[nodes]][None]
        metres = tree.node_metres[nodes] + DETOUR * np.hypot(apart[..., 0], apart[..., 1])
        least = metres.min(axis=1)
        odds = np.exp(-(metres - least[:, None]) / spread_metres)
        return cls(nodes, least, odds / odds.sum(axis=1, keepdims=True))

    def sum(self, pupils: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Exits, and the pupils (b,) who leave over each."""
        return self.nodes, np.asarray(pupils @ self.chosen)


@dataclass(frozen=True, eq=False)
class Stops:
    """Bus stops or stations on streets, and how many board there, relative to each other."""

    positions: Positions
    boardings: NDArray[np.float64]


def find_stops(network: StreetNetwork, stops: gpd.GeoDataFrame, kind: str) -> Stops:
    """Stops of a kind at their nearest street; those without a street near are left out."""
    chosen = stops[stops["kind"] == kind]
    xy = np.column_stack([chosen.geometry.x, chosen.geometry.y]).reshape(-1, 2)
    positions = network.snap(xy)
    near = positions.moved_metres <= MAX_SNAP_METRES
    boardings = chosen["boardings"].to_numpy(dtype=np.float64)[near]
    mean = np.nanmean(boardings) if np.isfinite(boardings).any() else np.nan
    weight = (
        np.where(np.isnan(boardings), 1.0, boardings / mean) if mean > 0 else np.ones(near.sum())
    )
    return Stops(positions.take(near), weight)


def choose_stops(
    metres: NDArray[np.float64], boardings: NDArray[np.float64], reach_metres: float
) -> NDArray[np.float64]:
    """(s,) share of riders who go to each stop; all 0 where none is within reach.

    The odds fall with walking distance and grow with the number who board there.
    """
    within = metres <= reach_metres
    if not within.any():
        return np.zeros(len(metres))
    away = np.where(within, metres, 0.0)
    odds = np.where(
        within, boardings * np.exp(-(away - away[within].min()) / STOP_SPREAD_METRES), 0
    )
    total = odds.sum()
    return np.asarray(odds / total) if total > 0 else within / within.sum()
