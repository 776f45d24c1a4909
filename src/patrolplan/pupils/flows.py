"""How many pupils walk along each piece of street on their way home.

From a school's gate pupils go to their homes, to exits at the edge of the streets, and to bus stops
and stations. Not everyone takes the shortest way: Dial's method (Dial 1971, "A probabilistic
multipath traffic assignment model which obviates path enumeration") spreads them over all ways that
lead away from the gate at every step, in proportion to exp(-(length - shortest) / spread), without
listing the ways. It takes two passes over the links of street, sorted by the distance of their
farther end:

1. outwards, the weight of a node is the sum over its links from nearer nodes of the weight there
   times exp(-(detour over this link) / spread);
2. inwards, all who go to a node or through it are divided between its links from nearer nodes
   in proportion to what each added to the node's weight.

Every pupil with a destination is traced back to the gate, so pupils are conserved. The flow
never leaves the program: `Ways` has no method that writes it, and cannot be pickled.
"""

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.arrays import find_used_numbers
from patrolplan.compiled import jit_compile
from patrolplan.notes import Note, NoteValue
from patrolplan.pupils.destinations import (
    CATCHMENT_DECAYS,
    Destinations,
    Homes,
    Stops,
    choose_stops,
    find_stops,
)
from patrolplan.pupils.gate_tree import GateTree, grow_tree
from patrolplan.pupils.rolls import (
    STAGES,
    count_pupils,
    find_late,
    find_mode_shares,
    find_school_modes,
)
from patrolplan.text import format_count
from patrolplan.times import minutes_after_midnight

STOP_KINDS = ("bus_stop", "station")
"""Where pupils who ride go on foot, by mode, after those who walk all the way."""

NOTICEABLE_SHARE = 0.02  # share of walkers from beyond the streets above which a note says so
SHARE_STEP = 0.05  # shares of pupils are rounded to steps of this when written


class NotStoredError(TypeError):
    """An attempt to store where pupils walk."""


@dataclass(frozen=True, eq=False, repr=False)
class SchoolWays:
    """The modelled ways home of one school; pieces are those of the walkable network."""

    urn: str  # The school
    roll: float  # Pupils, by all modes
    # Pupils who are not on the streets on foot: driven, or by bus where no stop is within reach.
    elsewhere: float
    # Pupils whom the flow brings to the gate, on foot all the way home or to a stop; with those
    # elsewhere they are the roll.
    on_streets: float
    # `bell_minutes`, `opening_minutes`: The closing and the opening bell, after midnight.
    bell_minutes: float
    opening_minutes: float
    late: tuple[float, float]  # Share of pupils who leave later, and their minutes after the bell
    unaccompanied: float  # Share of those on the streets who walk without an adult
    pieces: NDArray[np.int64]  # (q,) pieces that any pupil walks along
    # (q,) pupils who walk along each; one who walks part of it counts as that part.
    flow: NDArray[np.float64]
    gate_metres: NDArray[np.float64]  # (q,) walked from the gate to the piece's middle
    # `wait_pieces`, `wait_pupils`, `wait_metres`: (s,) of each bus stop or station: its piece,
    # the pupils who go there, and the walk from the gate.
    wait_pieces: NDArray[np.int64]
    wait_pupils: NDArray[np.float64]
    wait_metres: NDArray[np.float64]

    def __repr__(self) -> str:
        return f"<SchoolWays: {self.urn}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        refuse_to_store()


@dataclass(frozen=True, eq=False, repr=False)
class Ways:
    """The ways home of all schools, aligned with those of the area."""

    schools: tuple[SchoolWays, ...]  # One a school
    notes: tuple[Note, ...]  # What was assumed

    def __repr__(self) -> str:
        return f"<Ways: {format_count(len(self.schools), 'school')}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        refuse_to_store()


def refuse_to_store() -> NoReturn:
    """Refuse to pickle where pupils walk: no file, cache or other process gets it.

    Raises `NotStoredError` always.
    """
    message = "where pupils walk stays in this process: it cannot be pickled, copied or stored"
    raise NotStoredError(message)


def model_ways(area: StudyArea) -> Ways:
    """Model the ways home of every school, under the settings `[way_home]`.

    Raises `InputError` when the settings' own mode shares are not valid.
    """
    settings, network = area.settings.way_home, area.network.walkable
    rolls = count_pupils(area.schools)
    modes = find_mode_shares(settings)
    homes = Homes(network, area.way_home)
    stops = [find_stops(network, area.way_home.stops, kind) for kind in STOP_KINDS]
    model = _Model(area, modes, homes, stops)
    schools = tuple(
        model.compute(number, by_stage) for number, by_stage in enumerate(rolls.by_stage)
    )
    return Ways(schools, (*rolls.notes, *model.list_notes()))


class _Model:
    """What all schools of an area have in common, and notes on what was assumed."""

    def __init__(
        self, area: StudyArea, modes: NDArray[np.float64], homes: Homes, stops: list[Stops]
    ) -> None:
        self.area, self.modes, self.homes, self.stops = area, modes, homes, stops
        self.settings = area.settings.way_home
        self.without_stops: list[str] = []
        self.by_exits: dict[str, float] = {}

    def compute(self, number: int, by_stage: NDArray[np.float64]) -> SchoolWays:
        """The ways home of one school."""
        settings, network = self.settings, self.homes.network
        row = self.area.schools.iloc[number]
        urn, modes = str(row["urn"]), find_school_modes(self.modes, row)
        decay = np.array(settings.decay_metres)
        reach = CATCHMENT_DECAYS * float(decay[by_stage > 0].max(initial=0.0))
        limit = max(reach, settings.stop_reach_metres)
        tree = grow_tree(network, self.area.gates.take([number]), limit)
        walkers = self.homes.place_walkers(
            tree, urn, by_stage * modes[:, 0], by_stage, decay, settings.spread_metres
        )
        demand, entered = _enter_links(tree, walkers)
        wait_pieces, wait_metres, wait_pupils = [], [], []
        riders = by_stage @ modes[:, 1:]
        to_stops = []
        for kind, pupils in zip(self.stops, riders, strict=True):
            metres, node, after = tree.measure_to(kind.positions)
            chosen = pupils * choose_stops(metres, kind.boardings, settings.stop_reach_metres)
            used = np.flatnonzero(chosen)
            np.add.at(demand, node[used], chosen[used])
            to_stops.append(chosen[used] * after[used])
            wait_pieces.append(kind.positions.piece[used])
            wait_metres.append(metres[used])
            wait_pupils.append(chosen[used])
        if riders.sum() > 0 and not sum(map(len, wait_pieces)):
            self.without_stops.append(urn)
        self.by_exits[urn] = float(walkers.exit_pupils.sum()) / max(walkers.total, 1e-300)
        link_flow, on_streets = spread_flow(tree, demand, settings.spread_metres)
        # Only the pieces around the school are summed: a city has a hundred times as many.
        walked = [entered, *to_stops, link_flow * tree.link_metres]
        on = np.concatenate([tree.link_piece, *wait_pieces, tree.link_piece])
        pieces, at = find_used_numbers(on, len(network))
        along = np.bincount(at, np.concatenate(walked), minlength=len(pieces))
        pieces, along = pieces[along != 0], along[along != 0]
        foot = by_stage * modes.sum(axis=1)
        waiting = np.concatenate(wait_pupils)
        elsewhere = by_stage.sum() - foot.sum()
        elsewhere += (by_stage @ modes[:, 0]) - walkers.total + riders.sum() - waiting.sum()
        return SchoolWays(
            urn=urn,
            roll=float(by_stage.sum()),
            elsewhere=float(elsewhere),
            on_streets=on_streets,
            bell_minutes=minutes_after_midnight(row["finish_time"]),
            opening_minutes=minutes_after_midnight(row["start_time"]),
            late=find_late(settings, row),
            unaccompanied=float(foot @ np.array(settings.unaccompanied) / max(foot.sum(), 1e-300)),
            pieces=pieces,
            flow=along / network.piece_metres[pieces],
            gate_metres=_measure_middles(tree, pieces),
            wait_pieces=np.concatenate(wait_pieces),
            wait_pupils=waiting,
            wait_metres=np.concatenate(wait_metres),
        )

    def list_notes(self) -> list[Note]:
        """What was assumed, for all schools together."""
        settings, schools = self.settings, self.area.schools
        urns, notes = [str(urn) for urn in schools["urn"]], []
        by_model = schools[["walk_share", "bus_share"]].isna().any(axis=1)
        if isinstance(settings.modes, str) and by_model.any():
            notes.append(Note("modes_assumed", {"modes": settings.modes, **self._name(by_model)}))
        own = [urn for urn in urns if urn in self.homes.own]
        if own:
            notes.append(Note("homes_from_origins", {"urns": own, "schools": len(urns)}))
        decay: dict[str, NoteValue] = {
            f"{stage}_metres": float(metres)
            for stage, metres in zip(STAGES, settings.decay_metres, strict=True)
        }
        is_by_residents = [self.homes.is_by_residents(urn) for urn in urns if urn not in own]
        if any(is_by_residents):
            notes.append(Note("homes_from_areas", decay))
        if not all(is_by_residents):
            notes.append(Note("homes_from_streets", decay))
        beyond = {urn: share for urn, share in self.by_exits.items() if share > NOTICEABLE_SHARE}
        if beyond:
            largest = SHARE_STEP * np.ceil(max(beyond.values()) / SHARE_STEP)
            notes.append(
                Note("homes_beyond_streets", {"urns": list(beyond), "share": round(largest, 2)})
            )
        if len(self.area.way_home.stops) and self.without_stops:  # else loading says that none are
            reach = float(settings.stop_reach_metres)
            notes.append(Note("no_stops_near", {"urns": self.without_stops, "reach_metres": reach}))
        is_assumed = schools[["late_share", "late_minutes"]].isna().any(axis=1)
        is_assumed &= schools["late_share"] != 0
        if is_assumed.any():
            figures: dict[str, NoteValue] = {
                "mean_minutes": settings.leave_minutes,
                "late_share": settings.late_share,
                "late_minutes": settings.late_minutes,
            }
            notes.append(Note("leaving_assumed", {**figures, **self._name(is_assumed)}))
        return notes

    def _name(self, which: pd.Series) -> dict[str, NoteValue]:
        """The schools that a note is about, of how many."""
        urns = [str(urn) for urn in self.area.schools["urn"][which]]
        return {"urns": urns, "schools": len(which)}


def _enter_links(
    tree: GateTree, walkers: Destinations
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n + 1,) pupils who go to each node, and (l,) pupil-metres that they walk on from there.

    Homes are spread evenly along a link; each is reached over the nearer end.
    """
    near, far = tree.node_metres[tree.link_nodes].T
    length, pupils = tree.link_metres, walkers.link_homes
    split = np.clip((np.where(np.isfinite(far), far, near + length) - near + length) / 2, 0, length)
    demand = np.zeros(tree.root + 1)
    np.add.at(demand, tree.link_nodes[:, 0], pupils * split / length)
    from_far = pupils * (length - split) / length
    np.add.at(demand, tree.link_nodes[:, 1], from_far)
    np.add.at(demand, walkers.exits, walkers.exit_pupils)
    return demand, pupils * (split**2 + (length - split) ** 2) / (2 * length)


def _measure_middles(tree: GateTree, pieces: NDArray[np.int64]) -> NDArray[np.float64]:
    """(q,) walked from the gate to the middle of each of some pieces, in order."""
    metres = np.full(len(pieces), np.inf)
    if not len(pieces):
        return metres
    at = np.minimum(np.searchsorted(pieces, tree.link_piece), len(pieces) - 1)
    here = pieces[at] == tree.link_piece
    np.minimum.at(metres, at[here], tree.middle_metres[here])
    own = tree.gate.piece[0]
    half = tree.network.piece_metres[own] / 2
    metres[pieces == own] = abs(half - tree.gate.offset_metres[0])
    return metres


def spread_flow(
    tree: GateTree, demand: NDArray[np.float64], spread_metres: float
) -> tuple[NDArray[np.float64], float]:
    """Pupils on each link who go on at its farther end, and pupils who leave the gate.

    `demand`: (n + 1,) pupils who go to each node; none to nodes out of reach. `spread_metres`:
    Detour that makes a way a third as likely. Returns (l,) flow of each link, and the sum that
    arrives at the gate.
    """
    near, far = tree.node_metres[tree.link_nodes].T
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
    """Dial's two passes over links sorted by the distance of their head.

    Writes the flow of each link, and changes `passing`; weights are 0 before.
    """
    weight[root] = 1.0
    for link in range(len(tails)):
        weight[heads[link]] += weight[tails[link]] * odds[link]
    for link in range(len(tails) - 1, -1, -1):
        head, tail = heads[link], tails[link]
        if passing[head] > 0.0:
            flow[link] = passing[head] * (weight[tail] * odds[link] / weight[head])
            passing[tail] += flow[link]
