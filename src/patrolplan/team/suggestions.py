"""What could be changed by hand to fill a gap: the best few changes, ranked by what they gain."""

import datetime as dt
from dataclasses import dataclass

import numpy as np

from patrolplan.team.few_changes import ChangeLimits, find_few_changes
from patrolplan.team.problem import Bools, Ints
from patrolplan.team.repair import Change, list_changes
from patrolplan.team.rota import build_week
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.solve import RotaSolution
from patrolplan.team.week import Week
from patrolplan.team.week_editor import InvalidEditError, WeekEditor

MAX_CARDS_OUT = 2
"""Maximum number of cards that a suggestion may withdraw."""


@dataclass(frozen=True)
class Gap:
    """What a week lacks: a patrol of a school, or a visit to a place; on a day, or on any."""

    urn: str | None = None
    place: str | None = None
    """A hotspot, a tasked or a feared place."""
    date: dt.date | None = None


@dataclass(frozen=True, eq=False)
class Suggestion:
    """A week with the gap filled, what changes for it, and what that adds to the worth."""

    week: Week
    changes: tuple[Change, ...]
    gain: float


def suggest_swaps(
    editor: WeekEditor, week: Week, gap: Gap, *, count: int = 3
) -> tuple[Suggestion, ...]:
    """At most `count` ways to fill a gap of the week with few changes, best first."""
    # Each withdraws other cards, or where none is withdrawn sends another officer. None of them
    # leaves more schools below their minimum, or more demands of intelligence unmet, than
    # necessary. Locks and bans hold. An `InvalidEditError` where the week has no such school, place
    # or day.
    inputs, problem = editor.inputs, editor.problem
    wanted = _find_options(inputs, gap)
    rows = editor.find_rows(week.duties)
    stands = np.isin(np.arange(len(problem)), rows)
    wanted &= ~stands
    near = _find_neighbours(inputs, wanted) | stands | (problem.lock >= 0)
    suggestions: list[Suggestion] = []
    part, standing = problem.select(near), stands[near]
    withdrawn: list[Ints] = []
    while wanted.any() and len(suggestions) < count:
        limits = ChangeLimits(
            standing,
            MAX_CARDS_OUT,
            MAX_CARDS_OUT + 1,
            must=wanted[near],
            not_all_of=tuple(withdrawn),
        )
        chosen = find_few_changes(part, limits)
        if chosen is None:
            break
        out = np.setdiff1d(np.flatnonzero(standing), chosen)
        whole = np.flatnonzero(near)[chosen]
        after = build_week(inputs, problem, RotaSolution.rate(problem, np.sort(whole), week.bound))
        present = {duty.key: duty for duty in week.duties}
        duties = [present.get(duty.key, duty) for duty in after.duties]
        after = editor.build_week(duties, bound=week.bound)
        suggestions.append(Suggestion(after, list_changes(week, after), after.worth - week.worth))
        if len(out):
            withdrawn.append(out)
        else:
            used = problem.officer[whole[wanted[whole]]]
            wanted = wanted & ~np.isin(problem.officer, used)
    return tuple(sorted(suggestions, key=lambda one: -one.gain))


def _find_options(inputs: RotaInputs, gap: Gap) -> Bools:
    """(o,) options that would fill a gap: patrols, not companions."""
    problem = inputs.problem
    fills = problem.route < len(inputs.routes)
    if gap.date is not None:
        if gap.date not in inputs.days:
            message = f"{gap.date} is not a day of this week"
            raise InvalidEditError(message)
        fills &= problem.day == inputs.days.index(gap.date)
    if gap.urn is not None:
        if gap.urn not in inputs.urns:
            message = f"no patrol is planned for URN '{gap.urn}'"
            raise InvalidEditError(message)
        fills &= problem.school == inputs.urns.index(gap.urn)
    if gap.place is not None:
        sought = {gap.place}
        for demand in inputs.demands:
            sought.update(demand.hotspots if demand.place == gap.place else ())
        goes = np.array(
            [
                any(not sought.isdisjoint({stop.tasked, *stop.covered}) for stop in stops)
                for stops in (route.stops for route in inputs.routes)
            ],
            dtype=bool,
        )
        if not goes.any():
            message = f"no route goes to '{gap.place}'"
            raise InvalidEditError(message)
        fills[fills] = goes[problem.route[fills]]
    return fills


def _find_neighbours(inputs: RotaInputs, wanted: Bools) -> Bools:
    """(o,) options of officers who could fill a gap, and of those who could take over from them."""
    problem = inputs.problem
    officers = np.isin(problem.officer, np.unique(problem.officer[wanted]))
    schools = np.isin(problem.school, np.unique(problem.school[officers]))
    days = np.isin(problem.day, np.unique(problem.day[wanted]))
    return np.asarray(officers | (schools & days))
