"""A window on the streets, as every paper has it: ground, streets, and names that fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.network import StreetNetwork
from patrolplan.outputs.cartography import basemap, labels, place_names, symbols
from patrolplan.outputs.cartography.labels import Boxes, MapLabel, PlacedLabel
from patrolplan.outputs.cartography.page import Window
from patrolplan.outputs.cartography.viewport import Viewport


@dataclass(frozen=True, eq=False)
class StreetMap:
    """Streets and features of an area in a window; what a paper adds is drawn over it."""

    viewport: Viewport
    network: StreetNetwork
    all_features: gpd.GeoDataFrame

    @cached_property
    def features(self) -> gpd.GeoDataFrame:
        """Features in the window."""
        return basemap.select_visible_features(self.all_features, self.viewport)

    @cached_property
    def pieces(self) -> NDArray[np.int64]:
        """(n,) pieces of street in the window."""
        return basemap.find_visible_pieces(self.network, self.viewport)

    @cached_property
    def streets(self) -> list[place_names.ShownStreet]:
        """Streets in the window that have a name."""
        return place_names.list_streets(self.network, self.pieces, self.viewport)

    def draw(self, window: Window) -> None:
        """Draw ground, streets and border."""
        basemap.draw_ground(window, self.features, self.viewport)
        basemap.draw_streets(window, self.network, self.pieces, self.viewport)
        symbols.draw_border(window, *self.viewport.size)

    def write_names(
        self,
        window: Window,
        first: Sequence[MapLabel] = (),
        *,
        occupied: Boxes,
        avoided: BaseGeometry | None = None,
    ) -> list[PlacedLabel]:
        """Write these names, then those of streets, parks and water, wherever they fit."""
        wanted = [
            *first,
            *place_names.build_street_labels(self.streets),
            *place_names.build_area_labels(self.features, self.viewport),
        ]
        placed = labels.place_labels(wanted, self.viewport.size, occupied=occupied, avoided=avoided)
        for label, box in placed:
            place_names.draw_label(window, label, box)
        return placed
