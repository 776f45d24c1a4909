"""What a school is owed after a survey: its most feared places, and what was done about each.

Answers count days and never name them: named days would let others foresee when no officer is
there. How many pupils a survey had is not known here, so a place is compared by its share: of a
term's reports on the squares around a school, how many lie in this square. The true share changes
with who takes part, too: readers must be warned of that in words.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from patrolplan.area import StudyArea
from patrolplan.arrays import Bools
from patrolplan.network.graph import compute_walk_metres
from patrolplan.patrols.feared_places import FearedPlace, find_feared_places
from patrolplan.patrols.obstacles import Obstacle
from patrolplan.patrols.planner import get_planner
from patrolplan.privacy import ReportGroups
from patrolplan.risk.report_voice import TIME_BANDS, TimeBand, find_latest_term
from patrolplan.team.ledger.monthly_return import RecentPresence
from patrolplan.team.stays import group_stays
from patrolplan.team.week import Week
from patrolplan.times import SchoolTerm

HALF_WIDTH_95 = 1.959964  # in standard errors: 95 of 100 surveys' intervals hold the difference
WELL_KNOWN = 4  # multiple of the threshold from which rounding hides a fifth of a square at most
MIN_WELL_KNOWN = 2  # fewer well-known squares are too few to compare with
MAX_FACTORS = 3  # factors of a place that an answer names

SurveyCounts = tuple[tuple[int, int], tuple[int, int]]
"""Lowest and highest true count of a term's reports: in the square, and in the others near."""


@dataclass(frozen=True)
class SurveyChange:
    """How a square's share of the reports differs between two terms."""

    before: SchoolTerm
    latest: SchoolTerm
    low: float
    """Ends of the 95 % interval of the latest share less the one before, between -1 and 1..."""
    high: float

    @property
    def direction(self) -> Literal["less", "more", "unclear"]:
        """Whether pupils named it less or more often; unclear where the interval holds 0."""
        if self.high < 0:
            return "less"
        return "more" if self.low > 0 else "unclear"


def measure_change(groups: ReportGroups, group: int, among: Bools) -> SurveyChange | None:
    """The change of a group's share between the latest two terms that show reports."""
    # None where fewer than two terms show reports, or no other group `among` (g,) those near. It is
    # compared with the well-known ones, unless they are few: rounding hides up to 4 reports
    # of each square and term, which would be most of what small squares have. The choice looks at
    # no single term, so it favours none.
    others = among & (np.arange(len(groups)) != group)
    well_known = others & (groups.counts >= WELL_KNOWN * groups.threshold)
    if np.count_nonzero(well_known) >= MIN_WELL_KNOWN:
        others = well_known
    shown = others | (np.arange(len(groups)) == group)
    terms = sorted(term for term, counts in groups.by_term.items() if counts[shown].any())[-2:]
    is_named = any(groups.by_term[term][group] for term in terms)
    if len(terms) < 2 or not others.any() or not is_named:  # noqa: PLR2004 - a change needs two
        return None
    earlier, later = (_bound_counts(groups, term, group, others) for term in terms)
    return SurveyChange(terms[0], terms[1], *compute_interval_of_change(earlier, later))


def _bound_counts(groups: ReportGroups, term: SchoolTerm, group: int, rest: Bools) -> SurveyCounts:
    # A group of n to m reports in all that shows k in the other terms has at most m - k in this
    # one.
    low = groups.by_term[term]
    in_other_terms = sum(groups.by_term.values()) - low
    high = np.minimum(low - groups.counts, -in_other_terms) + groups.max_counts
    here = int(low[group]), int(high[group])
    return here, (int(low[rest].sum()), int(high[rest].sum()))


def compute_interval_of_change(before: SurveyCounts, latest: SurveyCounts) -> tuple[float, float]:
    """Ends of the 95 % interval of the difference of shares, over all counts within the bounds."""
    # Which pupils took part by chance is in the interval of Newcombe (1998, "Interval estimation
    # for the difference between independent proportions", Statistics in Medicine 17: 873-890,
    # method 10), made of the two score intervals of Wilson (1927). What was rounded away is held by
    # the union of those of all true counts that agree with the shown ones, found at two corners:
    # add a report in the square, or take one away elsewhere, and the share and both ends of
    # Wilson's interval rise or stay. The lower end, q - p - sqrt((q - l)^2 + (u - p)^2) with l the
    # lower end of q's interval and u the upper end of p's, rises with q and l, since its slope is
    # at least the lower of theirs, and falls with p and u. So it is lowest with as few reports in
    # the square in the later term and as many elsewhere as possible, and the other way round in the
    # earlier term; the upper end is its mirror image.
    most = [(here[1], elsewhere[0]) for here, elsewhere in (before, latest)]
    fewest = [(here[0], elsewhere[1]) for here, elsewhere in (before, latest)]
    low, _ = compute_newcombe_interval(most[0], fewest[1])
    _, high = compute_newcombe_interval(fewest[0], most[1])
    return low, high


def compute_newcombe_interval(
    before: tuple[int, int], latest: tuple[int, int]
) -> tuple[float, float]:
    """Newcombe's interval of the latest share less the one before, from reports here and not."""
    (p, p_low, p_high), (q, q_low, q_high) = map(_compute_score_interval, (before, latest))
    low = q - p - math.hypot(q - q_low, p_high - p)
    return low, q - p + math.hypot(q_high - q, p - p_low)


def _compute_score_interval(reports: tuple[int, int]) -> tuple[float, float, float]:
    """The share of reports that are here, and the ends of Wilson's interval of it."""
    here, total, square = reports[0], sum(reports), HALF_WIDTH_95**2
    middle = (here + square / 2) / (total + square)
    spread = math.sqrt(here * reports[1] / total + square / 4)
    half = HALF_WIDTH_95 * spread / (total + square)
    return here / total, max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class WhatPupilsGave:
    """A group of reports as it may be shown."""

    reports: int  # suppressed and rounded down...
    max_reports: int  # ...and how many there may be
    latest: SchoolTerm | None  # the latest school term that shows reports
    is_spread: bool  # whether some were made in other terms
    # What enough of them gave, most first: factors of place and behaviour, and times of day.
    factors: tuple[str, ...]
    bands: tuple[TimeBand, ...]


@dataclass(frozen=True)
class Promise:
    """What a week does about a place."""

    days: int  # days on which a patrol stops there...
    of_days: int  # ...of so many in the week
    was_last_week: bool
    why_not: Obstacle | None  # None where a patrol stops there, or if not known


@dataclass(frozen=True)
class PlaceAnswer:
    """A feared place near a school, and what was done about it."""

    place: FearedPlace
    gave: WhatPupilsGave
    days_before: int | None
    """Days of the weeks before on which an officer was there; None: not known."""
    weeks_recorded: int  # number of those weeks that have any record
    promise: Promise
    change: SurveyChange | None  # since the last survey; None where surveys cannot be compared


def find_school_answers(
    week: Week, presence: RecentPresence | None, urns: Sequence[str]
) -> dict[str, tuple[PlaceAnswer, ...]]:
    """The answers to each of some schools by URN, the place that weighs most first."""
    # `presence` is what was recorded of the weeks before; None: nothing is known.
    area = week.plan.area
    latest = find_latest_term(area.reports)
    answers: dict[str, tuple[PlaceAnswer, ...]] = {}
    for urn, promises in list_promises(week, urns).items():
        near = _find_near_groups(area, urn) if promises else np.zeros(0, dtype=bool)
        answers[urn] = tuple(
            PlaceAnswer(
                place=place,
                gave=_describe_group(area.reports, place.group, latest[place.group]),
                days_before=None if presence is None else len(presence.find_days(place.hotspots)),
                weeks_recorded=0 if presence is None else presence.weeks,
                promise=promise,
                change=measure_change(area.reports, place.group, near),
            )
            for place, promise in promises
        )
    return answers


def list_promises(week: Week, urns: Iterable[str]) -> dict[str, list[tuple[FearedPlace, Promise]]]:
    """The places of each of some schools, with what a week does about them."""
    # None where no group of reports is within reach, or the reports are of a form without squares.
    plan, groups = week.plan, week.plan.area.reports
    has_squares = len(groups) and len(groups.squares) == len(groups)
    places = find_feared_places(get_planner(plan)) if has_squares else ()
    why = {demand.place: demand.why for demand in week.demands if demand.kind == "feared"}
    stays = group_stays(week.stays)

    def promise(place: FearedPlace) -> Promise:
        days = {stay.date for name in place.hotspots for stay in stays.get(name, ())}
        was_last_week = any(week.delivered.get(name) for name in place.hotspots)
        why_not = None if days else why.get(place.name)
        return Promise(len(days), len(week.days), was_last_week, why_not)

    made = [(place, promise(place)) for place in places]
    return {urn: [each for each in made if urn in each[0].schools] for urn in urns}


def _describe_group(groups: ReportGroups, group: int, term: SchoolTerm | None) -> WhatPupilsGave:
    count, names = int(groups.counts[group]), groups.reasons[group]
    return WhatPupilsGave(
        reports=count,
        max_reports=int(groups.max_counts[group]),
        latest=term,
        is_spread=term is not None and int(groups.by_term[term][group]) < count,
        factors=tuple(name for name in names if name not in TIME_BANDS)[:MAX_FACTORS],
        bands=tuple(band for name in names for band in TIME_BANDS if band == name),
    )


def _find_near_groups(area: StudyArea, urn: str) -> Bools:
    """(g,) groups with a street within reach of the school, which a place is compared with."""
    row = int(np.flatnonzero(area.schools["urn"].to_numpy(dtype=object) == urn)[0])
    limit = area.settings.patrol.radius_metres
    walk = compute_walk_metres(area.network.walkable, area.gates.take([row]), limit)
    of_piece = area.reports.group_of_piece
    of_piece = of_piece[np.isfinite(walk[: len(of_piece)])]
    return np.isin(np.arange(len(area.reports)), of_piece)
