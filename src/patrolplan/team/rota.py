"""Plan -> `Week`: who patrols which school on which day.

Locks and bans that name no officer, school, day or route that is there.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.area.provenance import created_from
from patrolplan.errors import InputError, Problems
from patrolplan.patrols.plan import Plan
from patrolplan.patrols.windows import way_notes
from patrolplan.risk.estimate import guard_notes
from patrolplan.team.bases import SAID, note_on_modes
from patrolplan.team.day_plans import plans_by_day
from patrolplan.team.problem import Ints, RotaProblem
from patrolplan.team.reasons import Reasons, unmet_days
from patrolplan.team.rota_inputs import Choice, dosed_days
from patrolplan.team.solve import RotaSolution, Stop, solve_rota
from patrolplan.team.week import Ban, Duty, Lock, Short, Week, day_name, school_week


def check_hand(choice: Choice) -> None:
    """Raise for locks and bans that name no officer, school, day or variant that is there."""
    problems = Problems()
    days = choice.days
    for kind, rows in (("lock", choice.locks), ("ban", choice.bans)):
        for row in rows:
            place = f"{row.officer or '*'} at {row.urn or '*'} on {row.date or '*'}"
            if row.officer is not None and row.officer not in choice.officers:
                problems.add(kind, f"there is no officer '{row.officer}'", "name one", place)
            highest = _highest(choice, row)
            if highest < 0:
                problems.add(kind, f"no patrol is planned for URN '{row.urn}'", "name one", place)
            elif row.variant is not None and not 0 <= row.variant <= highest:
                what = f"there is no variant {row.variant}"
                problems.add(kind, what, f"write 0 to {highest}", place)
            if row.date not in {*days, *([None] if kind == "ban" else [])}:
                span = f"{day_name(days[0])} to {day_name(days[-1])}"
                what = f"{row.date} is not among the days planned"
                problems.add(kind, what, f"name a day from {span}", place)
    problems.raise_if_any()


def _highest(choice: Choice, row: Lock | Ban) -> int:
    """The highest number of a route that a lock or ban may name; -1 where none is planned."""
    routes = np.array([row.urn in {None, urn} for urn in choice.urns], dtype=bool)
    routes = routes[choice.route_school]
    if row.officer in choice.officers:
        mine = routes & choice.goes[choice.officers.index(row.officer)]
        routes = mine if mine.any() else routes
    return int(choice.variant[:, routes].max(initial=-1))


def plan_week(
    area: StudyArea,
    plan: Plan | Mapping[dt.date, Plan],
    *,
    start: dt.date,
    locks: Sequence[Lock] = (),
    bans: Sequence[Ban] = (),
    delivered: pd.DataFrame | None = None,
    seed: int | None = None,
    stop: Stop | None = None,
) -> Week:
    """Choose who patrols which school on which day, and by which of its routes.

    An officer has at most one patrol a day: the bells of an area are so close together that a
    second patrol could hardly begin in time. Officers are on duty from setting out at their base
    until the end of the patrol. What a week is worth stands in `patrolplan.team.objective`.

    Parameters
    ----------
    area
        With officers, and term dates if there are any.
    plan
        Every school's best patrol and its variants; by day where days differ, see
        `patrolplan.team.day_plans`. One plan for all days is given further patrols past hotspots
        that more schools go to than the most of a day lets in.
    start
        First day; the week ends on its Friday. From a weekend, the week after it.
    locks, bans
        What is set and ruled out by hand.
    delivered
        Doses delivered before: columns `hotspot`, `date`, `minutes`. Those of the seven days
        before count as earlier days.
    seed
        Decides between equal weeks; by default the settings' seed.
    stop
        When to stop looking.

    Returns
    -------
    Week
        With worth, bound and gap, and every school and day without a patrol and why.

    Raises
    ------
    InputError
        When there are no officers, or a lock or ban cannot be.
    """
    check_officers(area)
    check_most(area)
    days = school_week(start)
    dosed = dosed_days(delivered, area.settings.patrol.dwell_minutes)
    plans = plans_by_day(plan, days, area, locks)
    choice = Choice(area, plans, days, tuple(locks), tuple(bans), delivered=dosed)
    check_hand(choice)
    problem = choice.problem()
    check_locks(choice, problem)
    seed = area.settings.seed if seed is None else seed
    return week_of(choice, problem, solve_rota(problem, seed=seed, stop=stop))


def check_officers(area: StudyArea) -> None:
    """Raise where no officer is known."""
    if area.officers.empty:
        where, what = "[sources] officers", "no officer is known"
        raise InputError.one(where, what, "name a table of officers there")


def check_most(area: StudyArea) -> None:
    """Raise where not even one visit fits under the most of a day."""
    most = area.settings.week.max_dose_minutes_per_day
    dwell = area.settings.patrol.dwell_minutes
    if most < dwell:
        where, what = (
            "[week]",
            f"max_dose_minutes_per_day {most:g} is below [patrol] dwell_minutes {dwell:g}",
        )
        remedy = f"no visit would be allowed: make it {dwell:g} or more"
        raise InputError.one(where, what, remedy)


def check_locks(choice: Choice, problem: RotaProblem) -> None:
    """Raise for locks that nobody could fulfil, one by one or together."""
    problems = Problems()
    for number, lock in enumerate(choice.locks):
        if not (problem.lock == number).any():
            place = f"{lock.officer} at {lock.urn} on {lock.date}"
            problems.add("lock", _impossible(choice, lock), "take it back", place)
    at = [(lock.officer, lock.date) for lock in choice.locks]
    for officer, date in sorted({key for key in at if at.count(key) > 1}):
        what = f"{officer} has two patrols on {date}"
        problems.add("lock", what, "keep one of them")
    most = dict(zip(choice.officers, choice.most.tolist(), strict=True))
    for officer in sorted({lock.officer for lock in choice.locks}):
        count = sum(lock.officer == officer for lock in choice.locks)
        if count > most[officer]:
            what = f"{officer} has {count} patrols, more than the most of {most[officer]}"
            problems.add("lock", what, "take some back, or raise max_patrols_per_week")
    together = choice.area.settings.patrol.officers
    visits = [(lock.urn, lock.date) for lock in choice.locks]
    for urn, date in sorted({key for key in visits if visits.count(key) > together}):
        what = f"URN {urn} has more than {together} officers on {date}"
        problems.add("lock", what, "take some back")
    problems.raise_if_any()


def _impossible(choice: Choice, lock: Lock) -> str:
    officer, day = choice.officers.index(lock.officer), choice.days.index(lock.date)
    school = choice.urns.index(lock.urn)
    if not choice.is_open[school, day]:
        return "the school is closed (term dates)"
    if choice.away[officer, day]:
        return f"{lock.officer} is absent"
    if np.isnan(choice.hours[officer, day, 0]):
        return f"{lock.officer} is off"
    routes = choice.routes_of(officer, school, day)
    if not len(routes):
        said = SAID[choice.modes[officer]]
        return f"{lock.officer} goes {said}, and no patrol {said} is planned for it"
    if not choice.in_time[officer, day, routes].any():
        return f"no patrol fits {lock.officer}'s hours"
    return "a ban rules it out, or the variant does not fit the hours"


def week_of(choice: Choice, problem: RotaProblem, solution: RotaSolution) -> Week:
    """The week of a solution, with the reasons for what is missing."""
    at = solution.chosen
    chosen = np.stack([problem.officer[at], problem.day[at], problem.route[at]], axis=1)
    done = np.bincount(problem.school[at[problem.first[at]]], minlength=problem.schools)
    short = [
        Short(choice.urns[row], int(done[row]), problem.least)
        for row in np.flatnonzero(done < np.minimum(problem.least, choice.is_open.sum(axis=1)))
    ]
    duties = [_duty(choice, *row) for row in chosen.tolist()]
    reasons = Reasons(choice, chosen)
    return Week(
        plan=choice.plans[0],
        days=choice.days,
        duties=tuple(
            sorted(duties, key=lambda duty: (duty.date, duty.start_minutes, duty.officer))
        ),
        unmet=unmet_days(choice, chosen),
        short=tuple(short),
        status="optimal" if solution.proven else "feasible",
        worth=solution.worth,
        bound=solution.bound,
        notes=(
            *_notes(choice),
            *reasons.over_the_most(),
            *_held_off(choice, reasons, short),
            *_missed(choice, duties),
            *_to_colleagues(choice, chosen),
            *note_on_modes(choice.area),
        ),
        locks=choice.locks,
        bans=choice.bans,
        delivered=dict(choice.delivered),
        absent=dict(choice.absent),
        created_from=created_from(choice.area),
    )


def _duty(choice: Choice, officer: int, day: int, route: int) -> Duty:
    held = choice.held_rows.get((officer, day, route))
    if held is not None:
        return held
    patrol, _ = choice.bases.led(officer, route, choice.walk(day, route))
    return Duty(
        officer=choice.officers[officer],
        urn=patrol.urn,
        date=choice.days[day],
        start_minutes=patrol.start_minutes,
        end_minutes=patrol.end_minutes,
        variant=int(choice.variant[day, route]),
        patrol=patrol,
        leave_minutes=float(choice.set_out[officer, route]),
    )


def _notes(choice: Choice) -> tuple[str, ...]:
    notes = [*guard_notes(choice.area)]
    terms = choice.area.term_dates
    if not (terms["kind"] == "term").any():
        notes.append("No term dates are known: every weekday is taken for a school day.")
    for lock in choice.locks:
        mine = choice.cares[choice.officers.index(lock.officer), choice.urns.index(lock.urn)]
        if not mine:
            notes.append(f"{lock.officer} is lent to URN {lock.urn} on {lock.date} by hand.")
    other = choice.plans[0].other_mode
    if other is not None:
        notes += way_notes(other.area)
    unknown = sorted(set(choice.delivered) - set(choice.hotspots))
    if unknown:
        notes.append(f"Doses in places that no route visits do not count: {', '.join(unknown)}.")
    return tuple(notes)


def _held_off(choice: Choice, reasons: Reasons, short: Sequence[Short]) -> Iterator[str]:
    """Schools under their least that only the most of a day keeps officers from."""
    most = choice.area.settings.week.max_dose_minutes_per_day
    for row in short:
        if reasons.held_off(choice.urns.index(row.urn)):
            yield f"{row}: the most of {most:g} minutes a hotspot a day comes before the least."


def _to_colleagues(choice: Choice, chosen: Ints) -> tuple[str, ...]:
    """Officers whose patrol begins or ends at a colleague's base."""
    told = []
    for officer, day, route in chosen.tolist():
        if (officer, day, route) not in choice.held_rows:
            patrol = choice.routes[route].patrol
            _, said = choice.bases.led(officer, route, patrol)
            if said:
                told.append(f"{choice.officers[officer]} at URN {patrol.urn}: the patrol {said}.")
    return tuple(dict.fromkeys(told))


def _missed(choice: Choice, duties: Sequence[Duty]) -> Iterator[str]:
    """Places tasked by intelligence to which nobody goes on a day, though a route would."""
    missed: dict[str, list[str]] = {}
    for day, date in enumerate(choice.days):
        met = {stop.hotspot for duty in duties if duty.date == date for stop in duty.patrol.stops}
        routes = [choice.routes[row].patrol for row in np.flatnonzero(choice.variant[day] >= 0)]
        due = {
            stop.hotspot: f"{stop.hotspot}, {stop.place}"
            for patrol in routes
            for stop in patrol.stops
            if stop.tasked and stop.hotspot not in met
        }
        for place in due.values():
            missed.setdefault(place, []).append(day_name(date))
    for place, days in sorted(missed.items()):
        yield f"Nobody goes to the tasked place {place} on {', '.join(days)}."
