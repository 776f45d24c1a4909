"""Why a place is a hotspot, as data: `patrolplan.outputs.reason_words` puts it into words.

Each kind of reason is declared once: pydantic reads the annotations to write it into `week.json`
and to read it back.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, TypeAdapter, with_config

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import weigh_minutes
from patrolplan.area.school_days import SATURDAY
from patrolplan.hotspots.carriers import Carrier, WayPast, find_carriers, find_ways_past
from patrolplan.hotspots.clusters import compute_catchment_shares, flatten_stretches, sum_by_stretch
from patrolplan.hotspots.significance import WELL_PLACED_SHARE
from patrolplan.hotspots.trends import find_held_months
from patrolplan.privacy import ReportGroups
from patrolplan.risk.history import History, get_harm_days
from patrolplan.risk.report_voice import (
    TIME_BANDS,
    TimeBand,
    find_groups_of_bands,
    find_latest_term,
    list_bands,
)
from patrolplan.risk.surface import Risk, get_history
from patrolplan.times import TIME_OF_DAY, Season, format_time

REASON_MONTHS = 12
DAY_MINUTES = 24 * 60
MIN_NAMED_SHARE = 0.1
"""A category is named when it makes up at least this share of the stretch's recorded harm."""

MAX_NAMED = 3
"""Maximum number of crime categories, and of factors of pupils' reports, that a reason names."""

Days = Literal["", "weekdays", "weekends"]
Change = Literal["new", "rising", "fading"]
"""Trends that are a reason; "persistent" and "too few to tell" are not."""

_RECORD = ConfigDict(extra="ignore", strict=False)
_TimeOfDay = Annotated[str, Field(pattern=f"^{TIME_OF_DAY.pattern}$")]
_SPAN = f"{TIME_OF_DAY.pattern}-{TIME_OF_DAY.pattern}"
_Hours = Annotated[str, Field(pattern=f"^({_SPAN})?$")]  # HH:MM-HH:MM
_Month = Annotated[str, Field(pattern="^[0-9]{4}-(0[1-9]|1[0-2])$")]  # YYYY-MM
_Whole = Annotated[int, Field(ge=0, le=10**9, strict=True)]


@with_config(_RECORD)
@dataclass(frozen=True, kw_only=True)
class CrimeReason:
    """What was recorded on the stretch."""

    kind: Literal["recorded_crime"] = "recorded_crime"
    incidents: _Whole | None  # expected, rounded; None where it is below the threshold for crime
    fewer_than: _Whole | None = None  # that threshold, where the number is not given
    # Of those with a known time, how many were in `hours`; None: not known, or not shown.
    in_hours: _Whole | None = None
    timed: _Whole | None = None  # how many have a known time; None if all have, or none
    hours: _Hours = ""  # those of the window; empty where times are not known or not shown
    days: Days = ""  # the days that count in those hours; empty: all
    months: _Whole  # number of months that are counted...
    held: _Whole | None = None  # ...how many of them are in the data; None if all are...
    last_month: _Month  # ...up to this one
    categories: tuple[str, ...]  # as in the data, most harm (in those hours, if any) first


@with_config(_RECORD)
@dataclass(frozen=True, kw_only=True)
class ReportsReason:
    """What pupils named in a group of reports on the stretch."""

    kind: Literal["reports"] = "reports"
    time_band: TimeBand | None  # None where the group has no common time of day
    factors: tuple[str, ...]  # as in the table of reports, the most frequent first
    reports: _Whole | None = None  # of the group as they may be shown, rounded down...
    max_reports: _Whole | None = None  # ...and how many there may be; None in older files
    term: Season | None = None  # latest one with enough of them; None where none is shown...
    year: Annotated[int, Field(ge=1900, le=9999, strict=True)] | None = None  # ...and its year
    earlier: bool = False  # whether some were made in other terms, most of them earlier ones


@with_config(_RECORD)
@dataclass(frozen=True, kw_only=True)
class TrendReason:
    """Recorded crime has changed by more than chance would."""

    kind: Literal["trend"] = "trend"
    trend: Change


@with_config(_RECORD)
@dataclass(frozen=True, kw_only=True)
class UnsurePlaceReason:
    """The stretch may lie a street or two away: it moves when the snap points are jittered."""

    kind: Literal["unsure_place"] = "unsure_place"


@with_config(_RECORD)
@dataclass(frozen=True, kw_only=True)
class WayReason:
    """Many pupils of a school pass the stretch on their way, as modelled."""

    kind: Literal["way_home"] = "way_home"
    school: str  # its name
    share: Annotated[float, Field(ge=0.05, le=1)]  # of the pupils on foot, in steps of 5 %
    start: _TimeOfDay  # when most of them pass...
    end: _TimeOfDay
    to_school: bool = False  # on the way to school, not home


@with_config(_RECORD)
@dataclass(frozen=True, kw_only=True)
class PassingReason:
    """Pupils of the patrol's own school pass a stop while it lasts, as modelled."""

    kind: Literal["passing"] = "passing"
    share: Annotated[float, Field(ge=0.05, le=1)]  # of the pupils on foot, in steps of 5 %
    until: _TimeOfDay  # when nearly all of these have passed


@with_config(_RECORD)
@dataclass(frozen=True, kw_only=True)
class DesignatedReason:
    """The force designates the place, whatever was recorded there."""

    kind: Literal["designated"] = "designated"
    place_id: str  # the force's own id of it
    name: str = ""  # what the force calls it, in words
    days: tuple[str, ...] = ()  # on which it is to be patrolled, mon to sun; empty: every day
    hours: _Hours = ""  # empty: at any time


Reason = (
    CrimeReason
    | ReportsReason
    | TrendReason
    | UnsurePlaceReason
    | WayReason
    | PassingReason
    | DesignatedReason
)


_REASONS = TypeAdapter(tuple[Reason, ...])


def write_reasons(reasons: Sequence[Reason]) -> str:
    """Reasons as JSON: every kind of file can hold text."""
    return _REASONS.dump_json(tuple(reasons)).decode()


def read_reasons(text: str) -> tuple[Reason, ...]:
    """Reasons from their JSON."""
    return _REASONS.validate_json(text)


def list_reasons(hotspots: pd.DataFrame) -> list[tuple[Reason, ...]]:
    """(h,) the reasons of each hotspot."""
    return list(map(read_reasons, hotspots["reasons"]))


def find_reasons(
    area: StudyArea, risk: Risk, stretches: list[NDArray[np.int64]], certainty: pd.DataFrame
) -> list[list[Reason]]:
    """(h,) what each stretch is based on in the risk's window, the factor that makes it first."""
    if not stretches:
        return []
    hours = None  # first minute of the window at any school, and the one after its last
    if risk.window is not None:
        minutes, _ = weigh_minutes(risk.window, risk.window.list_bells(area.schools))
        hours = int(minutes[0]), int(minutes[-1]) + 1
    bands = TIME_BANDS if hours is None else list_bands(*hours)
    parts: dict[Carrier, Sequence[Sequence[Reason]]] = {
        "recorded": _find_crime_reasons(area, risk, stretches, hours if area.times_known else None),
        "feared": _find_reports_reasons(area, risk, stretches, bands),
        "way": _find_way_reasons(area, risk, stretches),
    }
    changes = _find_changes(certainty)
    found = []
    for row, carrier in enumerate(find_carriers(risk, stretches)):
        order = [carrier, *(name for name in parts if name != carrier)]
        found.append([reason for name in order for reason in parts[name][row]] + changes[row])
    return found


def _find_way_reasons(
    area: StudyArea, risk: Risk, stretches: list[NDArray[np.int64]]
) -> list[list[WayReason]]:
    """The school with the highest share of pupils who pass each stretch, if that may be shown."""
    names = dict(zip(area.schools["urn"], area.schools["name"], strict=True))

    def explain(past: WayPast) -> WayReason:
        start, end = format_time(past.start), format_time(past.end)
        school, share, to_school = str(names[past.urn]), past.share, past.to_school
        return WayReason(school=school, share=share, start=start, end=end, to_school=to_school)

    return [[explain(one)] if one else [] for one in find_ways_past(area, risk, stretches)]


def _find_changes(certainty: pd.DataFrame) -> list[list[Reason]]:
    """A trend that is more than chance, and a place that is uncertain."""
    reasons: list[list[Reason]] = []
    columns = ["mainly_reports", "trend", "survived"]
    for mainly_reports, trend, survived in certainty[columns].itertuples(index=False, name=None):
        change = [TrendReason(trend=trend)] if trend in get_args(Change) else []
        place = [UnsurePlaceReason()] if survived < WELL_PLACED_SHARE else []
        reasons.append([] if mainly_reports else [*change, *place])
    return reasons


@dataclass(frozen=True, eq=False)
class RecentCrimes:
    """Recorded crime of the last twelve months on stretches, of the k categories that count."""

    categories: list[str]
    expected: NDArray[np.float64]  # (h, k) number on each stretch
    timed: NDArray[np.float64]  # (h, k) of these, with a known time of day
    in_hours: NDArray[np.float64]  # (h, k) of these, in the hours asked for
    held_months: NDArray[np.float64]  # (h,) how many of the months are held there
    months: int  # how many are counted


def count_recent_crimes(
    area: StudyArea,
    history: History,
    stretches: list[NDArray[np.int64]],
    hours: tuple[int, int] = (0, DAY_MINUTES),
    days: Days = "",
) -> RecentCrimes:
    """What was recorded in the last twelve months on each stretch, and how much of it when.

    `hours`: Minutes after midnight; those beyond midnight belong to the day before. Times that are
    not known, or only within a span, are in no hours. Where the threshold applies to crime, only
    categories with enough crime at a place count.
    """
    fewest = area.settings.privacy.min_crime_count
    categories, months = sorted(history.targets), min(REASON_MONTHS, len(history))
    column = [history.targets.index(name) for name in categories]
    recent = history.count_last(months)[:, column]
    enough = recent >= fewest
    incidents = area.incidents
    used = (
        incidents["timed"].to_numpy() & (incidents["month"] >= history.months[-months]).to_numpy()
    )
    category = pd.Index(categories).get_indexer(incidents["category"].astype(str))
    used &= category >= 0
    start = pd.DatetimeIndex(incidents["occurred_at"]) - pd.Timedelta(minutes=hours[0])
    inside = used & (start.hour * 60 + start.minute < hours[1] - hours[0])
    if days:
        inside &= (start.day_of_week >= SATURDAY) == (days == "weekends")
    share = compute_catchment_shares(area.catchments, stretches)

    def count(which: NDArray[np.bool_]) -> NDArray[np.float64]:
        counts = np.zeros(recent.shape)
        np.add.at(counts, (area.incident_catchment[which], category[which]), 1.0)
        return np.asarray(share @ (counts * enough))

    held = find_held_months(history, share, months).sum(axis=0)
    numbers = share @ (recent * enough), count(used), count(inside)
    return RecentCrimes(categories, *numbers, held, months)


def _find_crime_reasons(
    area: StudyArea, risk: Risk, stretches: list[NDArray[np.int64]], window: tuple[int, int] | None
) -> list[list[CrimeReason]]:
    """Recorded crime of the last twelve months that falls to each stretch, by category."""
    fewest = area.settings.privacy.min_crime_count
    days: Days = "" if risk.day is None else "weekends" if risk.day == "weekend" else "weekdays"
    history = get_history(area, risk)
    recent = count_recent_crimes(area, history, stretches, window or (0, DAY_MINUTES), days)
    harm_days = get_harm_days(recent.categories, area.settings.risk.harm)
    rows = zip(recent.expected, recent.timed, recent.in_hours, recent.held_months, strict=True)
    reasons: list[list[CrimeReason]] = []
    for every, with_time, inside, held_months in rows:
        incidents, held = round(every.sum()), round(held_months)
        timed = min(round(with_time.sum()), incidents)
        in_hours = min(round(inside.sum()), timed)
        is_shown = incidents >= fewest or fewest <= 1
        # The hours are not given where a number under the threshold would follow from them.
        parts = (in_hours, timed - in_hours, incidents - timed)
        has_hours = window is not None and timed > 0 and is_shown
        has_hours &= fewest <= 1 or all(part == 0 or part >= fewest for part in parts)
        harm = (inside if has_hours and in_hours and fewest <= 1 else every) * harm_days
        named = np.argsort(-harm, kind="stable")[:MAX_NAMED]
        named = named[(harm[named] > 0) & (harm[named] >= MIN_NAMED_SHARE * harm.sum())]
        reason = CrimeReason(
            incidents=incidents if is_shown else None,
            fewer_than=None if is_shown else fewest,
            months=recent.months,
            held=held if held < recent.months else None,
            last_month=f"{risk.months[1]:%Y-%m}",
            categories=tuple(recent.categories[number] for number in named),
        )
        if window is not None and has_hours:
            reason = replace(
                reason,
                in_hours=in_hours,
                timed=timed if timed < incidents else None,
                hours="-".join(format_time(minute) for minute in window),
                days=days,
            )
        reasons.append([reason] if len(named) else [])
    return reasons


def _find_reports_reasons(
    area: StudyArea, risk: Risk, stretches: list[NDArray[np.int64]], bands: Collection[TimeBand]
) -> list[list[ReportsReason]]:
    """What pupils named in the widest group of some bands, if more than length explains."""
    metres, group = area.network.piece_metres, area.reports.group_of_piece
    baseline = sum_by_stretch(metres, stretches) / metres.sum()
    feared = sum_by_stretch(risk.reports, stretches) > baseline
    # The last entry is for pieces without a group.
    counts = np.append(find_groups_of_bands(area.reports, bands), False)
    widest = _find_widest_group(np.where(counts[group], group, -1), metres, stretches)
    reasons = _build_reports_reasons(area.reports, bands)
    return [[reasons[row]] if row >= 0 else [] for row in np.where(feared, widest, -1)]


def _find_widest_group(
    group: NDArray[np.int64], metres: NDArray[np.float64], stretches: list[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """(h,) the group of reports with most street on each stretch, the first in a tie; -1: none."""
    pieces, size = flatten_stretches(stretches)
    row = np.repeat(np.arange(len(size)), size)[group[pieces] >= 0]
    pieces = pieces[group[pieces] >= 0]
    groups = int(group.max(initial=0)) + 1
    pairs, pair = np.unique(row * groups + group[pieces], return_inverse=True)
    length = np.bincount(pair, metres[pieces], minlength=len(pairs))
    order = np.lexsort((pairs, -length, pairs // groups))
    rows, first = np.unique(pairs[order] // groups, return_index=True)
    widest = np.full(len(size), -1)
    widest[rows] = pairs[order][first] % groups
    return widest


def _build_reports_reasons(
    groups: ReportGroups, bands: Collection[TimeBand]
) -> list[ReportsReason]:
    """(g,) the reason of each group: what enough of it gave, how many they are, and since when."""
    reasons = []
    for row, (names, term) in enumerate(zip(groups.reasons, find_latest_term(groups), strict=True)):
        given = [band for name in names for band in TIME_BANDS if band == name and band in bands]
        factors = [name for name in names if name not in TIME_BANDS]
        count = int(groups.counts[row])
        reason = ReportsReason(
            time_band=given[0] if given else None,
            factors=tuple(factors[:MAX_NAMED]),
            reports=count,
            max_reports=int(groups.max_counts[row]),
            term=None if term is None else term.season,
            year=None if term is None else term.year,
            earlier=term is not None and int(groups.by_term[term][row]) < count,
        )
        reasons.append(reason)
    return reasons
