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
from patrolplan.outputs.card.marks import CROSS
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
SIGNS_APART = 2 * STOP_RADIUS + 3.0
"""Points between the middles of two signs, if need be by moving one."""
EDGE = 8.0
"""A sign nearer to the edge of the map than so many points would be cut: it is not on the map."""
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
    names: list[str]
    """What stands in the signs on the map: gate, crosses, stops, and the base."""
    marks: NDArray[np.float64]
    """(n, 2) middles of the signs."""
    true_marks: NDArray[np.float64]
    """(n, 2) the places that they stand for."""

    @property
    def route(self) -> BaseGeometry:
        """All legs as one shape; empty without any."""
        return shapely.union_all([shapely.LineString(strand.line) for strand in self.legs])

    @property
    def gate(self) -> tuple[float, float]:
        """Where the gate is, on the map or beyond it."""
        [(x, y)] = self.frame.points(np.array([(self.patrol.x, self.patrol.y)]))
        return float(x), float(y)

    @property
    def covered(self) -> BaseGeometry:
        """What the signs hide."""
        return shapely.multipoints(self.marks).buffer(STOP_RADIUS)

    @property
    def mark_boxes(self) -> Boxes:
        """Boxes of the signs."""
        cross = np.array([name == CROSS for name in self.names], dtype=bool)
        side = np.where(cross, CROSS_SIDE + 4.0, 2 * STOP_RADIUS + 2.5)
        return np.column_stack([self.marks, side, side, np.zeros(len(side))])


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
    names, marks, true_marks = _signs(frame, patrol)
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
        names=names,
        marks=marks,
        true_marks=true_marks,
    )


def _signs(
    frame: Frame, patrol: Patrol
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Names of the signs in the window, where they stand, and for which places."""
    places, barred = _places(patrol), _barred(patrol)
    base = [] if patrol.base_xy is None else ["B"]
    stops = [str(number + 1) for number in range(len(patrol.stops))]
    names = np.array(["G", *[CROSS] * len(barred), *stops, *base])
    true = frame.points(np.vstack([places[:1], barred, places[1:]]))
    inside = (true > EDGE) & (true < np.array([frame.width, frame.height]) - EDGE)
    names, true = names[inside.all(axis=1)], true[inside.all(axis=1)]
    # The gate stays where it is, crosses move for nothing but the gate and each other.
    fixed = int(np.isin(names, ["G", CROSS]).sum())
    return names.tolist(), spread(true, SIGNS_APART, fixed=fixed), true


def _places(patrol: Patrol) -> NDArray[np.float64]:
    """(n, 2) metres of gate, stops and base."""
    base = [] if patrol.base_xy is None else [patrol.base_xy]
    return np.array([(patrol.x, patrol.y), *((stop.x, stop.y) for stop in patrol.stops), *base])


def _barred(patrol: Patrol) -> NDArray[np.float64]:
    """(n, 2) metres of the places to keep away from."""
    return np.array([(place.x, place.y) for place in patrol.keep_away]).reshape(-1, 2)


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
