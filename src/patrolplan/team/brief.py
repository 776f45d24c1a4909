"""`Brief`: what was recorded around one school since a day, compared with a baseline."""

import datetime as dt
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import Field

from patrolplan.area import StudyArea
from patrolplan.area.study_area import find_school
from patrolplan.doors import Day, Urn, read_day, read_urn
from patrolplan.errors import InputError
from patrolplan.hotspots import crime_counts as counts
from patrolplan.hotspots.reasons import Reason, read_reasons
from patrolplan.hotspots.trends import CHANGED_TRENDS
from patrolplan.network.names import describe_positions
from patrolplan.patrols.feared_places import name_feared_places, name_place
from patrolplan.patrols.file_forms import WholeMetres, not_in_files
from patrolplan.patrols.obstacles import Obstacle
from patrolplan.patrols.plan import Tasking
from patrolplan.patrols.surroundings import PatrolHours, compute_extent, find_tasked_places
from patrolplan.patrols.tasked_places import build_tasking
from patrolplan.provenance import compute_area_provenance, compute_short_id
from patrolplan.team.people import name_member
from patrolplan.team.week import Week
from patrolplan.team.week_file import read_week_alone
from patrolplan.team.week_records import Visitor
from patrolplan.times import format_time

MIN_HELD_SHARE = 0.25  # Minimum share held of the current period around a school for a brief
MIN_SHARE_WITHIN_WALK = 0.5  # of a group's street, for it to be shown
WHOLE_DAY = PatrolHours(0.0, 0.0, 24 * 60.0)  # so that hours of any time of day are told
SAME_PLACE_METRES = 30.0  # so near a stop is on a stretch whose name may have changed


@dataclass(frozen=True)
class WeekAnswer:
    """A week's visits to one hotspot."""

    visits: tuple[Visitor, ...]
    why: Obstacle | None  # Why no one comes, if the week has a reason


@dataclass(frozen=True, eq=False)
class WeekVisits:
    """The visits of a week that was written to a folder; school staff only by their role."""

    week: Week
    area: StudyArea
    is_of_data: bool  # made from the current data and settings, so that names agree

    def find_answers(self, hotspots: gpd.GeoDataFrame) -> dict[str, WeekAnswer]:
        """The week's visits to each hotspot of a table, by name."""
        watched = [row for row in self.week.demands if row.kind == "watched" and self.is_of_data]
        unmet = {row.place: row.why for row in watched}
        stays = [stay for stay in self.week.stays if stay.stop is not None]
        places = [stay.stop.point for stay in stays if stay.stop]
        points = shapely.points(np.array(places).reshape(-1, 2))
        answers = {}
        for name, stretch in zip(hotspots["hotspot"], hotspots.geometry, strict=True):
            near = shapely.distance(points, stretch) <= SAME_PLACE_METRES
            visits = tuple(
                Visitor(
                    name_member(self.area, stay.duty.officer),
                    stay.duty.urn,
                    stay.date,
                    format_time(stay.from_minutes),
                )
                for stay, is_near in zip(stays, near.tolist(), strict=True)
                if (name in stay.names if self.is_of_data else is_near)
            )
            answers[str(name)] = WeekAnswer(visits, None if visits else unmet.get(name))
        return answers

    def find_tasked_answer(self, place_id: str) -> WeekAnswer:
        """The week's visits to a tasked place."""
        rows = [row for row in self.week.demands if (row.kind, row.place) == ("tasked", place_id)]
        named = ((one, name_member(self.area, one.officer)) for row in rows for one in row.met_by)
        visits = tuple(replace(visit, officer=name) for visit, name in named)
        return WeekAnswer(visits, next((row.why for row in rows if row.why and not visits), None))


def read_week_visits(folder: Path, area: StudyArea) -> WeekVisits:
    """Read a week's visits from its folder."""
    week = read_week_alone(folder, area.projection)
    now = compute_short_id(compute_area_provenance(area))
    return WeekVisits(week, area, compute_short_id(week.created_from) == now)


@dataclass(frozen=True)
class ChangedHotspot:
    """A hotspot within the walk that is new or rising over the last half year."""

    hotspot: str
    trend: str
    place: str
    walk_metres: WholeMetres
    reasons: tuple[Reason, ...]
    answer: WeekAnswer | None = None  # The given week's visits to it; None without a week


@dataclass(frozen=True)
class BriefTasking:
    """A place that is tasked for the school, or barred."""

    place: str
    must_visit: bool
    tasking: Tasking
    answer: WeekAnswer | None = None


@dataclass(frozen=True)
class ReportGroup:
    """A group of pupils' reports, never smaller than the threshold; its size is a band."""

    place: str
    number: str  # From how many reports to how many
    factors: tuple[str, ...]  # as the table of reports has them


@dataclass(frozen=True, eq=False)
class Brief:
    """What was recorded around one school since a day, compared with a baseline."""

    area: Annotated[StudyArea, not_in_files(None), Field(exclude=True)] = field(repr=False)
    urn: str
    school: str
    since: dt.date  # The requested day; `periods` has what was counted
    periods: counts.ComparedPeriods
    categories: tuple[counts.CrimeSummary, ...]  # Those that count and have incidents
    total: counts.CrimeSummary  # All categories together
    streets: tuple[counts.CrimeSummary, ...]  # Streets where most was recorded
    hotspots: tuple[ChangedHotspot, ...]  # New or rising hotspots, nearest first
    reports: tuple[ReportGroup, ...]  # Of all dates: a group has no date
    taskings: tuple[BriefTasking, ...] = ()  # Tasked for the school, none of the past
    held: tuple[float, float] | None = None  # Of current period and baseline; None: all
    week_days: tuple[dt.date, ...] = ()  # Days of the given week, if there is one


def build_brief(
    area: StudyArea,
    hotspots: gpd.GeoDataFrame,
    urn: Urn,
    since: Day,
    *,
    week: WeekVisits | None = None,
) -> Brief:
    """Summarise what was recorded around a school since a day, compared with a baseline.

    Recorded crime is counted on the pieces of street within the settings' radius of the gate, in
    walking distance; each snapped crime is spread over its catchment, as in the risk.

    Parameters
    ----------
    area
        The study area.
    hotspots
        Its hotspots, see `find_hotspots`.
    urn
        The school.
    since
        First day; open data has only months, so its whole month is counted.
    week
        A week whose patrols visit new and rising hotspots.

    Raises
    ------
    InputError
        When the school is not in the area, or the data ends before that day or begins after it.

    Examples
    --------
    >>> import datetime as dt
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> hotspots = pp.find_hotspots(area, pp.estimate_risk(area))
    >>> build_brief(area, hotspots, area.schools["urn"][0], dt.date(2026, 7, 1)).total.now.text
    '...'
    """
    urn, since = read_urn(urn), read_day(since, "since")
    row, periods = check_brief_request(area, urn, since)
    walking_area = counts.find_walking_area(area, row)
    incidents = area.incidents
    dates, present = counts.find_incident_dates(incidents), {*incidents["category"].unique()}
    names = tuple(name for name in area.settings.crimes.risk_categories if name in present)
    counter = counts.CrimeCounter(area, walking_area, dates, periods, names)
    shares = [counter.measure_held(one) for one in (periods.current, periods.baseline)]
    if shares[0] < MIN_HELD_SHARE:
        where = "since"
        what = f"months since {since:%Y-%m-%d}, or before, are missing around this school"
        remedy = "give another day, or add the missing months (see `patrolplan check`)"
        raise InputError.one(where, what, remedy)
    categories, total = counter.count_by_category()
    return Brief(
        area=area,
        urn=urn,
        school=str(area.schools["name"].iloc[row]),
        since=since,
        periods=periods,
        categories=categories,
        total=total,
        streets=counter.count_by_street(),
        hotspots=_find_changed_hotspots(hotspots, walking_area, week),
        reports=_find_report_groups(area, walking_area),
        taskings=_find_taskings(area, row, periods.current.last, week),
        held=None
        if counter.is_comparable
        else (shares[0] * periods.current.length, shares[1] * periods.baseline.length),
        week_days=() if week is None else week.week.days,
    )


def check_brief_request(
    area: StudyArea, urn: str, since: dt.date
) -> tuple[int, counts.ComparedPeriods]:
    """Row of the school, and the periods to compare; raises as `build_brief` does."""
    row = find_school(area, urn, where="urn")
    return row, counts.choose_periods(counts.find_incident_dates(area.incidents), since)


def _find_changed_hotspots(
    hotspots: gpd.GeoDataFrame, walking_area: counts.WalkingArea, week: WeekVisits | None
) -> tuple[ChangedHotspot, ...]:
    """New or rising hotspots whose stopping place is within the walk, nearest first."""
    table = hotspots.assign(walk=walking_area.walk_metres[hotspots["stop_piece"].to_numpy()])
    table = table[table["trend"].isin(CHANGED_TRENDS) & np.isfinite(table["walk"])]
    table = table.sort_values("walk", kind="stable")
    answers = {} if week is None else week.find_answers(table)
    columns = (table[name] for name in ("hotspot", "trend", "place", "walk", "reasons"))
    return tuple(
        ChangedHotspot(name, trend, place, walk, read_reasons(reasons), answers.get(name))
        for name, trend, place, walk, reasons in zip(*columns, strict=True)
    )


def _find_taskings(
    area: StudyArea, school: int, last: dt.date, week: WeekVisits | None
) -> tuple[BriefTasking, ...]:
    """Places tasked for a school that apply in the week, or without one after the data's end."""
    places = find_tasked_places(area, school, None, compute_extent(area), WHOLE_DAY)
    first = last if week is None else week.week.days[0]
    places = places[places["to"] >= pd.Timestamp(first)]
    if places.empty:
        return ()
    at = area.network.snap(shapely.get_coordinates(places.geometry.values))
    taskings = []
    for name, (_, row) in zip(describe_positions(area.network, at), places.iterrows(), strict=True):
        must_visit, tasking = bool(row["must_visit"]), build_tasking(row)
        answer = week.find_tasked_answer(tasking.place_id) if week and must_visit else None
        taskings.append(BriefTasking(name, must_visit, tasking, answer))
    return tuple(taskings)


def _find_report_groups(
    area: StudyArea, walking_area: counts.WalkingArea
) -> tuple[ReportGroup, ...]:
    """Groups of reports with most of their street within the walk, the largest bands first."""
    reports, network = area.reports, area.network
    if not len(reports):
        return ()
    group = reports.group_of_piece
    pieces = np.flatnonzero(group >= 0)
    metres = network.piece_metres[pieces]
    total = np.bincount(group[pieces], metres, len(reports))
    inside = np.bincount(group[pieces], metres * walking_area.within[pieces], len(reports))
    near = np.flatnonzero((total > 0) & (inside >= MIN_SHARE_WITHIN_WALK * total))
    order = near[np.argsort(-reports.counts[near], kind="stable")]
    names = name_feared_places(area)
    return tuple(
        ReportGroup(
            place=names[name_place(reports.squares[number])],
            number=f"{reports.counts[number]} to {reports.max_counts[number]}",
            factors=tuple(reports.reasons[number]),
        )
        for number in order
    )
