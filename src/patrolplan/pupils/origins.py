"""Where pupils go from the gate: homes on the streets and beyond them, bus stops and stations.

Homes are known from a school's own counts by area, or by the residents of areas, or by the length
of street of each kind. Homes beyond the streets are reached over exits, which are nodes at the edge
of the streets, see `patrolplan.pupils.covered`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.inputs.way_home import WayHomeTables
from patrolplan.network.network import StreetNetwork
from patrolplan.pupils.area_homes import AreaHomes, locate_area_homes
from patrolplan.pupils.covered import SQUARE_METRES, find_covered, find_square_numbers
from patrolplan.pupils.gate_tree import GateTree

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
    # `exits`, `exit_pupils`: (k,) nodes of the tree, and walkers who leave the streets there.
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


class Homes:
    """Where pupils of an area's schools live.

    `network`: The walkable network. `tables`: Areas, and schools' own counts by area.
    """

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
        number = origins["area"].astype(str).map(self.areas.areas)
        in_areas = origins[number.notna()].assign(number=number.dropna().astype(int))
        counts = {}
        for urn, rows in in_areas.groupby("urn"):
            pupils = rows["pupils"].to_numpy(dtype=np.float64)
            count = np.zeros(len(self.areas.areas))
            np.add.at(count, rows["number"].to_numpy(dtype=np.int64), pupils)
            counts[str(urn)] = count
        return {urn: count for urn, count in counts.items() if count.sum() > 0}

    def is_by_residents(self, urn: str) -> bool:
        """Whether homes come from the residents of areas; else own counts, or street length."""
        has_residents = self.areas is not None and self.areas.residents.sum() > 0
        return has_residents and urn not in self.own

    def place_walkers(
        self,
        tree: GateTree,
        urn: str,
        walkers: NDArray[np.float64],
        roll: NDArray[np.float64],
        decay_metres: NDArray[np.float64],
        spread_metres: float,
    ) -> Destinations:
        """Where pupils who walk all the way live.

        `tree`: The school's. `walkers`, `roll`: (2,) by stage: those who walk, and all.
        `decay_metres`: (2,) by stage. `spread_metres`: Of the choice between exits.
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
        reach, metres = CATCHMENT_DECAYS * decay, tree.middle_metres
        if self.areas is not None and urn in self.own:
            total = float(self.own[urn].sum())
            on_piece, places, beyond = _spread_areas(self.areas, self.own[urn] / total)
            links = on_piece[tree.link_piece] * part
            exits = _Exits.choose(self, tree, places, spread_metres)
            walked = np.r_[metres, exits.home_metres]
            odds = _find_walking(walked, np.r_[links, beyond], walk_share, reach)
            leaving = exits.sum(beyond * odds[len(links) :])
            return Destinations(links * odds[: len(links)], *leaving)
        if self.areas is not None and self.is_by_residents(urn):
            on_piece, places, beyond = _spread_areas(self.areas, self.areas.residents)
        else:
            on_piece = self.street_homes
            places, beyond = self._guess_beyond(tree, reach)
        near = np.hypot(*(places - self.network.xy(tree.gate)[0]).T) <= reach
        exits = _Exits.choose(self, tree, places[near], spread_metres)
        links = on_piece[tree.link_piece] * part * _decay(metres, decay, reach)
        leaving = exits.sum(beyond[near] * _decay(exits.home_metres, decay, reach))
        weights = Destinations(links, *leaving)
        if weights.total > 0:
            return weights
        # No known homes are within reach: street length alone decides where homes are.
        none = np.empty(0, dtype=np.int64)
        length = tree.link_metres * _decay(metres, decay, reach)
        return Destinations(length, none, none.astype(np.float64))

    def _guess_beyond(
        self, tree: GateTree, reach: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Squares beyond the streets within reach, (b, 2), and homes there, (b,).

        Each has as many homes as the squares with streets within reach have on average.
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
    """(k,) share of pupils at each distance who walk, so that `walk_share` of all of them do.

    The odds of walking fall with distance at a known rate; the distance at which they are even is
    found by bisection. No pupil walks beyond the reach: walkers are fewer if too few live within.
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
    """Over which exits pupils go to each home beyond the streets."""

    nodes: NDArray[np.int64]  # (k,) nodes of the tree at the edge of the streets
    home_metres: NDArray[np.float64]  # (b,) walking distance to each home over its nearest exit
    chosen: NDArray[np.float64]  # (b, k) share of those who go over each exit

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
        x, y = tree.network.node_xy[tree.nodes[nodes]].T
        # In place: a copy of this matrix at every step would take twice as long. No hypot: its care
        # for very large and very small numbers takes four times as long.
        odds, north = places[:, :1] - x, places[:, 1:] - y
        odds *= odds
        north *= north
        odds += north
        np.sqrt(odds, out=odds)
        odds *= DETOUR
        odds += tree.node_metres[nodes]
        least = odds.min(axis=1)
        odds -= least[:, None]
        odds /= -spread_metres
        np.exp(odds, out=odds)
        odds /= odds.sum(axis=1, keepdims=True)
        return cls(nodes, least, odds)

    def sum(self, pupils: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Exits, and the pupils (b,) who leave over each."""
        return self.nodes, np.asarray(pupils @ self.chosen)
