"""Hotspots that a force designates: which of them have a street of the area, and which pieces."""

import geopandas as gpd

from patrolplan.area.loading import Loading
from patrolplan.area.study_area import StudyArea
from patrolplan.arrays import Ints
from patrolplan.network.shapes import find_pieces_of_shapes

SOURCE = "designated"
NO_STREET = "without a street of the area that an earlier one does not have"


def select_designated(a: Loading) -> gpd.GeoDataFrame | None:
    """Those with their own street in the area; None where no table is given."""
    # If none of them has a street, most likely the CRS of the file is wrong.
    designated = a.tables.designated
    if designated is None:
        return None
    pieces = find_pieces_of_shapes(a.network, designated.geometry.to_numpy())
    has_street = [len(one) > 0 for one in pieces]
    chosen = designated[has_street].reset_index(drop=True)
    a.left_out.add(SOURCE, NO_STREET, len(designated) - len(chosen))
    if chosen.empty:
        what = f"none of the {len(designated)} polygons has a street of the area"
        remedy = "check their CRS, and that they overlap the area"
        a.problems.add("[sources] designated", what, remedy)
    return chosen


def find_designated_pieces(area: StudyArea) -> list[Ints]:
    """The pieces of street of each designated hotspot; where two overlap, of the earlier row."""
    if area.designated is None:
        return []
    return find_pieces_of_shapes(area.network, area.designated.geometry.to_numpy())
