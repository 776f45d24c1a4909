"""The places where pupils feel unsafe, and their names: one rule for all papers and pages."""

from collections.abc import Iterable, Sequence

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.square_names import name_squares
from patrolplan.crs import locate_in_squares
from patrolplan.hotspots.reasons import Reason, ReportsReason
from patrolplan.outputs.reason_words import join_words
from patrolplan.outputs.wording import format_grid_reference
from patrolplan.patrols.feared_places import name_place

NOT_FEARED, REPORTED, CARRIED = 0, 1, 2
"""Hotspots without a group of reports; with one; and those due more to reports than to crime."""


def is_feared(reasons: Iterable[Reason]) -> bool:
    """Whether a group of pupils reports that they feel unsafe at a place."""
    return any(isinstance(reason, ReportsReason) for reason in reasons)


def classify_fear(hotspots: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """(h,) `NOT_FEARED`, `REPORTED` or `CARRIED` for each hotspot."""
    reported = np.array([is_feared(reasons) for reasons in hotspots["reasons"]], dtype=bool)
    return np.where(hotspots["mainly_reports"], CARRIED, np.where(reported, REPORTED, NOT_FEARED))


def name_feared_places(area: StudyArea) -> dict[str, str]:
    """Where each square with a group of reports is, in words, by `FearedPlace.name`."""
    squares, crs = area.reports.squares, area.settings.area.crs
    centres = locate_in_squares(squares, 0.5, 0.5, crs)
    streets = name_squares(area.network, squares)
    return {
        name_place(square): describe_square(names, *centre, crs=crs)
        for square, names, centre in zip(squares, streets, centres.tolist(), strict=True)
    }


def describe_square(streets: Sequence[str], x: float, y: float, *, crs: str) -> str:
    """A square by its streets, or if none has a name, by the grid reference of its middle."""
    return f"around {join_words(streets) or format_grid_reference(x, y, crs=crs)}"
