"""The data that the script of `map.html` draws, in compact form.

Lines are steps of a millionth of a degree for `packed.js`; layers colour streets by a digit each.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.arrays import expand_ranges
from patrolplan.crs import Projection
from patrolplan.network import StreetNetwork
from patrolplan.outputs.cartography.basemap import STREETS, classify_streets
from patrolplan.outputs.cartography.symbols import SYMBOLS
from patrolplan.outputs.facts import classify_fear, list_stop_facts
from patrolplan.outputs.routes import list_route_points
from patrolplan.patrols.tasked_places import find_tasked_point
from patrolplan.patrols.walked import find_walked_streets
from patrolplan.risk.priority import RISK_CLASSES, classify_streets_by_risk
from patrolplan.times import format_time

if TYPE_CHECKING:
    from patrolplan.area import StudyArea
    from patrolplan.patrols.plan import Patrol, Plan
    from patrolplan.risk.surface import Risk


MUCH, SOME = RISK_CLASSES[1].level, RISK_CLASSES[2].level  # from which a voice says so
ONLY_REPORTED, ONLY_RECORDED = 1, 2  # Where voices differ: the other has little
MARGIN_METRES = 60.0  # Parks, buildings and other features are drawn this far beyond the streets
MIN_SQUARE_METRES = {"park": 150.0, "water": 50.0, "building": 25.0}  # smaller are not drawn
LABEL_SPACING_METRES = (450.0, 220.0, 110.0)  # between two copies of a name, by room
MIN_LABEL_STRAIGHTNESS = 0.97
"""Minimum ratio of chord to length of a street where its name is placed."""


@dataclass(frozen=True, eq=False)
class MapPatrol:
    """A patrol on the page."""

    id: str  # Comes after # in the page's address
    patrol: "Patrol"
    title: str
    choice: str  # Its entry in the list of patrols
    about: str = ""  # A line below the title
    day: str = ""  # In a week, its date and officer, for choosing it; empty in a plan
    officer: str = ""


def list_map_patrols(plan: "Plan") -> tuple[MapPatrol, ...]:
    """Every patrol of a plan."""
    patrols = []
    for one in plan.patrols:
        hours = f"{format_time(one.start_minutes)} to {format_time(one.end_minutes)}"
        patrols.append(MapPatrol(format_patrol_id(one), one, one.title, f"{one.title}, {hours}"))
    return tuple(patrols)


def build_map_layers(plan: "Plan", patrols: Sequence[MapPatrol]) -> dict[str, Any]:
    """Everything that the map draws, ready for JSON."""
    patrolled, network = plan.area.network, plan.area.network.walkable
    projection = plan.area.projection
    streets, labels = pack_streets(network)
    schools, rows = plan.area.schools, {name: row for row, name in enumerate(streets["names"])}
    gates = round_degrees(patrolled.xy(plan.area.gates), projection)
    return {
        "bounds": compute_bounds(patrolled.parts.coordinates, projection),
        "streets": streets,
        "voices": {
            voice: encode_digits(np.pad(digit, (0, len(network) - len(digit))))
            for voice, digit in classify_voices(plan.risk, patrolled.piece_metres).items()
        },
        "labels": labels,
        "ground": pack_basemap(plan.area.features, network, projection),
        "hotspots": _pack_hotspots(plan.area, plan.hotspots),
        "schools": [  # also those without a patrol
            {"urn": str(urn), "name": str(name), "at": at}
            for urn, name, at in zip(schools["urn"], schools["name"], gates, strict=True)
        ],
        "patrols": [_pack_patrol(patrol, plan.area, rows) for patrol in patrols],
    }


def pack_streets(network: StreetNetwork) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pieces of streets with their names and classes, and places for their names."""
    lines, coordinates = network.parts.last - network.parts.first, network.parts.coordinates
    names, name = np.unique(network.piece_name.astype(str), return_inverse=True)
    ranks = {kind: number for number, kind in enumerate(reversed([*STREETS]))}  # 0: main roads
    classes = classify_streets(network, np.arange(len(network))).tolist()
    rank = np.array([ranks[kind] for kind in classes], dtype=np.int64)
    streets = {
        "lines": {"counts": lines.tolist(), "steps": encode_steps(coordinates, network.projection)},
        "rank": encode_digits(rank),
        "name": name.tolist(),
        "names": names.tolist(),
    }
    return streets, place_labels(network, name, rank, names)


def classify_voices(risk: "Risk", metres: NDArray[np.float64]) -> dict[str, NDArray[np.int64]]:
    """Classes of every piece by voice, and where they differ: numbers of reports cannot be read."""
    classes = {"joined": classify_streets_by_risk(risk.without_exposure, metres)}
    if not (risk.reports.any() and risk.crime.any()):
        return classes
    crime = classify_streets_by_risk(risk.crime, metres)
    reports = classify_streets_by_risk(risk.reports, metres)
    differ = np.zeros(len(metres), dtype=np.int64)
    differ[(reports >= SOME) & (crime == 0)] = ONLY_REPORTED
    differ[(crime >= MUCH) & (reports == 0)] = ONLY_RECORDED
    return {**classes, "crime": crime, "reports": reports, "differ": differ}


def compute_bounds(xy: NDArray[np.float64], projection: Projection) -> list[list[float]]:
    """South and west, north and east of (k, 2) points, in degrees."""
    degrees = _to_degrees(xy, projection)
    return [degrees.min(axis=0).tolist(), degrees.max(axis=0).tolist()]


def place_labels(
    network: StreetNetwork,
    name: NDArray[np.int64],
    rank: NDArray[np.int64],
    names: NDArray[np.str_],
) -> dict[str, Any]:
    """Places for street names on straight parts: position, room in metres, angle and rank."""
    named = np.flatnonzero(names[name] != "")
    if not len(named):
        return {"at": [], "name": [], "angle": [], "room": [], "rank": ""}
    named = named[np.argsort(name[named], kind="stable")]
    used, row = np.unique(name[named], return_inverse=True)
    streets = shapely.line_merge(shapely.multilinestrings(network.piece_lines[named], indices=row))
    lines, street = shapely.get_parts(streets, return_index=True)
    lowest = pd.Series(rank[named]).groupby(row).min().to_numpy()
    places = [_find_straight_parts(lines, every) for every in LABEL_SPACING_METRES]
    line, room, angle, at = (np.concatenate(values) for values in zip(*places, strict=True))
    order = np.lexsort((-room, lowest[street[line]]))
    of_street = street[line[order]]
    return {
        "at": encode_steps(at[order], network.projection),
        "name": used[of_street].tolist(),
        "angle": np.rint(angle[order]).astype(np.int64).tolist(),
        "room": np.rint(room[order]).astype(np.int64).tolist(),
        "rank": encode_digits(lowest[of_street]),
    }


def _find_straight_parts(
    lines: NDArray[np.object_], every: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The straight ones of equal parts of lines: (k,) row, metres and angle, and (k, 2) middle."""
    length = shapely.length(lines)
    parts = np.maximum(1, np.round(length / every)).astype(np.int64)
    line = np.repeat(np.arange(len(lines)), parts)
    step = expand_ranges(np.zeros_like(parts), parts)
    room = (length / parts)[line]
    start, middle, end = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines[line], (step + part) * room))
        for part in (0.0, 0.5, 1.0)
    )
    across = end - start
    straight = np.hypot(*across.T) >= MIN_LABEL_STRAIGHTNESS * room
    # On screens y increases downwards. The angle is within 90 degrees, so no name is upside down.
    angle = (np.degrees(np.arctan2(-across[:, 1], across[:, 0])) + 90) % 180 - 90
    return line[straight], room[straight], angle[straight], middle[straight]


def pack_basemap(
    features: gpd.GeoDataFrame, network: StreetNetwork, projection: Projection
) -> dict[str, Any]:
    """Parks, water, buildings, railways and signs around the streets."""
    x_min, y_min = network.parts.coordinates.min(axis=0) - MARGIN_METRES
    x_max, y_max = network.parts.coordinates.max(axis=0) + MARGIN_METRES
    shapes = shapely.make_valid(features.geometry.to_numpy())
    clipped = shapely.clip_by_rect(shapes, x_min, y_min, x_max, y_max)
    kind = features["kind"].to_numpy(dtype=object)
    ground: dict[str, Any] = {}
    for area, smallest in MIN_SQUARE_METRES.items():
        # Merged where they overlap, because of the even-odd fill rule. Few of 1,500 buildings do:
        # this takes a twentieth of the time of `union_all`.
        merged = shapely.disjoint_subset_union_all(clipped[kind == area])
        parts = shapely.get_parts(shapely.simplify(merged, 0.8))
        parts = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
        rings = shapely.get_rings(parts[shapely.area(parts) >= smallest])
        ground[area] = pack_shapes(rings, projection)
    for line in ("stream", "railway"):
        parts = shapely.get_parts(shapely.simplify(clipped[kind == line], 0.5))
        parts = parts[shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING]
        ground[line] = pack_shapes(parts, projection)
    ground["points"] = []
    for place, symbol in reversed(SYMBOLS.items()):
        if symbol.phone is not None:
            inside = (kind == place) & ~shapely.is_empty(clipped)
            xy = shapely.get_coordinates(shapely.point_on_surface(clipped[inside]))
            names = features["name"].to_numpy(dtype=object)[inside].tolist()
            points = {"at": encode_steps(xy, projection), "names": names}
            ground["points"].append(asdict(symbol.phone) | points)
    return ground


def _pack_hotspots(area: "StudyArea", hotspots: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Each hotspot; a designated one also has the edge of its polygon."""
    projection, edges = area.projection, {}
    if area.designated is not None:
        rings = shapely.boundary(area.designated.geometry.to_numpy())
        edges = dict(zip(area.designated["place_id"], map(shapely.get_parts, rings), strict=True))
    stops = round_degrees(hotspots[["stop_x", "stop_y"]].to_numpy(), projection)
    stretches, fears = shapely.line_merge(hotspots.geometry.to_numpy()), classify_fear(hotspots)
    columns = (hotspots["hotspot"], fears.tolist(), stops, stretches)
    return [
        {
            "id": hotspot,
            "stop": stop,
            "lines": pack_shapes(shapely.get_parts(stretch), projection),
            "feared": feared,
            **({"edge": pack_shapes(edges[hotspot], projection)} if hotspot in edges else {}),
        }
        for hotspot, feared, stop, stretch in zip(*columns, strict=True)
    ]


def _pack_patrol(map_patrol: MapPatrol, area: "StudyArea", names: dict[str, int]) -> dict[str, Any]:
    """A patrol; `names` are the rows of streets' names."""
    patrol, projection = map_patrol.patrol, area.projection
    points = list_route_points(patrol, projection)
    barred = [point.xy for point in points if point.kind == "keep_away"]
    walk = [point.xy for point in points if point.kind != "keep_away"]
    lines = [np.empty((0, 2)), *(leg.line for leg in patrol.legs)]
    stops = list_stop_facts(patrol, projection.crs)
    tasked = {one.number: find_tasked_point(area, one.stop) for one in stops if one.stop.tasked}
    return {
        "id": map_patrol.id,
        "day": map_patrol.day,
        "officer": map_patrol.officer,
        "urn": patrol.urn,
        "hotspots": patrol.covered,
        "streets": [
            (names[street], pieces.tolist())
            for street, pieces in find_walked_streets(patrol, area.network.walkable).items()
        ],
        "at": encode_steps(np.array(walk), projection),
        "start": round(patrol.start_minutes),
        "gate_until": round(patrol.gate_until_minutes),
        "back": round(patrol.back_minutes),
        "end": round(patrol.end_minutes),
        "stops": [
            {
                "hotspot": facts.stop.hotspot,
                "place": facts.place,
                "arrive": round(facts.stop.arrive_minutes),
                "leave": round(facts.stop.leave_minutes),
                "feared": facts.feared,
                "tasked": encode_steps(at.reshape(-1, 2), projection),
            }
            for facts in stops
            for at in [np.array(tasked.get(facts.number, ()))]
        ],
        "keep_away": encode_steps(np.array(barred).reshape(-1, 2), projection),
        "legs": {
            "counts": [*map(len, lines[1:])],
            "steps": encode_steps(np.concatenate(lines), projection),
        },
    }


def format_patrol_id(patrol: "Patrol") -> str:
    """Comes after # in the map's address, and names the patrol's files."""
    return patrol.urn if patrol.number == 1 else f"{patrol.urn}-{patrol.number}"


def encode_digits(values: NDArray[np.int64]) -> str:
    """Whole numbers from 0 to 9 as one string."""
    return (values.astype(np.uint8) + ord("0")).tobytes().decode("ascii")


def _to_degrees(xy: NDArray[np.float64], projection: Projection) -> NDArray[np.float64]:
    """(k, 2) latitude and longitude of points."""
    return np.column_stack(projection.to_degrees(xy[:, 0], xy[:, 1])[::-1])


def encode_steps(xy: NDArray[np.float64], projection: Projection) -> list[int]:
    """Latitude and longitude of each point as differences from the one before."""
    whole = np.rint(_to_degrees(xy, projection) * 1e6).astype(np.int64)
    steps: list[int] = np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int64)).ravel().tolist()
    return steps


def round_degrees(xy: NDArray[np.float64], projection: Projection) -> list[list[float]]:
    """Latitude and longitude of (k, 2) points, to about 0.1 m."""
    points: list[list[float]] = np.round(_to_degrees(xy, projection), 6).tolist()
    return points


def pack_shapes(shapes: NDArray[np.object_], projection: Projection) -> dict[str, list[int]]:
    """Lines or rings as their numbers of points and one sequence of steps."""
    xy, line = shapely.get_coordinates(shapes, return_index=True)
    counts = np.bincount(line, minlength=len(shapes))
    return {"counts": counts.tolist(), "steps": encode_steps(xy, projection)}
