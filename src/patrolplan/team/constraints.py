"""The rota as a mixed-integer programme whose relaxation is tight.

Only the options are whole numbers. A hotspot is paid for by the set of days on which it has its
dose, each day bounded by all the options together that come there; patrols of a school and of
an officer are paid for through pieces of falling worth. No constant stands in for infinity.

A most of minutes a hotspot a day: who may still come, and what may go above it.

No visit may bring a hotspot above the most on a day, except one that is forced: a place that
intelligence has every patrol of a school visit, or a patrol locked by hand that has no route
past it. So wherever a hotspot gets more, every visit of that day was forced. Forced visits come
before the most, and the most before the least of a school.
"""

import numpy as np

from patrolplan.team.mip import MipBuilder
from patrolplan.team.objective import (
    EVEN_LOAD_FACTOR,
    OVER_CAP_PENALTY,
    PRESENCE_FACTOR,
    compute_day_gains,
    compute_row_gain,
    count_days_in_a_row,
)
from patrolplan.team.problem import Bools, Floats, Ints, RotaProblem

MINUTES_TOLERANCE = 1e-6
"""Minutes that rounding may add."""


def find_forced_visits(problem: RotaProblem) -> Bools:
    """(w,) for every stop of every option, whether the most of a day does not hold it.

    It is a place that must be visited, or its option fulfils a lock whose options all stop there.
    """
    option, visit = problem.option_visits
    forced = problem.is_mandatory[visit]
    held = problem.lock[option] >= 0
    if problem.locks_first:
        return np.asarray(forced | held)
    hotspot = problem.visits[visit, 1]
    many = len(problem.weight)
    lock = problem.lock[option[held]]
    place, row = np.unique(lock * many + hotspot[held], return_inverse=True)
    there = np.unique(np.stack([row, option[held]], axis=1), axis=0)[:, 0]
    options = np.bincount(problem.lock[problem.lock >= 0], minlength=1)
    every = np.bincount(there, minlength=len(place)) == options[place // many]
    forced[held] |= every[row]
    return np.asarray(forced)


def add_dose_caps(model: MipBuilder, problem: RotaProblem, x: Ints) -> None:
    """Hold every hotspot to its most on every day where more could come together."""
    option, visit = problem.option_visits
    cell = problem.visits[visit, 1] * len(problem.dates) + problem.day[option]
    minutes, forced = problem.visit_minutes[visit], find_forced_visits(problem)
    free = ~forced
    sure = forced & problem.fixed[option]
    cells = len(problem.weight) * len(problem.dates)
    given = np.bincount(cell[sure], minutes[sure], cells)
    room = np.asarray(problem.max_dose_minutes - given, dtype=np.float64)
    could = forced & ~sure
    rest = free | could
    crowded = _compute_max_minutes(problem, option, cell, minutes, rest) > room + MINUTES_TOLERANCE
    crowded &= np.bincount(cell[free], minlength=cells) > 0
    highest = _compute_max_minutes(problem, option, cell, minutes, could)
    above = highest > room + MINUTES_TOLERANCE
    held = rest & (crowded & ~above)[cell]
    _cap_minutes(model, cell[held], x[option[held]], minutes[held], np.maximum(0.0, room))
    asked = rest & (crowded & above)[cell]
    who = problem.officer[option[asked]]
    columns = x[option[asked]]
    _cap_unforced_visits(
        model, (cell[asked], who, columns, minutes[asked]), free[asked], room, highest
    )


def _compute_max_minutes(
    problem: RotaProblem, option: Ints, cell: Ints, minutes: Floats, which: Bools
) -> Floats:
    """(c,) minutes that these visits could come to: officers and schools have one patrol a day."""
    option, cell, minutes = option[which], cell[which], minutes[which]
    cells = len(problem.weight) * len(problem.dates)
    place = problem.route_school * (1 + int(problem.route_number.max(initial=0)))
    place += problem.route_number
    found = np.full(cells, np.inf)
    for owner in (problem.officer[option], place[problem.route[option]]):
        many = 1 + int(owner.max(initial=0))
        pair, row = np.unique(cell * many + owner, return_inverse=True)
        longest = np.zeros(len(pair))
        np.maximum.at(longest, row, minutes)
        found = np.minimum(found, np.bincount(pair // many, longest, cells))
    return found


def _cap_minutes(
    model: MipBuilder, cell: Ints, columns: Ints, minutes: Floats, room: Floats
) -> None:
    """Hold the minutes of each cell to its room; equal visits by how many of them fit."""
    there, row = np.unique(cell, return_inverse=True)
    shortest = np.full(len(there), np.inf)
    longest = np.zeros(len(there))
    np.minimum.at(shortest, row, minutes)
    np.maximum.at(longest, row, minutes)
    fit = (room[there] + MINUTES_TOLERANCE) / shortest
    most = np.where(longest - shortest < MINUTES_TOLERANCE, np.floor(fit), fit)
    model.add_constraints((row, columns, minutes / shortest[row]), upper=most, count=len(there))


def _cap_unforced_visits(
    model: MipBuilder,
    visits: tuple[Ints, Ints, Ints, Floats],
    free: Bools,
    room: Floats,
    highest: Floats,
) -> None:
    """Where forced visits may go above the most, let others come only if all stay under it.

    Parameters
    ----------
    model
        The programme.
    visits
        Cell, officer, column and minutes of each visit.
    free
        Which of them are not forced.
    room, highest
        (c,) minutes left under the most, and minutes that forced visits could come to.
    """
    cell, officer, columns, minutes = visits
    there, row = np.unique(cell, return_inverse=True)
    comes = model.add_variables(np.zeros(len(there)))
    many = 1 + int(officer.max(initial=0))
    pair, place = np.unique(row[free] * many + officer[free], return_inverse=True)
    model.add_constraints(
        (place, columns[free], 1.0),
        (np.arange(len(pair)), comes[pair // many], -1.0),
        upper=0.0,
        count=len(pair),
    )
    model.add_constraints(
        (row, columns, minutes),
        (np.arange(len(there)), comes, (highest - np.maximum(0.0, room))[there]),
        upper=highest[there] + MINUTES_TOLERANCE,
        count=len(there),
    )


def add_options(model: MipBuilder, problem: RotaProblem) -> Ints:
    """Options, and who may be where: gives the options' columns.

    An officer has one patrol a day and so many a week; a school has each of its officers once a
    day, a second only beside a first; the same route is not walked on two days running where
    another could be; no hotspot gets more minutes than the most of a day.
    """
    x = model.add_variables(np.zeros(len(problem)), lower=problem.fixed, is_integer=True)
    held = problem.lock >= 0
    locks = int(problem.lock.max(initial=-1)) + 1
    model.add_constraints((problem.lock[held], x[held], 1.0), lower=1.0, count=locks)
    number = problem.route_number[problem.route]
    together = int(number.max(initial=1))
    model.add_group_caps(problem.officer_day, x, 1.0)
    model.add_group_caps(problem.officer, x, problem.max_patrols)
    model.add_group_caps(problem.school_day * together + number - 1, x, 1.0)
    slots = problem.schools * len(problem.dates)
    for later in range(2, together + 1):
        mine, before = number == later, number == later - 1
        alone = np.zeros(slots)  # a lock may send a second officer without a first
        alone[problem.school_day[mine & held]] = 1.0
        model.add_constraints(
            (problem.school_day[mine], x[mine], 1.0),
            (problem.school_day[before], x[before], -1.0),
            upper=alone,
            count=slots,
        )
    if problem.exact_patrols is not None:
        model.add_group_caps(
            problem.school[problem.is_first], x[problem.is_first], problem.exact_patrols
        )
    _forbid_repeats(model, problem, x)
    add_dose_caps(model, problem, x)
    return x


def _forbid_repeats(model: MipBuilder, problem: RotaProblem, x: Ints) -> None:
    """Hold the same route off two days running."""
    for day, held in enumerate(find_unrepeatable_routes(problem)):
        mine = ((problem.day == day) | (problem.day == day + 1)) & held[problem.route]
        model.add_group_caps(problem.route[mine], x[mine], 1.0)


def find_unrepeatable_routes(problem: RotaProblem) -> Bools:
    """(d - 1, r) routes that may not be walked on this day and the next.

    That is any route, unless it turns (on the second day it is walked the other way round), is the
    only one on both days, or a lock by hand asks for both.
    """
    days, routes = len(problem.dates), len(problem.route_school)
    number = problem.route_number[problem.route]
    slot = problem.school_day * (1 + int(number.max(initial=1))) + number
    pairs = np.unique(np.stack([slot, problem.route], axis=1), axis=0)
    choices = np.bincount(pairs[:, 0], minlength=int(slot.max(initial=0)) + 1)
    other = np.zeros((days, routes), dtype=bool)
    np.logical_or.at(other, (problem.day, problem.route), choices[slot] > 1)
    fixed = np.zeros((days, routes), dtype=np.int64)
    np.add.at(fixed, (problem.day[problem.fixed], problem.route[problem.fixed]), 1)
    adjacent = np.diff(problem.dates) == 1
    asked = (fixed[:-1] > 0) & (fixed[1:] > 0)
    return np.asarray(
        adjacent[:, None] & (other[:-1] | other[1:]) & ~asked & ~problem.is_reversible
    )


def add_shortfall_variables(model: MipBuilder, problem: RotaProblem, x: Ints, target: Ints) -> Ints:
    """Patrols that schools lack of a target: gives the columns of what is missing."""
    missing = model.add_variables(np.zeros(problem.schools), upper=target)
    model.add_constraints(
        (problem.school[problem.is_first], x[problem.is_first], 1.0),
        (np.arange(problem.schools), missing, 1.0),
        lower=target,
        count=problem.schools,
    )
    return missing


def add_objective(model: MipBuilder, problem: RotaProblem, x: Ints) -> None:
    """Everything that `patrolplan.team.objective` pays for."""
    unit, days, first = problem.patrol_unit, len(problem.dates), problem.is_first
    nth = np.tile(np.arange(1, days + 1), problem.schools)
    schools = np.repeat(np.arange(problem.schools), days)
    _add_falling_worth(
        model, schools, PRESENCE_FACTOR * unit / nth, problem.school[first], x[first]
    )
    officers = np.repeat(np.arange(len(problem.capacity)), problem.capacity)
    before = np.cumsum(problem.capacity) - problem.capacity
    share = (np.arange(len(officers)) - before[officers]) / problem.capacity[officers]
    _add_falling_worth(model, officers, EVEN_LOAD_FACTOR * unit * (1 - share), problem.officer, x)
    _add_hotspots(model, problem, x)


def _add_falling_worth(
    model: MipBuilder, owner: Ints, gain: Floats, group: Ints, counted: Ints
) -> None:
    """Falling worth of how many of each group's variables are one."""
    piece = model.add_variables(gain)
    count = 1 + int(max(owner.max(initial=0), group.max(initial=0)))
    model.add_constraints((owner, piece, 1.0), (group, counted, -1.0), upper=0.0, count=count)


def _add_hotspots(model: MipBuilder, problem: RotaProblem, x: Ints) -> None:
    """Pay for each hotspot by the set of days on which it has its dose.

    A variable for every set of days, one of them to be chosen, makes the relaxation as tight as
    one hotspot alone allows: five days have 31 sets.
    """
    days, many = len(problem.dates), len(problem.weight)
    option, visit = problem.option_visits
    cell = problem.visits[visit, 1] * days + problem.day[option]
    cells, row = np.unique(cell, return_inverse=True)
    number = np.full(many * days, -1)
    number[cells] = np.arange(len(cells))
    sets = list_day_sets(days)
    may = (number >= 0).reshape(many, days)
    which, hotspot = np.nonzero(
        (may | ~sets[:, None]).all(axis=2) & ~_find_impossible_sets(problem, sets)
    )
    pattern = model.add_variables(
        problem.weight[hotspot] * compute_set_worth(problem, sets)[hotspot, which]
    )
    model.add_group_caps(hotspot, pattern, 1.0)
    of, day = np.nonzero(sets[which])
    each = np.arange(len(cells))
    visited = model.add_variables(np.zeros(len(cells)), upper=np.inf)
    model.add_constraints(
        (each, visited, 1.0), (row, x[option], -1.0), lower=0.0, upper=0.0, count=len(cells)
    )
    model.add_constraints(
        (number[hotspot[of] * days + day], pattern[of], 1.0),
        (each, visited, -1.0),
        upper=0.0,
        count=len(cells),
    )
    columns = np.where(number >= 0, visited[number], -1).reshape(many, days)
    for step, held in enumerate(find_unrepeatable_routes(problem)):
        pair = sets[which, step] & sets[which, step + 1]
        visits = np.unique(problem.visits[held[problem.visits[:, 0]]], axis=0)
        ends = (columns[:, step], columns[:, step + 1])
        at = (problem.day == step) | (problem.day == step + 1)
        _add_two_day_cuts(
            model, (problem.route[at], x[at]), visits, ends, (hotspot[pair], pattern[pair])
        )
    _add_excess(model, problem, cells, row, x[option], problem.visit_minutes[visit])


def _add_two_day_cuts(
    model: MipBuilder,
    walks: tuple[Ints, Ints],
    visits: Ints,
    ends: tuple[Ints, Ints],
    pairs: tuple[Ints, Ints],
) -> None:
    """Say to the relaxation that one route alone cannot dose a hotspot on two days running.

    Where a route may not be walked on both days, a hotspot that has its dose on both is visited
    by another route on one of them at least. Whole numbers know this already.

    Parameters
    ----------
    walks
        Routes of the options on both days, and their columns.
    visits
        (v, 2) stops of the routes that may not be walked on both.
    ends
        (h,) columns of the visits on the one day and on the next, -1 where nobody can come.
    pairs
        Hotspots and columns of the sets of days that hold both.
    """
    route, hotspot = visits.T
    cut = (ends[0][hotspot] >= 0) & (ends[1][hotspot] >= 0)
    cut &= np.bincount(pairs[0], minlength=len(ends[0]))[hotspot] > 0
    route, hotspot = route[cut], hotspot[cut]
    there, spot = np.unique(hotspot, return_inverse=True)
    both = model.add_variables(np.zeros(len(there)))
    mine = np.isin(pairs[0], there)
    model.add_constraints(
        (np.searchsorted(there, pairs[0][mine]), pairs[1][mine], 1.0),
        (np.arange(len(there)), both, -1.0),
        upper=0.0,
        count=len(there),
    )
    walked, place = np.unique(route, return_inverse=True)
    total = model.add_variables(np.zeros(len(walked)), upper=np.inf)
    mine = np.isin(walks[0], walked)
    model.add_constraints(
        (np.searchsorted(walked, walks[0][mine]), walks[1][mine], 1.0),
        (np.arange(len(walked)), total, -1.0),
        lower=0.0,
        upper=0.0,
        count=len(walked),
    )
    rows = np.arange(len(route))
    model.add_constraints(
        (rows, both[spot], 1.0),
        (rows, total[place], 1.0),
        (rows, ends[0][hotspot], -1.0),
        (rows, ends[1][hotspot], -1.0),
        upper=0.0,
        count=len(rows),
    )


def _find_impossible_sets(problem: RotaProblem, sets: Bools) -> Bools:
    """(m, h) sets with two days running of a hotspot that one route alone visits.

    That route may not be walked on both. Whole numbers know this already; the relaxation would
    pay for halves of two routes as for days in a row.
    """
    never = np.zeros((len(sets), len(problem.weight)), dtype=bool)
    route, hotspot = np.unique(problem.visits, axis=0).T
    single = np.bincount(hotspot, minlength=len(problem.weight))[hotspot] == 1
    for day, held in enumerate(find_unrepeatable_routes(problem)):
        both = sets[:, day] & sets[:, day + 1]
        never[np.ix_(both, hotspot[single & held[route]])] = True
    return never


def list_day_sets(days: int) -> Bools:
    """(2^d - 1, d) every set of days but the empty one, by its binary number."""
    return np.asarray((np.arange(1, 2**days)[:, None] >> np.arange(days) & 1).astype(bool))


def compute_set_worth(problem: RotaProblem, sets: Bools) -> Floats:
    """(h, m) what each set of days pays as a multiple of a hotspot's weight."""
    ladder = np.cumsum(compute_day_gains(problem), axis=1)
    paid = ladder[:, sets.sum(axis=1) - 1]
    for column, days in enumerate(sets):
        paid[:, column] += compute_row_gain(
            count_days_in_a_row(problem, np.tile(days, (len(paid), 1)))
        )
    return paid


def _add_excess(
    model: MipBuilder, problem: RotaProblem, cells: Ints, row: Ints, columns: Ints, minutes: Floats
) -> None:
    """Let dose above the most of a day cost, where forced visits can bring so much together."""
    forced = find_forced_visits(problem)
    highest = np.bincount(row[forced], weights=minutes[forced], minlength=len(cells))
    much = np.flatnonzero(highest > problem.max_dose_minutes)
    place = np.full(len(cells), -1)
    place[much] = np.arange(len(much))
    weight = problem.weight[cells[much] // len(problem.dates)]
    excess = model.add_variables(-OVER_CAP_PENALTY * weight, upper=np.inf)
    mine = place[row] >= 0
    model.add_constraints(
        (place[row[mine]], columns[mine], minutes[mine] / problem.max_dose_minutes),
        (np.arange(len(much)), excess, -1.0),
        upper=1.0,
        count=len(much),
    )
