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
from patrolplan.network.names import describe
from patrolplan.outputs.brief.crime_counts import Around, Counting, Recorded, around_gate
from patrolplan.outputs.brief.periods import Spans, When, spans_of, when_of

HOTSPOTS = 5
GROUPS = 4
"""Most of each that are told; one page holds them."""

CHANGED = ("new", "rising")
"""Trends of hotspots that a brief tells."""

MOSTLY = 0.5
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
    at_least: int
    at_most: int
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
    spans: Spans
    categories: tuple[Recorded, ...]
    total: Recorded
    streets: tuple[Recorded, ...]
    hotspots: tuple[ChangedHotspot, ...]
    reports: tuple[ReportGroup, ...]
    without_day: int = 0

    @property
    def rising(self) -> tuple[Recorded, ...]:
        """Categories that rise, by the least chance first."""
        up = [one for one in self.categories if one.rising]
        return tuple(sorted(up, key=lambda one: (one.chance or 0.0, one.name)))


def brief_of(area: StudyArea, hotspots: gpd.GeoDataFrame, urn: str, since: dt.date) -> Brief:
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
    >>> brief_of(area, hotspots, area.schools["urn"][0], dt.date(2026, 7, 1)).total.now.said
    '...'
    """
    row, spans = check_asked(area, urn, since)
    around, when = around_gate(area, row), when_of(area.incidents)
    held = set(area.incidents["category"].unique())
    counted = tuple(name for name in area.settings.crimes.counted if name in held)
    counting = Counting(area, around, when, spans, counted)
    categories, total = counting.categories()
    return Brief(
        area=area,
        urn=urn,
        school=str(area.schools["name"].iloc[row]),
        since=since,
        spans=spans,
        categories=categories,
        total=total,
        streets=counting.streets(),
        hotspots=_changed(hotspots, around),
        reports=_report_groups(area, around),
        without_day=_without_day(area, around, when, spans, counted),
    )


def check_asked(area: StudyArea, urn: str, since: dt.date) -> tuple[int, Spans]:
    """Row of the school, and the spans to compare.

    Raises
    ------
    InputError
        As for `brief_of`.
    """
    there = list(area.schools["urn"])
    if urn not in there:
        what = f"the school '{urn}' is not in the area (there: {', '.join(there[:12])})"
        where = "--school"
        raise InputError.one(where, what, "name one of them, or see `patrolplan check`")
    return there.index(urn), spans_of(when_of(area.incidents), since)


def _changed(hotspots: gpd.GeoDataFrame, around: Around) -> tuple[ChangedHotspot, ...]:
    """New or rising hotspots whose stopping place lies within the walk, nearest first."""
    walk = around.metres[hotspots["stop_piece"].to_numpy()]
    told = hotspots["trend"].isin(CHANGED).to_numpy() & np.isfinite(walk)
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


def _report_groups(area: StudyArea, around: Around) -> tuple[ReportGroup, ...]:
    """Groups of reports most of whose street lies within the walk, the largest bands first."""
    reports, network = area.reports, area.network
    if not len(reports):
        return ()
    group = reports.group_of_piece
    held = np.flatnonzero(group >= 0)
    metres = network.piece_metres[held]
    total = np.bincount(group[held], metres, len(reports))
    inside = np.bincount(group[held], metres * around.within[held], len(reports))
    near = np.flatnonzero((total > 0) & (inside >= MOSTLY * total))
    order = near[np.argsort(-reports.counts[near], kind="stable")]
    middles = [_middle_piece(area, held[group[held] == number]) for number in order]
    places = describe(network, network.middles(middles)) if middles else []
    return tuple(
        ReportGroup(
            place=place,
            at_least=int(reports.counts[number]),
            at_most=int(reports.most[number]),
            factors=tuple(_factor(factor) for factor in reports.reasons[number]),
        )
        for number, place in zip(order, places, strict=True)
    )


def _factor(factor: str) -> str:
    return FACTOR_WORDS.get(factor) or TIME_WORDS.get(factor, factor)


def _middle_piece(area: StudyArea, pieces: NDArray[np.int64]) -> int:
    """The piece nearest the middle of these."""
    middle = area.network.piece_middle[pieces]
    apart = np.hypot(*(middle - middle.mean(axis=0)).T)
    return int(pieces[np.argmin(apart)])


def _without_day(
    area: StudyArea, around: Around, when: When, spans: Spans, counted: Sequence[str]
) -> int:
    """Incidents around the school whose month `now` cuts, and whose day is not known."""
    if not spans.by_day:
        return 0
    touched = (when.end > spans.now.start.to_datetime64()) & ~when.inside(spans.now)
    kind = area.incidents["category"].isin(counted).to_numpy()
    return round(float(around.share[area.incident_catchment[touched & kind]].sum()))
