"""The rota as a mixed-integer programme whose relaxation is tight.

Only the options are whole numbers. A hotspot is paid for by the set of days on which it has its
dose, each day bounded by all the options together that come there; patrols of a school and of
an officer are paid for through pieces of falling worth. No constant stands in for infinity.
"""

import numpy as np

from patrolplan.team.model import Model
from patrolplan.team.most import add_most
from patrolplan.team.most import forced_visits
from patrolplan.team.problem import Bools
from patrolplan.team.problem import Floats
from patrolplan.team.problem import Ints
from patrolplan.team.problem import RotaProblem
from patrolplan.team.worth import EVEN
from patrolplan.team.worth import OVER
from patrolplan.team.worth import PRESENCE
from patrolplan.team.worth import day_gains
from patrolplan.team.worth import days_in_a_row
from patrolplan.team.worth import row_gain


def add_options(model: Model, problem: RotaProblem) -> Ints:
    """Options, and who may be where: gives the options' columns.

    An officer has one patrol a day and so many a week; a school has each of its officers once a
    day, a second only beside a first; the same route is not walked on two days running where
    another could be; no hotspot gets more minutes than the most of a day.
    """
    x = model.variables(np.zeros(len(problem)), lower=problem.fixed, whole=True)
    held = problem.lock >= 0
    locks = int(problem.lock.max(initial=-1)) + 1
    model.constrain((problem.lock[held], x[held], 1.0), lower=1.0, count=locks)
    number = problem.route_number[problem.route]
    together = int(number.max(initial=1))
    model.at_most(problem.officer_day, x, 1.0)
    model.at_most(problem.officer, x, problem.most_patrols)
    model.at_most(problem.school_day * together + number - 1, x, 1.0)
    slots = problem.schools * len(problem.dates)
    for later in range(2, together + 1):
        mine, before = number == later, number == later - 1
        alone = np.zeros(slots)  # a lock may send a second officer without a first
        alone[problem.school_day[mine & held]] = 1.0
        model.constrain(
            (problem.school_day[mine], x[mine], 1.0),
            (problem.school_day[before], x[before], -1.0),
            upper=alone,
            count=slots,
        )
    if problem.exact is not None:
        model.at_most(problem.school[problem.first], x[problem.first], problem.exact)
    _vary(model, problem, x)
    add_most(model, problem, x)
    return x


def _vary(model: Model, problem: RotaProblem, x: Ints) -> None:
    """Hold the same route off two days running."""
    for day, held in enumerate(must_vary(problem)):
        mine = ((problem.day == day) | (problem.day == day + 1)) & held[problem.route]
        model.at_most(problem.route[mine], x[mine], 1.0)


def must_vary(problem: RotaProblem) -> Bools:
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
    return np.asarray(adjacent[:, None] & (other[:-1] | other[1:]) & ~asked & ~problem.turns)


def add_least(model: Model, problem: RotaProblem, x: Ints, target: Ints) -> Ints:
    """Patrols that schools lack of a target: gives the columns of what is missing."""
    missing = model.variables(np.zeros(problem.schools), upper=target)
    model.constrain(
        (problem.school[problem.first], x[problem.first], 1.0),
        (np.arange(problem.schools), missing, 1.0),
        lower=target,
        count=problem.schools,
    )
    return missing


def add_worth(model: Model, problem: RotaProblem, x: Ints) -> None:
    """Everything that `patrolplan.team.worth` pays for."""
    unit, days, first = problem.patrol_unit, len(problem.dates), problem.first
    nth = np.tile(np.arange(1, days + 1), problem.schools)
    schools = np.repeat(np.arange(problem.schools), days)
    _pieces(model, schools, PRESENCE * unit / nth, problem.school[first], x[first])
    officers = np.repeat(np.arange(len(problem.capacity)), problem.capacity)
    before = np.cumsum(problem.capacity) - problem.capacity
    share = (np.arange(len(officers)) - before[officers]) / problem.capacity[officers]
    _pieces(model, officers, EVEN * unit * (1 - share), problem.officer, x)
    _add_hotspots(model, problem, x)


def _pieces(model: Model, owner: Ints, gain: Floats, group: Ints, counted: Ints) -> None:
    """Falling worth of how many of each group's variables are one."""
    piece = model.variables(gain)
    count = 1 + int(max(owner.max(initial=0), group.max(initial=0)))
    model.constrain((owner, piece, 1.0), (group, counted, -1.0), upper=0.0, count=count)


def _add_hotspots(model: Model, problem: RotaProblem, x: Ints) -> None:
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
    sets = day_sets(days)
    may = (number >= 0).reshape(many, days)
    which, hotspot = np.nonzero((may | ~sets[:, None]).all(axis=2) & ~_never(problem, sets))
    pattern = model.variables(problem.weight[hotspot] * paid_by_days(problem, sets)[hotspot, which])
    model.at_most(hotspot, pattern, 1.0)
    of, day = np.nonzero(sets[which])
    each = np.arange(len(cells))
    visited = model.variables(np.zeros(len(cells)), upper=np.inf)
    model.constrain(
        (each, visited, 1.0), (row, x[option], -1.0), lower=0.0, upper=0.0, count=len(cells)
    )
    model.constrain(
        (number[hotspot[of] * days + day], pattern[of], 1.0),
        (each, visited, -1.0),
        upper=0.0,
        count=len(cells),
    )
    columns = np.where(number >= 0, visited[number], -1).reshape(many, days)
    for step, held in enumerate(must_vary(problem)):
        pair = sets[which, step] & sets[which, step + 1]
        visits = np.unique(problem.visits[held[problem.visits[:, 0]]], axis=0)
        ends = (columns[:, step], columns[:, step + 1])
        at = (problem.day == step) | (problem.day == step + 1)
        _cut(model, (problem.route[at], x[at]), visits, ends, (hotspot[pair], pattern[pair]))
    _add_excess(model, problem, cells, row, x[option], problem.visit_minutes[visit])


def _cut(
    model: Model,
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
    both = model.variables(np.zeros(len(there)))
    mine = np.isin(pairs[0], there)
    model.constrain(
        (np.searchsorted(there, pairs[0][mine]), pairs[1][mine], 1.0),
        (np.arange(len(there)), both, -1.0),
        upper=0.0,
        count=len(there),
    )
    walked, place = np.unique(route, return_inverse=True)
    total = model.variables(np.zeros(len(walked)), upper=np.inf)
    mine = np.isin(walks[0], walked)
    model.constrain(
        (np.searchsorted(walked, walks[0][mine]), walks[1][mine], 1.0),
        (np.arange(len(walked)), total, -1.0),
        lower=0.0,
        upper=0.0,
        count=len(walked),
    )
    rows = np.arange(len(route))
    model.constrain(
        (rows, both[spot], 1.0),
        (rows, total[place], 1.0),
        (rows, ends[0][hotspot], -1.0),
        (rows, ends[1][hotspot], -1.0),
        upper=0.0,
        count=len(rows),
    )


def _never(problem: RotaProblem, sets: Bools) -> Bools:
    """(m, h) sets with two days running of a hotspot that one route alone visits.

    That route may not be walked on both. Whole numbers know this already; the relaxation would
    pay for halves of two routes as for days in a row.
    """
    never = np.zeros((len(sets), len(problem.weight)), dtype=bool)
    route, hotspot = np.unique(problem.visits, axis=0).T
    single = np.bincount(hotspot, minlength=len(problem.weight))[hotspot] == 1
    for day, held in enumerate(must_vary(problem)):
        both = sets[:, day] & sets[:, day + 1]
        never[np.ix_(both, hotspot[single & held[route]])] = True
    return never


def day_sets(days: int) -> Bools:
    """(2^d - 1, d) every set of days but the empty one, by its binary number."""
    return np.asarray((np.arange(1, 2**days)[:, None] >> np.arange(days) & 1).astype(bool))


def paid_by_days(problem: RotaProblem, sets: Bools) -> Floats:
    """(h, m) what each set of days pays as a multiple of a hotspot's weight."""
    ladder = np.cumsum(day_gains(problem), axis=1)
    paid = ladder[:, sets.sum(axis=1) - 1]
    for column, days in enumerate(sets):
        paid[:, column] += row_gain(days_in_a_row(problem, np.tile(days, (len(paid), 1))))
    return paid


def _add_excess(
    model: Model, problem: RotaProblem, cells: Ints, row: Ints, columns: Ints, minutes: Floats
) -> None:
    """Let dose above the most of a day cost, where forced visits can bring so much together."""
    forced = forced_visits(problem)
    highest = np.bincount(row[forced], weights=minutes[forced], minlength=len(cells))
    much = np.flatnonzero(highest > problem.most_minutes)
    place = np.full(len(cells), -1)
    place[much] = np.arange(len(much))
    weight = problem.weight[cells[much] // len(problem.dates)]
    excess = model.variables(-OVER * weight, upper=np.inf)
    mine = place[row] >= 0
    model.constrain(
        (place[row[mine]], columns[mine], minutes[mine] / problem.most_minutes),
        (np.arange(len(much)), excess, -1.0),
        upper=1.0,
        count=len(much),
    )
