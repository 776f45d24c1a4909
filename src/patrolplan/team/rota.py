"""Plan -> `Week`: who patrols which school on which day.

Locks and bans that name no officer, school, day or route that is there.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.area.provenance import compute_area_provenance
from patrolplan.errors import InputError, Problems
from patrolplan.patrols.plan import Plan
from patrolplan.patrols.surroundings import build_way_notes
from patrolplan.risk.estimate import describe_guard
from patrolplan.team.bases import MODE_WORDS, describe_modes
from patrolplan.team.day_plans import list_day_plans
from patrolplan.team.problem import Ints, RotaProblem
from patrolplan.team.reasons import UnmetReasons, find_unmet_days
from patrolplan.team.rota_inputs import RotaInputs, find_dosed_days
from patrolplan.team.solve import RotaSolution, SearchLimits, solve_rota
from patrolplan.team.week import (
    Ban,
    Duty,
    Lock,
    PatrolShortfall,
    Week,
    format_day,
    list_school_days,
)


def check_locks_and_bans(inputs: RotaInputs) -> None:
    """Raise for locks and bans that name no officer, school, day or variant that is there."""
    problems = Problems()
    days = inputs.days
    for kind, rows in (("lock", inputs.locks), ("ban", inputs.bans)):
        for row in rows:
            place = f"{row.officer or '*'} at {row.urn or '*'} on {row.date or '*'}"
            if row.officer is not None and row.officer not in inputs.officers:
                problems.add(kind, f"there is no officer '{row.officer}'", "name one", place)
            highest = _find_highest_variant(inputs, row)
            if highest < 0:
                problems.add(kind, f"no patrol is planned for URN '{row.urn}'", "name one", place)
            elif row.variant is not None and not 0 <= row.variant <= highest:
                what = f"there is no variant {row.variant}"
                problems.add(kind, what, f"write 0 to {highest}", place)
            if row.date not in {*days, *([None] if kind == "ban" else [])}:
                span = f"{format_day(days[0])} to {format_day(days[-1])}"
                what = f"{row.date} is not among the days planned"
                problems.add(kind, what, f"name a day from {span}", place)
    problems.raise_if_any()


def _find_highest_variant(inputs: RotaInputs, row: Lock | Ban) -> int:
    """The highest number of a route that a lock or ban may name; -1 where none is planned."""
    routes = np.array([row.urn in {None, urn} for urn in inputs.urns], dtype=bool)
    routes = routes[inputs.route_school]
    if row.officer in inputs.officers:
        mine = routes & inputs.goes[inputs.officers.index(row.officer)]
        routes = mine if mine.any() else routes
    return int(inputs.variant[:, routes].max(initial=-1))


def plan_week(
    area: StudyArea,
    plan: Plan | Mapping[dt.date, Plan],
    *,
    start: dt.date,
    locks: Sequence[Lock] = (),
    bans: Sequence[Ban] = (),
    delivered: pd.DataFrame | None = None,
    seed: int | None = None,
    stop: SearchLimits | None = None,
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
    check_dose_cap(area)
    days = list_school_days(start)
    dosed = find_dosed_days(delivered, area.settings.patrol.dwell_minutes)
    plans = list_day_plans(plan, days, area, locks)
    choice = RotaInputs(area, plans, days, tuple(locks), tuple(bans), delivered=dosed)
    check_locks_and_bans(choice)
    problem = choice.build_problem()
    check_locks(choice, problem)
    seed = area.settings.seed if seed is None else seed
    return build_week(choice, problem, solve_rota(problem, seed=seed, stop=stop))


def check_officers(area: StudyArea) -> None:
    """Raise where no officer is known."""
    if area.officers.empty:
        where, what = "[sources] officers", "no officer is known"
        raise InputError.one(where, what, "name a table of officers there")


def check_dose_cap(area: StudyArea) -> None:
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


def check_locks(inputs: RotaInputs, problem: RotaProblem) -> None:
    """Raise for locks that nobody could fulfil, one by one or together."""
    problems = Problems()
    for number, lock in enumerate(inputs.locks):
        if not (problem.lock == number).any():
            place = f"{lock.officer} at {lock.urn} on {lock.date}"
            problems.add("lock", _explain_impossible_lock(inputs, lock), "take it back", place)
    at = [(lock.officer, lock.date) for lock in inputs.locks]
    for officer, date in sorted({key for key in at if at.count(key) > 1}):
        what = f"{officer} has two patrols on {date}"
        problems.add("lock", what, "keep one of them")
    most = dict(zip(inputs.officers, inputs.most.tolist(), strict=True))
    for officer in sorted({lock.officer for lock in inputs.locks}):
        count = sum(lock.officer == officer for lock in inputs.locks)
        if count > most[officer]:
            what = f"{officer} has {count} patrols, more than the most of {most[officer]}"
            problems.add("lock", what, "take some back, or raise max_patrols_per_week")
    together = inputs.area.settings.patrol.officers
    visits = [(lock.urn, lock.date) for lock in inputs.locks]
    for urn, date in sorted({key for key in visits if visits.count(key) > together}):
        what = f"URN {urn} has more than {together} officers on {date}"
        problems.add("lock", what, "take some back")
    problems.raise_if_any()


def _explain_impossible_lock(inputs: RotaInputs, lock: Lock) -> str:
    officer, day = inputs.officers.index(lock.officer), inputs.days.index(lock.date)
    school = inputs.urns.index(lock.urn)
    if not inputs.is_open[school, day]:
        return "the school is closed (term dates)"
    if inputs.away[officer, day]:
        return f"{lock.officer} is absent"
    if np.isnan(inputs.hours[officer, day, 0]):
        return f"{lock.officer} is off"
    routes = inputs.list_routes(officer, school, day)
    if not len(routes):
        said = MODE_WORDS[inputs.modes[officer]]
        return f"{lock.officer} goes {said}, and no patrol {said} is planned for it"
    if not inputs.in_time[officer, day, routes].any():
        return f"no patrol fits {lock.officer}'s hours"
    return "a ban rules it out, or the variant does not fit the hours"


def build_week(inputs: RotaInputs, problem: RotaProblem, solution: RotaSolution) -> Week:
    """The week of a solution, with the reasons for what is missing."""
    at = solution.chosen
    chosen = np.stack([problem.officer[at], problem.day[at], problem.route[at]], axis=1)
    done = np.bincount(problem.school[at[problem.is_first[at]]], minlength=problem.schools)
    short = [
        PatrolShortfall(inputs.urns[row], int(done[row]), problem.min_patrols)
        for row in np.flatnonzero(
            done < np.minimum(problem.min_patrols, inputs.is_open.sum(axis=1))
        )
    ]
    duties = [_build_duty(inputs, *row) for row in chosen.tolist()]
    reasons = UnmetReasons(inputs, chosen)
    return Week(
        plan=inputs.plans[0],
        days=inputs.days,
        duties=tuple(
            sorted(duties, key=lambda duty: (duty.date, duty.start_minutes, duty.officer))
        ),
        unmet=find_unmet_days(inputs, chosen),
        short=tuple(short),
        status="optimal" if solution.proven else "feasible",
        worth=solution.worth,
        bound=solution.bound,
        notes=(
            *_list_notes(inputs),
            *reasons.describe_over_cap(),
            *_note_blocked_schools(inputs, reasons, short),
            *_note_missed_places(inputs, duties),
            *_note_colleague_bases(inputs, chosen),
            *describe_modes(inputs.area),
        ),
        locks=inputs.locks,
        bans=inputs.bans,
        delivered=dict(inputs.delivered),
        absent=dict(inputs.absent),
        created_from=compute_area_provenance(inputs.area),
    )


def _build_duty(inputs: RotaInputs, officer: int, day: int, route: int) -> Duty:
    held = inputs.held_rows.get((officer, day, route))
    if held is not None:
        return held
    patrol, _ = inputs.bases.adapt_patrol(officer, route, inputs.choose_direction(day, route))
    return Duty(
        officer=inputs.officers[officer],
        urn=patrol.urn,
        date=inputs.days[day],
        start_minutes=patrol.start_minutes,
        end_minutes=patrol.end_minutes,
        variant=int(inputs.variant[day, route]),
        patrol=patrol,
        leave_minutes=float(inputs.set_out[officer, route]),
    )


def _list_notes(inputs: RotaInputs) -> tuple[str, ...]:
    notes = [*describe_guard(inputs.area)]
    terms = inputs.area.term_dates
    if not (terms["kind"] == "term").any():
        notes.append("No term dates are known: every weekday is taken for a school day.")
    for lock in inputs.locks:
        mine = inputs.cares[inputs.officers.index(lock.officer), inputs.urns.index(lock.urn)]
        if not mine:
            notes.append(f"{lock.officer} is lent to URN {lock.urn} on {lock.date} by hand.")
    other = inputs.plans[0].other_mode
    if other is not None:
        notes += build_way_notes(other.area)
    unknown = sorted(set(inputs.delivered) - set(inputs.hotspots))
    if unknown:
        notes.append(f"Doses in places that no route visits do not count: {', '.join(unknown)}.")
    return tuple(notes)


def _note_blocked_schools(
    inputs: RotaInputs, reasons: UnmetReasons, short: Sequence[PatrolShortfall]
) -> Iterator[str]:
    """Schools under their least that only the most of a day keeps officers from."""
    most = inputs.area.settings.week.max_dose_minutes_per_day
    for row in short:
        if reasons.is_blocked_by_cap(inputs.urns.index(row.urn)):
            yield f"{row}: the most of {most:g} minutes a hotspot a day comes before the least."


def _note_colleague_bases(inputs: RotaInputs, chosen: Ints) -> tuple[str, ...]:
    """Officers whose patrol begins or ends at a colleague's base."""
    told = []
    for officer, day, route in chosen.tolist():
        if (officer, day, route) not in inputs.held_rows:
            patrol = inputs.routes[route].patrol
            _, said = inputs.bases.adapt_patrol(officer, route, patrol)
            if said:
                told.append(f"{inputs.officers[officer]} at URN {patrol.urn}: the patrol {said}.")
    return tuple(dict.fromkeys(told))


def _note_missed_places(inputs: RotaInputs, duties: Sequence[Duty]) -> Iterator[str]:
    """Places tasked by intelligence to which nobody goes on a day, though a route would."""
    missed: dict[str, list[str]] = {}
    for day, date in enumerate(inputs.days):
        met = {stop.hotspot for duty in duties if duty.date == date for stop in duty.patrol.stops}
        routes = [inputs.routes[row].patrol for row in np.flatnonzero(inputs.variant[day] >= 0)]
        due = {
            stop.hotspot: f"{stop.hotspot}, {stop.place}"
            for patrol in routes
            for stop in patrol.stops
            if stop.tasked and stop.hotspot not in met
        }
        for place in due.values():
            missed.setdefault(place, []).append(format_day(date))
    for place, days in sorted(missed.items()):
        yield f"Nobody goes to the tasked place {place} on {', '.join(days)}."
