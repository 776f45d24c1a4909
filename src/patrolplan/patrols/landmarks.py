"""Landmarks at a turn that are on the map: bus stops, stations, parks, water, railways.

Never a shop, a house or anything else that a map of the patrol does not show.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self, get_args

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.patrols.legs import Landmark, LandmarkKind

LANDMARK_METRES = 30.0  # maximum distance of a landmark from the turn, in a straight line

NAMED_KINDS = frozenset({"park", "water", "station"})
"""Kinds that need a name to be useful: a strip of grass along a road is a park, too."""

NAMELESS_KINDS = frozenset({"railway"})  # kinds whose name is not on the map


@dataclass(frozen=True, eq=False)
class Landmarks:
    """All (m,) possible landmarks in an area."""

    kinds: NDArray[np.object_]
    names: NDArray[np.object_]  # empty without a name
    shapes: NDArray[np.object_]  # points, lines or areas, in metres

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

    def find_nearest(self, xy: NDArray[np.float64]) -> list[Landmark | None]:
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
