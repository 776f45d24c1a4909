"""Change at short notice: possible patrols stay, free officer-days are filled, moves are offered.

After absences or new appointments every patrol that is still possible keeps its card; officers'
free days from the first change on get no more new patrols than were lost; and the best weeks for
which one or two more cards change are offered, not made. A gap that is left has suggestions.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from patrolplan.area import StudyArea
from patrolplan.arrays import Bools, Ints
from patrolplan.doors import Day, read_day
from patrolplan.errors import Problems
from patrolplan.notes import Note
from patrolplan.patrols.plan import Plan
from patrolplan.team.calendar_state import follow_calendars
from patrolplan.team.draw import list_facts
from patrolplan.team.problem import RotaProblem
from patrolplan.team.rota import build_week, walk_new_patrols
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.routes import has_time_for
from patrolplan.team.solve import ChangeLimits, RotaSolution, find_few_changes
from patrolplan.team.week import Duty, Week, format_day
from patrolplan.team.week_editor import WeekEditor, refuse
from patrolplan.team.week_records import Lock

MAX_MOVES = 2  # maximum number of cards of possible patrols that the offered moves may change
MAX_CHANGES_FOR_A_VISIT = 2  # cards withdrawn for one tasked visit: its officer's and a stand-in's
MIN_GAIN_SHARE = 0.001  # minimum share of the week's worth that an offered move adds
MAX_SUGGESTIONS = 3
MAX_CARDS_OUT = 2  # maximum number of cards that a suggestion may withdraw

Absences = Mapping[str, Iterable[Day]]  # days on which officers are absent, by officer


@dataclass(frozen=True, eq=False)
class Change:
    """One duty that differs from the week as it was handed out."""

    kind: Literal["withdrawn", "new"]
    """"withdrawn": its card is void; "new": its card must be printed."""
    duty: Duty

    def __str__(self) -> str:
        what = "withdraw the card of" if self.kind == "withdrawn" else "print the card of"
        return f"{what} {self.duty}"


@dataclass(frozen=True, eq=False)
class Move:
    """A change that is offered: the week with it, what changes, and what that adds to the worth."""

    week: Week
    changes: tuple[Change, ...]  # against the week, repaired where it was
    gain: float


@dataclass(frozen=True, eq=False)
class Repair:
    """A repaired week."""

    before: Week  # as it was handed out
    week: Week
    changes: tuple[Change, ...]
    """Every duty that was withdrawn or is new, against the week as it was handed out."""
    moves: tuple[Move, ...] = ()
    """Offered moves of one or two more cards, in that order, where they are worth it."""


def repair_week(
    week: Week,
    area: StudyArea,
    plan: Plan | Mapping[dt.date, Plan],
    *,
    absent: Absences,
    since: Day | None = None,
    max_moves: int = MAX_MOVES,
) -> Repair:
    """Repair a week as handed out after absences and appointments.

    Parameters
    ----------
    week
        As handed out.
    area, plan
        What repairs are chosen from, with the area's current table of duties. Patrols stay even if
        data and plan have changed since.
    absent
        Days on which officers are absent, by officer, in addition to those of the week.
    since
        First day on which anything may change; default the first day that does.
    max_moves
        Up to how many further cards the offered moves may change.

    Raises
    ------
    InputError
        When an officer or a day is not of this week.
    """
    officers = [*area.officers["officer"], *(duty.officer for duty in week.duties)]
    away = {name: frozenset(read_day(day, "absent") for day in absent[name]) for name in absent}
    check_absences(week.days, officers, away)
    none = frozenset[dt.date]()
    names = sorted({*week.absent, *away})
    absences = {name: week.absent.get(name, none) | away.get(name, none) for name in names}
    bare = RotaInputs.of_week(week, area, plan, absent=absences)
    stay = tuple(duty for duty in week.duties if has_time_for(bare, duty, duty.officer))
    gone = [duty for duty in week.duties if duty not in stay]
    locks = (lock for lock in week.locks if not any(map(lock.fits, gone)))
    before = replace(week, locks=tuple(locks))
    stay = tuple(
        duty.with_crew(tuple(name for name in duty.crew if has_time_for(bare, duty, name)))
        for duty in stay
    )
    touched = {day for days in away.values() for day in days}
    touched |= {duty.date for duty in week.duties} - {duty.date for duty in stay}
    first = read_day(since or min(touched, default=week.days[-1]), "since")
    inputs = replace(bare, held=stay)
    # First the free days get new patrols, no more than were lost.
    problem = inputs.problem
    part = problem.select((problem.lock >= 0) | (problem.day >= inputs.days.index(first)))
    limits = ChangeLimits(part.lock >= 0, max_out=0, max_new=len(gone))
    repaired = _build_changed_week(before, inputs, part, limits) or before
    moves = []
    best, inputs = repaired.worth, replace(inputs, held=repaired.duties)
    for count in range(1, max_moves + 1):
        part, stands = _free_patrols(inputs, repaired.locks, first)
        limits = ChangeLimits(stands, max_out=count, max_new=count)
        moved = _build_changed_week(repaired, inputs, part, limits)
        if moved is not None and moved.worth > best + MIN_GAIN_SHARE * abs(repaired.worth):
            best = moved.worth
            changes = list_changes(repaired, moved)
            moves.append(Move(moved, changes, moved.worth - repaired.worth))
    repaired = follow_calendars(repaired, week)
    return Repair(week, repaired, list_changes(week, repaired), tuple(moves))


def meet_demands(week: Week, area: StudyArea, plan: Plan | Mapping[dt.date, Plan]) -> Repair:
    """Meet what intelligence asks for by as few changes of a week handed out as possible."""
    # Patrols that were locked by hand stay. There are at most as many new patrols as unmet demands
    # and withdrawn cards.
    inputs = RotaInputs.of_week(week, area, plan, held=week.duties)
    part, stands = _free_patrols(inputs, week.locks, week.days[0])
    option, demand = part.meetings
    met = np.bincount(demand[stands[option]], minlength=len(part.demand_visits))
    unmet = int(np.maximum(0, part.demand_visits - met)[part.is_tasked].sum())
    movable = int((stands & (part.lock < 0)).sum())
    count = min(movable, MAX_CHANGES_FOR_A_VISIT * unmet)
    limits = ChangeLimits(stands, max_out=count, max_new=count + unmet, as_few_as_possible=True)
    after = _build_changed_week(week, inputs, part, limits) or week
    return Repair(week, after, list_changes(week, after))


def list_changes(before: Week, after: Week) -> tuple[Change, ...]:
    """The cards of one week that are void in another, and those that are new there."""
    # A card shows who walks where and when: if only the number of a route changes, its card is
    # valid.

    old, new = ({duty.slot: duty for duty in week.duties} for week in (before, after))
    valid = {
        slot
        for slot in old.keys() & new.keys()
        if list_facts(old[slot]) == list_facts(new[slot])
        and old[slot].patrol.way == new[slot].patrol.way
    }
    return (
        *(Change("withdrawn", duty) for slot, duty in old.items() if slot not in valid),
        *(Change("new", duty) for slot, duty in new.items() if slot not in valid),
    )


def _free_patrols(
    inputs: RotaInputs, locks: Sequence[Lock], first: dt.date
) -> tuple[RotaProblem, Bools]:
    """The options from a day on, and (o,) which stand in the week handed out."""
    # Of patrols that stand those before the day are fixed, and those that were locked by hand.
    problem, held = inputs.problem, enumerate(inputs.held)
    by_hand = [row for row, duty in held if any(lock.fits(duty) for lock in locks)]
    later = problem.day >= inputs.days.index(first)
    is_free = later & ~np.isin(problem.lock, by_hand)
    stands = problem.lock >= 0
    part = replace(problem, lock=np.where(is_free, -1, problem.lock)).select(stands | later)
    return part, stands[stands | later]


def _build_changed_week(
    before: Week, inputs: RotaInputs, part: RotaProblem, limits: ChangeLimits
) -> Week | None:
    """The best week within the limits; None where there is none."""
    rows = find_few_changes(part, limits)
    if rows is None:
        return None
    after = build_week(inputs, part, RotaSolution.rate(part, rows, before.bound), before)
    after = walk_new_patrols(inputs, before, after)
    days = ((name, day) for name in sorted(inputs.absent) for day in sorted(inputs.absent[name]))
    absences = (note_absence(*each) for each in days)
    notes = tuple(dict.fromkeys((*before.notes, *after.notes, *absences)))
    return replace(after, locks=before.locks, notes=notes)


def note_absence(officer: str, day: dt.date) -> Note:
    """That an officer is not there on a day."""
    return Note("officer_away", f"{officer} is absent on {format_day(day)}.", "lead")


def check_absences(days: Sequence[dt.date], officers: Iterable[str], absent: Absences) -> None:
    """Raise for officers who do not exist and days that are not in the week."""
    problems = Problems()
    names = list(dict.fromkeys(officers))
    for officer, days_absent in absent.items():
        if officer not in names:
            what = f"there is no officer '{officer}' (known: {', '.join(names[:12])})"
            problems.add("absent", what, "name one of them")
        for day in sorted(days_absent):
            if day not in days:
                span = f"{days[0]} to {days[-1]}"
                problems.add("absent", f"{day} is not in the week {span}", "name a day of it")
    problems.raise_if_any()


@dataclass(frozen=True)
class Gap:
    """What a week lacks: a patrol of a school, or a visit to a place; on a day, or on any."""

    urn: str | None = None
    place: str | None = None  # a hotspot, a tasked or a feared place
    date: dt.date | None = None


def suggest_swaps(editor: WeekEditor, week: Week, gap: Gap) -> tuple[Move, ...]:
    """At most three ways to fill a gap of the week with few changes, best first."""
    # Each withdraws other cards, or where none is withdrawn sends another officer. None of them
    # leaves more schools below their minimum, or more demands of intelligence unmet, than
    # necessary. Locks and bans hold. An `InvalidEditError` where the week has no such school, place
    # or day.
    inputs, problem = editor.inputs, editor.problem
    wanted = _find_options(inputs, gap)
    rows = editor.find_rows(week.duties)
    stands = np.isin(np.arange(len(problem)), rows)
    wanted &= ~stands
    # Officers who could fill the gap, and those who could take over from them.
    able = np.isin(problem.officer, np.unique(problem.officer[wanted]))
    relief = np.isin(problem.school, np.unique(problem.school[able]))
    relief &= np.isin(problem.day, np.unique(problem.day[wanted]))
    near = able | relief | stands | (problem.lock >= 0)
    moves: list[Move] = []
    part, standing = problem.select(near), stands[near]
    withdrawn: list[Ints] = []
    while wanted.any() and len(moves) < MAX_SUGGESTIONS:
        most, before = (MAX_CARDS_OUT, MAX_CARDS_OUT + 1), tuple(withdrawn)
        limits = ChangeLimits(standing, *most, must=wanted[near], not_all_of=before)
        chosen = find_few_changes(part, limits)
        if chosen is None:
            break
        out = np.setdiff1d(np.flatnonzero(standing), chosen)
        whole = np.flatnonzero(near)[chosen]
        after = editor.build_chosen(whole, week, week.bound)
        moves.append(Move(after, list_changes(week, after), after.worth - week.worth))
        if len(out):
            withdrawn.append(out)
        else:
            used = problem.officer[whole[wanted[whole]]]
            wanted = wanted & ~np.isin(problem.officer, used)
    return tuple(sorted(moves, key=lambda one: -one.gain))


def _find_options(inputs: RotaInputs, gap: Gap) -> Bools:
    """(o,) options that would fill a gap: patrols, not companions."""
    problem = inputs.problem
    fills = ~problem.is_along
    for value, known, column, what in (
        (gap.date, inputs.days, problem.day, "day of this week"),
        (gap.urn, inputs.urns, problem.school, "school of this plan"),
    ):
        if value is not None and value not in known:
            refuse(f"{value} is no {what}")
        fills &= True if value is None else column == list(known).index(value)
    if gap.place is not None:
        sought = {gap.place}
        for demand in inputs.demands:
            sought.update(demand.hotspots if demand.place == gap.place else ())
        goes = [
            any(not sought.isdisjoint({stop.tasked, *stop.covered}) for stop in route.stops)
            for route in inputs.routes
        ]
        if not any(goes):
            refuse(f"no route goes to '{gap.place}'")
        fills &= np.isin(problem.route, np.flatnonzero(goes))
    return fills
