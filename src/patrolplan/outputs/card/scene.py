"""All that is drawn of one patrol: what lies in a window on the area, brought to the page."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.network import StreetNetwork
from patrolplan.outputs.card.frame import Frame
from patrolplan.outputs.card.frame import fit_frame
from patrolplan.outputs.card.ground import pieces_in
from patrolplan.outputs.card.labels import Boxes
from patrolplan.outputs.card.marks import STOP_RADIUS
from patrolplan.outputs.card.route import Strand
from patrolplan.outputs.card.route import pushed_shares
from patrolplan.outputs.card.route import spread
from patrolplan.outputs.card.route import strands
from patrolplan.outputs.card.signs import CROSS_SIDE
from patrolplan.outputs.wording import leg_name
from patrolplan.patrols.plans import Leg
from patrolplan.patrols.plans import Patrol
from patrolplan.patrols.plans import Plan

LEAST_METRES = 420.0
"""The longer side of a map shows at least so much."""
KEEP_AWAY_METRES = 250.0
"""A place to keep away from that is so near to what is walked is on the map, if need be a larger
one: who knows the streets around might stray there."""
AROUND_GATE_METRES = 600.0
"""The same where there is nothing but the gate to show."""


@dataclass(frozen=True, eq=False)
class Scene:
    """All that is drawn of one patrol, in points of the page."""

    patrol: Patrol
    network: StreetNetwork
    features: gpd.GeoDataFrame
    """Those in the window."""
    frame: Frame
    pieces: NDArray[np.int64]
    stretches: NDArray[np.object_]
    legs: list[Strand]
    tags: list[str]
    """Aligned with the legs: from where to where."""
    pushed: list[list[tuple[float, float]]]
    """Aligned with the legs: parts on which a bicycle is pushed, as shares of the length."""
    marks: NDArray[np.float64]
    """(1 + stops, 2) middles of the gate's and the stops' signs, and the base's at the end."""
    true_marks: NDArray[np.float64]
    """Aligned with the marks: the places they stand for."""
    crosses: NDArray[np.float64]
    """(k, 2) middles of the crosses at places to keep away from."""
    true_crosses: NDArray[np.float64]

    @property
    def route(self) -> BaseGeometry:
        """All legs as one shape; empty without any."""
        return shapely.union_all([shapely.LineString(strand.line) for strand in self.legs])

    @property
    def covered(self) -> BaseGeometry:
        """What the signs of gate, stops and base and the crosses hide."""
        return shapely.multipoints(np.vstack([self.marks, self.crosses])).buffer(STOP_RADIUS)

    @property
    def mark_boxes(self) -> Boxes:
        """Boxes of gate, stops and base, and then of the crosses."""
        side = np.repeat(
            [2 * STOP_RADIUS + 2.5, CROSS_SIDE + 4.0], [len(self.marks), len(self.crosses)]
        )
        middles = np.vstack([self.marks, self.crosses])
        return np.column_stack([middles, side, side, np.zeros(len(side))])


def frame_of(plan: Plan, patrol: Patrol, width: float, height: float) -> Frame:
    """The window that shows a whole patrol on so many points of the page."""
    network = plan.area.network
    places, barred = _places(patrol), _barred(patrol)
    lines = [leg.line for _, leg in _drawn_legs(patrol)]
    walked = shapely.union_all(
        [shapely.multipoints(places), *(shapely.linestrings(line) for line in lines)]
    )
    near = barred[shapely.distance(walked, shapely.points(barred)) <= KEEP_AWAY_METRES]
    return fit_frame(
        [places, *lines, near, shapely.get_coordinates(_stretches(plan.hotspots, patrol))],
        width=width,
        height=height,
        least_metres=LEAST_METRES if patrol.stops else AROUND_GATE_METRES,
        within=(*network.node_xy.min(axis=0), *network.node_xy.max(axis=0)),
    )


def scene_in(frame: Frame, plan: Plan, patrol: Patrol) -> Scene:
    """Bring everything of a patrol that lies in the window to the page."""
    network, features = plan.area.network, plan.area.features
    legs = _drawn_legs(patrol)
    true_marks = frame.points(_places(patrol))
    true_crosses = _inside(frame, frame.points(_barred(patrol)))
    # The gate stays where it is, crosses move for nothing but the gate and each other.
    last = len(true_crosses) + 1
    signs = np.vstack([true_marks[:1], true_crosses, true_marks[1:]])
    signs = spread(signs, 2 * STOP_RADIUS + 3.0, fixed=last)
    if len(features):
        features = features.iloc[np.sort(features.sindex.query(frame.window))]
    return Scene(
        patrol=patrol,
        network=network,
        features=features,
        frame=frame,
        pieces=pieces_in(network, frame),
        stretches=frame.shapes(_stretches(plan.hotspots, patrol)),
        legs=strands([frame.points(leg.line) for _, leg in legs]),
        tags=[tag for tag, _ in legs],
        pushed=[pushed_shares(leg) for _, leg in legs],
        marks=np.vstack([signs[:1], signs[last:]]),
        true_marks=true_marks,
        crosses=signs[1:last],
        true_crosses=true_crosses,
    )


def mark_names(patrol: Patrol) -> list[str]:
    """What stands in the signs: the gate, the stops, and the base where there is one."""
    base = [] if patrol.base_xy is None else ["B"]
    return ["G", *(str(number + 1) for number in range(len(patrol.stops))), *base]


def _places(patrol: Patrol) -> NDArray[np.float64]:
    """(n, 2) metres of gate, stops and base."""
    base = [] if patrol.base_xy is None else [patrol.base_xy]
    return np.array([(patrol.x, patrol.y), *((stop.x, stop.y) for stop in patrol.stops), *base])


def _barred(patrol: Patrol) -> NDArray[np.float64]:
    """(n, 2) metres of the places to keep away from."""
    return np.array([(place.x, place.y) for place in patrol.keep_away]).reshape(-1, 2)


def _inside(frame: Frame, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Those points at which a whole cross lies on the map."""
    edge = CROSS_SIDE / 2 + 2.0
    kept = (points > edge) & (points < np.array([frame.width, frame.height]) - edge)
    return points[kept.all(axis=1)]


def _drawn_legs(patrol: Patrol) -> list[tuple[str, Leg]]:
    """Legs that lead anywhere, each with its tag; the way from the base to the gate first."""
    before = [] if patrol.approach is None else ["B→G"]
    tags = [*before, *(leg_name(patrol, number) for number in range(len(patrol.legs)))]
    pairs = zip(tags, patrol.all_legs, strict=True)
    return [(tag, leg) for tag, leg in pairs if len(leg.line) > 1]


def _stretches(hotspots: gpd.GeoDataFrame, patrol: Patrol) -> NDArray[np.object_]:
    """Stretches of the patrol's stops."""
    wanted = [stop.hotspot for stop in patrol.stops]
    if not wanted or not len(hotspots):
        return np.empty(0, dtype=object)
    shapes: NDArray[np.object_] = hotspots.geometry[hotspots["hotspot"].isin(wanted)].to_numpy()
    return shapes
