"""Main roads at the nodes of a network, and where and how a walk crosses one.

Streets are lines along their middle, so a walk crosses a road where it comes from one side of it
and leaves on the other: at a node, where the arms of the road lead between the way in and the way
out, or over a stretch that it goes along the road. A walk that turns off on the side from which it
came, or starts or ends on the road, has no known crossing.
"""

from collections.abc import Iterable, Sequence, Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.inputs.osm_tags import MAIN_ROADS, CrossingKind
from patrolplan.network.pieces import COINCIDENT_METRES, Pieces

if TYPE_CHECKING:
    from patrolplan.network.network import StreetNetwork
    from patrolplan.network.paths import Walk

LOOK_METRES = 2.0
"""Distance along an arm at which its bearing is taken: near the node, to order arms round it."""


NEAR_METRES = 25.0
"""Maximum distance along the main road of a crossing or traffic lights that are used."""

SAFEST_FIRST: tuple[CrossingKind, ...] = ("signals", "zebra", "island", "unmarked", "unknown")


@dataclass(frozen=True, eq=False)
class MainArms:
    """Ends of the pieces of main roads, by node."""

    node: NDArray[np.int64]  # (a,) in increasing order
    piece: NDArray[np.int64]  # (a,) each piece has two arms, one at either node
    bearing: NDArray[np.float64]  # (a,) radians anticlockwise from east
    # (p,) the road of each piece, empty if it is not a main road; ways with the same name are one
    # road, and so are ways of one kind without a name.
    road_of_piece: NDArray[np.object_]
    # `ways`, `road_of_way`: (w,) rows of the ways that the pieces are of, in increasing order,
    # and the road of each.
    ways: NDArray[np.int64]
    road_of_way: NDArray[np.object_]

    @cached_property
    def by_node(self) -> dict[int, list[tuple[int, str, float]]]:
        """Piece, road and bearing of each arm at each node that has some."""
        listed: dict[int, list[tuple[int, str, float]]] = {}
        arms = zip(self.piece, self.road_of_piece[self.piece], self.bearing, strict=True)
        for node, (piece, road, bearing) in zip(self.node.tolist(), arms, strict=True):
            listed.setdefault(node, []).append((int(piece), road, float(bearing)))
        return listed


def find_main_arms(pieces: Pieces) -> MainArms:
    """The arms of all main roads."""
    ways, row = np.unique(pieces.piece_way, return_inverse=True)
    names, kinds = (
        pieces.ways[column].to_numpy(dtype=object)[ways].tolist() for column in ("name", "highway")
    )
    road_of_way = np.empty(len(ways), dtype=object)
    road_of_way[:] = [
        (name or f"({kind.removesuffix('_link')})") if kind in MAIN_ROADS else ""
        for name, kind in zip(names, kinds, strict=True)
    ]
    road_of_piece = road_of_way[row]
    main = np.flatnonzero(road_of_piece != "")
    piece, end = np.repeat(main, 2), np.tile([0, 1], len(main))
    node = pieces.piece_nodes[piece, end]
    order = np.argsort(node, kind="stable")
    return MainArms(
        node=node[order],
        piece=piece[order],
        bearing=compute_bearings(pieces, piece[order], end[order]),
        road_of_piece=road_of_piece,
        ways=ways,
        road_of_way=road_of_way,
    )


def compute_bearings(
    pieces: Pieces, piece: NDArray[np.int64], end: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(k,) which way each piece leads from its first (0) or last (1) node, see `MainArms`."""
    lines = pieces.lines(piece)
    length = shapely.length(lines)
    near = np.minimum(LOOK_METRES, length)
    start = shapely.line_interpolate_point(lines, np.where(end == 0, 0.0, length))
    ahead = shapely.line_interpolate_point(lines, np.where(end == 0, near, length - near))
    dx, dy = (shapely.get_coordinates(ahead) - shapely.get_coordinates(start)).T
    return np.asarray(np.arctan2(dy, dx))


def find_near_crossings(pieces: Pieces, arms: MainArms) -> pd.DataFrame:
    """Crossings of known kind on the main roads at each node that has some, the nearest first.

    Columns `node`, which is the index, `road`, `metres` in a straight line, and `rank`, the place
    of the kind in `SAFEST_FIRST`. Only crossings on a road that leads from the node itself.
    """
    points, nodes = pieces.crossings, np.unique(arms.node)
    held = np.isin(points.way, arms.ways)
    xy, way = points.xy[held], np.searchsorted(arms.ways, points.way[held])
    rank = np.array([SAFEST_FIRST.index(kind) for kind in points.kind[held].tolist()], dtype=int)
    use = (rank < SAFEST_FIRST.index("unknown")) & (arms.road_of_way[way] != "")
    xy, way, rank = xy[use], way[use], rank[use]
    at = pieces.node_xy[nodes]
    tree = shapely.STRtree(shapely.points(xy))
    near_node, crossing = tree.query(shapely.points(at), "dwithin", NEAR_METRES)
    metres = np.sqrt(((at[near_node] - xy[crossing]) ** 2).sum(axis=1))
    # Roads as numbers: those of a node are looked up among all pairs of node and road.
    number, names = pd.factorize(arms.road_of_way)
    of_arm = number[np.searchsorted(arms.ways, pieces.piece_way[arms.piece])]
    node, road = nodes[near_node], number[way[crossing]]
    leads = np.isin(node * len(names) + road, arms.node * len(names) + of_arm)
    near = pd.DataFrame(
        {"road": names[road[leads]], "metres": metres[leads], "rank": rank[crossing][leads]},
        index=pd.Index(node[leads], name="node"),
    )
    return near.iloc[np.lexsort((near["rank"], near["metres"], near.index))]


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
    """A piece of the walk with the nodes where it is entered and left, None inside the piece."""

    piece: int
    entry: int | None
    exit: int | None
    entry_bearing: float  # where it leads from its entry
    exit_bearing: float  # where it leads from its exit, back along the walk
    start_metres: float
    end_metres: float
    road: str  # main road that it is of, see `MainArms`; empty for other streets


@dataclass(frozen=True)
class _Event:
    """A crossing, before parts of one crossing are joined."""

    first_metres: float
    last_metres: float
    at_metres: float
    roads: frozenset[str]
    kind: CrossingKind


def find_crossed_roads(walk: "Walk") -> tuple[CrossedRoad, ...]:
    """Main roads that a walk crosses, in order.

    The kind is that of the footway that it crosses on, or of the nearest crossing or traffic lights
    on the road. Where a walk goes along a road from one side to the other, it is assumed to cross
    at the safest place on the way, or half way where none is known.
    """
    steps = _list_steps(walk)
    events = [
        *_find_crossed_at_nodes(walk.network, steps),
        *_find_crossed_along(walk.network, steps),
    ]
    joined: list[_Event] = []
    for event in sorted(events, key=lambda event: (event.first_metres, event.last_metres)):
        last = joined[-1] if joined else None
        if last is not None and _are_one(last, event):
            joined[-1] = _join(last, event)
        else:
            joined.append(event)
    return tuple(
        CrossedRoad(event.at_metres, _choose_name(event.roads), event.kind)
        for event in sorted(joined, key=lambda event: event.at_metres)
    )


def _list_steps(walk: "Walk") -> list[_Step]:
    """The pieces of a walk, without those that it only touches."""
    network = walk.network
    rows = np.flatnonzero(walk.piece_metres > COINCIDENT_METRES)
    piece = walk.pieces[rows]
    begin, end = walk.from_metres[rows], walk.to_metres[rows]
    along = np.cumsum(walk.piece_metres)[rows]
    whole = network.piece_metres[piece]
    forward = end > begin
    enters = np.where(forward, begin <= COINCIDENT_METRES, begin >= whole - COINCIDENT_METRES)
    leaves = np.where(forward, end >= whole - COINCIDENT_METRES, end <= COINCIDENT_METRES)
    first, last = np.where(forward, 0, 1), np.where(forward, 1, 0)
    roads = network.main_arms.road_of_piece[piece]
    is_near_main = np.isin(network.piece_nodes[piece], network.main_arms.node)
    bearings = np.zeros((2, len(piece)))
    for row, which in enumerate((first, last)):
        # Most nodes of a walk are not on a main road, and there bearings do not matter.
        wanted = is_near_main[np.arange(len(piece)), which]
        bearings[row, wanted] = compute_bearings(network.parts, piece[wanted], which[wanted])
    return [
        _Step(
            piece=int(piece[k]),
            entry=int(network.piece_nodes[piece[k], first[k]]) if enters[k] else None,
            exit=int(network.piece_nodes[piece[k], last[k]]) if leaves[k] else None,
            entry_bearing=float(bearings[0, k]),
            exit_bearing=float(bearings[1, k]),
            start_metres=float(along[k] - walk.piece_metres[rows[k]]),
            end_metres=float(along[k]),
            road=str(roads[k]),
        )
        for k in range(len(rows))
    ]


def _find_crossed_at_nodes(network: "StreetNetwork", steps: Sequence[_Step]) -> Iterable[_Event]:
    """Where arms of other main roads lead to both sides of the way through a node."""
    for before, after in pairwise(steps):
        # Most nodes of a walk have no arm of a main road: there is nothing to cross.
        if after.entry is None:
            continue
        arms = _list_arms(network, after.entry, (before, after))
        others = [arm for arm in arms if arm[0] not in {before.road, after.road}]
        if len(others) < BOTH_SIDES:
            continue
        bearings = [bearing for _, bearing in others]
        sides = _sort_by_side(before.exit_bearing, after.entry_bearing, bearings)
        if {-1, 1} <= set(sides.tolist()):
            crossed = frozenset(road for road, _ in others)
            kind = _get_own_kind(network, (before, after))
            if kind == "unknown":
                near = _find_near_crossings(network, [after.entry], crossed)
                kind = SAFEST_FIRST[min(near)[1]] if near else "unknown"
            at = after.start_metres
            yield _Event(at, at, at, crossed, kind)


def _find_crossed_along(network: "StreetNetwork", steps: Sequence[_Step]) -> Iterable[_Event]:
    """Where the walk comes to a main road from one side, goes along it and leaves on the other."""
    for first, last in _list_runs(network, steps):
        if first == 0 or last == len(steps) - 1:
            continue
        came, goes, run = steps[first - 1], steps[last + 1], steps[first : last + 1]
        from_side = _find_side(network, run[0], came, is_entry=True)
        # Seen from the end, the last piece leads back: left and right change places.
        to_side = -_find_side(network, run[-1], goes, is_entry=False)
        if from_side * to_side < 0:
            yield _cross_along(network, run, (came, goes))


def _list_runs(network: "StreetNetwork", steps: Sequence[_Step]) -> Iterable[tuple[int, int]]:
    """First and last of consecutive steps along one main road, also where its name changes."""
    first = 0
    for k, step in enumerate(steps):
        if k + 1 < len(steps) and _goes_on(network, step, steps[k + 1]):
            continue
        if step.road:
            yield first, k
        first = k + 1


def _goes_on(network: "StreetNetwork", step: _Step, following: _Step) -> bool:
    """Whether two steps are on one main road; without other arms it may change its name."""
    if not step.road or not following.road:
        return False
    if step.road == following.road or following.entry is None:
        return True
    arms = _list_arms(network, following.entry, (step, following))
    return all(road not in {step.road, following.road} for road, _ in arms)


def _find_side(network: "StreetNetwork", step: _Step, other: _Step, *, is_entry: bool) -> int:
    """Side of a road that another step meets it on: 1 left of the way in, -1 right, 0 not known.

    It is left if it is between the road ahead and the road behind, anticlockwise. If the road does
    not continue behind, nothing is left or right of it.
    """
    node = step.entry if is_entry else step.exit
    if node is None:
        return 0
    ahead = step.entry_bearing if is_entry else step.exit_bearing
    meets = other.exit_bearing if is_entry else other.entry_bearing
    arms = _list_arms(network, node, (step, other))
    bearings = [bearing for road, bearing in arms if road == step.road]
    sides = set(_sort_by_side(ahead, meets, bearings).tolist())
    return sides.pop() if len(sides) == 1 else 0


def _cross_along(
    network: "StreetNetwork", run: Sequence[_Step], ends: tuple[_Step, _Step]
) -> _Event:
    """How and where a road is crossed that the walk goes along."""
    first, last = run[0].start_metres, run[-1].end_metres
    middle = (first + last) / 2
    at_node = {step.entry: step.start_metres for step in run if step.entry is not None}
    at_node |= {step.exit: step.end_metres for step in run if step.exit is not None}
    roads = frozenset(step.road for step in run)
    candidates = [
        (rank, abs(at_node[node] - middle), at_node[node])
        for _, rank, node in _find_near_crossings(network, list(at_node), roads)
    ]
    for step, at in zip(ends, (first, last), strict=True):
        rank = SAFEST_FIRST.index(_get_own_kind(network, (step,)))
        candidates.append((rank, abs(at - middle), at))
    rank, apart, _ = min(candidates)
    if SAFEST_FIRST[rank] == "unknown":
        return _Event(first, last, middle, roads, "unknown")
    # Two at the same distance from the middle count equally, so that the way back is the same.
    best = [at for one, far, at in candidates if one == rank and far <= apart + COINCIDENT_METRES]
    at = (min(best) + max(best)) / 2
    return _Event(first, last, at, roads, SAFEST_FIRST[rank])


def _list_arms(
    network: "StreetNetwork", node: int, without: tuple[_Step, _Step]
) -> list[tuple[str, float]]:
    """Roads and bearings of the main roads' arms at a node, without those of the walk itself."""
    own = {step.piece for step in without}
    arms = network.main_arms.by_node.get(node, ())
    return [(road, bearing) for piece, road, bearing in arms if piece not in own]


def _sort_by_side(start: float, end: float, bearings: Sequence[float]) -> NDArray[np.int64]:
    """On which side of the way from one bearing to another each of some others is.

    -1 where it is passed first, anticlockwise from the start, 1 where the end is, and 0 where it
    is the bearing of either: streets drawn one on another have no side.
    """
    turns = np.mod(np.array([*bearings, end]) - start + ALIKE_RADIANS, 2 * np.pi) - ALIKE_RADIANS
    others, turn = turns[:-1], turns[-1]
    is_alike = (np.abs(others) <= ALIKE_RADIANS) | (np.abs(others - turn) <= ALIKE_RADIANS)
    return np.where(is_alike, 0, np.sign(others - turn)).astype(np.int64)


def _get_own_kind(network: "StreetNetwork", steps: Sequence[_Step]) -> CrossingKind:
    """Kind of the footway across the road that the walk uses; of two, the less safe one."""
    kinds: list[CrossingKind] = [network.piece_crossing[step.piece] for step in steps]
    certain = [kind for kind in kinds if kind not in {"", "unknown"}]
    return max(certain, key=SAFEST_FIRST.index, default="unknown")


def _find_near_crossings(
    network: "StreetNetwork", nodes: Sequence[int], roads: AbstractSet[str]
) -> list[tuple[float, int, int]]:
    """Known crossings of some roads that are near nodes: metres, rank by safety, node."""
    return [
        (metres, rank, node)
        for node in sorted(set(nodes))
        for road, metres, rank in network.near_crossings_by_node.get(node, ())
        if road in roads
    ]


def _are_one(event: _Event, following: _Event) -> bool:
    """Whether two crossings are parts of one: of the same road, close together."""
    gap = following.first_metres - event.last_metres
    return gap <= APART_METRES and bool(event.roads & following.roads)


def _join(event: _Event, following: _Event) -> _Event:
    """Two crossings as one, half way between them; the less safe part decides how, if known."""
    kinds = [one.kind for one in (event, following) if one.kind != "unknown"]
    return _Event(
        event.first_metres,
        max(event.last_metres, following.last_metres),
        (event.at_metres + following.at_metres) / 2,
        event.roads | following.roads,
        max(kinds, key=SAFEST_FIRST.index, default="unknown"),
    )


def _choose_name(roads: AbstractSet[str]) -> str:
    """The name of a road; the first of several, where it changes at the crossing."""
    return min((road for road in roads if not road.startswith("(")), default="")
