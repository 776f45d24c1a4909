"""`Brief`: what was recorded around one school since a day, against what is usual there."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.hotspots.reasons import FACTOR_WORDS
from patrolplan.hotspots.reasons import TIME_WORDS
from patrolplan.outputs.brief.counts import Around
from patrolplan.outputs.brief.counts import around_gate
from patrolplan.outputs.brief.counts import chance_of
from patrolplan.outputs.brief.counts import count_categories
from patrolplan.outputs.brief.counts import count_streets
from patrolplan.outputs.brief.counts import dispersion
from patrolplan.outputs.brief.counts import rising
from patrolplan.outputs.brief.spans import Span
from patrolplan.outputs.brief.spans import Spans
from patrolplan.outputs.brief.spans import When
from patrolplan.outputs.brief.spans import spans_of
from patrolplan.outputs.brief.spans import when_of
from patrolplan.places import describe
from patrolplan.places import street_labels

STREETS = 6
HOTSPOTS = 5
GROUPS = 4
"""Most of each that are told; one page holds them."""

CHANGED = ("new", "rising")
"""Trends of hotspots that a brief tells."""

MOSTLY = 0.5
"""A group of reports is told where at least this share of its street lies within the walk."""


@dataclass(frozen=True)
class Figure:
    """A number as it may be shown: `value` is None where it may not be, or is not held."""

    value: float | None
    least: float = 1.0
    """Numbers under this are held back, where the settings hold crime to the threshold."""

    @property
    def said(self) -> str:
        """The number in words.

        Examples
        --------
        >>> [Figure(value).said for value in (1234.2, 7.26, 0.3, 0.0, None)]
        ['1,234', '7', 'under 1', '0', 'not held']
        """
        if self.value is None:
            return f"fewer than {self.least:g}" if self.least > 1 else "not held"
        return "under 1" if 0 < self.value < 0.5 else f"{self.value:,.0f}"  # noqa: PLR2004


@dataclass(frozen=True)
class Recorded:
    """Recorded crime of one category, or on one street, within the walk.

    Parameters
    ----------
    name
        The category or the street.
    now
        Since the day asked for.
    usual
        The mean of the months before, for as long a time.
    year_before
        The same days or months a year before.
    rising
        More than chance and, where a year before is held, more than then.
    chance
        Chance of as many if nothing changed; None where it was not asked or may not be shown.
    """

    name: str
    now: Figure
    usual: Figure
    year_before: Figure
    rising: bool = False
    chance: float | None = None


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


@dataclass(frozen=True, eq=False)
class _School:
    """One school's counting: its streets, the incidents' days, and the spans."""

    area: StudyArea
    around: Around
    when: When
    spans: Spans
    counted: tuple[str, ...]

    @property
    def least(self) -> float:
        """Smallest number of crimes that may be shown."""
        privacy = self.area.settings.privacy
        return float(privacy.threshold) if privacy.threshold_for_crime else 1.0

    def figure(self, value: float | None) -> Figure:
        """A number of crimes, held back under the threshold where crime is held to it."""
        if value is None:
            return Figure(None)
        if self.least > 1 and round(value) < self.least:
            return Figure(None, self.least)
        return Figure(float(value), self.least)

    def categories(self) -> tuple[tuple[Recorded, ...], Recorded]:
        """Every category that counts, and all of them together."""
        around, when, spans = self.around, self.when, self.spans
        now, before, year = self._of(spans.now), self._of(spans.before), None
        if spans.year_before is not None:
            year = self._of(spans.year_before)
        swing = dispersion(self.area, around, when, spans, self.counted)
        chance = chance_of(now, before, spans.exposure, swing)
        up = rising(chance, now, year)
        rows = [
            self._recorded(
                name,
                now[k],
                before[k] * spans.exposure,
                None if year is None else year[k],
                rising=bool(up[k]),
                chance=float(chance[k]),
            )
            for k, name in enumerate(self.counted)
        ]
        return tuple(rows), self._total(rows, now, before, year)

    def streets(self) -> tuple[Recorded, ...]:
        """Named streets where most was recorded since; numbers of the pieces within the walk."""
        labels = street_labels(self.area.network)
        named = np.isin(labels, np.unique(self.area.network.piece_name[self.around.within]))
        named &= (labels != "") & self.around.within
        names, of_piece = np.unique(labels[named].astype(str), return_inverse=True)
        now, before, year = (
            None if span is None else np.bincount(of_piece, self._on(span)[named], len(names))
            for span in (self.spans.now, self.spans.before, self.spans.year_before)
        )
        if now is None or before is None:  # both spans always stand
            return ()
        order = np.argsort(-np.round(now, 6), kind="stable")[:STREETS]
        return tuple(
            self._recorded(
                str(names[k]),
                now[k],
                before[k] * self.spans.exposure,
                None if year is None else year[k],
            )
            for k in order
            if round(now[k]) >= max(1, self.least)
        )

    def _of(self, span: Span) -> NDArray[np.float64]:
        return count_categories(self.area, self.around, self.when, span, self.counted)

    def _on(self, span: Span) -> NDArray[np.float64]:
        return count_streets(self.area, self.around, self.when, span, self.counted)

    def _recorded(
        self,
        name: str,
        now: float,
        usual: float,
        year: float | None,
        *,
        rising: bool = False,
        chance: float | None = None,
    ) -> Recorded:
        """Numbers as they may be shown; what is told from a number held back is held back too."""
        since, mean = self.figure(now), self.figure(usual)
        shown = since.value is not None and mean.value is not None
        return Recorded(
            name=name,
            now=since,
            usual=mean,
            year_before=self.figure(year),
            rising=rising and shown,
            chance=chance if shown else None,
        )

    def _total(
        self,
        rows: Sequence[Recorded],
        now: NDArray[np.float64],
        before: NDArray[np.float64],
        year: NDArray[np.float64] | None,
    ) -> Recorded:
        """All categories; held back beside a category that is, or the rest would tell it."""
        sums = {
            "now": float(now.sum()),
            "usual": float(before.sum()) * self.spans.exposure,
            "year_before": None if year is None else float(year.sum()),
        }
        figures: dict[str, Figure] = {}
        for column, total in sums.items():
            beside: list[Figure] = [getattr(row, column) for row in rows]
            hidden = any(one.value is None and one.least > 1 for one in beside)
            figures[column] = Figure(None, np.inf) if hidden else self.figure(total)
        return Recorded(
            name="All of these",
            now=figures["now"],
            usual=figures["usual"],
            year_before=figures["year_before"],
        )


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
    school = _School(area, around, when, spans, counted)
    categories, total = school.categories()
    return Brief(
        area=area,
        urn=urn,
        school=str(area.schools["name"].iloc[row]),
        since=since,
        spans=spans,
        categories=categories,
        total=total,
        streets=school.streets(),
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
