"""The state of a week during a search: what follows from its options, and which rules hold.

All that a rule or the worth needs is stored as counts and sums (minutes of each hotspot and day,
patrols of each school and officer, dose of each school...), so that a change costs as much as the
stops it moves, not as much as the week.
"""

from typing import Any, NamedTuple

import numpy as np

from patrolplan.arrays import Bools, Floats, Ints
from patrolplan.compiled import jit_compile
from patrolplan.team.objective import (
    COMPANION_FACTOR,
    EVEN_LOAD_FACTOR,
    OVER_CAP_PENALTY,
    PRESENCE_FACTOR,
    compute_even_load,
    compute_presence_sums,
)
from patrolplan.team.problem import MINUTES_TOLERANCE, Floor, RotaProblem
from patrolplan.team.programme import compute_set_worth, find_forced_visits, list_day_sets

PATROLS, TASKED, WATCHED = 0, 1, 2  # places in `RotaState.missing` and `RotaFacts.max_missing`


class RotaFacts(NamedTuple):
    """Constants of the search; options by row, days from 0."""

    officer: Ints
    day: Ints
    route: Ints
    school: Ints
    slot: Ints  # (o,) officer, day and window as one
    busy: Floats
    """(o, 2) from and to; options of an officer and day that overlap exclude each other."""
    cell: Ints  # (o,) school, day, window and route number as one
    after_cell: Ints  # (o,) cell that must be filled as well, -1 for none
    school_window: Ints  # (o,) school and window as one
    is_first: Bools
    is_present: Bools
    is_along: Bools
    needs_companion: Bools
    own_worth: Floats  # (o,) separate worth of an option: that of a companion
    option_dose: Floats
    slot_start: Ints
    slot_options: Ints  # options of slot s are `slot_options[slot_start[s]:slot_start[s + 1]]`
    along_start: Ints
    along_options: Ints  # options of walking along with cell c, in the same form
    meet_start: Ints
    met_demands: Ints  # demands that option o meets, in the same form
    lock: Ints  # (o,) lock that an option fulfils, -1 for none
    stop_start: Ints
    stop_hotspot: Ints
    stop_minutes: Floats
    visit_start: Ints  # (o,) where the stops of an option begin in `is_capped`
    is_capped: Ints  # (w,) 1 for stops under the daily maximum, in the order of option and stop
    dose_weight: Floats  # (h,) see `RotaProblem.dose_weight`
    set_worth: Floats  # (h, 2^d) worth of each set of days of a hotspot, by binary number
    max_dose_minutes: float
    max_patrols: Ints
    officer_worth: Floats  # (k, d * w + 1) worth of 0, 1, 2... patrols of an officer.
    school_worth: Floats  # (d + 1,) worth of 0, 1, 2... patrols of a school in a window.
    target: Ints
    min_dose: Floats
    demand_visits: Ints
    max_visits: Ints
    stage: Ints  # (j,) `TASKED` or `WATCHED`
    max_missing: Ints  # (3,) maximum missing of `PATROLS`, `TASKED` and `WATCHED` under the floor
    together: int
    windows: int
    days: int


class RotaState(NamedTuple):
    """A week, and the counts and sums that follow from it."""

    slots: Ints  # (k * d * w,) option of each officer, day and window, -1 for none
    cells: Ints  # (s * d * w * n,) option of each school, day, window and number, -1 for none
    along: Ints  # (s * d * w * n,) number of companions of each cell
    minutes: Floats  # (h, d)
    dosed_days: Ints  # (h,) days on which each hotspot has a dose, as a binary number
    capped_visits: Ints  # (h, d) visits under the daily maximum
    officer_patrols: Ints
    gate_patrols: Ints  # (s * w,)
    patrols: Ints  # (s,) first patrols of the first window
    dose: Floats  # (s,) minutes in the week
    visits: Ints  # (j,) visits that meet each demand
    missing: Ints  # (3,) patrols and visits missing


def fill_slots(problem: RotaProblem, chosen: Ints) -> Ints:
    """(k * d * w,) option of each officer, day and window, -1 for none."""
    slots = np.full(len(problem.max_patrols) * len(problem.dates) * problem.windows, -1)
    slots[problem.slot[chosen]] = chosen
    return slots


def build_facts(problem: RotaProblem, floor: Floor) -> RotaFacts:
    """What a search among the weeks of a floor needs to know."""
    days, windows, together = len(problem.dates), problem.windows, problem.together
    slots = len(problem.max_patrols) * days * windows
    cells = problem.schools * days * windows * together
    # Lists of different length (stops of a route, options of a slot...) are one flat array each,
    # and where each list begins in it: compiled code reads them without any lookup by name.
    stop_start, by_route = _group(problem.visits[:, 0], len(problem.route_school))
    unit = problem.patrol_unit
    # Worths that fall with every further day or patrol are tables, looked up by the count.
    set_worth = compute_set_worth(problem, list_day_sets(days)) * problem.weight[:, None]
    load = compute_even_load(np.arange(days * windows + 1), problem.capacity[:, None])
    slot_start, slot_options = _group(problem.slot, slots)
    # Options that join nobody are put behind the last cell, where nobody looks.
    joined = np.where(problem.is_along, problem.after_cell, cells)
    along_start, along_options = _group(joined, cells)
    meeting, demand = problem.meetings
    meet_start, met = _group(meeting, len(problem))
    made = dict[str, Any](
        own_worth=np.where(problem.is_along, COMPANION_FACTOR * unit, 0.0),
        slot_start=slot_start,
        slot_options=slot_options,
        along_start=along_start,
        along_options=along_options,
        meet_start=meet_start,
        met_demands=demand[met],
        stop_start=stop_start,
        stop_hotspot=problem.visits[by_route, 1],
        stop_minutes=problem.visit_minutes[by_route],
        visit_start=np.searchsorted(problem.option_visits[0], np.arange(len(problem))),
        is_capped=(~find_forced_visits(problem)).astype(np.int64),
        set_worth=np.column_stack([np.zeros(len(problem.weight)), set_worth]),
        max_dose_minutes=float(problem.max_dose_minutes),
        officer_worth=EVEN_LOAD_FACTOR * unit * load,
        school_worth=PRESENCE_FACTOR * unit * compute_presence_sums(days),
        target=floor.patrols,
        min_dose=floor.dose - MINUTES_TOLERANCE,
        stage=np.where(problem.is_tasked, TASKED, WATCHED),
        max_missing=np.array([floor.missing, floor.unmet_tasked, floor.unmet_watched]),
        days=days,
    )
    # All else is the problem's own, under the same name. One layout in memory, so that the search
    # is compiled once for all problems.
    values = (made[name] if name in made else getattr(problem, name) for name in RotaFacts._fields)
    return RotaFacts._make(
        np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value for value in values
    )


def _group(owner: Ints, owners: int) -> tuple[Ints, Ints]:
    """Where the rows of each owner begin, and the rows by owner."""
    order = np.argsort(owner, kind="stable")
    return np.searchsorted(owner[order], np.arange(owners + 1)), order


@jit_compile(is_inlined=True, allocates=False)
def _change_minutes(
    facts: RotaFacts, state: RotaState, hotspot: int, day: int, minutes: float
) -> float:
    """Add minutes of dose to a hotspot and day, or remove some; return the gain in worth."""
    # The set of days with a dose has a worth, and minutes above the daily maximum a penalty. Only
    # this day changes, so nothing is summed over the others.
    before = state.minutes[hotspot, day]
    after = before + minutes
    state.minutes[hotspot, day] = after
    # A set of days is a binary number, whose worth was computed for all 2^d of them beforehand.
    days = state.dosed_days[hotspot]
    has_dose = after > 1e-9  # noqa: PLR2004 - sums of minutes leave a remainder
    changed = days | 1 << day if has_dose else days & ~(1 << day)
    gain = 0.0
    if changed != days:
        state.dosed_days[hotspot] = changed
        gain = facts.set_worth[hotspot, changed] - facts.set_worth[hotspot, days]
    if max(before, after) > facts.max_dose_minutes:
        over = max(0.0, after / facts.max_dose_minutes - 1.0)
        over -= max(0.0, before / facts.max_dose_minutes - 1.0)
        gain -= OVER_CAP_PENALTY * facts.dose_weight[hotspot] * over
    return float(gain)


@jit_compile(is_inlined=True, allocates=False)
def apply_option(facts: RotaFacts, state: RotaState, option: int, sign: int) -> float:
    """Add an option (sign 1) or remove it (-1); return the gain in worth."""
    route, day, school = facts.route[option], facts.day[option], facts.school[option]
    # Every part of the worth that depends on a count is taken out as it was, and put back as it
    # is after the count has changed: so gains add up to the worth of the week, in any order.
    officer, gain = facts.officer[option], sign * facts.own_worth[option]
    for at in range(facts.stop_start[route], facts.stop_start[route + 1]):
        hotspot = facts.stop_hotspot[at]
        gain += _change_minutes(facts, state, hotspot, day, sign * facts.stop_minutes[at])
        nth = facts.visit_start[option] + at - facts.stop_start[route]
        state.capped_visits[hotspot, day] += sign * facts.is_capped[nth]
    state.dose[school] += sign * facts.option_dose[option]
    state.slots[facts.slot[option]] = option if sign > 0 else -1
    state.cells[facts.cell[option]] = option if sign > 0 else -1
    if facts.is_along[option]:
        state.along[facts.after_cell[option]] += sign
    gain -= facts.officer_worth[officer, state.officer_patrols[officer]]
    state.officer_patrols[officer] += sign
    gain += facts.officer_worth[officer, state.officer_patrols[officer]]
    if facts.is_present[option]:
        gate = facts.school_window[option]
        gain -= facts.school_worth[state.gate_patrols[gate]]
        state.gate_patrols[gate] += sign
        gain += facts.school_worth[state.gate_patrols[gate]]
    # What is missing is counted as patrols and visits come and go, never summed over all.
    if facts.is_first[option]:
        state.missing[PATROLS] -= max(0, facts.target[school] - state.patrols[school])
        state.patrols[school] += sign
        state.missing[PATROLS] += max(0, facts.target[school] - state.patrols[school])
    for at in range(facts.meet_start[option], facts.meet_start[option + 1]):
        demand = facts.met_demands[at]
        stage = facts.stage[demand]
        state.missing[stage] -= max(0, facts.demand_visits[demand] - state.visits[demand])
        state.visits[demand] += sign
        state.missing[stage] += max(0, facts.demand_visits[demand] - state.visits[demand])
    return float(gain)


@jit_compile(is_inlined=True, allocates=False)
def overlap(facts: RotaFacts, option: int, other: int) -> bool:
    """Whether two options of an officer and day exclude each other."""
    if facts.slot[option] == facts.slot[other]:
        return True
    return bool(
        facts.busy[option, 0] < facts.busy[other, 1]
        and facts.busy[other, 0] < facts.busy[option, 1]
    )


@jit_compile(is_inlined=True, allocates=False)
def is_allowed(facts: RotaFacts, state: RotaState, option: int) -> bool:
    """Whether an option that was added keeps the rules of officer, school, hotspot and demand."""
    officer = facts.officer[option]
    if state.officer_patrols[officer] > facts.max_patrols[officer]:
        return False
    # The windows of an officer's day are neighbours among the slots.
    first = facts.slot[option] // facts.windows * facts.windows
    for slot in range(first, first + facts.windows):
        other = state.slots[slot]
        if other >= 0 and other != option and overlap(facts, option, other):
            return False
    # A second officer needs the first one, a companion the one who is joined.
    after = facts.after_cell[option]
    if after >= 0 and state.cells[after] < 0:
        return False
    if facts.needs_companion[option] and state.along[facts.cell[option]] == 0:
        return False
    return not _exceeds_maximum(facts, state, option)


@jit_compile(is_inlined=True, allocates=False)
def _exceeds_maximum(facts: RotaFacts, state: RotaState, option: int) -> bool:
    """Whether a demand or hotspot of an option exceeds its maximum of visits or minutes."""
    for at in range(facts.meet_start[option], facts.meet_start[option + 1]):
        demand = facts.met_demands[at]
        if state.visits[demand] > facts.max_visits[demand]:
            return True
    # Only a visit that nothing forces is held to the maximum, and then with all others there.
    day, route = facts.day[option], facts.route[option]
    for at in range(facts.stop_start[route], facts.stop_start[route + 1]):
        hotspot = facts.stop_hotspot[at]
        if (
            state.capped_visits[hotspot, day] > 0
            and state.minutes[hotspot, day] > facts.max_dose_minutes + 1e-6
        ):
            return True
    return False


@jit_compile(is_inlined=True, allocates=False)
def is_floor_kept(facts: RotaFacts, state: RotaState, option: int) -> bool:
    """Whether the floor holds after an option was added or removed."""
    # Nothing can have changed but the option's school, its cell and the counts of what is missing.
    # Removing it must not leave a second officer, or one who may not go alone, without it, unless a
    # lock requires that.
    school = facts.school[option]
    if state.dose[school] < facts.min_dose[school]:
        return False
    for stage in range(len(state.missing)):
        if state.missing[stage] > facts.max_missing[stage]:
            return False
    # A cell that is filled again has somebody for all who depend on it.
    cell = facts.cell[option]
    if facts.together == 1 or state.cells[cell] >= 0:
        return True
    first = cell // facts.together * facts.together
    for place in range(first, first + facts.together):
        other = state.cells[place]
        if other >= 0 and facts.after_cell[other] == cell:
            return False
    if facts.is_along[option]:
        joined = state.cells[facts.after_cell[option]]
        if joined >= 0 and facts.needs_companion[joined]:
            return bool(state.along[facts.after_cell[option]] > 0)
    return True


def begin_state(facts: RotaFacts, start: Ints) -> tuple[RotaState, float]:
    """The state of a week given as slots, and its worth."""
    schools, hotspots = len(facts.target), len(facts.dose_weight)
    cells = schools * facts.days * facts.windows * facts.together
    missing = np.zeros(3, dtype=np.int64)
    missing[PATROLS] = facts.target.sum()
    np.add.at(missing, facts.stage, facts.demand_visits)
    state = RotaState(
        np.full(len(start), -1),
        np.full(cells, -1),
        np.zeros(cells, dtype=np.int64),
        np.zeros((hotspots, facts.days)),
        np.zeros(hotspots, dtype=np.int64),
        np.zeros((hotspots, facts.days), dtype=np.int64),
        np.zeros(len(facts.max_patrols), dtype=np.int64),
        np.zeros(schools * facts.windows, dtype=np.int64),
        np.zeros(schools, dtype=np.int64),
        np.zeros(schools),
        np.zeros(len(facts.stage), dtype=np.int64),
        missing,
    )
    return state, _put_in_all(facts, state, start)


@jit_compile(allocates=False)
def _put_in_all(facts: RotaFacts, state: RotaState, options: Ints) -> float:
    """Add options, except -1; return their worth together."""
    worth = 0.0
    for option in options:
        if option >= 0:
            worth += apply_option(facts, state, option, 1)
    return worth
