"""Improve a week by very many small changes, some of them for the worse at first.

Simulated annealing over slots of officer and day: a slot gets another option, two days of an
officer change places, whoever is in the way steps aside. Compiled, and ended by the number of
changes tried, so that equal inputs give equal weeks.

Large teams: improve a week by choosing anew for a few neighbouring officers at a time.
"""

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.arrays import jit_compile
from patrolplan.patrols.solver.ruin_recreate import draw_integer, draw_uniform
from patrolplan.team.constraints import (
    compute_set_worth,
    find_forced_visits,
    find_unrepeatable_routes,
    list_day_sets,
)
from patrolplan.team.floor import MINUTES_TOLERANCE, Floor, compute_option_dose
from patrolplan.team.mip import MixedIntegerProgramme
from patrolplan.team.objective import EVEN_LOAD_FACTOR, OVER_CAP_PENALTY, PRESENCE_FACTOR
from patrolplan.team.problem import Bools, Floats, Ints, RotaProblem

START_TEMPERATURE = 0.1
END_TEMPERATURE = 0.01
"""Temperatures at the beginning and at the end, as parts of an average patrol's worth."""

SWAP_SHARE, DROP_SHARE = 0.3, 0.05
"""Parts of the changes that swap two days, and that leave a slot free; the rest fill one."""

NO_OPTION = -1

RandomState = NDArray[np.uint64]


class RotaFacts(NamedTuple):
    """What does not change; options by row, days from 0."""

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
    """(o,) 1 for options that stay."""
    open_lock: Ints
    """(s,) 1 for slots whose lock leaves the route open."""
    stop_start: Ints
    stop_hotspot: Ints
    stop_minutes: Floats
    visit_start: Ints
    """(o,) where the stops of an option begin in `free`."""
    is_capped: Ints
    """(w,) 1 for stops that the most of a day holds, in the order of option and stop."""
    weight: Floats
    set_worth: Floats
    """(h, 2^d) what a hotspot's set of days pays."""
    max_dose_minutes: float
    max_patrols: Ints
    officer_worth: Floats
    """(k, d + 1) what so many patrols of an officer pay."""
    school_worth: Floats
    """(d + 1,) what so many patrols of a school pay."""
    target: Ints
    missing: int
    min_dose: Floats
    highest: Ints
    """(s,) most patrols of a school."""
    is_unrepeatable: Ints
    """(d - 1, r) 1 where a route may not be walked on this day and the next."""
    together: int
    days: int


class RotaState(NamedTuple):
    """A week, and what follows from it."""

    slots: Ints
    """(k * d,) option of each officer and day, -1 for none."""
    cells: Ints
    """(s * d * n,) option of each school, day and number, -1 for none."""
    route_counts: Ints
    """(d, r) how often each route is walked on each day."""
    minutes: Floats
    """(h, d)."""
    capped_visits: Ints
    """(h, d) visits that the most of a day holds."""
    officer_patrols: Ints
    patrols: Ints
    dose: Floats
    """(s,) minutes in the week."""
    missing_patrols: Ints
    """(1,) patrols missing of the target."""


def anneal_week(problem: RotaProblem, floor: Floor, chosen: Ints, *, moves: int, seed: int) -> Ints:
    """Options of a week at least as good as the one to start from.

    Parameters
    ----------
    problem
        The options.
    floor
        What every school gets at least.
    chosen
        Options to start from, which keep every rule.
    moves
        Changes to try.
    seed
        Of the random numbers.
    """
    facts = _build_facts(problem, floor)
    start = np.full(len(problem.max_patrols) * len(problem.dates), NO_OPTION)
    start[problem.officer_day[chosen]] = chosen
    rng = np.array([2 * seed + 1], dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    unit = problem.patrol_unit
    best = _anneal(facts, start, START_TEMPERATURE * unit, END_TEMPERATURE * unit, moves, rng)
    return np.sort(best[best >= 0])


def _build_facts(problem: RotaProblem, floor: Floor) -> RotaFacts:
    days, slots = len(problem.dates), len(problem.max_patrols) * len(problem.dates)
    number = problem.route_number[problem.route] - 1
    together = int(number.max(initial=0)) + 1
    order = np.argsort(problem.officer_day, kind="stable")
    by_route = np.argsort(problem.visits[:, 0], kind="stable")
    nth = np.arange(days + 1)
    unit, capacity = problem.patrol_unit, np.maximum(1, problem.capacity)[:, None]
    locked = np.zeros(slots, dtype=np.int64)
    locked[problem.officer_day[(problem.lock >= 0) & ~problem.fixed]] = 1
    return RotaFacts(
        officer=problem.officer,
        day=problem.day,
        route=problem.route,
        school=problem.school,
        cell=problem.school_day * together + number,
        is_first=problem.is_first.astype(np.int64),
        dose=compute_option_dose(problem),
        slot_start=np.searchsorted(problem.officer_day[order], np.arange(slots + 1)),
        slot_options=order,
        fixed=problem.fixed.astype(np.int64),
        open_lock=locked,
        stop_start=np.searchsorted(
            problem.visits[by_route, 0], np.arange(len(problem.route_school) + 1)
        ),
        stop_hotspot=problem.visits[by_route, 1],
        stop_minutes=problem.visit_minutes[by_route],
        visit_start=np.searchsorted(problem.option_visits[0], np.arange(len(problem))),
        is_capped=(~find_forced_visits(problem)).astype(np.int64),
        weight=problem.weight,
        set_worth=np.column_stack(
            [np.zeros(len(problem.weight)), compute_set_worth(problem, list_day_sets(days))]
        )
        * problem.weight[:, None],
        max_dose_minutes=float(problem.max_dose_minutes),
        max_patrols=problem.max_patrols,
        officer_worth=EVEN_LOAD_FACTOR * unit * (nth - nth * (nth - 1) / 2 / capacity),
        school_worth=PRESENCE_FACTOR * unit * np.cumsum(np.r_[0.0, 1 / np.arange(1, days + 1)]),
        target=floor.patrols,
        missing=floor.missing,
        min_dose=floor.dose - MINUTES_TOLERANCE,
        highest=np.full(problem.schools, days)
        if problem.exact_patrols is None
        else problem.exact_patrols,
        is_unrepeatable=find_unrepeatable_routes(problem).astype(np.int64),
        together=together,
        days=days,
    )


@jit_compile()
def _compute_hotspot_worth(facts: RotaFacts, state: RotaState, hotspot: int) -> float:
    """What a hotspot's doses pay, less what is above the most of a day."""
    days, over = 0, 0.0
    for day in range(facts.days):
        minutes = state.minutes[hotspot, day]
        if minutes > 1e-9:  # noqa: PLR2004 - sums of minutes leave a little behind
            days |= 1 << day
            over += max(0.0, minutes / facts.max_dose_minutes - 1.0)
    return float(facts.set_worth[hotspot, days] - OVER_CAP_PENALTY * facts.weight[hotspot] * over)


@jit_compile()
def _apply_option(facts: RotaFacts, state: RotaState, option: int, sign: int) -> float:
    """Take an option in (sign 1) or out (-1); gives what that adds to the worth."""
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
    """Whether a chosen option keeps the rules of its officer, its school and its route."""
    day, route, school = facts.day[option], facts.route[option], facts.school[option]
    if state.officer_patrols[facts.officer[option]] > facts.max_patrols[facts.officer[option]]:
        return False
    if state.patrols[school] > facts.highest[school]:
        return False
    if not facts.is_first[option] and not facts.fixed[option]:
        before = state.cells[facts.cell[option] - 1]
        if before < 0:
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
    """Whether the week keeps its floor and nobody is left second without a first."""
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
    """Draw a change: options to take out and to put in, -1 for none."""
    out[:] = -1
    into[:] = -1
    slots = len(state.slots)
    slot = draw_integer(rng, slots)
    many = facts.slot_start[slot + 1] - facts.slot_start[slot]
    if many == 0:
        return False
    here = state.slots[slot]
    option = facts.slot_options[facts.slot_start[slot] + draw_integer(rng, many)]
    officer = slot // facts.days
    kind = draw_uniform(rng)
    if kind < SWAP_SHARE and here >= 0:
        other = officer * facts.days + draw_integer(rng, facts.days)
        if other == slot or not _draw_swap(facts, state, slot, other, out, into):
            return False
    elif kind < SWAP_SHARE + DROP_SHARE and here >= 0:
        out[0] = here
    elif option == here:
        return False
    else:
        out[0], into[0] = here, option
        if here < 0 and state.officer_patrols[officer] >= facts.max_patrols[officer]:
            out[0] = state.slots[officer * facts.days + draw_integer(rng, facts.days)]
    for number in range(2):
        if into[number] >= 0:
            way = state.cells[facts.cell[into[number]]]
            if way >= 0 and way != out[0] and way != out[1]:
                out[2 + number] = way
    return True


@jit_compile()
def _draw_swap(
    facts: RotaFacts, state: RotaState, slot: int, other: int, out: Ints, into: Ints
) -> bool:
    """Let two days of an officer change places, where the routes can be walked there."""
    here, there = state.slots[slot], state.slots[other]
    out[0], out[1] = here, there
    into[0] = _find_option_of_route(facts, facts.route[here], other)
    if there >= 0:
        into[1] = _find_option_of_route(facts, facts.route[there], slot)
    return bool(into[0] >= 0 and (there < 0 or into[1] >= 0))


@jit_compile()
def _find_option_of_route(facts: RotaFacts, route: int, slot: int) -> int:
    """The option of a slot that walks a route, -1 where there is none."""
    for at in range(facts.slot_start[slot], facts.slot_start[slot + 1]):
        if facts.route[facts.slot_options[at]] == route:
            return int(facts.slot_options[at])
    return -1


@jit_compile()
def _is_feasible(facts: RotaFacts, state: RotaState, out: Ints, into: Ints) -> bool:
    """Whether a change that was made keeps every rule."""
    for option in into:
        if option >= 0 and not (
            _is_allowed(facts, state, option) and _is_floor_kept(facts, state, option)
        ):
            return False
    for option in out:  # noqa: SIM110 - numba knows no generators
        if option >= 0 and not _is_floor_kept(facts, state, option):
            return False
    return True


@jit_compile()
def _is_locked(facts: RotaFacts, out: Ints) -> bool:
    """Whether a lock by hand holds one of these options."""
    for option in out:
        if option >= 0:
            slot = facts.officer[option] * facts.days + facts.day[option]
            if facts.fixed[option] == 1 or facts.open_lock[slot] == 1:
                return True
    return False


@jit_compile()
def _apply_change(facts: RotaFacts, state: RotaState, out: Ints, into: Ints) -> float:
    """Make a change; gives what it adds to the worth."""
    gain = 0.0
    for option in out:
        if option >= 0:
            gain += _apply_option(facts, state, option, -1)
    for option in into:
        if option >= 0:
            gain += _apply_option(facts, state, option, 1)
    return gain


@jit_compile()
def _anneal(
    facts: RotaFacts, start: Ints, hot: float, cold: float, moves: int, rng: RandomState
) -> Ints:
    """The best week met."""
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
    best, best_worth = start.copy(), worth
    out, into = np.full(4, -1), np.full(2, -1)
    cooling = (cold / hot) ** (1.0 / max(1, moves))
    heat = hot
    for _ in range(moves):
        heat *= cooling
        if not _draw_change(facts, state, rng, out, into):
            continue
        if _is_locked(facts, out):
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


GROUP_SIZES = (4, 7, 9, 5, 6, 7)
"""Officers who are chosen for together, by sweep: few enough to be solved in a second."""

LIKELY_SWEEPS = 3
"""Sweeps that look at likely options alone: small programmes, and most of the way."""

WORTH_TOLERANCE = 1e-9

MAX_GROUP_NODES = 5
GROUP_GAP = 5e-4


def improve_by_groups(
    programme: MixedIntegerProgramme,
    x: Ints,
    problem: RotaProblem,
    start: Floats,
    *,
    likely: Bools,
    rng: np.random.Generator,
    good_enough: float,
    sweeps: int,
    deadline: float,
) -> Floats:
    """Values of all columns, at least as good as the ones to start from.

    Every sweep goes over all officers once, each time with the officers whose options touch the
    same hotspots most; their part of the week is solved again while the rest stands still.

    Parameters
    ----------
    programme, x
        The whole programme, and its options' columns.
    problem
        The week's choice.
    start
        Values of all columns to start from, feasible.
    likely
        (o,) options that the first sweeps look at, beside those chosen already.
    rng
        Draws where a sweep begins.
    good_enough
        Worth at which to stop.
    sweeps
        Most sweeps; a sweep that finds nothing is the last one.
    until
        Time, as `time.monotonic` tells it, at which to stop.
    """
    best = start
    touch = _compute_overlap(problem)
    for sweep in range(sweeps):
        before = programme.objective @ best
        for group in _draw_groups(touch, GROUP_SIZES[sweep % len(GROUP_SIZES)], rng):
            if time.monotonic() > deadline or programme.objective @ best >= good_enough:
                return best
            free = group[problem.officer]
            if sweep < LIKELY_SWEEPS:
                free &= likely | (best[x] > 0)
            small, columns = programme.restrict_to(x[free], best)
            answer = small.solve(
                gap=GROUP_GAP, nodes=MAX_GROUP_NODES, seconds=deadline - time.monotonic()
            )
            if answer.objective > small.objective @ best[columns] + WORTH_TOLERANCE:
                best = best.copy()
                best[columns] = answer.values
        if programme.objective @ best <= before + WORTH_TOLERANCE and sweep >= LIKELY_SWEEPS:
            break
    return best


def _compute_overlap(problem: RotaProblem) -> Floats:
    """(k, k) how much two officers' options have to do with each other."""
    option, visit = problem.option_visits
    shape = (len(problem.max_patrols), len(problem.weight))
    hotspot = problem.visits[visit, 1]
    there = sparse.csr_array((problem.weight[hotspot], (problem.officer[option], hotspot)), shape)
    there.sum_duplicates()
    apart = there.sqrt()
    return np.asarray((apart @ apart.T).todense())


def _draw_groups(touch: Floats, size: int, rng: np.random.Generator) -> Iterator[Bools]:
    """Groups of officers who touch each other, until every officer was in one."""
    waiting = rng.permutation(len(touch)).tolist()
    while waiting:
        group = np.zeros(len(touch), dtype=bool)
        group[waiting[0]] = True
        while group.sum() < min(size, len(touch)):
            pull = np.where(group, -1.0, touch[group].sum(axis=0))
            group[int(np.argmax(pull + 1e-12 * rng.random(len(touch))))] = True
        yield group
        waiting = [officer for officer in waiting if not group[officer]]
