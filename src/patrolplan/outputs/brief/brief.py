"""`Brief`: what was recorded around one school since a day, against what is usual there."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.hotspots.reasons import FACTOR_WORDS, TIME_WORDS
from patrolplan.network.names import describe_positions
from patrolplan.outputs.brief.crime_counts import (
    CrimeCounter,
    CrimeSummary,
    WalkingArea,
    find_walking_area,
)
from patrolplan.outputs.brief.periods import (
    ComparedPeriods,
    IncidentDates,
    choose_periods,
    find_incident_dates,
)

MAX_HOTSPOTS = 5
MAX_REPORT_GROUPS = 4
"""Most of each that are told; one page holds them."""

CHANGED_TRENDS = ("new", "rising")
"""Trends of hotspots that a brief tells."""

MIN_SHARE_WITHIN_WALK = 0.5
"""A group of reports is told where at least this share of its street lies within the walk."""


@dataclass(frozen=True)
class ChangedHotspot:
    """A hotspot within the walk that is new or rising over the last half year."""

    hotspot: str
    trend: str
    place: str
    walk_metres: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class ReportGroup:
    """A group of pupils' reports, never smaller than the threshold; its size is a band."""

    place: str
    min_reports: int
    max_reports: int
    factors: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Brief:
    """What was recorded around one school since a day, against what is usual there.

    Parameters
    ----------
    area
        The study area.
    urn, school
        Whose gate it is.
    since
        The day asked for; `spans` says what was counted.
    spans
        What is compared.
    categories
        Each category that counts, as the settings name them; those nothing is held of are left
        out.
    total
        All of them together.
    streets
        Where most was recorded.
    hotspots
        New or rising, nearest first.
    reports
        Groups of pupils' reports; all that are held, since they carry no dates here.
    without_day
        Incidents of the spans' months that have no day, where days are counted.
    """

    area: StudyArea = field(repr=False)
    urn: str
    school: str
    since: dt.date
    periods: ComparedPeriods
    categories: tuple[CrimeSummary, ...]
    total: CrimeSummary
    streets: tuple[CrimeSummary, ...]
    hotspots: tuple[ChangedHotspot, ...]
    reports: tuple[ReportGroup, ...]
    without_day: int = 0

    @property
    def rising(self) -> tuple[CrimeSummary, ...]:
        """Categories that rise, by the least chance first."""
        up = [one for one in self.categories if one.rising]
        return tuple(sorted(up, key=lambda one: (one.p_value or 0.0, one.name)))


def build_brief(area: StudyArea, hotspots: gpd.GeoDataFrame, urn: str, since: dt.date) -> Brief:
    """What was recorded around a school since a day, against what is usual there.

    Recorded crime is counted on the pieces of street within the settings' radius of the gate, in
    walking distance; each snapped crime is spread over its catchment, as everywhere.

    Parameters
    ----------
    area, hotspots
        As they come from the rooms above.
    urn
        The school.
    since
        First day; open data has months only, and then its whole month is counted.

    Raises
    ------
    InputError
        When the school is not there, the data ends before that day, or holds nothing before it.

    Examples
    --------
    >>> import datetime as dt
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> hotspots = pp.find_hotspots(area, pp.estimate_risk(area))
    >>> build_brief(area, hotspots, area.schools["urn"][0], dt.date(2026, 7, 1)).total.now.text
    '...'
    """
    row, spans = check_brief_request(area, urn, since)
    around, when = find_walking_area(area, row), find_incident_dates(area.incidents)
    held = set(area.incidents["category"].unique())
    counted = tuple(name for name in area.settings.crimes.risk_categories if name in held)
    counting = CrimeCounter(area, around, when, spans, counted)
    categories, total = counting.count_by_category()
    return Brief(
        area=area,
        urn=urn,
        school=str(area.schools["name"].iloc[row]),
        since=since,
        periods=spans,
        categories=categories,
        total=total,
        streets=counting.count_by_street(),
        hotspots=_find_changed_hotspots(hotspots, around),
        reports=_find_report_groups(area, around),
        without_day=_count_without_day(area, around, when, spans, counted),
    )


def check_brief_request(area: StudyArea, urn: str, since: dt.date) -> tuple[int, ComparedPeriods]:
    """Row of the school, and the spans to compare.

    Raises
    ------
    InputError
        As for `build_brief`.
    """
    there = list(area.schools["urn"])
    if urn not in there:
        what = f"the school '{urn}' is not in the area (there: {', '.join(there[:12])})"
        where = "--school"
        raise InputError.one(where, what, "name one of them, or see `patrolplan check`")
    return there.index(urn), choose_periods(find_incident_dates(area.incidents), since)


def _find_changed_hotspots(
    hotspots: gpd.GeoDataFrame, walking_area: WalkingArea
) -> tuple[ChangedHotspot, ...]:
    """New or rising hotspots whose stopping place lies within the walk, nearest first."""
    walk = walking_area.walk_metres[hotspots["stop_piece"].to_numpy()]
    told = hotspots["trend"].isin(CHANGED_TRENDS).to_numpy() & np.isfinite(walk)
    rows = np.flatnonzero(told)[np.argsort(walk[told], kind="stable")]
    return tuple(
        ChangedHotspot(
            hotspot=str(hotspots["hotspot"].iloc[row]),
            trend=str(hotspots["trend"].iloc[row]),
            place=str(hotspots["place"].iloc[row]),
            walk_metres=float(walk[row]),
            reasons=tuple(hotspots["reasons"].iloc[row]),
        )
        for row in rows
    )


def _find_report_groups(area: StudyArea, walking_area: WalkingArea) -> tuple[ReportGroup, ...]:
    """Groups of reports most of whose street lies within the walk, the largest bands first."""
    reports, network = area.reports, area.network
    if not len(reports):
        return ()
    group = reports.group_of_piece
    held = np.flatnonzero(group >= 0)
    metres = network.piece_metres[held]
    total = np.bincount(group[held], metres, len(reports))
    inside = np.bincount(group[held], metres * walking_area.within[held], len(reports))
    near = np.flatnonzero((total > 0) & (inside >= MIN_SHARE_WITHIN_WALK * total))
    order = near[np.argsort(-reports.counts[near], kind="stable")]
    middles = [_find_middle_piece(area, held[group[held] == number]) for number in order]
    places = describe_positions(network, network.middles(middles)) if middles else []
    return tuple(
        ReportGroup(
            place=place,
            min_reports=int(reports.counts[number]),
            max_reports=int(reports.max_counts[number]),
            factors=tuple(_describe_factor(factor) for factor in reports.reasons[number]),
        )
        for number, place in zip(order, places, strict=True)
    )


def _describe_factor(factor: str) -> str:
    return FACTOR_WORDS.get(factor) or TIME_WORDS.get(factor, factor)


def _find_middle_piece(area: StudyArea, pieces: NDArray[np.int64]) -> int:
    """The piece nearest the middle of these."""
    middle = area.network.piece_middle[pieces]
    apart = np.hypot(*(middle - middle.mean(axis=0)).T)
    return int(pieces[np.argmin(apart)])


def _count_without_day(
    area: StudyArea,
    walking_area: WalkingArea,
    dates: IncidentDates,
    periods: ComparedPeriods,
    categories: Sequence[str],
) -> int:
    """Incidents around the school whose month `now` cuts, and whose day is not known."""
    if not periods.by_day:
        return 0
    touched = (dates.end > periods.current.start.to_datetime64()) & ~dates.is_inside(
        periods.current
    )
    kind = area.incidents["category"].isin(categories).to_numpy()
    return round(
        float(walking_area.catchment_shares[area.incident_catchment[touched & kind]].sum())
    )
