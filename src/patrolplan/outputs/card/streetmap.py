"""A patrol's map: our own streets, the route in its order, numbered stops, and names."""

import io
import threading
from dataclasses import dataclass

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.collections import LineCollection
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.patches import FancyBboxPatch
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.network import StreetNetwork
from patrolplan.outputs.card.frame import Frame
from patrolplan.outputs.card.frame import fit_frame
from patrolplan.outputs.card.ground import ROUTE
from patrolplan.outputs.card.ground import draw_ground
from patrolplan.outputs.card.ground import draw_streets
from patrolplan.outputs.card.ground import pieces_in
from patrolplan.outputs.card.labels import Boxes
from patrolplan.outputs.card.labels import place
from patrolplan.outputs.card.lettering import Lettering
from patrolplan.outputs.card.lettering import write
from patrolplan.outputs.card.names import BUS_STOP
from patrolplan.outputs.card.names import STATION
from patrolplan.outputs.card.names import Name
from patrolplan.outputs.card.names import area_names
from patrolplan.outputs.card.names import kept_off
from patrolplan.outputs.card.names import leg_tags
from patrolplan.outputs.card.names import point_names
from patrolplan.outputs.card.names import school_names
from patrolplan.outputs.card.names import street_names
from patrolplan.outputs.card.route import Strand
from patrolplan.outputs.card.route import arrows
from patrolplan.outputs.card.route import parts_of
from patrolplan.outputs.card.route import pushed_shares
from patrolplan.outputs.card.route import simplified
from patrolplan.outputs.card.route import spread
from patrolplan.outputs.card.route import strands
from patrolplan.outputs.card.signs import LEGEND_HEIGHT
from patrolplan.outputs.card.signs import PUSHED_LINES
from patrolplan.outputs.card.signs import ROUTE_WIDTH
from patrolplan.outputs.card.signs import WAY_BACK
from patrolplan.outputs.card.signs import draw_band
from patrolplan.outputs.card.signs import draw_legend
from patrolplan.outputs.card.signs import draw_north
from patrolplan.outputs.card.signs import draw_signs
from patrolplan.outputs.card.signs import north_box
from patrolplan.outputs.card.signs import north_place
from patrolplan.outputs.wording import leg_name
from patrolplan.patrols.plans import Patrol
from patrolplan.patrols.plans import Plan

STOP_RADIUS = 9.0
GATE_SIDE = 17.0
MARK_SIZE = 12.0
STRETCH_WIDTH = 13.0
LEAST_METRES = 420.0
"""The longer side of a map shows at least so much."""
AROUND_GATE_METRES = 600.0
"""The same where there is nothing but the gate to show."""
MOVED = 3.0
"""A circle farther from its place than so many points gets a line that leads there."""
ARROWS_APART = 46.0
ARROW_SIZE = 9.0

_SETTINGS = threading.RLock()
"""Matplotlib's settings are those of the whole process: one map at a time is drawn under ours."""


@dataclass(frozen=True, eq=False)
class PatrolMap:
    """A drawn map.

    Parameters
    ----------
    pdf
        The page, vector.
    frame
        What it shows, at what scale and how turned.
    labels
        (n, 5) boxes of all that holds words or numbers, see `patrolplan.outputs.card.labels`.
    texts
        Words of the labels, aligned with them.
    """

    pdf: bytes
    frame: Frame
    labels: Boxes
    texts: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Scene:
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

    @property
    def route(self) -> BaseGeometry:
        """All legs as one shape; empty without any."""
        return shapely.union_all([shapely.LineString(strand.line) for strand in self.legs])


def draw_patrol_map(plan: Plan, patrol: Patrol, *, width: float, height: float) -> PatrolMap:
    """Draw the map of one patrol.

    Parameters
    ----------
    plan
        Streets, features and hotspots.
    patrol
        The walk.
    width, height
        Points of the page, legend included.

    Returns
    -------
    PatrolMap
        Equal input gives equal bytes.
    """
    scene = _scene(plan, patrol, width, height - LEGEND_HEIGHT)
    page = io.BytesIO()
    with _SETTINGS, mpl.rc_context():
        mpl.rcdefaults()  # a user's own matplotlibrc must not change what officers hold
        mpl.rcParams.update({"pdf.fonttype": 42, "pdf.compression": 9})
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        share = LEGEND_HEIGHT / height
        labels = _draw(_axes(figure, (0, share, 1, 1 - share), scene.frame.height), scene)
        strip = _axes(figure, (0, 0, 1, share), LEGEND_HEIGHT)
        draw_legend(
            strip,
            scene.frame,
            scene.features,
            way=patrol.way if patrol.stops else "",
            pushed=any(scene.pushed),
        )
        FigureCanvasPdf(figure).print_pdf(page, metadata={"CreationDate": None, "Producer": None})
    boxes = np.array([box for _, box in labels]).reshape(-1, 5)
    return PatrolMap(page.getvalue(), scene.frame, boxes, tuple(text for text, _ in labels))


def _axes(figure: Figure, place: tuple[float, float, float, float], height: float) -> Axes:
    """Part of the page, in points from its lower left corner; what reaches beyond it is cut."""
    axes = figure.add_axes(place)
    axes.set_xlim(0, figure.get_figwidth() * 72)
    axes.set_ylim(0, height)
    axes.axis("off")
    return axes


def _scene(plan: Plan, patrol: Patrol, width: float, height: float) -> _Scene:
    """Choose the window and bring everything in it to the page."""
    network, features = plan.area.network, plan.area.features
    stretches = _stretches(plan.hotspots, patrol)
    base = [] if patrol.base_xy is None else [patrol.base_xy]
    stops = [(stop.x, stop.y) for stop in patrol.stops]
    places = np.array([(patrol.x, patrol.y), *stops, *base])
    legs = list(zip(_leg_tags(patrol), patrol.all_legs, strict=True))
    legs = [(tag, leg) for tag, leg in legs if len(leg.line) > 1]
    walked = [leg.line for _, leg in legs]
    frame = fit_frame(
        [places, *walked, shapely.get_coordinates(stretches)],
        width=width,
        height=height,
        least_metres=LEAST_METRES if patrol.stops else AROUND_GATE_METRES,
        within=(*network.node_xy.min(axis=0), *network.node_xy.max(axis=0)),
    )
    if len(features):
        features = features.iloc[np.sort(features.sindex.query(frame.window))]
    return _Scene(
        patrol=patrol,
        network=network,
        features=features,
        frame=frame,
        pieces=pieces_in(network, frame),
        stretches=frame.shapes(stretches),
        legs=strands([frame.points(line) for line in walked]),
        tags=[tag for tag, _ in legs],
        pushed=[pushed_shares(leg) for _, leg in legs],
        marks=spread(frame.points(places), 2 * STOP_RADIUS + 3.0, fixed=1),
    )


def _leg_tags(patrol: Patrol) -> list[str]:
    """From where to where each leg goes, the way from the base to the gate first."""
    before = [] if patrol.approach is None else ["B→G"]
    return [*before, *(leg_name(patrol, number) for number in range(len(patrol.legs)))]


def _mark_names(patrol: Patrol) -> list[str]:
    """What stands in the signs: the gate, the stops, and the base where there is one."""
    base = [] if patrol.base_xy is None else ["B"]
    return ["G", *(str(number + 1) for number in range(len(patrol.stops))), *base]


def _stretches(hotspots: gpd.GeoDataFrame, patrol: Patrol) -> NDArray[np.object_]:
    """Stretches of the patrol's stops."""
    wanted = [stop.hotspot for stop in patrol.stops]
    if not wanted or not len(hotspots):
        return np.empty(0, dtype=object)
    shapes: NDArray[np.object_] = hotspots.geometry[hotspots["hotspot"].isin(wanted)].to_numpy()
    return shapes


def _draw(axes: Axes, scene: _Scene) -> list[tuple[str, Boxes]]:
    """Draw the ground, the route and the words; give back the words with their boxes."""
    frame = scene.frame
    draw_ground(axes, scene.features, frame)
    draw_streets(axes, scene.network, scene.pieces, frame)
    band = shapely.union_all(shapely.buffer(scene.stretches, STRETCH_WIDTH / 2, cap_style="flat"))
    if not band.is_empty:
        draw_band(axes, band, level=5.0)
    _draw_route(axes, scene)
    signs = draw_signs(axes, scene.features, frame)
    _draw_stops(axes, scene)
    _draw_mark(axes, scene.marks[0], "G")
    north = north_place(frame, _mark_boxes(scene))
    draw_north(axes, frame, north)
    taken = _taken(scene, signs, north_box(frame, north))
    placed = _placed(scene, taken, None if band.is_empty else band)
    for name, box in placed:
        _write_name(axes, name, box)
    own = list(zip(_mark_names(scene.patrol), taken, strict=False))
    return own + [(name.text, box) for name, box in placed]


def _placed(scene: _Scene, taken: Boxes, band: BaseGeometry | None) -> list[tuple[Name, Boxes]]:
    """Find places for all words.

    The route's street names choose before the legs' tags, which are small and fit almost
    anywhere; only if a leg would go without its tag, the tags choose first.
    """
    tags = leg_tags(scene.legs, scene.tags)
    titles, walked, rest = _names(scene)
    found: list[tuple[Name, Boxes]] = []
    for names in ([*titles, *walked, *tags, *rest], [*tags, *titles, *walked, *rest]):
        places = place(
            [name.wish for name in names],
            width=scene.frame.width,
            height=scene.frame.height,
            taken=taken,
            avoided=band,
        )
        found = [(names[number], box) for number, box in places]
        if sum(name in tags for name, _ in found) == len(tags):
            break
    return found


def _mark_boxes(scene: _Scene) -> Boxes:
    """Boxes of gate, stops and base."""
    side = np.full((len(scene.marks), 2), 2 * STOP_RADIUS + 2.5)
    return np.column_stack([scene.marks, side, np.zeros(len(scene.marks))])


def _taken(scene: _Scene, signs: NDArray[np.float64], north: Boxes) -> Boxes:
    """Boxes of the stops, signs and the north arrow: no label may stand there."""
    marks = _mark_boxes(scene)
    small = np.column_stack([signs, np.full((len(signs), 2), 7.0), np.zeros(len(signs))])
    return np.vstack([marks, small, north])


def _names(scene: _Scene) -> tuple[list[Name], list[Name], list[Name]]:
    """Names of the school and stations, of the streets walked, and of all else on the map."""
    route = scene.route
    walked = {step.street for leg in scene.patrol.all_legs for step in leg.steps}
    gate = (float(scene.marks[0, 0]), float(scene.marks[0, 1]))
    near = shapely.union_all([route, shapely.Point(gate)])
    titles = [
        *school_names(gate, scene.patrol.school, radius=GATE_SIDE * 0.6),
        *point_names(scene.features, scene.frame, STATION),
    ]
    streets = street_names(scene.network, scene.pieces, scene.frame, on_route=walked, route=route)
    rest = [
        *(name for name in streets if not name.bold),
        *area_names(scene.features, scene.frame),
        *point_names(scene.features, scene.frame, BUS_STOP, near=near),
    ]
    blocked = route.buffer(ROUTE_WIDTH + 0.8)
    groups = (titles, [name for name in streets if name.bold], rest)
    first, second, third = ([kept_off(name, blocked) for name in group] for group in groups)
    return first, second, third


def _write_name(axes: Axes, name: Name, box: Boxes) -> None:
    x, y, width, height, angle = (float(value) for value in box)
    if name.plate:
        axes.add_artist(
            FancyBboxPatch(
                (x - width / 2 + 1.5, y - height / 2 + 1.5),
                width - 3,
                height - 3,
                boxstyle="round,pad=1.5,rounding_size=2.5",
                facecolor="white",
                edgecolor=name.plate,
                linewidth=0.9,
                zorder=9.0,
            )
        )
    style = Lettering(name.size, name.bold, name.colour, halo=0.0 if name.plate else 1.3)
    write(axes, name.text, (x, y, angle), style)


def _draw_route(axes: Axes, scene: _Scene) -> None:
    """Draw the legs, the way back dashed, and arrow heads in the direction of travel."""
    if not scene.legs:
        return
    lines = [np.round(simplified(strand), 1) for strand in scene.legs]
    styles = [*["solid"] * (len(lines) - 1), WAY_BACK if scene.patrol.legs else "solid"]
    for colour, width, level, style in (
        ("white", ROUTE_WIDTH + 1.6, 6.0, "solid"),
        (ROUTE, ROUTE_WIDTH, 6.1, styles),
    ):
        axes.add_collection(
            LineCollection(
                lines,
                colors=colour,
                linewidths=width,
                linestyles=style,
                capstyle="butt",
                joinstyle="round",
                zorder=level,
            ),
            autolim=False,
        )
    _draw_pushed(axes, scene)
    heads = arrows(
        scene.legs,
        apart=ARROWS_APART,
        size=ARROW_SIZE,
        clear=scene.marks,
        radius=STOP_RADIUS + 5.0,
    )
    shapes = PolyCollection(
        list(np.round(heads, 1)), facecolors=ROUTE, edgecolors="white", linewidths=0.7, zorder=6.2
    )
    axes.add_collection(shapes, autolim=False)


def _draw_pushed(axes: Axes, scene: _Scene) -> None:
    """Draw the parts on which a bicycle is pushed as beads: white dots within the line."""
    parts = [
        np.round(part, 1)
        for strand, shares in zip(scene.legs, scene.pushed, strict=True)
        for part in parts_of(strand, shares)
    ]
    for colour, width, level, style in PUSHED_LINES if parts else ():
        axes.add_collection(
            LineCollection(
                parts, colors=colour, linewidths=width, linestyles=style, capstyle="round",
                zorder=level,
            ),
            autolim=False,
        )  # fmt: skip


def _draw_stops(axes: Axes, scene: _Scene) -> None:
    """Draw the stops' circles; a line leads to the place of one that had to move aside."""
    stops = scene.patrol.stops
    true = scene.frame.points(np.array([(stop.x, stop.y) for stop in stops]).reshape(-1, 2))
    marks = scene.marks[1 : len(stops) + 1]
    for number, (at, real) in enumerate(zip(marks, true, strict=True), start=1):
        if np.hypot(*(at - real)) > MOVED:
            axes.plot(*np.stack([at, real]).T, color="black", lw=1.2, zorder=7.0)
            axes.add_artist(Circle(tuple(real), 2.2, facecolor="black", zorder=7.0))
        _draw_mark(axes, at, str(number))
    if scene.patrol.base_xy is not None:
        _draw_mark(axes, scene.marks[-1], "B")


def _draw_mark(axes: Axes, at: NDArray[np.float64], mark: str) -> None:
    """Draw a stop as a black circle with its number, gate and base as white squares."""
    x, y = (float(value) for value in at)
    gate = mark in {"G", "B"}
    fill, ink = ("white", "black") if gate else ("black", "white")
    shape = (
        Rectangle((x - GATE_SIDE / 2, y - GATE_SIDE / 2), GATE_SIDE, GATE_SIDE)
        if gate
        else Circle((x, y), STOP_RADIUS)
    )
    shape.set(facecolor=fill, edgecolor=ink, linewidth=2.2 if gate else 1.4, zorder=11.0)
    axes.add_artist(shape)
    size = MARK_SIZE if len(mark) == 1 else MARK_SIZE - 2.0
    write(axes, mark, (x, y, 0.0), Lettering(size, bold=True, colour=ink, level=12.0))
