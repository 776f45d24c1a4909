"""A paper of the week that a template typesets: its words, and its map of schools and streets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from patrolplan.outputs.cartography import fonts, legend, symbols
from patrolplan.outputs.cartography.labels import (
    MapLabel,
    build_level_boxes,
    find_places_around_point,
)
from patrolplan.outputs.cartography.page import Page, Points, Window, trace_rectangle, trace_rounded
from patrolplan.outputs.cartography.route import separate_points
from patrolplan.outputs.cartography.street_map import StreetMap
from patrolplan.outputs.cartography.viewport import Viewport, fit_viewport
from patrolplan.outputs.earlier_papers import hash_template
from patrolplan.patrols.plan import Plan
from patrolplan.text import shorten

MARKER_HEIGHT = 13.0  # Points; a sign is as wide as its words
TEXT_SIZE = 9.0
BAND_WIDTH = 11.0  # Points across a street where presence is planned
PADDING = 46.0  # Points without content, but for signs: room for the north arrow
LONGEST_NAME = 40  # Maximum letters of a name next to its sign


@dataclass(frozen=True)
class MapMarker:
    """A sign on the map: for a school a white box, for a street a black one with round ends."""

    text: str
    x: float
    y: float
    school: bool = False
    name: str = ""  # Name next to the sign, if there is room

    @property
    def width(self) -> float:
        """Points."""
        return max(MARKER_HEIGHT, fonts.measure_text_width(self.text, TEXT_SIZE, bold=True) + 7)


MIN_EXTENT_METRES = 600.0  # Minimum length that the longer side of the map shows


@dataclass(frozen=True, eq=False)
class OverviewMap:
    """A map of this size in points: signs, and hotspots by their ids."""

    markers: Sequence[MapMarker]
    hotspots: Sequence[str]
    width: float
    height: float

    def draw(self, plan: Plan) -> bytes:
        """Draw streets, the stretches of the hotspots, and the signs."""
        area, is_own = plan.area, plan.hotspots["hotspot"].isin(list(self.hotspots))
        shapes = plan.hotspots.geometry[is_own].to_numpy()
        places = np.array([(marker.x, marker.y) for marker in self.markers]).reshape(-1, 2)
        strip = legend.compute_strip_height(1)
        viewport = fit_viewport(
            [places, shapely.get_coordinates(shapes)],
            width=self.width,
            height=self.height - strip,
            padding=PADDING,
            min_extent_metres=MIN_EXTENT_METRES,
            street_bounds=area.network.bounds,
            may_rotate=False,  # readers are far away, or not used to turned maps
        )
        page = Page(self.width, self.height)
        window = page.add_window((0.0, strip, *viewport.size))
        streets = StreetMap(viewport, area.network, area.features)
        streets.draw(window)
        band = symbols.build_band(viewport.clip_to_page(shapes), BAND_WIDTH)
        if band is not None:
            symbols.draw_stretch(window, band, level=5.0)
        centres, names = self._draw_markers(window, viewport, viewport.to_page(places))
        sizes = np.array([(one.width, MARKER_HEIGHT) for one in self.markers]).reshape(-1, 2) + 2
        marker_boxes = build_level_boxes(centres, sizes)
        north = symbols.place_north_arrow(viewport, marker_boxes)
        symbols.draw_north_arrow(window, viewport, north)
        occupied = np.vstack([marker_boxes, north])
        streets.write_names(window, names, occupied=occupied, avoided=band)
        below = page.add_window((0.0, 0.0, self.width, strip))
        legend.draw_strip(below, [legend.build_scale(viewport)], self.width, strip)
        return page.write()

    def _draw_markers(
        self, window: Window, viewport: Viewport, true_points: Points
    ) -> tuple[Points, list[MapLabel]]:
        """Draw the signs, apart where they would overlap: their (n, 2) middles, and their names."""
        names = []
        widest = max((marker.width for marker in self.markers), default=MARKER_HEIGHT)
        half = np.array([widest, MARKER_HEIGHT]) / 2 + 2
        centres = separate_points(true_points, widest + 2.0)
        centres = np.clip(centres, half, np.array(viewport.size) - half)
        symbols.draw_marker_leaders(window, centres, true_points)
        for marker, (x, y) in zip(self.markers, centres.tolist(), strict=True):
            left, low, width = x - marker.width / 2, y - MARKER_HEIGHT / 2, marker.width
            outline, edge = trace_rounded(left, low, width, MARKER_HEIGHT, MARKER_HEIGHT / 2), 1.0
            if marker.school:
                outline, edge = trace_rectangle(left, low, width, MARKER_HEIGHT), 1.8
            words, dark = marker.text, not marker.school
            symbols.draw_sign(window, outline, words, (x, y), TEXT_SIZE, edge=edge, is_black=dark)
            if text := shorten(fonts.make_printable(marker.name), LONGEST_NAME):
                size, room = fonts.measure_label(text, TEXT_SIZE, bold=True), width / 2 + 2
                away = (0.0, 6.0)
                places = find_places_around_point(x, y, size, radius=room, extra_distances=away)
                names.append(MapLabel(text, words, *places, TEXT_SIZE, bold=True))
        return centres, names


@dataclass(frozen=True, eq=False)
class Sheet:
    """A paper before it is typeset; markup in its words is text."""

    template: str
    data: dict[str, Any]
    map: OverviewMap | None = None

    @property
    def facts(self) -> tuple[object, ...]:
        """All that it shows except the ground and the hotspots, see `EarlierPapers`."""
        return hash_template(__package__, self.template), self.data, self.map

    def render(self, plan: Plan) -> bytes:
        """Typeset it as a tagged PDF; equal weeks give equal bytes."""
        picture = b"" if self.map is None else self.map.draw(plan)
        return fonts.typeset_template(__package__, self.template, self.data, map_svg=picture)
