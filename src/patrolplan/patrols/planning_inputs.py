"""The inputs for planning every school of an area; they are sent to worker processes once."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import geopandas as gpd

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, resolve_window
from patrolplan.arrays import Objects
from patrolplan.network.names import label_streets
from patrolplan.patrols.demands import find_feared_places
from patrolplan.patrols.directions import Landmarks
from patrolplan.patrols.prize import SchoolPrizes, build_prizes
from patrolplan.risk.surface import Risk

HELD_INPUTS = 4  # cached inputs: about as many as a week has windows and modes


@dataclass(frozen=True, eq=False)
class PlanningInputs:
    """Everything from which schools are planned one after the other."""

    area: StudyArea  # see `StudyArea.strip_for_workers`
    risk: Risk
    hotspots: gpd.GeoDataFrame
    piece_labels: Objects  # (w,) label of each piece of the area's walkable network
    window: Window
    date: dt.date | None = None  # day of the patrols; None: all tasked places count
    prizes: dict[int, SchoolPrizes] = field(default_factory=dict)  # by row of schools
    feared: frozenset[tuple[str, str]] = frozenset()  # URN, hotspot in a feared square
    landmarks: Landmarks | None = None  # landmarks that directions may name at a turn
    for_week: bool = True  # whether variants are complete, with times, for a week to draw from

    @cached_property
    def hotspot_names(self) -> list[str]:
        """Names of the rows of `hotspots`, as a list, where lookups are faster than in a table."""
        return [str(name) for name in self.hotspots["hotspot"]]

    @staticmethod
    def from_area(
        area: StudyArea,
        risk: Risk,
        hotspots: gpd.GeoDataFrame,
        window: Window | None = None,
        date: dt.date | None = None,
        *,
        rows: Iterable[int] | None = None,
    ) -> "PlanningInputs":
        """The inputs of the schools in some rows, by default all, kept for a week's plans."""
        window = window or resolve_window(area.settings.patrol)
        chosen = list(range(len(area.schools)) if rows is None else rows)
        reuse, walkable, features = area.catchments.reuse, area.network.walkable, area.features

        def build() -> PlanningInputs:
            urns = area.schools["urn"].iloc[chosen]
            places = find_feared_places(area, risk, hotspots, urns)
            feared = frozenset(pair for place in places for pair in place.nearest)
            labels = reuse("labels", (walkable,), lambda: label_streets(walkable))
            prizes = build_prizes(area, risk, hotspots, window, chosen)
            signs = reuse("landmarks", (features,), lambda: Landmarks.from_features(features))
            given = area.strip_for_workers(), risk, hotspots, labels
            return PlanningInputs(*given, window, date, prizes, feared, signs)

        made_from = (repr((window, date, chosen)), area, risk, hotspots)
        return reuse("planning inputs", made_from, build, hold=HELD_INPUTS)
