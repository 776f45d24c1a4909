"""The form on which a school's pupils are counted at three corners: on paper, and on a phone.

Numbers only: nobody is named, described or photographed. `survey --read-counts` reads the table.
"""

import base64
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from patrolplan.area import StudyArea
from patrolplan.area.study_area import find_school
from patrolplan.errors import InputError
from patrolplan.network.names import describe_positions
from patrolplan.outputs.cartography import symbols
from patrolplan.outputs.cartography.fonts import POINTS_PER_MM, make_printable, typeset_template
from patrolplan.outputs.cartography.labels import build_level_boxes
from patrolplan.outputs.cartography.page import Page, Points
from patrolplan.outputs.cartography.street_map import StreetMap
from patrolplan.outputs.cartography.symbols import GATE_SIDE
from patrolplan.outputs.cartography.viewport import Viewport
from patrolplan.outputs.offline_page import read_asset, read_script, render_page
from patrolplan.outputs.output_folder import replace_folder, write_files
from patrolplan.outputs.routes import PointKind
from patrolplan.provenance import read_package_versions
from patrolplan.pupils.corners import choose_corners
from patrolplan.pupils.counted import divide
from patrolplan.pupils.model import JourneyModel
from patrolplan.pupils.rolls import find_late
from patrolplan.times import format_time, minutes_after_midnight

FILES = Path(__file__).parent
MAP_SIZE, MAP_GAP = 74 * POINTS_PER_MM, 4 * POINTS_PER_MM
MAP_METRES = 300.0  # side of a map
ROW_MINUTES, ROWS = 5, 6
CORNER_AND_GATE: tuple[PointKind, ...] = ("stop", "gate")
CLUBS_AROUND = 15  # minutes of counting before and after the time at which clubs end


def write_count_pack(area: StudyArea, urn: str, out: str | Path) -> Path:
    """Write a school's forms for counting into a folder, completely or not at all."""
    row = find_school(area, urn)
    school, journeys = area.schools.iloc[row], JourneyModel(area).trace(row)
    tree, (late_share, late_minutes) = journeys.tree, find_late(area.settings.way_home, school)
    nodes = choose_corners(journeys, divide(journeys), late_share)
    if not nodes:
        where, what = "--school", f"URN {urn} has no corner with pupils near its gate"
        raise InputError.one(where, what, "check its roll and gate")
    network, bell = tree.network, minutes_after_midnight(school["finish_time"])
    xy, gate = network.node_xy[tree.nodes[nodes]], network.xy(tree.gate)
    edges = [bell + ROW_MINUTES * one for one in range(ROWS + 1)]
    spans = list(pairwise(edges))
    clubs = (max(edges[-1], bell + late_minutes - CLUBS_AROUND), bell + late_minutes + CLUBS_AROUND)
    spans += [clubs] if late_share > 0 and clubs[1] > clubs[0] else []
    degrees = np.column_stack(area.projection.to_degrees(*xy.T)).round(6).tolist()
    positions = describe_positions(network, network.snap(xy))
    places = [
        f"{make_printable(place)}, {10 * round(metres / 10)} m from the gate"
        for place, metres in zip(positions, tree.node_metres[nodes], strict=True)
    ]
    data = {
        "urn": urn,
        "school": make_printable(str(school["name"])),
        "bell": school["finish_time"],
        "marking": make_printable(area.settings.output.marking),
        "rows": [[format_time(begin), format_time(end)] for begin, end in spans],
        "clubs": len(spans) > ROWS,
        "map_alt": f"Three street maps, each around a corner: {'; '.join(places)}",
        "corners": [{"place": one, "at": at} for one, at in zip(places, degrees, strict=True)],
    }
    maps = [_draw_maps(area, {number: one}, gate) for number, one in enumerate(xy, 1)]
    page = render_page(
        FILES / "count.html.j2",
        [read_script(FILES / "count.js")],
        [read_asset(FILES / "tally.css"), read_asset(FILES / "count.css")],
        data,
        form=data,
        pictures=[f"data:image/svg+xml;base64,{base64.b64encode(one).decode()}" for one in maps],
    )
    stacked = _draw_maps(area, dict(enumerate(xy, 1)), gate)
    paper = typeset_template(__package__, "count.typ", data, map_svg=stacked)
    details = {"schema": 1, "school": urn, "versions": read_package_versions()}
    with replace_folder(Path(out), details) as folder:
        write_files(folder, {f"count-{urn}.html": page.encode(), f"count-{urn}.pdf": paper})
    return Path(out)


def _draw_maps(area: StudyArea, corners: Mapping[int, Points], gate: Points) -> bytes:
    """Streets around each corner, with its number and the gate where it is near, as one SVG."""
    step = MAP_SIZE + MAP_GAP
    page = Page(MAP_SIZE, step * len(corners) - MAP_GAP)
    for below, (number, xy) in enumerate(reversed(list(corners.items()))):
        x, y = xy.tolist()
        view = Viewport(MAP_SIZE, MAP_SIZE, x, y, MAP_METRES / MAP_SIZE)
        window = page.add_window((0.0, step * below, *view.size))
        streets = StreetMap(view, area.network.walkable, area.features)
        streets.draw(window)
        places = view.to_page(np.vstack([xy, gate]))
        shown = 1 + int(view.contains(places[1:], margin=GATE_SIDE)[0])
        places, texts = places[:shown], (str(number), "S")[:shown]
        symbols.draw_markers(window, CORNER_AND_GATE[:shown], texts, places, places)
        signs = build_level_boxes(places, (GATE_SIDE + 2, GATE_SIDE + 2))
        streets.write_names(window, occupied=signs)
    return page.write()
