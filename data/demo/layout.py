"""The plan of the borough: main lines drawn by hand, districts cut into blocks by streets."""

# ruff: noqa: PLR2004 - a drawing is made of measures in metres

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely import affinity
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import polygonize, split, substring, unary_union
from shapely.strtree import STRtree

from demo import skeleton
from demo.frame import Points
from demo.names import Names

TOUCH = 0.5
"""Two lines nearer than this (m) meet."""
LAND = {
    "park": {"leisure": "park"},
    "open": {"natural": "scrub"},
    "estate": {"landuse": "residential"},
    "green": {"leisure": "garden"},
}


@dataclass(frozen=True)
class Street:
    """One street or path in plan coordinates."""

    line: LineString
    tags: dict[str, str]


@dataclass(frozen=True)
class Area:
    """A polygon with tags: a park, a school, a building."""

    shape: Polygon
    tags: dict[str, str]


@dataclass
class Plan:
    """Everything that is drawn, in plan coordinates."""

    streets: list[Street] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)
    lines: list[Street] = field(default_factory=list)
    blocks: list[tuple[Polygon, str]] = field(default_factory=list)
    schools: dict[int, Polygon] = field(default_factory=dict)


def _across(polygon: Polygon, style: skeleton.Style, rng: Generator) -> LineString:
    """A line that cuts the polygon: along the district's grain, or across it."""
    pivot = (0.0, 0.0)
    turned = affinity.rotate(polygon, -style.angle, origin=pivot)
    u_min, v_min, u_max, v_max = turned.bounds
    share = rng.uniform(0.42, 0.58)
    steps = np.linspace(0.0, 1.0, 13)
    if (v_max - v_min) / style.short >= (u_max - u_min) / style.long:
        rows = (v_max - v_min) / style.short
        if rows > 3:
            share = (round(rows * share) or 1) / rows
        u = u_min - 30 + steps * (u_max - u_min + 60)
        v = v_min + share * (v_max - v_min) + style.sway * np.sin(u / style.sway_length)
    else:
        v = v_min - 30 + steps * (v_max - v_min + 60)
        lean = rng.uniform(-0.12, 0.12)
        u = u_min + share * (u_max - u_min) + lean * (v - v.mean())
        u = u + rng.uniform(-7, 7) * np.sin(np.pi * steps)
    return affinity.rotate(LineString(np.column_stack([u, v])), style.angle, origin=pivot)


def _sizes(polygon: Polygon, style: skeleton.Style) -> tuple[float, float]:
    """How many blocks long and how many deep the polygon is."""
    u_min, v_min, u_max, v_max = affinity.rotate(polygon, -style.angle, origin=(0, 0)).bounds
    return (u_max - u_min) / style.long, (v_max - v_min) / style.short


def subdivide(
    polygon: Polygon, style: skeleton.Style, rng: Generator
) -> tuple[list[LineString], list[Polygon]]:
    """Cut a district into blocks; the cuts are its streets, so nearly all junctions are Ts."""
    if max(_sizes(polygon, style)) < style.stop or polygon.area < 1.3 * style.smallest:
        return [], [polygon]
    for _ in range(12):
        cut = _across(polygon, style, rng)
        parts = [p for p in split(polygon, cut).geoms if isinstance(p, Polygon)]
        if len(parts) > 1 and min(p.area for p in parts) >= style.smallest:
            break
    else:
        return [], [polygon]
    inside = cut.intersection(polygon)
    lines = [inside] if isinstance(inside, LineString) else list(inside.geoms)
    blocks: list[Polygon] = []
    for part in parts:
        more, cells = subdivide(part, style, rng)
        lines.extend(more)
        blocks.extend(cells)
    return lines, blocks


def _trim(line: LineString, streets: STRtree, lines: list[LineString], gap: float) -> LineString:
    """Stop a street short of the railway, canal or edge that it would run into."""
    start, end = 0.0, line.length
    if not _touches(Point(line.coords[0]), streets, lines):
        start += gap
    if not _touches(Point(line.coords[-1]), streets, lines):
        end -= gap
    return substring(line, start, end) if end - start > 25 else LineString()


def _touches(point: Point, tree: STRtree, lines: list[LineString]) -> bool:
    """Whether a street passes this point."""
    return any(lines[i].distance(point) < TOUCH for i in tree.query(point.buffer(TOUCH)))


def _lengthened(line: LineString, by: float) -> LineString:
    """The line, drawn on straight at both ends."""
    xy = np.asarray(line.coords)
    head, tail = xy[0] - xy[1], xy[-1] - xy[-2]
    start = xy[0] + by * head / np.hypot(*head)
    end = xy[-1] + by * tail / np.hypot(*tail)
    return LineString(np.vstack([start, xy, end]))


def _cells(main: list[Street]) -> list[Polygon]:
    """The districts: what the main lines, the water, the railway and the edge enclose."""
    edge = Polygon(skeleton.OUTLINE)
    walls = [LineString(skeleton.RAIL), LineString(skeleton.CANAL), edge.exterior]
    near_edge = edge.exterior.buffer(70)
    walls.extend(
        _lengthened(s.line, 0.2 if s.line.disjoint(near_edge) else 70)
        for s in main
        if s.tags.get("wall") != "no"
    )
    inside = edge.buffer(1)
    return [c for c in polygonize(unary_union(walls)) if inside.contains(c) and c.area > 2500]


def skeleton_streets() -> list[Street]:
    """The lines drawn by hand, their loose ends drawn to the line they were meant to meet."""
    lines = [
        LineString(_rounded(points) if "round" in tags else points)
        for points, tags in skeleton.LINES
    ]
    return [
        Street(_snapped(line, lines[:i] + lines[i + 1 :]), dict(tags))
        for i, (line, (_, tags)) in enumerate(zip(lines, skeleton.LINES, strict=True))
    ]


def _rounded(points: Sequence[tuple[float, float]]) -> Points:
    """The points with their corners cut three times (Chaikin); the ends stay."""
    xy = np.asarray(points, dtype=float)
    for _ in range(3):
        near, far = 0.75 * xy[:-1] + 0.25 * xy[1:], 0.25 * xy[:-1] + 0.75 * xy[1:]
        cut = np.stack([near, far], axis=1).reshape(-1, 2)
        xy = np.vstack([xy[:1], cut, xy[-1:]])
    return xy


def _snapped(line: LineString, others: list[LineString], reach: float = 14.0) -> LineString:
    """The line with each end moved onto the nearest other line within reach."""
    xy = list(line.coords)
    for at in (0, -1):
        end = Point(xy[at])
        near = min(others, key=end.distance)
        if TOUCH / 100 < end.distance(near) < reach:
            meeting = near.interpolate(near.project(end))
            xy[at] = (meeting.x, meeting.y)
    return LineString(xy)


def _style_of(cell: Polygon) -> skeleton.Style:
    """The style whose label lies in the district."""
    for x, y, style in skeleton.LABELS:
        if cell.contains(Point(x, y)):
            return style
    x, y, style = min(skeleton.LABELS, key=lambda label: cell.distance(Point(label[:2])))
    return replace(style, kind="terrace")


def _fill_cell(cell: Polygon, names: Names, rng: Generator, plan: Plan) -> None:
    """Streets and blocks of one district."""
    style = _style_of(cell)
    if style.name:
        plan.areas.append(
            Area(cell.buffer(-5, join_style="mitre"), {**LAND[style.kind], "name": style.name})
        )
    if style.kind in ("park", "open", "green"):
        plan.blocks.append((cell, style.kind))
        return
    lines, blocks = subdivide(cell, style, rng)
    for line in lines:
        name = names.street(style.theme, line.length)
        highway = "unclassified" if style.kind == "industry" else "residential"
        if line.length > 540:
            highway = "tertiary"
        plan.streets.append(Street(line, {"highway": highway, "name": name}))
    plan.blocks.extend((block, style.kind) for block in blocks)


def _trim_all(streets: list[Street], main: list[Street], rng: Generator) -> list[Street]:
    """Trim every street that ends at nothing; drop the stubs."""
    lines = [s.line for s in streets + main]
    kept = []
    for i, street in enumerate(streets):
        others = lines[:i] + lines[i + 1 :]
        near = _trim(street.line, STRtree(others), others, rng.uniform(12, 24))
        if not near.is_empty:
            kept.append(Street(near, street.tags))
    return kept


def _closes(streets: list[Street], main: list[Street], rng: Generator) -> list[Street]:
    """Cut some streets short of one end (a cul-de-sac); an alley joins half of the gaps."""
    out: list[Street] = []
    lines = [s.line for s in streets + main]
    tree = STRtree(lines)
    for i, street in enumerate(streets):
        first = _first_junction(i, lines, tree)
        if first < 75 or street.line.length < 110 or rng.random() > skeleton.SHARE_OF_CLOSES:
            out.append(street)
            continue
        gap = rng.uniform(24, 38)
        out.append(Street(substring(street.line, gap, street.line.length), street.tags))
        if rng.random() < skeleton.SHARE_OF_ALLEYS:
            lit = "no" if rng.random() < 0.4 else "yes"
            alley = {"highway": "footway", "lit": lit, "surface": "asphalt"}
            out.append(Street(substring(street.line, 0, gap), alley))
    return out


def _first_junction(i: int, lines: list[LineString], tree: STRtree) -> float:
    """How far along line `i` its first junction after the start is (0: the start is loose)."""
    line = lines[i]
    along = []
    for j in tree.query(line.buffer(TOUCH)):
        if j == i or lines[j].distance(line) > TOUCH:
            continue
        along.extend(line.project(Point(p)) for p in meetings(line, lines[j]))
    if not along or min(along) > TOUCH:
        return 0.0
    return min((a for a in along if a > 2), default=line.length)


def meetings(a: LineString, b: LineString) -> list[tuple[float, float]]:
    """Points where two lines meet, counting ends that stop within a touch of the other."""
    crossing = a.intersection(b)
    parts = getattr(crossing, "geoms", [crossing])
    found = [part.coords[0] for part in parts if not part.is_empty]
    found += [end for end in (b.coords[0], b.coords[-1]) if a.distance(Point(end)) < TOUCH]
    found += [end for end in (a.coords[0], a.coords[-1]) if b.distance(Point(end)) < TOUCH]
    return [(x, y) for x, y in found]


def _take_schools(plan: Plan) -> None:
    """Give each school the nearest free block."""
    for urn, (x, y) in skeleton.SCHOOL_PLACES.items():
        free = [
            i
            for i, (b, kind) in enumerate(plan.blocks)
            if kind in ("terrace", "close", "estate") and 5500 < b.area < 26000
        ]
        best = min(free, key=lambda i: plan.blocks[i][0].centroid.distance(Point(x, y)))
        plan.schools[urn] = plan.blocks[best][0]
        plan.blocks[best] = (plan.blocks[best][0], "school")


def _take_greens(plan: Plan) -> None:
    """Turn chosen blocks into a garden square, a cemetery, allotments, a playing field."""
    for (x, y), tags in skeleton.GREENS:
        for i, (block, kind) in enumerate(plan.blocks):
            if kind in ("terrace", "close", "industry") and block.contains(Point(x, y)):
                plan.blocks[i] = (block, "green")
                plan.areas.append(Area(block.buffer(-9), tags))


def _footways(plan: Plan, rng: Generator) -> None:
    """Paths between the slabs of the estates; some are steps, some pass under a block."""
    style = skeleton.ESTATE_PATHS
    for block, kind in plan.blocks:
        if kind != "estate":
            continue
        turned = replace(style, angle=style.angle + rng.choice([0.0, 90.0]))
        lines, cells = subdivide(block, turned, rng)
        for line in lines:
            draw = rng.random()
            tags = {
                "highway": "footway",
                "surface": "paving_stones",
                "lit": "no" if draw > 0.86 else "yes",
            }
            if draw < 0.1 and line.length < 90:
                tags = {"highway": "steps", "surface": "concrete", "lit": "yes"}
            plan.streets.append(Street(line, tags))
        for cell in cells:
            plan.areas.extend(Area(s, {"building": "apartments"}) for s in _slabs(cell))


def _slabs(cell: Polygon) -> list[Polygon]:
    """Slab blocks of flats, about 13 m deep, along the longer sides of a cell."""
    box = cell.buffer(-9, join_style="mitre").minimum_rotated_rectangle
    if not isinstance(box, Polygon) or box.area < 500:
        return []
    corners = np.array(box.exterior.coords[:4])
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    first = int(sides[1] > sides[0])
    slabs = []
    for side in (first, first + 2) if sides.min() > 38 else (first,):
        edge = LineString([corners[side], corners[(side + 1) % 4]])
        slab = edge.buffer(13, cap_style="flat").intersection(box)
        slab = slab.intersection(cell.buffer(-5, join_style="mitre"))
        if isinstance(slab, Polygon) and slab.area > 250:
            slabs.append(slab)
    return slabs


def _mews(plan: Plan, names: Names, rng: Generator) -> None:
    """Short dead ends into the middle of deep terrace blocks."""
    lines = [s.line for s in plan.streets]
    tree = STRtree(lines)
    for block, kind in plan.blocks:
        box = block.minimum_rotated_rectangle
        corners = np.array(box.exterior.coords)
        sides = np.hypot(*np.diff(corners, axis=0).T)
        if kind != "terrace" or min(sides[:2]) < 74 or rng.random() > skeleton.SHARE_OF_MEWS:
            continue
        long_side = int(np.argmax(sides[:2]))
        start = (corners[long_side] + corners[long_side + 3 if long_side == 0 else 0]) / 2
        axis = (corners[long_side + 1] - corners[long_side]) / sides[long_side]
        ray = LineString([start - 20 * axis, start + (20 + rng.uniform(45, 75)) * axis])
        inside = ray.intersection(block)
        if not isinstance(inside, LineString) or inside.length < 30:
            continue
        if _touches(Point(inside.coords[0]), tree, lines):
            name = names.street("victorian", 300).rsplit(" ", 1)[0] + " Mews"
            tags = {"highway": "service", "name": name, "surface": "sett", "lit": "yes"}
            plan.streets.append(Street(inside, tags))


def _connected(streets: list[Street]) -> list[Street]:
    """The streets without those of the fill that touch nothing which leads to the main roads."""
    lines = [s.line for s in streets]
    one, other = STRtree(lines).query(lines, predicate="dwithin", distance=TOUCH)
    graph = coo_array((np.ones(len(one)), (one, other)), shape=(len(lines), len(lines)))
    part = connected_components(graph, directed=False)[1]
    by_hand = len(skeleton.LINES)
    return streets[:by_hand] + [
        s for s, p in zip(streets[by_hand:], part[by_hand:], strict=True) if p == part[0]
    ]


def _rename(plan: Plan) -> None:
    """Give the streets that stand for something their names and tags."""
    estates = unary_union([block for block, kind in plan.blocks if kind == "estate"])
    for kind, place, tags in skeleton.RENAMED:
        found = [i for i, s in enumerate(plan.streets) if _is_kind(s, kind, estates)]
        best = min(found, key=lambda i: plan.streets[i].line.distance(Point(place)))
        plan.streets[best] = Street(plan.streets[best].line, plan.streets[best].tags | tags)


def _is_kind(street: Street, kind: str, estates: BaseGeometry) -> bool:
    """Whether the street is a mews, an alley between streets, or a path of an estate."""
    if kind == "mews":
        return street.tags["highway"] == "service"
    if street.tags["highway"] != "footway" or "name" in street.tags:
        return False
    deep = estates.contains(street.line.centroid)
    return deep if kind == "estate" else not deep and street.line.length < 45


def _terraces(plan: Plan, rng: Generator) -> None:
    """Rows of houses along the block edges, shops in the retail blocks, sheds at the wharves."""
    for block, kind in plan.blocks:
        if kind in ("terrace", "close"):
            for row in _rows(block, rng):
                plan.areas.append(Area(row, {"building": "terrace"}))
        elif kind in ("retail", "industry", "school"):
            shed = block.buffer(-14, join_style="mitre")
            if isinstance(shed, Polygon) and shed.area > 150:
                if kind == "school":
                    shed = affinity.scale(shed, 0.62, 0.55)
                plan.areas.append(Area(shed, {"building": kind.replace("industry", "warehouse")}))


def _rows(block: Polygon, rng: Generator) -> list[Polygon]:
    """Terrace rows (about 9 m deep) behind the longer edges of a block."""
    front = block.buffer(-8, join_style="mitre")
    back = block.buffer(-17, join_style="mitre")
    if not isinstance(front, Polygon) or not isinstance(back, Polygon) or back.area < 400:
        return []
    ring = front.simplify(3).exterior
    rows = []
    corners = [ring.project(Point(c)) for c in ring.coords[:-1]] + [ring.length]
    for start, end in pairwise(corners):
        at = start + 3
        while end - at > 24:
            step = min(rng.uniform(34, 70), end - at - 3)
            strip = substring(ring, at, at + step)
            house = strip.buffer(9, cap_style="flat", join_style="mitre").intersection(front)
            if isinstance(house, Polygon) and house.area > 120:
                rows.append(house.simplify(0.5))
            at += step + rng.uniform(2, 5)
    return _apart(rows)


def _apart(rows: list[Polygon]) -> list[Polygon]:
    """Leave out a row that overlaps one before it."""
    kept: list[Polygon] = []
    for row in rows:
        if all(row.intersection(other).area < 12 for other in kept):
            kept.append(row)
    return kept


def make_plan(rng: Generator) -> Plan:
    """Draw the whole borough."""
    plan, names = Plan(), Names(rng)
    main = skeleton_streets()
    for cell in sorted(_cells(main), key=lambda c: (c.centroid.y, c.centroid.x)):
        _fill_cell(cell, names, rng, plan)
    _take_schools(plan)
    _take_greens(plan)
    plan.streets = _closes(_trim_all(plan.streets, main, rng), main, rng)
    plan.streets = main + plan.streets
    _mews(plan, names, rng)
    _footways(plan, rng)
    plan.streets = _connected(plan.streets)
    _rename(plan)
    _terraces(plan, rng)
    plan.areas += [
        Area(Polygon(_rounded(points) if "natural" in tags else points), tags)
        for points, tags in skeleton.AREAS
    ]
    plan.lines = [Street(LineString(points), tags) for points, tags in skeleton.OTHER_LINES]
    return plan
