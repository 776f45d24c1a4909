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

from patrolplan.arrays import compiled
from patrolplan.patrols.solver.ruin_recreate import below, draw
from patrolplan.team.constraints import day_sets, forced_visits, must_vary, paid_by_days
from patrolplan.team.floor import EPSILON, Floor, option_dose
from patrolplan.team.mip import Programme
from patrolplan.team.objective import EVEN, OVER, PRESENCE
from patrolplan.team.problem import Bools, Floats, Ints, RotaProblem

HOT = 0.1
COLD = 0.01
"""Temperatures at the beginning and at the end, as parts of an average patrol's worth."""

SWAPS, DROPS = 0.3, 0.05
"""Parts of the changes that swap two days, and that leave a slot free; the rest fill one."""

NONE = -1

Random = NDArray[np.uint64]


class Facts(NamedTuple):
    """What does not change; options by row, days from 0."""

    officer: Ints
    day: Ints
    route: Ints
    school: Ints
    cell: Ints
    """(o,) school, day and route number as one."""
    first: Ints
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
    free: Ints
    """(w,) 1 for stops that the most of a day holds, in the order of option and stop."""
    weight: Floats
    paid: Floats
    """(h, 2^d) what a hotspot's set of days pays."""
    most_minutes: float
    most_patrols: Ints
    officer_pays: Floats
    """(k, d + 1) what so many patrols of an officer pay."""
    school_pays: Floats
    """(d + 1,) what so many patrols of a school pay."""
    target: Ints
    missing: int
    least_dose: Floats
    highest: Ints
    """(s,) most patrols of a school."""
    vary: Ints
    """(d - 1, r) 1 where a route may not be walked on this day and the next."""
    together: int
    days: int


class State(NamedTuple):
    """A week, and what follows from it."""

    slots: Ints
    """(k * d,) option of each officer and day, -1 for none."""
    cells: Ints
    """(s * d * n,) option of each school, day and number, -1 for none."""
    walked: Ints
    """(d, r) how often each route is walked on each day."""
    minutes: Floats
    """(h, d)."""
    coming: Ints
    """(h, d) visits that the most of a day holds."""
    done: Ints
    patrols: Ints
    dose: Floats
    """(s,) minutes in the week."""
    lacking: Ints
    """(1,) patrols missing of the target."""


def annealed(problem: RotaProblem, floor: Floor, chosen: Ints, *, moves: int, seed: int) -> Ints:
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
    facts = _facts(problem, floor)
    start = np.full(len(problem.most_patrols) * len(problem.dates), NONE)
    start[problem.officer_day[chosen]] = chosen
    rng = np.array([2 * seed + 1], dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    unit = problem.patrol_unit
    best = _anneal(facts, start, HOT * unit, COLD * unit, moves, rng)
    return np.sort(best[best >= 0])


def _facts(problem: RotaProblem, floor: Floor) -> Facts:
    days, slots = len(problem.dates), len(problem.most_patrols) * len(problem.dates)
    number = problem.route_number[problem.route] - 1
    together = int(number.max(initial=0)) + 1
    order = np.argsort(problem.officer_day, kind="stable")
    by_route = np.argsort(problem.visits[:, 0], kind="stable")
    nth = np.arange(days + 1)
    unit, capacity = problem.patrol_unit, np.maximum(1, problem.capacity)[:, None]
    locked = np.zeros(slots, dtype=np.int64)
    locked[problem.officer_day[(problem.lock >= 0) & ~problem.fixed]] = 1
    return Facts(
        officer=problem.officer,
        day=problem.day,
        route=problem.route,
        school=problem.school,
        cell=problem.school_day * together + number,
        first=problem.first.astype(np.int64),
        dose=option_dose(problem),
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
        free=(~forced_visits(problem)).astype(np.int64),
        weight=problem.weight,
        paid=np.column_stack([np.zeros(len(problem.weight)), paid_by_days(problem, day_sets(days))])
        * problem.weight[:, None],
        most_minutes=float(problem.most_minutes),
        most_patrols=problem.most_patrols,
        officer_pays=EVEN * unit * (nth - nth * (nth - 1) / 2 / capacity),
        school_pays=PRESENCE * unit * np.cumsum(np.r_[0.0, 1 / np.arange(1, days + 1)]),
        target=floor.patrols,
        missing=floor.missing,
        least_dose=floor.dose - EPSILON,
        highest=np.full(problem.schools, days) if problem.exact is None else problem.exact,
        vary=must_vary(problem).astype(np.int64),
        together=together,
        days=days,
    )


@compiled()
def _spot(facts: Facts, state: State, hotspot: int) -> float:
    """What a hotspot's doses pay, less what is above the most of a day."""
    days, over = 0, 0.0
    for day in range(facts.days):
        minutes = state.minutes[hotspot, day]
        if minutes > 1e-9:  # noqa: PLR2004 - sums of minutes leave a little behind
            days |= 1 << day
            over += max(0.0, minutes / facts.most_minutes - 1.0)
    return float(facts.paid[hotspot, days] - OVER * facts.weight[hotspot] * over)


@compiled()
def _put(facts: Facts, state: State, option: int, sign: int) -> float:
    """Take an option in (sign 1) or out (-1); gives what that adds to the worth."""
    route, day, school = facts.route[option], facts.day[option], facts.school[option]
    officer, gain = facts.officer[option], 0.0
    for at in range(facts.stop_start[route], facts.stop_start[route + 1]):
        hotspot = facts.stop_hotspot[at]
        gain -= _spot(facts, state, hotspot)
        state.minutes[hotspot, day] += sign * facts.stop_minutes[at]
        nth = facts.visit_start[option] + at - facts.stop_start[route]
        state.coming[hotspot, day] += sign * facts.free[nth]
        gain += _spot(facts, state, hotspot)
    state.walked[day, route] += sign
    state.dose[school] += sign * facts.dose[option]
    state.slots[officer * facts.days + day] = option if sign > 0 else -1
    state.cells[facts.cell[option]] = option if sign > 0 else -1
    gain -= facts.officer_pays[officer, state.done[officer]]
    state.done[officer] += sign
    gain += facts.officer_pays[officer, state.done[officer]]
    if facts.first[option]:
        state.lacking[0] -= max(0, facts.target[school] - state.patrols[school])
        gain -= facts.school_pays[state.patrols[school]]
        state.patrols[school] += sign
        gain += facts.school_pays[state.patrols[school]]
        state.lacking[0] += max(0, facts.target[school] - state.patrols[school])
    return float(gain)


@compiled()
def _stands(facts: Facts, state: State, option: int) -> bool:
    """Whether a chosen option keeps the rules of its officer, its school and its route."""
    day, route, school = facts.day[option], facts.route[option], facts.school[option]
    if state.done[facts.officer[option]] > facts.most_patrols[facts.officer[option]]:
        return False
    if state.patrols[school] > facts.highest[school]:
        return False
    if not facts.first[option] and not facts.fixed[option]:
        before = state.cells[facts.cell[option] - 1]
        if before < 0:
            return False
    for at in range(facts.stop_start[route], facts.stop_start[route + 1]):
        hotspot = facts.stop_hotspot[at]
        if (
            state.coming[hotspot, day] > 0
            and state.minutes[hotspot, day] > facts.most_minutes + 1e-6
        ):
            return False
    if day > 0 and facts.vary[day - 1, route] and state.walked[day - 1, route]:
        return False
    return not (day + 1 < facts.days and facts.vary[day, route] and state.walked[day + 1, route])


@compiled()
def _left(facts: Facts, state: State, option: int) -> bool:
    """Whether the week keeps its floor and nobody is left second without a first."""
    school = facts.school[option]
    if state.lacking[0] > facts.missing or state.dose[school] < facts.least_dose[school]:
        return False
    cell = facts.cell[option]
    last = cell % facts.together == facts.together - 1
    if state.cells[cell] < 0 and not last:
        after = state.cells[cell + 1]
        return bool(after < 0 or facts.fixed[after] == 1)
    return True


@compiled()
def _drawn(facts: Facts, state: State, rng: Random, out: Ints, into: Ints) -> bool:
    """Draw a change: options to take out and to put in, -1 for none."""
    out[:] = -1
    into[:] = -1
    slots = len(state.slots)
    slot = below(rng, slots)
    many = facts.slot_start[slot + 1] - facts.slot_start[slot]
    if many == 0:
        return False
    here = state.slots[slot]
    option = facts.slot_options[facts.slot_start[slot] + below(rng, many)]
    officer = slot // facts.days
    kind = draw(rng)
    if kind < SWAPS and here >= 0:
        other = officer * facts.days + below(rng, facts.days)
        if other == slot or not _swapped(facts, state, slot, other, out, into):
            return False
    elif kind < SWAPS + DROPS and here >= 0:
        out[0] = here
    elif option == here:
        return False
    else:
        out[0], into[0] = here, option
        if here < 0 and state.done[officer] >= facts.most_patrols[officer]:
            out[0] = state.slots[officer * facts.days + below(rng, facts.days)]
    for number in range(2):
        if into[number] >= 0:
            way = state.cells[facts.cell[into[number]]]
            if way >= 0 and way != out[0] and way != out[1]:
                out[2 + number] = way
    return True


@compiled()
def _swapped(facts: Facts, state: State, slot: int, other: int, out: Ints, into: Ints) -> bool:
    """Let two days of an officer change places, where the routes can be walked there."""
    here, there = state.slots[slot], state.slots[other]
    out[0], out[1] = here, there
    into[0] = _same(facts, facts.route[here], other)
    if there >= 0:
        into[1] = _same(facts, facts.route[there], slot)
    return bool(into[0] >= 0 and (there < 0 or into[1] >= 0))


@compiled()
def _same(facts: Facts, route: int, slot: int) -> int:
    """The option of a slot that walks a route, -1 where there is none."""
    for at in range(facts.slot_start[slot], facts.slot_start[slot + 1]):
        if facts.route[facts.slot_options[at]] == route:
            return int(facts.slot_options[at])
    return -1


@compiled()
def _kept(facts: Facts, state: State, out: Ints, into: Ints) -> bool:
    """Whether a change that was made keeps every rule."""
    for option in into:
        if option >= 0 and not (_stands(facts, state, option) and _left(facts, state, option)):
            return False
    for option in out:  # noqa: SIM110 - numba knows no generators
        if option >= 0 and not _left(facts, state, option):
            return False
    return True


@compiled()
def _bound(facts: Facts, out: Ints) -> bool:
    """Whether a lock by hand holds one of these options."""
    for option in out:
        if option >= 0:
            slot = facts.officer[option] * facts.days + facts.day[option]
            if facts.fixed[option] == 1 or facts.open_lock[slot] == 1:
                return True
    return False


@compiled()
def _changed(facts: Facts, state: State, out: Ints, into: Ints) -> float:
    """Make a change; gives what it adds to the worth."""
    gain = 0.0
    for option in out:
        if option >= 0:
            gain += _put(facts, state, option, -1)
    for option in into:
        if option >= 0:
            gain += _put(facts, state, option, 1)
    return gain


@compiled()
def _anneal(facts: Facts, start: Ints, hot: float, cold: float, moves: int, rng: Random) -> Ints:
    """The best week met."""
    schools, routes = len(facts.target), len(facts.stop_start) - 1
    state = State(
        np.full(len(start), -1),
        np.full(schools * facts.days * facts.together, -1),
        np.zeros((facts.days, routes), dtype=np.int64),
        np.zeros((len(facts.weight), facts.days)),
        np.zeros((len(facts.weight), facts.days), dtype=np.int64),
        np.zeros(len(facts.most_patrols), dtype=np.int64),
        np.zeros(schools, dtype=np.int64),
        np.zeros(schools),
        np.array([facts.target.sum()]),
    )
    worth = 0.0
    for option in start:
        if option >= 0:
            worth += _put(facts, state, option, 1)
    best, best_worth = start.copy(), worth
    out, into = np.full(4, -1), np.full(2, -1)
    cooling = (cold / hot) ** (1.0 / max(1, moves))
    heat = hot
    for _ in range(moves):
        heat *= cooling
        if not _drawn(facts, state, rng, out, into):
            continue
        if _bound(facts, out):
            continue
        gain = _changed(facts, state, out, into)
        accepted = gain >= 0 or draw(rng) < np.exp(gain / heat)
        if accepted and _kept(facts, state, out, into):
            worth += gain
            if worth > best_worth + 1e-12:
                best_worth = worth
                best[:] = state.slots
            continue
        _changed(facts, state, into, out)
    return best


SIZES = (4, 7, 9, 5, 6, 7)
"""Officers who are chosen for together, by sweep: few enough to be solved in a second."""

LIKELY_SWEEPS = 3
"""Sweeps that look at likely options alone: small programmes, and most of the way."""

IMPROVEMENT = 1e-9

NODES = 5
GAP = 5e-4


def improved(
    programme: Programme,
    x: Ints,
    problem: RotaProblem,
    start: Floats,
    *,
    likely: Bools,
    rng: np.random.Generator,
    good_enough: float,
    sweeps: int,
    until: float,
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
    touch = _touching(problem)
    for sweep in range(sweeps):
        before = programme.worth @ best
        for group in _groups(touch, SIZES[sweep % len(SIZES)], rng):
            if time.monotonic() > until or programme.worth @ best >= good_enough:
                return best
            free = group[problem.officer]
            if sweep < LIKELY_SWEEPS:
                free &= likely | (best[x] > 0)
            small, columns = programme.part(x[free], best)
            answer = small.solve(gap=GAP, nodes=NODES, seconds=until - time.monotonic())
            if answer.worth > small.worth @ best[columns] + IMPROVEMENT:
                best = best.copy()
                best[columns] = answer.values
        if programme.worth @ best <= before + IMPROVEMENT and sweep >= LIKELY_SWEEPS:
            break
    return best


def _touching(problem: RotaProblem) -> Floats:
    """(k, k) how much two officers' options have to do with each other."""
    option, visit = problem.option_visits
    shape = (len(problem.most_patrols), len(problem.weight))
    hotspot = problem.visits[visit, 1]
    there = sparse.csr_array((problem.weight[hotspot], (problem.officer[option], hotspot)), shape)
    there.sum_duplicates()
    apart = there.sqrt()
    return np.asarray((apart @ apart.T).todense())


def _groups(touch: Floats, size: int, rng: np.random.Generator) -> Iterator[Bools]:
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
