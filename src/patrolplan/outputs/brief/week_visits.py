"""Visits of a week to a place: who comes when, or why no one does."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from patrolplan.area import StudyArea
from patrolplan.patrols.obstacles import Obstacle
from patrolplan.provenance import compute_area_provenance, compute_short_id
from patrolplan.team.week import Week
from patrolplan.team.week_file import read_week_alone
from patrolplan.team.week_records import Visitor
from patrolplan.team.where_when import list_stays
from patrolplan.times import format_time

SAME_PLACE_METRES = 30.0
"""A stop within this distance of a stretch is on it, if names may have changed since the week."""


@dataclass(frozen=True)
class WeekAnswer:
    """A week's visits to one hotspot."""

    visits: tuple[Visitor, ...]
    why: Obstacle | None
    """Why no one comes, if the week has a reason."""


@dataclass(frozen=True, eq=False)
class WeekVisits:
    """The visits of a week that was written to a folder."""

    week: Week
    is_of_data: bool
    """Whether it was planned from the current data and settings, so that names agree."""

    @property
    def days(self) -> tuple[dt.date, ...]:
        """The days of the week."""
        return self.week.days

    def find_answers(self, hotspots: gpd.GeoDataFrame) -> dict[str, WeekAnswer]:
        """The week's visits to each hotspot of a table, by name."""
        unmet = {
            row.place: row.why
            for row in self.week.demands
            if row.kind == "watched" and self.is_of_data
        }
        stays = [stay for stay in list_stays(self.week.duties) if stay.stop is not None]
        points = shapely.points(
            np.array([stay.stop.point for stay in stays if stay.stop]).reshape(-1, 2)
        )
        answers = {}
        for name, stretch in zip(hotspots["hotspot"], hotspots.geometry, strict=True):
            near = shapely.distance(points, stretch) <= SAME_PLACE_METRES
            visits = tuple(
                Visitor(stay.duty.officer, stay.duty.urn, stay.date, format_time(stay.from_minutes))
                for stay, is_near in zip(stays, near.tolist(), strict=True)
                if (name in stay.names if self.is_of_data else is_near)
            )
            answers[str(name)] = WeekAnswer(visits, None if visits else unmet.get(name))
        return answers


def read_week_visits(folder: Path, area: StudyArea) -> WeekVisits:
    """Read a week's visits from its folder."""
    week = read_week_alone(folder, area.projection)
    now = compute_short_id(compute_area_provenance(area))
    return WeekVisits(week, compute_short_id(week.created_from) == now)
