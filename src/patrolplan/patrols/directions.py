"""Directions of a walk or ride: runs of one name, apart at turns, steps and changes of level."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self, get_args

import geopandas as gpd
import numpy as np
import shapely

from patrolplan.arrays import Floats, Objects
from patrolplan.inputs.osm_tags import Passage
from patrolplan.network import StreetNetwork
from patrolplan.network.crossings import CrossedRoad
from patrolplan.network.paths import Walk
from patrolplan.patrols.legs import Flight, Landmark, LandmarkKind, Leg, RoadCrossing, Step, Turn
from patrolplan.patrols.runs import (
    LOOK_METRES,
    OFF_BICYCLE_WAYS,
    Run,
    WalkedLine,
    describe_heading,
    describe_turn,
    group_runs,
    locate_runs,
    merge_short,
    split_at_corners,
)

LANDMARK_METRES = 30.0  # maximum distance of a landmark from the turn, in a straight line
NAMED_KINDS = frozenset({"park", "water", "station"})  # nameless, a park may be a road's grass
NAMELESS_KINDS = frozenset({"railway"})  # kinds whose name is not on the map
FORK_ARMS = 3
MIN_PASSAGE_METRES = 5.0  # a shorter bridge or passage is a gutter or a roof's edge
FLIGHT_BACK: dict[Flight, Flight] = {"up": "down", "down": "up"}  # the opposite directions of steps
UNLIT_TAG = "no"  # the OpenStreetMap value of `lit` for a street without lighting


@dataclass(frozen=True, eq=False)
class Landmarks:
    """All (m,) possible landmarks in an area."""

    kinds: Objects
    names: Objects  # empty without a name
    shapes: Objects  # points, lines or areas, in metres

    @classmethod
    def from_features(cls, features: gpd.GeoDataFrame) -> Self:
        """The landmarks among an area's map features."""
        is_named = features["name"].fillna("") != ""
        is_shown = features["kind"].isin(get_args(LandmarkKind))
        chosen = features[is_shown & (is_named | ~features["kind"].isin(NAMED_KINDS))]
        names = chosen["name"].fillna("").mask(chosen["kind"].isin(NAMELESS_KINDS), "")
        return cls(
            chosen["kind"].to_numpy(dtype=object),
            names.to_numpy(dtype=object),
            chosen.geometry.to_numpy(),
        )

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.shapes)

    def find_nearest(self, xy: Floats) -> list[Landmark | None]:
        """The nearest landmark to each of (k, 2) places; None where none is near."""
        found: list[Landmark | None] = [None] * len(xy)
        if not len(self.shapes):
            return found
        points, landmarks = shapely.points(xy), self.kinds
        place, row = self._tree.query(points, predicate="dwithin", distance=LANDMARK_METRES)
        apart = shapely.distance(points[place], self.shapes[row])
        for number in np.lexsort((row, apart, place))[::-1]:  # the nearest is written last
            kind, name = landmarks[row[number]], self.names[row[number]]
            found[place[number]] = Landmark(kind, str(name))
        return found


class PieceTraits:
    """Properties of a network's (p,) pieces that are needed for directions."""

    def __init__(self, network: StreetNetwork, labels: Objects, *, is_ridden: bool) -> None:
        self.network, self.is_ridden = network, is_ridden
        self.labels = labels  # see `patrolplan.network.names.label_streets`
        names = np.unique(network.piece_name.astype(str), return_inverse=True)[1]
        arms = network.piece_nodes * (names.max(initial=0) + 1) + names[:, None]
        _, arm, count = np.unique(arms, return_inverse=True, return_counts=True)
        is_named = (network.piece_name != "")[:, None]
        # (p, 2) whether the name goes on along two or more others at each end
        self.forks = (count[arm].reshape(-1, 2) >= FORK_ARMS) & is_named


def build_leg(
    walk: Walk,
    traits: PieceTraits,
    metres_per_minute: float,
    crossed: Sequence[CrossedRoad] = (),
    landmarks: Landmarks | None = None,
) -> Leg:
    """A leg along a walk past main roads, with directions that name landmarks, if there are any."""
    lit = traits.network.piece_lit[walk.pieces]
    # On foot, the cost of a walk in excess of its length is the waiting at crossings.
    moving = walk.cost_metres if traits.is_ridden else walk.metres
    is_pushed = np.isin(_find_ways(walk, traits), list(OFF_BICYCLE_WAYS.values()))
    return Leg(
        metres=walk.metres,
        moving_minutes=moving / metres_per_minute,
        waiting_minutes=max(0.0, walk.cost_metres - moving) / metres_per_minute,
        steps=build_directions(walk, traits, crossed=crossed, landmarks=landmarks),
        line=walk.line,
        pieces=walk.pieces,
        unlit_metres=float(walk.piece_metres[lit == UNLIT_TAG].sum()),
        lighting_unknown_metres=float(walk.piece_metres[lit == ""].sum()),
        secluded_metres=float(
            walk.piece_metres[traits.network.piece_is_secluded[walk.pieces]].sum()
        ),
        pushed_metres=float(walk.piece_metres[is_pushed].sum()),
    )


def _find_ways(walk: Walk, traits: PieceTraits) -> Objects:
    """(s,) "walk", or by bicycle "ride", "push" or "carry"."""
    if not traits.is_ridden:
        return np.full(len(walk.pieces), "walk", dtype=object)
    kind = traits.network.bicycle_ways[walk.pieces, walk.backwards.astype(np.int64)]
    return np.array([OFF_BICYCLE_WAYS.get(int(each), "ride") for each in kind], dtype=object)


def build_directions(
    walk: Walk,
    traits: PieceTraits,
    *,
    crossed: Sequence[CrossedRoad] = (),
    landmarks: Landmarks | None = None,
) -> tuple[Step, ...]:
    """The steps of a walk, one per street; all parameters are as for `build_leg`."""
    if not len(walk.pieces):
        return ()
    metres, passages = walk.piece_metres, traits.network.piece_passage[walk.pieces]
    along = traits.network.piece_flight[walk.pieces]
    back = np.array([FLIGHT_BACK.get(flight, flight) for flight in along], dtype=object)
    climbs, levels = np.where(walk.backwards, back, along), _find_levels(walk, traits)
    leads_on = (traits.network.piece_name[walk.pieces] != "") & (climbs == "")
    is_fork = traits.forks[walk.pieces, walk.backwards.astype(np.int64)]
    runs = group_runs(traits.labels[walk.pieces], _find_ways(walk, traits), climbs, levels, metres)
    line = WalkedLine.from_xy(walk.line)
    runs = merge_short(split_at_corners(runs, line, leads_on, is_fork, metres))
    crossings: list[tuple[RoadCrossing, ...]] = [()] * len(runs)
    on_run = locate_runs(runs, [road.at_metres for road in crossed])
    for number, road in zip(on_run, crossed, strict=True):
        crossings[number] = (*crossings[number], RoadCrossing(road.road, road.kind))
    starts, steps = np.cumsum([0.0, *(run.metres for run in runs)]), []
    turns = np.column_stack([np.interp(starts[1:-1], line.along, axis) for axis in line.xy.T])
    signs = [None] * len(turns) if landmarks is None else landmarks.find_nearest(turns)
    along_runs = zip(runs, _find_passages(runs, passages, metres), [None, *signs], strict=True)
    for number, (run, passage, sign) in enumerate(along_runs):
        after = line.compute_bearing(starts[number] + run.lead, forward=True)
        turn: Turn = describe_heading(after)
        if number > 0:
            # From the street before to the street after: short parts between them are skipped.
            at = starts[number] - runs[number - 1].tail
            turn = describe_turn(after - line.compute_bearing(at, forward=False))
        name, length, roads = run.name, float(run.metres), crossings[number]
        steps.append(Step(turn, name, length, run.way, run.flight, run.level, passage, roads, sign))
    return tuple(steps)


def _find_levels(walk: Walk, traits: PieceTraits) -> Objects:
    """(s,) "up" or "down" if the level changes between a piece and the one before."""
    # Not at steps, bridges or tunnels, which imply it, nor at a street with a name, which is
    # followed by it, and whose layer is often only the drawing order of two lines.
    network, pieces = traits.network, walk.pieces
    layers, names = network.piece_layer[pieces], network.piece_name[pieces]
    is_passage, is_flight = network.piece_passage[pieces] != "", network.piece_flight[pieces] != ""
    farther = np.where(np.abs(layers[1:]) > np.abs(layers[:-1]), names[1:], names[:-1])
    changes = (layers[1:] != layers[:-1]) & (farther == "")
    changes &= ~is_passage[1:] & ~is_passage[:-1]
    starts = np.cumsum(walk.piece_metres)[:-1]
    levels = np.full(len(names), "", dtype=object)
    for row in np.flatnonzero(changes):
        near = np.searchsorted(starts, [starts[row] - LOOK_METRES, starts[row] + LOOK_METRES])
        if not is_flight[near[0] : near[1] + 1].any():
            levels[row + 1] = "up" if layers[row + 1] > layers[row] else "down"
    return levels


def _find_passages(runs: Sequence[Run], passed: Objects, metres: Floats) -> list[Passage]:
    """The passage with its middle on each run, the longest of several; (s,) kinds and metres."""
    opens = np.flatnonzero(np.r_[True, passed[1:] != passed[:-1]])
    lengths = np.add.reduceat(metres, opens)
    middles = np.cumsum(lengths) - lengths / 2
    found: list[Passage] = [""] * len(runs)
    longest = np.zeros(len(runs))
    where = locate_runs(runs, middles)
    for number, kind, length in zip(where, passed[opens], lengths, strict=True):
        if kind and length >= MIN_PASSAGE_METRES and length > longest[number]:
            found[number], longest[number] = kind, length
    return found
