"""Improve a week by very many small changes: simulated annealing.

State: a week as slots, one for each officer and day, holding an option or none (`RotaState`). All
that a rule or the worth needs is stored as counts and sums (minutes of each hotspot and day,
patrols of each school and officer, dose of each school...), so that a change costs as much as the
stops it moves, not as much as the week.

Moves: a slot gets another option; a slot is left free; or two days of an officer swap. The patrol
that already fills the place of a school that day steps aside. So a move takes out up to four
options and puts in up to two.

Acceptance: a move is applied, its gain in worth read off, and accepted if the gain is not negative,
or else with probability exp(gain / temperature). The temperature falls by a constant factor from
`START_TEMPERATURE` to `END_TEMPERATURE` of an average patrol's worth. A move that is not accepted
is undone by applying it backwards.

Rules and floor: a move is also undone unless the week still keeps every rule, has no more patrols
missing than the floor allows, and gives every school it touches its floor of dose. The search
starts from a week that keeps all of these, and only options that a move takes out or puts in can
break them. So every week on the way keeps them, the best one included. The search is compiled
and ended by the number of moves, so that equal inputs give equal weeks.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from patrolplan.compiled import jit_compile
from patrolplan.patrols.solver.ruin_recreate import draw_integer, draw_uniform
from patrolplan.team.objective import (
    EVEN_LOAD_FACTOR,
    OVER_CAP_PENALTY,
    PRESENCE_FACTOR,
    compute_even_load,
    compute_presence_sums,
)
from patrolplan.team.problem import MINUTES_TOLERANCE, Floats, Floor, Ints, RotaProblem
from patrolplan.team.programme import (
    compute_set_worth,
    find_forced_visits,
    find_unrepeatable_routes,
    list_day_sets,
)

START_TEMPERATURE = 0.1
END_TEMPERATURE = 0.01
"""Temperatures at the beginning and at the end, as shares of an average patrol's worth."""

SWAP_SHARE, DROP_SHARE = 0.3, 0.05
"""Shares of the moves that swap two days, and that leave a slot free; the rest fill one."""

NO_OPTION = -1

RandomState = NDArray[np.uint64]


class RotaFacts(NamedTuple):
    """What does not change during the search; options by row, days from 0."""

    officer: Ints
    day: Ints
    route: Ints
    school: Ints
    cell: Ints
    """(o,) school, day and route number as one."""
    is_first: Ints
    dose: Floats
    slot_start: Ints
    slot_options: Ints
    """Options of slot s are `slot_options[slot_start[s]:slot_start[s + 1]]`."""
    fixed: Ints
    """(o,) 1 for options that may not be taken out."""
    open_lock: Ints
    """(s,) 1 for slots whose lock leaves the route open."""
    stop_start: Ints
    stop_hotspot: Ints
    stop_minutes: Floats
    visit_start: Ints
    """(o,) where the stops of an option begin in `free`."""
    is_capped: Ints
    """(w,) 1 for stops under the daily maximum, in the order of option and stop."""
    weight: Floats
    set_worth: Floats
    """(h, 2^d) worth of each set of days of a hotspot, by binary number."""
    max_dose_minutes: float
    max_patrols: Ints
    officer_worth: Floats
    """(k, d + 1) worth of 0, 1, 2... patrols of an officer."""
    school_worth: Floats
    """(d + 1,) worth of 0, 1, 2... patrols of a school."""
    target: Ints
    missing: int
    min_dose: Floats
    max_school_patrols: Ints
    is_unrepeatable: Ints
    """(d - 1, r) 1 where a route may not be walked on both this day and the next."""
    together: int
    days: int


class RotaState(NamedTuple):
    """A week, and the counts and sums that follow from it."""

    slots: Ints
    """(k * d,) option of each officer and day, -1 for none."""
    cells: Ints
    """(s * d * n,) option of each school, day and number, -1 for none."""
    route_counts: Ints
    """(d, r) how often each route is walked on each day."""
    minutes: Floats
    """(h, d)."""
    capped_visits: Ints
    """(h, d) visits under the daily maximum."""
    officer_patrols: Ints
    patrols: Ints
    dose: Floats
    """(s,) minutes in the week."""
    missing_patrols: Ints
    """(1,) patrols missing of the target."""


def anneal_week(problem: RotaProblem, floor: Floor, chosen: Ints, *, moves: int, seed: int) -> Ints:
    """The best week that so many moves reach from chosen options, which keep rules and floor."""
    facts = _build_facts(problem, floor)
    start = np.full(len(problem.max_patrols) * len(problem.dates), NO_OPTION)
    start[problem.officer_day[chosen]] = chosen
    rng = np.array([2 * seed + 1], dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    unit = problem.patrol_unit
    best = _anneal(facts, start, START_TEMPERATURE * unit, END_TEMPERATURE * unit, moves, rng)
    return np.sort(best[best >= 0])


def walk_weeks(
    problem: RotaProblem,
    floor: Floor,
    chosen: Ints,
    *,
    limit: float,
    moves: int,
    states: int = 1,
    seed: int,
) -> list[Ints]:
    """Weeks on a random walk from chosen options, one after every so many moves.

    The walk makes the moves of the search, and accepts each that leaves a week which keeps rules
    and floor and is worth at least `limit`. No week there is preferred to another for its worth.

    Parameters
    ----------
    problem, floor, chosen
        As for `anneal_week`.
    limit
        What every week on the way is worth at least; no more than the first one.
    moves
        Between one week that is returned and the next.
    states
        Weeks to return.
    seed
        64 bits.
    """
    facts = _build_facts(problem, floor)
    start = np.full(len(problem.max_patrols) * len(problem.dates), NO_OPTION)
    start[problem.officer_day[chosen]] = chosen
    rng = np.array([seed | 1], dtype=np.uint64)
    return [np.sort(week[week >= 0]) for week in _walk(facts, start, limit, moves, states, rng)]


def _build_facts(problem: RotaProblem, floor: Floor) -> RotaFacts:
    days, slots = len(problem.dates), len(problem.max_patrols) * len(problem.dates)
    number = problem.route_number[problem.route] - 1
    together = int(number.max(initial=0)) + 1
    order = np.argsort(problem.officer_day, kind="stable")
    by_route = np.argsort(problem.visits[:, 0], kind="stable")
    unit = problem.patrol_unit
    open_lock = np.zeros(slots, dtype=np.int64)
    open_lock[problem.officer_day[(problem.lock >= 0) & ~problem.fixed]] = 1
    set_worth = compute_set_worth(problem, list_day_sets(days)) * problem.weight[:, None]
    exact = problem.exact_patrols
    return RotaFacts(
        officer=problem.officer,
        day=problem.day,
        route=problem.route,
        school=problem.school,
        cell=problem.school_day * together + number,
        is_first=problem.is_first.astype(np.int64),
        dose=problem.option_dose,
        slot_start=np.searchsorted(problem.officer_day[order], np.arange(slots + 1)),
        slot_options=order,
        fixed=problem.fixed.astype(np.int64),
        open_lock=open_lock,
        stop_start=np.searchsorted(
            problem.visits[by_route, 0], np.arange(len(problem.route_school) + 1)
        ),
        stop_hotspot=problem.visits[by_route, 1],
        stop_minutes=problem.visit_minutes[by_route],
        visit_start=np.searchsorted(problem.option_visits[0], np.arange(len(problem))),
        is_capped=(~find_forced_visits(problem)).astype(np.int64),
        weight=problem.weight,
        set_worth=np.column_stack([np.zeros(len(problem.weight)), set_worth]),
        max_dose_minutes=float(problem.max_dose_minutes),
        max_patrols=problem.max_patrols,
        officer_worth=EVEN_LOAD_FACTOR
        * unit
        * compute_even_load(np.arange(days + 1), problem.capacity[:, None]),
        school_worth=PRESENCE_FACTOR * unit * compute_presence_sums(days),
        target=floor.patrols,
        missing=floor.missing,
        min_dose=floor.dose - MINUTES_TOLERANCE,
        max_school_patrols=np.full(problem.schools, days) if exact is None else exact,
        is_unrepeatable=find_unrepeatable_routes(problem).astype(np.int64),
        together=together,
        days=days,
    )


@jit_compile()
def _compute_hotspot_worth(facts: RotaFacts, state: RotaState, hotspot: int) -> float:
    """Worth of a hotspot's doses, less the charge for minutes above the daily maximum."""
    days, over = 0, 0.0
    for day in range(facts.days):
        minutes = state.minutes[hotspot, day]
        if minutes > 1e-9:  # noqa: PLR2004 - sums of minutes leave a remainder
            days |= 1 << day
            over += max(0.0, minutes / facts.max_dose_minutes - 1.0)
    return float(facts.set_worth[hotspot, days] - OVER_CAP_PENALTY * facts.weight[hotspot] * over)


@jit_compile()
def _apply_option(facts: RotaFacts, state: RotaState, option: int, sign: int) -> float:
    """Put an option in (sign 1) or take it out (-1); gives what that adds to the worth."""
    route, day, school = facts.route[option], facts.day[option], facts.school[option]
    officer, gain = facts.officer[option], 0.0
    for at in range(facts.stop_start[route], facts.stop_start[route + 1]):
        hotspot = facts.stop_hotspot[at]
        gain -= _compute_hotspot_worth(facts, state, hotspot)
        state.minutes[hotspot, day] += sign * facts.stop_minutes[at]
        nth = facts.visit_start[option] + at - facts.stop_start[route]
        state.capped_visits[hotspot, day] += sign * facts.is_capped[nth]
        gain += _compute_hotspot_worth(facts, state, hotspot)
    state.route_counts[day, route] += sign
    state.dose[school] += sign * facts.dose[option]
    state.slots[officer * facts.days + day] = option if sign > 0 else -1
    state.cells[facts.cell[option]] = option if sign > 0 else -1
    gain -= facts.officer_worth[officer, state.officer_patrols[officer]]
    state.officer_patrols[officer] += sign
    gain += facts.officer_worth[officer, state.officer_patrols[officer]]
    if facts.is_first[option]:
        state.missing_patrols[0] -= max(0, facts.target[school] - state.patrols[school])
        gain -= facts.school_worth[state.patrols[school]]
        state.patrols[school] += sign
        gain += facts.school_worth[state.patrols[school]]
        state.missing_patrols[0] += max(0, facts.target[school] - state.patrols[school])
    return float(gain)


@jit_compile()
def _is_allowed(facts: RotaFacts, state: RotaState, option: int) -> bool:
    """Whether an option that was put in keeps the rules of officer, school, hotspot and route."""
    day, route, school = facts.day[option], facts.route[option], facts.school[option]
    if state.officer_patrols[facts.officer[option]] > facts.max_patrols[facts.officer[option]]:
        return False
    if state.patrols[school] > facts.max_school_patrols[school]:
        return False
    second_alone = not facts.is_first[option] and state.cells[facts.cell[option] - 1] < 0
    if second_alone and not facts.fixed[option]:
        return False
    for at in range(facts.stop_start[route], facts.stop_start[route + 1]):
        hotspot = facts.stop_hotspot[at]
        if (
            state.capped_visits[hotspot, day] > 0
            and state.minutes[hotspot, day] > facts.max_dose_minutes + 1e-6
        ):
            return False
    if day > 0 and facts.is_unrepeatable[day - 1, route] and state.route_counts[day - 1, route]:
        return False
    return not (
        day + 1 < facts.days
        and facts.is_unrepeatable[day, route]
        and state.route_counts[day + 1, route]
    )


@jit_compile()
def _is_floor_kept(facts: RotaFacts, state: RotaState, option: int) -> bool:
    """Whether the floor holds for the school of an option that was put in or taken out.

    Nor may taking out a first officer leave a second one alone, unless a lock wants that.
    """
    school = facts.school[option]
    if state.missing_patrols[0] > facts.missing or state.dose[school] < facts.min_dose[school]:
        return False
    cell = facts.cell[option]
    last = cell % facts.together == facts.together - 1
    if state.cells[cell] < 0 and not last:
        after = state.cells[cell + 1]
        return bool(after < 0 or facts.fixed[after] == 1)
    return True


@jit_compile()
def _draw_change(
    facts: RotaFacts, state: RotaState, rng: RandomState, out: Ints, into: Ints
) -> bool:
    """Draw a move into `out` and `into`, -1 for none; whether there is anything to do."""
    out[:] = -1
    into[:] = -1
    slots = len(state.slots)
    slot = draw_integer(rng, slots)
    many = facts.slot_start[slot + 1] - facts.slot_start[slot]
    if many == 0:
        return False
    current = state.slots[slot]
    option = facts.slot_options[facts.slot_start[slot] + draw_integer(rng, many)]
    officer = slot // facts.days
    kind = draw_uniform(rng)
    if kind < SWAP_SHARE and current >= 0:
        other = officer * facts.days + draw_integer(rng, facts.days)
        if other == slot or not _draw_swap(facts, state, slot, other, out, into):
            return False
    elif kind < SWAP_SHARE + DROP_SHARE and current >= 0:
        out[0] = current
    elif option == current:
        return False
    else:
        out[0], into[0] = current, option
        if current < 0 and state.officer_patrols[officer] >= facts.max_patrols[officer]:
            out[0] = state.slots[officer * facts.days + draw_integer(rng, facts.days)]
    for number in range(2):
        if into[number] >= 0:
            holder = state.cells[facts.cell[into[number]]]
            if holder >= 0 and holder != out[0] and holder != out[1]:
                out[2 + number] = holder
    return True


@jit_compile()
def _draw_swap(
    facts: RotaFacts, state: RotaState, slot: int, other: int, out: Ints, into: Ints
) -> bool:
    """Swap two days of an officer, where the same routes are options of the other day."""
    first, second = state.slots[slot], state.slots[other]
    out[0], out[1] = first, second
    into[0] = _find_option_of_route(facts, facts.route[first], other)
    if second >= 0:
        into[1] = _find_option_of_route(facts, facts.route[second], slot)
    return bool(into[0] >= 0 and (second < 0 or into[1] >= 0))


@jit_compile()
def _find_option_of_route(facts: RotaFacts, route: int, slot: int) -> int:
    """The option of a slot that walks a route, or -1."""
    for at in range(facts.slot_start[slot], facts.slot_start[slot + 1]):
        if facts.route[facts.slot_options[at]] == route:
            return int(facts.slot_options[at])
    return -1


@jit_compile()
def _is_feasible(facts: RotaFacts, state: RotaState, out: Ints, into: Ints) -> bool:
    """Whether the week after a move keeps every rule and the floor."""
    for option in into:
        if option >= 0 and not (
            _is_allowed(facts, state, option) and _is_floor_kept(facts, state, option)
        ):
            return False
    for option in out:  # noqa: SIM110 - numba has no generators
        if option >= 0 and not _is_floor_kept(facts, state, option):
            return False
    return True


@jit_compile()
def _is_locked(facts: RotaFacts, out: Ints) -> bool:
    """Whether a lock forbids taking out one of these options."""
    for option in out:
        if option >= 0:
            slot = facts.officer[option] * facts.days + facts.day[option]
            if facts.fixed[option] == 1 or facts.open_lock[slot] == 1:
                return True
    return False


@jit_compile()
def _apply_change(facts: RotaFacts, state: RotaState, out: Ints, into: Ints) -> float:
    """Apply a move; gives what it adds to the worth."""
    gain = 0.0
    for option in out:
        if option >= 0:
            gain += _apply_option(facts, state, option, -1)
    for option in into:
        if option >= 0:
            gain += _apply_option(facts, state, option, 1)
    return gain


@jit_compile()
def _build_state(facts: RotaFacts, start: Ints) -> tuple[RotaState, float]:
    """The state of a week, and its worth."""
    schools, routes = len(facts.target), len(facts.stop_start) - 1
    state = RotaState(
        np.full(len(start), -1),
        np.full(schools * facts.days * facts.together, -1),
        np.zeros((facts.days, routes), dtype=np.int64),
        np.zeros((len(facts.weight), facts.days)),
        np.zeros((len(facts.weight), facts.days), dtype=np.int64),
        np.zeros(len(facts.max_patrols), dtype=np.int64),
        np.zeros(schools, dtype=np.int64),
        np.zeros(schools),
        np.array([facts.target.sum()]),
    )
    worth = 0.0
    for option in start:
        if option >= 0:
            worth += _apply_option(facts, state, option, 1)
    return state, worth


@jit_compile()
def _anneal(
    facts: RotaFacts, start: Ints, hot: float, cold: float, moves: int, rng: RandomState
) -> Ints:
    """The slots of the best week on the way."""
    state, worth = _build_state(facts, start)
    best, best_worth = start.copy(), worth
    out, into = np.full(4, -1), np.full(2, -1)
    cooling = (cold / hot) ** (1.0 / max(1, moves))
    heat = hot
    for _ in range(moves):
        heat *= cooling
        if not _draw_change(facts, state, rng, out, into) or _is_locked(facts, out):
            continue
        gain = _apply_change(facts, state, out, into)
        accepted = gain >= 0 or draw_uniform(rng) < np.exp(gain / heat)
        if accepted and _is_feasible(facts, state, out, into):
            worth += gain
            if worth > best_worth + 1e-12:
                best_worth = worth
                best[:] = state.slots
            continue
        _apply_change(facts, state, into, out)
    return best


@jit_compile()
def _walk(
    facts: RotaFacts, start: Ints, limit: float, moves: int, states: int, rng: RandomState
) -> Ints:
    """(states, k * d) slots after every so many moves; see `walk_weeks`."""
    state, worth = _build_state(facts, start)
    weeks = np.empty((states, len(start)), dtype=np.int64)
    out, into = np.full(4, -1), np.full(2, -1)
    for number in range(states):
        for _ in range(moves):
            if not _draw_change(facts, state, rng, out, into) or _is_locked(facts, out):
                continue
            gain = _apply_change(facts, state, out, into)
            if worth + gain >= limit and _is_feasible(facts, state, out, into):
                worth += gain
            else:
                _apply_change(facts, state, into, out)
        weeks[number] = state.slots
    return weeks
