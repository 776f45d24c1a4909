"""The rota as a mixed-integer programme whose relaxation is tight.

Only the options are whole numbers: x[o] is 1 where option o is chosen. The rules are plain sums of
options. What makes the programme solvable is how the worth is written down:

* Worth that falls with every further patrol (of a school, of an officer) is paid through pieces,
  one for each patrol, between 0 and 1. Their sum may not exceed the number of patrols. Because the
  gains fall, a maximum always fills the dearest pieces first, so no variable is needed to keep the
  order.
* The worth of a hotspot depends on the *set* of days on which it has its dose: the ladder of days
  and the bonus for three in a row. With one variable for every set, at most one of which is chosen,
  any such worth is linear, and the relaxation is exact for one hotspot alone (it is the convex hull
  of its sets; five days have 31). Each set needs a visit on all its days: for every hotspot and
  day, the sets that hold the day sum to no more than the options that go there.
* No "big M" links anything: every bound is the largest value that the rules allow.

What remains loose is how hotspots share routes. Two families of cuts help where a route may not be
walked on consecutive days, see `_find_impossible_sets` and `_add_two_day_cuts`.

The daily maximum of a hotspot: no visit may bring a hotspot above it, except one that is forced: a
place that intelligence has every patrol of a school visit, or a locked patrol that has no route
past the hotspot. So wherever a hotspot gets more, every visit of that day was forced. Forced visits
come before the maximum, and the maximum before the minimum of a school.
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
from patrolplan.team.problem import MINUTES_TOLERANCE, Bools, Floats, Ints, RotaProblem


def add_options(model: MipBuilder, problem: RotaProblem) -> Ints:
    """Add the options and the rules of who may be where; gives the options' columns.

    An officer has one patrol a day and a maximum in the week. A school has each of its officers at
    most once a day, and a second only with a first. The same route is not walked on consecutive
    days where another could be. No hotspot gets more minutes than the daily maximum.
    """
    x = model.add_variables(np.zeros(len(problem)), lower=problem.fixed, is_integer=True)
    locked = problem.lock >= 0
    locks = int(problem.lock.max(initial=-1)) + 1
    model.add_constraints((problem.lock[locked], x[locked], 1.0), lower=1.0, count=locks)
    number = problem.route_number[problem.route]
    together = int(number.max(initial=1))
    model.add_group_caps(problem.officer_day, x, 1.0)
    model.add_group_caps(problem.officer, x, problem.max_patrols)
    model.add_group_caps(problem.school_day * together + number - 1, x, 1.0)
    slots = problem.schools * len(problem.dates)
    for later in range(2, together + 1):
        mine, before = number == later, number == later - 1
        alone = np.zeros(slots)  # a lock may send a second officer without a first
        alone[problem.school_day[mine & locked]] = 1.0
        model.add_constraints(
            (problem.school_day[mine], x[mine], 1.0),
            (problem.school_day[before], x[before], -1.0),
            upper=alone,
            count=slots,
        )
    first = problem.is_first
    if problem.exact_patrols is not None:
        model.add_group_caps(problem.school[first], x[first], problem.exact_patrols)
    for day, unrepeatable in enumerate(find_unrepeatable_routes(problem)):
        both = (problem.day == day) | (problem.day == day + 1)
        mine = both & unrepeatable[problem.route]
        model.add_group_caps(problem.route[mine], x[mine], 1.0)
    _add_dose_caps(model, problem, x)
    return x


def find_unrepeatable_routes(problem: RotaProblem) -> Bools:
    """(d - 1, r) routes that may not be walked on both this day and the next.

    That is every route, unless it is reversible (on the second day it is walked the other way
    round), is its school's only route on both days, or is locked on both.
    """
    days, routes = len(problem.dates), len(problem.route_school)
    number = problem.route_number[problem.route]
    slot = problem.school_day * (1 + int(number.max(initial=1))) + number
    pairs = np.unique(np.stack([slot, problem.route], axis=1), axis=0)
    choices = np.bincount(pairs[:, 0], minlength=int(slot.max(initial=0)) + 1)
    has_other = np.zeros((days, routes), dtype=bool)
    np.logical_or.at(has_other, (problem.day, problem.route), choices[slot] > 1)
    fixed = np.zeros((days, routes), dtype=bool)
    fixed[problem.day[problem.fixed], problem.route[problem.fixed]] = True
    consecutive = np.diff(problem.dates)[:, None] == 1
    both_fixed = fixed[:-1] & fixed[1:]
    either_has_other = has_other[:-1] | has_other[1:]
    return np.asarray(consecutive & either_has_other & ~both_fixed & ~problem.is_reversible)


def add_shortfall_variables(model: MipBuilder, problem: RotaProblem, x: Ints, target: Ints) -> Ints:
    """Add the patrols that each school is short of a target; gives their columns."""
    missing = model.add_variables(np.zeros(problem.schools), upper=target)
    first = problem.is_first
    model.add_constraints(
        (problem.school[first], x[first], 1.0),
        (np.arange(problem.schools), missing, 1.0),
        lower=target,
        count=problem.schools,
    )
    return missing


def find_forced_visits(problem: RotaProblem) -> Bools:
    """(w,) whether each stop of each option is exempt from the daily maximum.

    It is a place that must be visited, or its option fulfils a lock whose options all stop there.
    """
    option, visit = problem.option_visits
    forced = problem.is_mandatory[visit]
    locked = problem.lock[option] >= 0
    if problem.locks_first:
        return np.asarray(forced | locked)
    many = len(problem.weight)
    lock_hotspot = problem.lock[option[locked]] * many + problem.visits[visit, 1][locked]
    pair, row = np.unique(lock_hotspot, return_inverse=True)
    stops = np.unique(np.stack([row, option[locked]], axis=1), axis=0)[:, 0]
    options = np.bincount(problem.lock[problem.lock >= 0], minlength=1)
    every = np.bincount(stops, minlength=len(pair)) == options[pair // many]
    forced[locked] |= every[row]
    return np.asarray(forced)


def _add_dose_caps(model: MipBuilder, problem: RotaProblem, x: Ints) -> None:
    """Limit every hotspot to its maximum on every day, where more could come together.

    Of each cell (hotspot and day), minutes are certain (forced visits of fixed options), possibly
    forced (other options that fulfil a lock or must go there), or free. `room` is what the certain
    ones leave. Where the possibly forced ones alone stay within it, one sum holds everything.
    Where they can exceed it, they may; free visits then come only if all together stay within.
    """
    option, visit = problem.option_visits
    cell = problem.visits[visit, 1] * len(problem.dates) + problem.day[option]
    cells = len(problem.weight) * len(problem.dates)
    minutes, forced = problem.visit_minutes[visit], find_forced_visits(problem)
    certain = forced & problem.fixed[option]
    free, possible = ~forced, forced & ~certain
    given = np.bincount(cell[certain], minutes[certain], cells)
    room = np.asarray(problem.max_dose_minutes - given, dtype=np.float64)
    open_visits = free | possible
    together = _compute_max_minutes(problem, option, cell, minutes, open_visits)
    crowded = together > room + MINUTES_TOLERANCE
    crowded &= np.bincount(cell[free], minlength=cells) > 0
    highest = _compute_max_minutes(problem, option, cell, minutes, possible)
    above = highest > room + MINUTES_TOLERANCE
    plain = open_visits & (crowded & ~above)[cell]
    _cap_minutes(model, cell[plain], x[option[plain]], minutes[plain], np.maximum(0.0, room))
    mixed = open_visits & (crowded & above)[cell]
    who, columns = problem.officer[option[mixed]], x[option[mixed]]
    visits = (cell[mixed], who, columns, minutes[mixed])
    _cap_unforced_visits(model, visits, free[mixed], room, highest)


def _compute_max_minutes(
    problem: RotaProblem, option: Ints, cell: Ints, minutes: Floats, which: Bools
) -> Floats:
    """(c,) minutes that these visits could come to: officers and schools have one patrol a day."""
    option, cell, minutes = option[which], cell[which], minutes[which]
    cells = len(problem.weight) * len(problem.dates)
    place = problem.route_school * (1 + int(problem.route_number.max(initial=0)))
    place += problem.route_number
    total = np.full(cells, np.inf)
    for owner in (problem.officer[option], place[problem.route[option]]):
        many = 1 + int(owner.max(initial=0))
        pair, row = np.unique(cell * many + owner, return_inverse=True)
        longest = np.zeros(len(pair))
        np.maximum.at(longest, row, minutes)
        total = np.minimum(total, np.bincount(pair // many, longest, cells))
    return total


def _cap_minutes(
    model: MipBuilder, cell: Ints, columns: Ints, minutes: Floats, room: Floats
) -> None:
    """Limit the minutes of each cell to its room; equal visits by how many of them fit.

    Rounding that number down cuts off fractions of visits from the relaxation.
    """
    cells, row = np.unique(cell, return_inverse=True)
    shortest = np.full(len(cells), np.inf)
    longest = np.zeros(len(cells))
    np.minimum.at(shortest, row, minutes)
    np.maximum.at(longest, row, minutes)
    fit = (room[cells] + MINUTES_TOLERANCE) / shortest
    upper = np.where(longest - shortest < MINUTES_TOLERANCE, np.floor(fit), fit)
    model.add_constraints((row, columns, minutes / shortest[row]), upper=upper, count=len(cells))


def _cap_unforced_visits(
    model: MipBuilder,
    visits: tuple[Ints, Ints, Ints, Floats],
    free: Bools,
    room: Floats,
    highest: Floats,
) -> None:
    """Where forced visits can exceed the maximum, admit free ones only if all stay within it.

    `visits` are cell, officer, column and minutes of each visit, `free` those that are not forced.
    `admits` is 1 for a cell that any free visit comes to (an officer makes one at most, so a row
    for each officer is tighter than one for each visit); the sum of minutes is then at most (c,)
    `room`, otherwise at most (c,) `highest`, what forced visits can come to.
    """
    cell, officer, columns, minutes = visits
    cells, row = np.unique(cell, return_inverse=True)
    admits = model.add_variables(np.zeros(len(cells)))
    many = 1 + int(officer.max(initial=0))
    pair, place = np.unique(row[free] * many + officer[free], return_inverse=True)
    model.add_constraints(
        (place, columns[free], 1.0),
        (np.arange(len(pair)), admits[pair // many], -1.0),
        upper=0.0,
        count=len(pair),
    )
    model.add_constraints(
        (row, columns, minutes),
        (np.arange(len(cells)), admits, (highest - np.maximum(0.0, room))[cells]),
        upper=highest[cells] + MINUTES_TOLERANCE,
        count=len(cells),
    )


def add_objective(model: MipBuilder, problem: RotaProblem, x: Ints) -> None:
    """Add everything that `patrolplan.team.objective` pays for."""
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
    """Pay for the number of each group's options by pieces of falling gain."""
    piece = model.add_variables(gain)
    count = 1 + int(max(owner.max(initial=0), group.max(initial=0)))
    model.add_constraints((owner, piece, 1.0), (group, counted, -1.0), upper=0.0, count=count)


def _add_hotspots(model: MipBuilder, problem: RotaProblem, x: Ints) -> None:
    """Pay for each hotspot by the set of days on which it has its dose.

    A cell is a hotspot and day to which any option goes. Its column `visited` counts the options
    chosen there (it only shortens the rows that follow), and the sets that hold the day sum to no
    more. Sets with a day on which nobody can come, or that the rules exclude, get no column.
    """
    days, many = len(problem.dates), len(problem.weight)
    option, visit = problem.option_visits
    cells, row = np.unique(
        problem.visits[visit, 1] * days + problem.day[option], return_inverse=True
    )
    number = np.full(many * days, -1)
    number[cells] = np.arange(len(cells))
    sets = list_day_sets(days)
    reachable = (number >= 0).reshape(many, days)
    which, hotspot = np.nonzero(
        (reachable | ~sets[:, None]).all(axis=2) & ~_find_impossible_sets(problem, sets)
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
    for step, unrepeatable in enumerate(find_unrepeatable_routes(problem)):
        pair = sets[which, step] & sets[which, step + 1]
        visits = np.unique(problem.visits[unrepeatable[problem.visits[:, 0]]], axis=0)
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
    """Tell the relaxation that one route alone cannot dose a hotspot on consecutive days.

    Let r be a route that may not be walked on both days, and `both` the sum of a hotspot's sets
    that hold both. If `both` is 1, each day has a visit, and r makes at most one of them, so
    another route makes the rest: visits on the two days - walks of r >= both. If `both` is 0, the
    same holds since walks of r are among the visits. Whole numbers imply this already; halves of
    two routes would not.

    `walks` are routes and columns of the options on both days, `visits` (v, 2) route and hotspot of
    the routes that may not be walked on both, `ends` (h,) columns of the visits on the one day and
    on the next (-1 where nobody can come), `pairs` hotspots and columns of the sets that hold both.
    """
    route, hotspot = visits.T
    cut = (ends[0][hotspot] >= 0) & (ends[1][hotspot] >= 0)
    cut &= np.bincount(pairs[0], minlength=len(ends[0]))[hotspot] > 0
    route, hotspot = route[cut], hotspot[cut]
    hotspots, spot = np.unique(hotspot, return_inverse=True)
    both = model.add_variables(np.zeros(len(hotspots)))
    mine = np.isin(pairs[0], hotspots)
    model.add_constraints(
        (np.searchsorted(hotspots, pairs[0][mine]), pairs[1][mine], 1.0),
        (np.arange(len(hotspots)), both, -1.0),
        upper=0.0,
        count=len(hotspots),
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
    """(m, h) sets with two consecutive days of a hotspot that only one, unrepeatable route visits.

    Whole numbers exclude them anyway; without this the relaxation would take halves of them.
    """
    impossible = np.zeros((len(sets), len(problem.weight)), dtype=bool)
    route, hotspot = np.unique(problem.visits, axis=0).T
    single = np.bincount(hotspot, minlength=len(problem.weight))[hotspot] == 1
    for day, unrepeatable in enumerate(find_unrepeatable_routes(problem)):
        both = sets[:, day] & sets[:, day + 1]
        impossible[np.ix_(both, hotspot[single & unrepeatable[route]])] = True
    return impossible


def list_day_sets(days: int) -> Bools:
    """(2^d - 1, d) every set of days but the empty one, by its binary number."""
    return np.asarray((np.arange(1, 2**days)[:, None] >> np.arange(days) & 1).astype(bool))


def compute_set_worth(problem: RotaProblem, sets: Bools) -> Floats:
    """(h, m) what each set of days pays, as a multiple of a hotspot's weight."""
    ladder = np.cumsum(compute_day_gains(problem), axis=1)
    worth = ladder[:, sets.sum(axis=1) - 1]
    for column, days in enumerate(sets):
        dosed = np.tile(days, (len(worth), 1))
        worth[:, column] += compute_row_gain(count_days_in_a_row(problem, dosed))
    return worth


def _add_excess(
    model: MipBuilder, problem: RotaProblem, cells: Ints, row: Ints, columns: Ints, minutes: Floats
) -> None:
    """Charge dose above the daily maximum, where forced visits can bring so much together."""
    forced = find_forced_visits(problem)
    highest = np.bincount(row[forced], weights=minutes[forced], minlength=len(cells))
    crowded = np.flatnonzero(highest > problem.max_dose_minutes)
    place = np.full(len(cells), -1)
    place[crowded] = np.arange(len(crowded))
    weight = problem.weight[cells[crowded] // len(problem.dates)]
    excess = model.add_variables(-OVER_CAP_PENALTY * weight, upper=np.inf)
    mine = place[row] >= 0
    model.add_constraints(
        (place[row[mine]], columns[mine], minutes[mine] / problem.max_dose_minutes),
        (np.arange(len(crowded)), excess, -1.0),
        upper=1.0,
        count=len(crowded),
    )
