"""What a school is owed after a survey: its most feared places, and what was done about each.

Each of the places that weigh most within reach of the school (`patrolplan.patrols.feared_places`)
has an answer: how many pupils named it and why, on how many days officers were there, on how many
days this week they will be, on any school's patrol, or why not; and what changed since the last
survey. All answers of pupils are suppressed and rounded by `patrolplan.privacy`.

Answers count days and never name them: named days would let others foresee when no officer is
there.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.network.graph import compute_walk_metres
from patrolplan.patrols.feared_places import FearedPlace, find_feared_places
from patrolplan.patrols.obstacles import Obstacle
from patrolplan.patrols.plan import Plan
from patrolplan.risk.report_voice import TIME_BANDS, TimeBand, find_latest_term
from patrolplan.team.ledger.dose_history import RecentPresence
from patrolplan.team.survey_change import SurveyChange, measure_change
from patrolplan.team.week import Week
from patrolplan.team.where_when import group_stays
from patrolplan.times import SchoolTerm

MAX_FACTORS = 3
"""Factors of a place that an answer names."""


@dataclass(frozen=True)
class WhatPupilsGave:
    """A group of reports as it may be shown."""

    reports: int
    """Suppressed and rounded down..."""
    max_reports: int
    """...and how many there may be."""
    latest: SchoolTerm | None
    """Latest school term that shows reports; None where none does."""
    is_spread: bool
    """Whether some were made in other terms."""
    factors: tuple[str, ...]
    """Factors of place and behaviour that enough of them gave, most first."""
    bands: tuple[TimeBand, ...]
    """Times of day that enough of them gave, most first."""


@dataclass(frozen=True)
class Promise:
    """What a week does about a place."""

    days: int
    """Days on which a patrol stops there..."""
    of_days: int
    """...of so many in the week."""
    was_last_week: bool
    """Whether an officer was there in the week before."""
    why_not: Obstacle | None
    """Why no patrol stops there although it should; None where one does, or if not known."""


@dataclass(frozen=True)
class PlaceAnswer:
    """A feared place near a school, and what was done about it."""

    place: FearedPlace
    gave: WhatPupilsGave
    days_before: int | None
    """Days of the weeks before on which an officer was there; None: not known."""
    weeks_recorded: int
    """Number of those weeks that have any record."""
    promise: Promise
    change: SurveyChange | None
    """Since the last survey; None where surveys cannot be compared."""


def find_school_answers(
    week: Week, presence: RecentPresence | None, urns: Sequence[str]
) -> dict[str, tuple[PlaceAnswer, ...]]:
    """The answers to each of some schools by URN, the place that weighs most first."""
    # `presence` is what was recorded of the weeks before; None: nothing is known. A school has none
    # where no group of reports is within reach, or the reports are of a form without squares.
    area = week.plan.area
    latest = find_latest_term(area.reports)
    promises = _find_promises(week)
    answers: dict[str, tuple[PlaceAnswer, ...]] = {}
    for urn in urns:
        own = _find_own_places(week.plan, urn)
        near = _find_near_groups(area, urn) if own else np.zeros(0, dtype=bool)
        answers[urn] = tuple(
            PlaceAnswer(
                place=place,
                gave=_describe_group(area, place.group, latest[place.group]),
                days_before=None if presence is None else len(presence.find_days(place.hotspots)),
                weeks_recorded=0 if presence is None else presence.weeks,
                promise=promises[place.name],
                change=measure_change(area.reports, place.group, near),
            )
            for place in own
        )
    return answers


def list_promises(week: Week, urns: Iterable[str]) -> dict[str, list[tuple[str, Promise]]]:
    """The places of each of some schools by name, with what a week does about them."""
    promises = _find_promises(week)
    return {
        urn: [(place.name, promises[place.name]) for place in _find_own_places(week.plan, urn)]
        for urn in urns
    }


def _find_own_places(plan: Plan, urn: str) -> tuple[FearedPlace, ...]:
    return tuple(place for place in _find_places(plan) if urn in place.schools)


@lru_cache(maxsize=2)
def _find_places(plan: Plan) -> tuple[FearedPlace, ...]:
    """The feared places of all schools; a board looks them up after every change of its week."""
    groups = plan.area.reports
    if not len(groups) or len(groups.squares) != len(groups):
        return ()
    return find_feared_places(plan.area, plan.risk, plan.hotspots)


def _find_promises(week: Week) -> dict[str, Promise]:
    """What a week does about each feared place, by its name."""
    outcomes = {demand.place: demand for demand in week.demands if demand.kind == "feared"}
    stays = group_stays(week.duties)
    visits = {name: {stay.date for stay in each} for name, each in stays.items()}
    promises = {}
    for place in _find_places(week.plan):
        days = set[dt.date]().union(*(visits.get(name, ()) for name in place.hotspots))
        outcome = outcomes.get(place.name)
        promises[place.name] = Promise(
            days=len(days),
            of_days=len(week.days),
            was_last_week=any(week.delivered.get(name) for name in place.hotspots),
            why_not=None if outcome is None or outcome.why is None or days else outcome.why,
        )
    return promises


def _describe_group(area: StudyArea, group: int, term: SchoolTerm | None) -> WhatPupilsGave:
    groups = area.reports
    count, names = int(groups.counts[group]), groups.reasons[group]
    return WhatPupilsGave(
        reports=count,
        max_reports=int(groups.max_counts[group]),
        latest=term,
        is_spread=term is not None and int(groups.by_term[term][group]) < count,
        factors=tuple(name for name in names if name not in TIME_BANDS)[:MAX_FACTORS],
        bands=tuple(band for name in names for band in TIME_BANDS if band == name),
    )


def _find_near_groups(area: StudyArea, urn: str) -> NDArray[np.bool_]:
    """(g,) groups with a street within reach of the school, which a place is compared with."""
    row = int(np.flatnonzero(area.schools["urn"].to_numpy(dtype=object) == urn)[0])
    limit = area.settings.patrol.radius_metres
    walk = compute_walk_metres(area.network.walkable, area.gates.take([row]), limit)
    of_piece = area.reports.group_of_piece
    of_piece = of_piece[np.isfinite(walk[: len(of_piece)])]
    near = np.zeros(len(area.reports), dtype=bool)
    near[of_piece[of_piece >= 0]] = True
    return near
