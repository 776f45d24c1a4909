"""How many pupils walk along each piece of street on their way home.

From a school's gate pupils go to their homes, to exits at the edge of the streets, and to bus stops
and stations. Not everyone takes the shortest way: Dial's method (Dial 1971, "A probabilistic
multipath traffic assignment model which obviates path enumeration") spreads them over all ways that
lead away from the gate at every step, in proportion to exp(-(length - shortest) / spread), without
listing the ways, in two passes over the links of street. The flow never leaves the program:
`Pupils` has no method that writes it, and cannot be pickled.
"""

from dataclasses import dataclass, replace
from typing import NoReturn

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from patrolplan.area import StudyArea
from patrolplan.arrays import Floats, Ints, find_used_numbers, round_significant
from patrolplan.compiled import jit_compile
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.graph import MIN_LINK_METRES, cut_at_places, search_from_places, take_around
from patrolplan.network.network import Positions, StreetNetwork
from patrolplan.pupils.destinations import SPREAD_METRES, Destinations, GateTree
from patrolplan.pupils.leaving import PUPIL_METRES_PER_MINUTE, Timetable
from patrolplan.pupils.rolls import find_late
from patrolplan.times import minutes_after_midnight

STOP_KINDS = ("bus_stop", "station")
"""Where pupils who ride go on foot, by mode, after those who walk all the way."""

STOP_REACH_METRES = 600.0  # longest walk to a bus stop or station

STOP_SPREAD_METRES = 200.0
"""A stop this much farther away is a third as likely: pupils need the stop of their own line."""


@dataclass(frozen=True, eq=False)
class Stops:
    """Bus stops or stations on streets, and how many board there, relative to each other."""

    positions: Positions
    boardings: NDArray[np.float64]


def find_stops(network: StreetNetwork, stops: gpd.GeoDataFrame, kind: str) -> Stops:
    """Stops of a kind at their nearest street; those without a street near are left out."""
    chosen = stops[stops["kind"] == kind]
    positions = network.snap(np.column_stack([chosen.geometry.x, chosen.geometry.y]))
    near = positions.moved_metres <= MAX_SNAP_METRES
    boardings = chosen["boardings"].astype(float)[near]
    # A stop with unknown boardings counts as the mean.
    weight = boardings / boardings.mean() if boardings.mean() > 0 else boardings * np.nan
    return Stops(positions.take(near), weight.fillna(1.0).to_numpy())


def choose_stops(
    metres: NDArray[np.float64], boardings: NDArray[np.float64], reach_metres: float
) -> NDArray[np.float64]:
    """(s,) share of riders who go to each stop; all 0 where none is within reach."""
    within = metres <= reach_metres
    odds = np.zeros(len(metres))
    if not within.any():
        return odds
    # Pupils need the stop of their own line, which is not known: the odds fall slowly with walking
    # distance and grow with the number who board there. Counted from the nearest, none underflows.
    away = metres[within]
    odds[within] = boardings[within] * np.exp(-(away - away.min()) / STOP_SPREAD_METRES)
    if odds.sum() <= 0:
        odds[within] = 1.0
    return np.asarray(odds / odds.sum())


@dataclass(frozen=True, eq=False, repr=False)
class Journeys:
    """Where pupils of a school go on foot from its gate: homes, exits of the streets, and stops."""

    by_stage: NDArray[np.float64]  # (2,) the roll
    modes: NDArray[np.float64]  # (2, 3) shares of `MODES`, by stage
    tree: GateTree
    walkers: Destinations
    stop_nodes: NDArray[np.int64]  # (s,) over which node of the tree each stop is reached
    stop_pieces: NDArray[np.int64]  # (s,) its piece
    stop_pupils: NDArray[np.float64]  # (s,) who go there
    stop_metres: NDArray[np.float64]  # (s,) walk from the gate
    stop_after: NDArray[np.float64]  # (s,) metres of it after that node

    def scale(self, factors: NDArray[np.float64]) -> "Journeys":
        """With factors for the pupils of all links, exits and stops, in this order."""
        homes, exits = self.walkers.link_homes, self.walkers.exits
        links, out, stops = np.split(factors, np.cumsum([len(homes), len(exits)]))
        walkers = Destinations(homes * links, exits, self.walkers.exit_pupils * out)
        return replace(self, walkers=walkers, stop_pupils=self.stop_pupils * stops)

    def walk(self) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], float]:
        """(l,) who go on at each link's end, (q,) pieces and pupil-metres, and all at the gate."""
        tree = self.tree
        demand, entered = _enter_links(tree, self.walkers)
        np.add.at(demand, self.stop_nodes, self.stop_pupils)
        link_flow, on_streets = spread_flow(tree, demand, SPREAD_METRES)
        # Only the pieces around the school are summed: a city has a hundred times as many.
        on = np.concatenate([tree.link_piece, self.stop_pieces, tree.link_piece])
        on_last = self.stop_pupils * self.stop_after
        walked = np.concatenate([entered, on_last, link_flow * tree.link_metres])
        pieces, at = find_used_numbers(on, len(tree.network))
        along = np.asarray(np.bincount(at, walked, minlength=len(pieces)), dtype=np.float64)
        return link_flow, pieces, along, on_streets


UNACCOMPANIED = (0.4, 0.9)  # share of pupils without an adult, in primary and secondary schools

LONGEST_PIECE_METRES = 100.0
"""Pieces whose middle is up to this far beyond the limit are included: one end may be within it."""


class NotStoredError(TypeError):
    """An attempt to store where pupils walk."""


class NotStored:
    """Where pupils walk: no file, cache or other process gets it."""

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        message = "where pupils walk stays in this process: it cannot be pickled, copied or stored"
        raise NotStoredError(message)


Leaving = tuple[float, float, float]
"""Mean minutes of most pupils from bell to gate, the share who leave later, and their mean."""


@dataclass(frozen=True, eq=False, repr=False)
class Counted(NotStored):
    """The assumptions of a school as corrected by its counts."""

    factors: NDArray[np.float64]  # of the pupils of each link, exit and stop, see `scale`
    leaving: Leaving
    table: pd.DataFrame  # rows counted, by `corner`, with those `modelled` before and `corrected`
    pieces: NDArray[np.int64]  # (q,)
    band: NDArray[np.float64]  # (q,) a flow is within this factor, up or down, in 80 % of streets


@dataclass(frozen=True, eq=False, repr=False)
class SchoolPupils(NotStored):
    """The modelled ways home of one school; pieces are those of the walkable network."""

    urn: str
    roll: float  # pupils, by all modes
    elsewhere: float  # those driven, or by bus where no stop is within reach
    on_streets: float  # those whom the flow brings to the gate: the rest of the roll
    timetable: Timetable
    unaccompanied: float  # share of those on the streets who walk without an adult
    pieces: NDArray[np.int64]  # (q,) pieces that any pupil walks along, ascending
    flow: NDArray[np.float64]  # (q,) pupils along each; who walks half of it counts as half
    gate_metres: NDArray[np.float64]  # (q,) walked from the gate to the piece's middle
    wait_pieces: NDArray[np.int64]  # (s,) of each bus stop or station: its piece
    wait_pupils: NDArray[np.float64]  # (s,) pupils who go there
    wait_metres: NDArray[np.float64]  # (s,) walk from the gate
    counted: Counted | None = None  # how counts corrected it

    def __repr__(self) -> str:
        return f"<SchoolPupils: {self.urn}>"

    def count_passing(self, pieces: Ints, edges: ArrayLike) -> Floats:
        """(k, T) pupils who pass pieces between consecutive (T + 1,) times after midnight."""
        flow = np.zeros(len(pieces))
        walk_minutes = np.zeros(len(pieces))
        _, at, row = np.intersect1d(pieces, self.pieces, assume_unique=True, return_indices=True)
        flow[at] = self.flow[row]
        walk_minutes[at] = self.gate_metres[row] / PUPIL_METRES_PER_MINUTE
        passed = self.timetable.share_passed(edges, walk_minutes[:, None])
        return np.asarray(flow[:, None] * np.diff(passed, axis=1))

    def count_waiting(self, pieces: Ints, edges: ArrayLike) -> Floats:
        """(k, T) pupil-minutes waited at stops on pieces between consecutive (T + 1,) times."""
        waiting = np.zeros((len(pieces), len(np.asarray(edges)) - 1))
        stops = zip(self.wait_pieces, self.wait_pupils, self.wait_metres, strict=True)
        for piece, pupils, metres in stops:
            waited = self.timetable.minutes_waited(edges, metres / PUPIL_METRES_PER_MINUTE)
            waiting[pieces == piece] += pupils * np.diff(waited)
        return waiting


def follow_pupils(area: StudyArea, number: int, journeys: Journeys) -> SchoolPupils:
    """The ways home of one school, to homes and stops."""
    row, by_stage, modes = area.schools.iloc[number], journeys.by_stage, journeys.modes
    tree, walkers, riders = journeys.tree, journeys.walkers, by_stage @ modes[:, 1:]
    _, pieces, along, on_streets = journeys.walk()
    pieces, along = pieces[along != 0], along[along != 0]
    metres, own = np.full(len(tree.network), np.inf), tree.gate.piece[0]
    np.minimum.at(metres, tree.link_piece, tree.middle_metres)
    metres[own] = abs(tree.network.piece_metres[own] / 2 - tree.gate.offset_metres[0])
    # Whom the flow does not bring to the gate are not on the streets: those who are driven, walkers
    # for whom no home is within reach, and riders without a stop. Nobody is lost or doubled.
    foot = by_stage * modes.sum(axis=1)
    elsewhere = by_stage.sum() - foot.sum()
    to_homes, to_stops = by_stage @ modes[:, 0], journeys.stop_pupils
    elsewhere += to_homes - walkers.total + riders.sum() - to_stops.sum()
    timetable = Timetable(
        leave_minutes=area.settings.way_home.leave_minutes,
        late=find_late(area.settings.way_home, row),
        bell_minutes=minutes_after_midnight(row["finish_time"]),
        opening_minutes=minutes_after_midnight(row["start_time"]),
    )
    return SchoolPupils(
        urn=str(row["urn"]),
        roll=float(by_stage.sum()),
        elsewhere=float(elsewhere),
        on_streets=on_streets,
        timetable=timetable,
        unaccompanied=float(foot @ np.array(UNACCOMPANIED) / max(foot.sum(), 1e-300)),
        pieces=pieces,
        flow=round_significant(along / tree.network.piece_metres[pieces]),
        gate_metres=metres[pieces],
        wait_pieces=journeys.stop_pieces,
        wait_pupils=journeys.stop_pupils,
        wait_metres=journeys.stop_metres,
    )


def grow_tree(network: StreetNetwork, gate: Positions, limit_metres: float) -> GateTree:
    """Shortest paths from a gate to everywhere within a limit, over streets of the network."""
    near, at, pieces = take_around(network, gate, limit_metres + LONGEST_PIECE_METRES)
    # The gate's own piece is cut in two, so that ways lead off to both of its sides.
    segments = cut_at_places(near, at)
    metres = np.maximum(segments.to_metres - segments.from_metres, MIN_LINK_METRES)
    away = np.append(search_from_places(near, at, limit_metres)[0], 0.0)
    ends = segments.nodes
    ends = np.where((away[ends[:, 0]] > away[ends[:, 1]])[:, None], ends[:, ::-1], ends)
    reached = np.isfinite(away[ends[:, 0]])
    nodes = np.unique(network.piece_nodes[pieces])
    of_piece = pieces[segments.piece[reached]]
    return GateTree(network, gate, nodes, away, of_piece, ends[reached], metres[reached])


def _enter_links(
    tree: GateTree, walkers: Destinations
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n + 1,) pupils who go to each node, and (l,) pupil-metres that they walk on from there."""
    # Homes are spread evenly along a link; each is reached over the end from which its whole way is
    # shorter, so the two meet where both ways are equally long. Those in a part of length s walk on
    # for s / 2 on average, which makes s² / 2 of pupil-metres for a pupil a metre.
    near, far = tree.node_metres[tree.link_nodes].T
    length, pupils = tree.link_metres, walkers.link_homes
    split = np.minimum((np.where(np.isfinite(far), far, near + length) - near + length) / 2, length)
    demand = np.zeros(tree.root + 1)
    np.add.at(demand, tree.link_nodes[:, 0], pupils * split / length)
    np.add.at(demand, tree.link_nodes[:, 1], pupils * (length - split) / length)
    np.add.at(demand, walkers.exits, walkers.exit_pupils)
    return demand, pupils * (split**2 + (length - split) ** 2) / (2 * length)


def spread_flow(
    tree: GateTree, demand: NDArray[np.float64], spread_metres: float
) -> tuple[NDArray[np.float64], float]:
    """(l,) pupils on each link who go on at its farther end, and all who leave the gate.

    `demand` (n + 1,) are pupils who go to each node; a detour of `spread_metres` makes a way a
    third as likely.
    """
    near, far = tree.node_metres[tree.link_nodes].T
    # Only links that lead away from the gate are walked: without rounds a node's weight is known
    # once all its nearer nodes are done, in the order of the distance of the farther end.
    away = np.flatnonzero(np.isfinite(far) & (near < far))
    away = away[np.argsort(far[away], kind="stable")]
    odds = np.exp(-(tree.link_metres[away] - (far - near)[away]) / spread_metres)
    tails, heads = (np.ascontiguousarray(side) for side in tree.link_nodes[away].T)
    passing, weight = demand.astype(np.float64), np.zeros(len(demand))
    flow, carried = np.zeros(len(tree.link_piece)), np.zeros(len(away))
    _carry_to_gate(tails, heads, odds, passing, weight, carried, tree.root)
    flow[away] = carried
    return flow, float(passing[tree.root])


@jit_compile("void(i8[::1], i8[::1], f8[::1], f8[::1], f8[::1], f8[::1], i8)")
def _carry_to_gate(  # noqa: PLR0917 - one compiled loop
    tails: NDArray[np.int64],
    heads: NDArray[np.int64],
    odds: NDArray[np.float64],
    passing: NDArray[np.float64],
    weight: NDArray[np.float64],
    flow: NDArray[np.float64],
    root: int,
) -> None:
    """Dial's two passes: writes the flow of each link, adds to `passing`; weights are 0 before."""
    # Outwards: the weight of a node is the sum over all ways to it of exp(-detour / spread), found
    # as the sum over its links of the weight at their tail times the odds of the link's own detour.
    weight[root] = 1.0
    for link in range(len(tails)):
        weight[heads[link]] += weight[tails[link]] * odds[link]
    # Inwards: all who go to a node or through it are divided between its links in proportion to
    # what each added to its weight, so every pupil is traced back to the gate.
    for link in range(len(tails) - 1, -1, -1):
        head, tail = heads[link], tails[link]
        if passing[head] > 0.0:
            flow[link] = passing[head] * (weight[tail] * odds[link] / weight[head])
            passing[tail] += flow[link]
