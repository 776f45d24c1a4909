"""Where and how a walk crosses main roads.

Streets are lines along their middle, so a walk crosses a road where it comes from one side of it
and leaves on the other: at a node, where the arms of the road lead between the way in and the way
out, or over a stretch that it goes along the road. A walk that turns off on the side from which it
came, or starts or ends on the road, has no known crossing.
"""

from collections.abc import Iterable, Sequence, Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from patrolplan.inputs.osm_tags import CrossingKind
from patrolplan.network.network import StreetNetwork
from patrolplan.network.paths import Walk
from patrolplan.network.pieces import COINCIDENT_METRES, SAFEST_FIRST, UNKNOWN, compute_bearings

ALIKE_RADIANS = 1e-6  # bearings that differ by no more than this are equal
APART_METRES = 40.0  # crossings of one road within this distance are one: carriageways, islands
BOTH_SIDES = 2  # minimum arms of a road where it is crossed, one on either side


@dataclass(frozen=True)
class CrossedRoad:
    """A main road that a walk crosses."""

    at_metres: float  # distance from the start of the walk
    road: str  # its name; empty where it has none
    kind: CrossingKind


@dataclass(frozen=True)
class _Step:
    """A piece of the walk; pairs are of its entry and its exit."""

    piece: int
    nodes: Sequence[int]  # -1 where it is entered or left inside the piece
    bearings: Sequence[float]  # where it leads from either, from its exit back along the walk
    metres: Sequence[float]  # from the start of the walk
    road: str  # main road that it is of, see `MainArms`; empty for other streets


@dataclass(frozen=True)
class _Event:
    """A crossing, before parts of one crossing are joined."""

    first_metres: float
    last_metres: float
    at_metres: float
    roads: frozenset[str]
    kind: CrossingKind


def find_crossed_roads(walk: Walk) -> tuple[CrossedRoad, ...]:
    """Main roads that a walk crosses, in order.

    The kind is that of the footway that it crosses on, or of the nearest crossing or traffic lights
    on the road. Where a walk goes along a road from one side to the other, it is assumed to cross
    at the safest place on the way, or half way where none is known.
    """
    steps, network = _list_steps(walk), walk.network
    events = [*_find_crossed_at_nodes(network, steps), *_find_crossed_along(network, steps)]
    joined: list[_Event] = []
    for event in sorted(events, key=lambda event: (event.first_metres, event.last_metres)):
        before = joined[-1] if joined else None
        # Parts of one crossing are of the same road and close together: it is half way between
        # them, and the less safe part decides how.
        if (
            before is not None
            and event.first_metres - before.last_metres <= APART_METRES
            and before.roads & event.roads
        ):
            joined[-1] = _Event(
                before.first_metres,
                max(before.last_metres, event.last_metres),
                (before.at_metres + event.at_metres) / 2,
                before.roads | event.roads,
                _choose_less_safe([before.kind, event.kind]),
            )
        else:
            joined.append(event)
    crossed = []
    for event in sorted(joined, key=lambda event: event.at_metres):
        names = [road for road in event.roads if not road.startswith("(")]
        # The first of several, where the name changes at the crossing.
        crossed.append(CrossedRoad(event.at_metres, min(names, default=""), event.kind))
    return tuple(crossed)


def _list_steps(walk: Walk) -> list[_Step]:
    """The pieces of a walk, without those that it only touches."""
    network, arms = walk.network, walk.network.main_arms
    rows = np.flatnonzero(walk.piece_metres > COINCIDENT_METRES)
    piece, own = walk.pieces[rows], walk.piece_metres[rows]
    along = np.cumsum(walk.piece_metres)[rows]
    # (s, 2) which end of its piece each step comes from and goes to.
    end = np.where(walk.backwards[rows][:, None], [1, 0], [0, 1])
    at = np.column_stack([walk.from_metres[rows], walk.to_metres[rows]])
    is_node = np.abs(at - end * network.piece_metres[piece][:, None]) <= COINCIDENT_METRES
    nodes = network.piece_nodes[piece[:, None], end]
    bearings = np.zeros(nodes.shape)
    # Most nodes of a walk are not on a main road, and there bearings do not matter.
    wanted = np.isin(network.piece_nodes[piece], arms.node)[np.arange(len(piece))[:, None], end]
    every = np.repeat(piece[:, None], 2, axis=1)
    bearings[wanted] = compute_bearings(network.parts, every[wanted], end[wanted])
    metres = np.column_stack([along - own, along])
    columns = (piece, np.where(is_node, nodes, -1), bearings, metres, arms.road_of_piece[piece])
    return list(map(_Step, *(column.tolist() for column in columns)))


def _find_crossed_at_nodes(network: StreetNetwork, steps: Sequence[_Step]) -> Iterable[_Event]:
    """Where arms of other main roads lead to both sides of the way through a node."""
    for before, after in pairwise(steps):
        node, at = after.nodes[0], after.metres[0]
        arms = _list_arms(network, node, (before, after))
        others = [arm for arm in arms if arm[0] not in {before.road, after.road}]
        if len(others) < BOTH_SIDES:
            continue
        bearings = [bearing for _, bearing in others]
        if {-1, 1} <= set(_sort_by_side(before.bearings[1], after.bearings[0], bearings)):
            crossed = frozenset(road for road, _ in others)
            kind = _get_own_kind(network, (before, after))
            if kind == "unknown":
                near = _find_near_crossings(network, [node], crossed)
                kind = SAFEST_FIRST[min(near)[1]] if near else "unknown"
            yield _Event(at, at, at, crossed, kind)


def _find_crossed_along(network: StreetNetwork, steps: Sequence[_Step]) -> Iterable[_Event]:
    """Where the walk comes to a main road from one side, goes along it and leaves on the other."""
    first = 0
    for last, step in enumerate(steps[:-1]):
        if _goes_on(network, step, steps[last + 1]):
            continue
        run, first = steps[first : last + 1], last + 1
        before = first - len(run) - 1
        if not step.road or before < 0:
            continue
        came, goes = steps[before], steps[first]
        # Seen from the end, the last piece leads back: left and right change places.
        if _find_side(network, run[0], came, 0) * -_find_side(network, run[-1], goes, 1) < 0:
            yield _cross_along(network, run, (came, goes))


def _goes_on(network: StreetNetwork, step: _Step, following: _Step) -> bool:
    """Whether two steps are on one main road; without other arms it may change its name."""
    if not step.road or not following.road:
        return False
    arms = _list_arms(network, following.nodes[0], (step, following))
    names = {step.road, following.road}
    return len(names) == 1 or names.isdisjoint(road for road, _ in arms)


def _find_side(network: StreetNetwork, step: _Step, other: _Step, end: int) -> int:
    """Side of a road that another step meets it on: 1 left of the way in, -1 right, 0 not known.

    It is left if it is between the road ahead and the road behind, anticlockwise. If the road does
    not continue behind, nothing is left or right of it. `end` is 0 at the step's entry, 1 at its
    exit.
    """
    arms = _list_arms(network, step.nodes[end], (step, other))
    bearings = [bearing for road, bearing in arms if road == step.road]
    sides = set(_sort_by_side(step.bearings[end], other.bearings[1 - end], bearings))
    return sides.pop() if len(sides) == 1 else 0


def _cross_along(network: StreetNetwork, run: Sequence[_Step], ends: tuple[_Step, _Step]) -> _Event:
    """How and where a road is crossed that the walk goes along."""
    first, last = run[0].metres[0], run[-1].metres[1]
    middle = (first + last) / 2
    # The exit of the last piece that meets a node decides where the walk is at it.
    at_node = {step.nodes[end]: step.metres[end] for end in (0, 1) for step in run}
    roads = frozenset(step.road for step in run)
    near = _find_near_crossings(network, list(at_node), roads)
    candidates = [(rank, abs(at_node[node] - middle), at_node[node]) for _, rank, node in near]
    for step, at in zip(ends, (first, last), strict=True):
        rank = SAFEST_FIRST.index(_get_own_kind(network, (step,)))
        candidates.append((rank, abs(at - middle), at))
    rank, apart, _ = min(candidates)
    if rank == UNKNOWN:
        return _Event(first, last, middle, roads, "unknown")
    # Two at the same distance from the middle count equally, so that the way back is the same.
    best = [at for one, far, at in candidates if one == rank and far <= apart + COINCIDENT_METRES]
    return _Event(first, last, (min(best) + max(best)) / 2, roads, SAFEST_FIRST[rank])


def _list_arms(
    network: StreetNetwork, node: int, without: tuple[_Step, _Step]
) -> list[tuple[str, float]]:
    """Roads and bearings of the main roads' arms at a node, without those of the walk itself."""
    own = {step.piece for step in without}
    arms = network.main_arms.by_node.get(node, ())
    return [(road, bearing) for piece, road, bearing in arms if piece not in own]


def _sort_by_side(start: float, end: float, bearings: Sequence[float]) -> list[int]:
    """On which side of the way from one bearing to another each of some others is.

    -1 where it is passed first, anticlockwise from the start, 1 where the end is, and 0 where it
    is the bearing of either: streets drawn one on another have no side.
    """
    turns = np.mod(np.array([*bearings, end]) - start + ALIKE_RADIANS, 2 * np.pi) - ALIKE_RADIANS
    others, turn = turns[:-1], turns[-1]
    is_alike = (np.abs(others) <= ALIKE_RADIANS) | (np.abs(others - turn) <= ALIKE_RADIANS)
    sides: list[int] = np.where(is_alike, 0, np.sign(others - turn)).astype(int).tolist()
    return sides


def _get_own_kind(network: StreetNetwork, steps: Sequence[_Step]) -> CrossingKind:
    """Kind of the footway across the road that the walk uses; of two, the less safe one."""
    return _choose_less_safe([network.piece_crossing[step.piece] or "unknown" for step in steps])


def _choose_less_safe(kinds: Iterable[CrossingKind]) -> CrossingKind:
    known = [kind for kind in kinds if kind != "unknown"]
    return max(known, key=SAFEST_FIRST.index, default="unknown")


def _find_near_crossings(
    network: StreetNetwork, nodes: Sequence[int], roads: AbstractSet[str]
) -> list[tuple[float, int, int]]:
    """Known crossings of some roads that are near nodes: metres, rank by safety, node."""
    return [
        (metres, rank, node)
        for node in sorted(set(nodes))
        for metres, rank, road in network.near_crossings.get(node, ())
        if road in roads
    ]
