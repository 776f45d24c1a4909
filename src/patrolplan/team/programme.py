"""The rota as a mixed-integer programme whose relaxation is tight.

Only the options are integer: x[o] is 1 where option o is chosen. The rules are plain sums of
options. What makes the programme solvable is how the worth is formulated:

* Worth that falls with every further patrol (of a school, of an officer) is modelled by segments,
  one for each patrol, between 0 and 1. Their sum may not exceed the number of patrols. Because the
  gains fall, an optimum always fills the most valuable segments first, so no variable is needed to
  enforce the order.
* The worth of a hotspot depends on the *set* of days on which it has its dose: the ladder of days
  and the bonus for three in a row. With one variable for every set, of which at most one is chosen,
  any such worth is linear, and the relaxation is exact for one hotspot alone (it is the convex hull
  of its sets; five days have 31). Each set needs a visit on all its days: for every hotspot and
  day, the sets that hold the day sum to no more than the options that go there.
* There is no "big M": every bound is the largest value that the rules allow.

* Patrols of an officer and day that overlap exclude each other by one row for each largest group
  of patrols under way at one time. The times of a day form an interval graph, so these rows alone
  describe exactly who may go when.

What remains loose is how hotspots share routes.

The daily maximum of a hotspot: no visit may bring a hotspot above it, except one that is forced: to
a place tasked by intelligence, or by a patrol locked by hand. So wherever a hotspot gets more,
every visit of that day was forced. Forced visits come before the maximum, and the maximum before
the minimum of a school.
"""

import numpy as np

from patrolplan.arrays import Bools, Floats, Ints, match_rows
from patrolplan.team import objective
from patrolplan.team.mip import MipBuilder
from patrolplan.team.problem import MINUTES_TOLERANCE, Floor, RotaProblem


def add_options(model: MipBuilder, problem: RotaProblem) -> Ints:
    """Add the options and the rules of who may be where; gives the options' columns."""
    # An officer has one patrol a window and day, none that overlaps another, and a maximum in the
    # week. A school has each of its officers at most once a window and day, a second only with a
    # first, and a companion only with the one who is joined. No demand by intelligence is met by
    # more than it asks for. No hotspot gets more minutes than the daily maximum.
    x = model.add_variables(np.zeros(len(problem)), lower=problem.fixed, is_integer=True)
    locked = problem.lock >= 0
    locks = int(problem.lock.max(initial=-1)) + 1
    model.add_constraints((problem.lock[locked], x[locked], 1.0), lower=1.0, upper=1.0, count=locks)
    model.add_group_caps(problem.slot, x, 1.0)
    group, option = find_overlaps(problem)
    model.add_group_caps(group, x[option], 1.0)
    model.add_group_caps(problem.officer, x, problem.max_patrols)
    model.add_group_caps(problem.cell, x, 1.0)
    _add_crews(model, problem, x)
    option, demand = problem.meetings
    capped = problem.is_tasked[demand]
    model.add_group_caps(demand[capped], x[option[capped]], problem.max_visits)
    _add_dose_caps(model, problem, x)
    return x


def find_overlaps(problem: RotaProblem) -> tuple[Ints, Ints]:
    """(g,) group, (g,) option: the largest groups of an officer's patrols under way at one time."""
    # Groups within one window are left out: there an officer has one patrol anyway. A group is
    # under way when its last patrol sets out; it is a largest one if somebody is back before the
    # next sets out.
    groups: list[Ints] = []
    order = np.argsort(problem.officer_day, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(problem.officer_day[order])) + 1)
    for options in parts if problem.windows > 1 else ():
        begin, end = problem.busy[options].T
        found: list[Ints] = []
        for at in np.unique(begin):
            under_way = options[(begin <= at) & (at < end)]
            if found and np.isin(found[-1], under_way).all():
                found.pop()
            if not (found and np.isin(under_way, found[-1]).all()):
                found.append(under_way)
        groups += [one for one in found if len(np.unique(problem.window[one])) > 1]
    count = np.array([len(one) for one in groups], dtype=np.int64)
    return np.repeat(np.arange(len(groups)), count), np.concatenate([order[:0], *groups])


def _add_crews(model: MipBuilder, problem: RotaProblem, x: Ints) -> None:
    """Require a second officer's first one, and the officer whom a companion joins."""
    # Officers who may not go alone also need a companion.
    follows = np.flatnonzero(problem.after_cell >= 0)
    pairs = np.stack([problem.after_cell[follows], problem.cell[follows]])
    (before, _), row = np.unique(pairs, axis=1, return_inverse=True)
    row = row.ravel()  # before numpy 2.1 it has two dimensions
    filled, place = match_rows(before, problem.cell)
    model.add_no_more((row, x[follows]), (filled, x[place]), len(before))
    needy = np.flatnonzero(problem.needs_companion)
    cells, row = np.unique(problem.cell[needy], return_inverse=True)
    along = np.flatnonzero(problem.is_along)
    filled, place = match_rows(cells, problem.after_cell[along])
    model.add_no_more((row, x[needy]), (filled, x[along[place]]), len(cells))


def add_floor(
    model: MipBuilder, problem: RotaProblem, x: Ints, floor: Floor
) -> dict[str, tuple[Ints, int]]:
    """Constrain a programme by a floor; the columns and the row of each aim, by its name there."""
    # The columns are what is missing: patrols of each school, and visits that demands ask for.
    first, schools = problem.is_first, np.arange(problem.schools)
    missing = model.add_variables(np.zeros(len(schools)), upper=floor.patrols)
    terms = (problem.school[first], x[first], 1.0), (schools, missing, 1.0)
    model.add_constraints(*terms, lower=floor.patrols, count=len(schools))
    rows = {"missing": (missing, model.add_row(missing, upper=floor.missing))}
    wanted, (option, demand) = problem.demand_visits, problem.meetings
    unmet = model.add_variables(np.zeros(len(wanted)), upper=wanted)
    terms = (demand, x[option], 1.0), (np.arange(len(wanted)), unmet, 1.0)
    model.add_constraints(*terms, lower=wanted, count=len(wanted))
    for aim, is_of in (("unmet_tasked", problem.is_tasked), ("unmet_watched", ~problem.is_tasked)):
        if is_of.any():
            row = model.add_row(unmet[is_of], upper=getattr(floor, aim))
            rows[aim] = unmet[is_of], row
    dosed = np.flatnonzero(floor.dose > 0)
    row_of = np.full(problem.schools, -1)
    row_of[dosed] = np.arange(len(dosed))
    mine = row_of[problem.school] >= 0
    given = (row_of[problem.school[mine]], x[mine], problem.option_dose[mine])
    model.add_constraints(given, lower=floor.dose[dosed] - MINUTES_TOLERANCE, count=len(dosed))
    return rows


def find_forced_visits(problem: RotaProblem) -> Bools:
    """(w,) whether each stop of each option is exempt from the daily maximum."""
    # It is a place that must be visited, or of a patrol locked by hand.
    option, visit = problem.option_visits
    return np.asarray(problem.mandatory_visits[visit] | (problem.lock[option] >= 0))


def _add_dose_caps(model: MipBuilder, problem: RotaProblem, x: Ints) -> None:
    """Limit every hotspot to its maximum on every day, where more is possible."""
    # In each cell (hotspot and day), minutes are certain (forced visits of fixed options), possibly
    # forced (other options that fulfil a lock or must go there), or free. `room` is what the
    # certain ones leave. Where the possibly forced ones alone stay within it, one sum limits all
    # visits. Where they can exceed it, they may; free visits are then allowed only if all stay
    # within it.
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
    # `admits` is 1 for a cell with any free visit (an officer makes at most one at a time, so a row
    # for each slot is tighter than one for each visit); the sum of minutes is then at most (c,)
    # `room`, otherwise at most (c,) `highest`, the highest sum of forced visits.
    mixed = open_visits & (crowded & above)[cell]
    slot, columns, free = problem.slot[option[mixed]], x[option[mixed]], free[mixed]
    cells_above, row = np.unique(cell[mixed], return_inverse=True)
    admits = model.add_variables(np.zeros(len(cells_above)))
    many = 1 + int(slot.max(initial=0))
    pair, place = np.unique(row[free] * many + slot[free], return_inverse=True)
    each = np.arange(len(pair)), admits[pair // many]
    model.add_no_more((place, columns[free]), each, len(pair))
    further, count = (highest - np.maximum(0.0, room))[cells_above], len(cells_above)
    terms = (row, columns, minutes[mixed]), (np.arange(count), admits, further)
    model.add_constraints(*terms, upper=highest[cells_above] + MINUTES_TOLERANCE, count=count)


def _compute_max_minutes(
    problem: RotaProblem, option: Ints, cell: Ints, minutes: Floats, which: Bools
) -> Floats:
    """(c,) highest sum of minutes of these visits: an officer and a school have one at a time."""
    option, cell, minutes = option[which], cell[which], minutes[which]
    cells = len(problem.weight) * len(problem.dates)
    who, place = problem.slot[option], problem.cell[option]
    total = np.full(cells, np.inf)
    for owner in (who, place):
        many = 1 + int(owner.max(initial=0))
        pair, row = np.unique(cell * many + owner, return_inverse=True)
        longest = np.zeros(len(pair))
        np.maximum.at(longest, row, minutes)
        total = np.minimum(total, np.bincount(pair // many, longest, cells))
    return total


def _cap_minutes(model: MipBuilder, cell: Ints, x: Ints, minutes: Floats, room: Floats) -> None:
    """Limit the minutes of each cell to its room; visits of equal length by how many fit."""
    # Rounding that number down cuts fractions of visits off the relaxation.
    cells, row = np.unique(cell, return_inverse=True)
    shortest = np.full(len(cells), np.inf)
    longest = np.zeros(len(cells))
    np.minimum.at(shortest, row, minutes)
    np.maximum.at(longest, row, minutes)
    fit = (room[cells] + MINUTES_TOLERANCE) / shortest
    upper = np.where(longest - shortest < MINUTES_TOLERANCE, np.floor(fit), fit)
    model.add_constraints((row, x, minutes / shortest[row]), upper=upper, count=len(cells))


def add_objective(model: MipBuilder, problem: RotaProblem, x: Ints) -> None:
    """Add the whole objective of `patrolplan.team.objective`."""
    unit, days, present = problem.patrol_unit, len(problem.dates), problem.is_present
    gates = problem.schools * problem.windows
    owner, nth = np.repeat(np.arange(gates), days), np.tile(np.arange(1, days + 1), gates)
    gain, group = objective.PRESENCE_FACTOR * unit / nth, problem.school_window[present]
    _add_falling_worth(model, owner, gain, group, x[present])
    officers = np.repeat(np.arange(len(problem.capacity)), problem.capacity)
    before = np.cumsum(problem.capacity) - problem.capacity
    share = (np.arange(len(officers)) - before[officers]) / problem.capacity[officers]
    gain = objective.EVEN_LOAD_FACTOR * unit * (1 - share)
    _add_falling_worth(model, officers, gain, problem.officer, x)
    # The first block of columns is that of the options.
    model.objective[0][problem.is_along] += objective.COMPANION_FACTOR * unit
    _add_hotspots(model, problem, x)


def _add_falling_worth(model: MipBuilder, owner: Ints, gain: Floats, group: Ints, x: Ints) -> None:
    """Add the worth of the number of each group's options by segments of falling gain."""
    piece = model.add_variables(gain)  # the most valuable segments, each whole
    count = 1 + int(max(owner.max(initial=0), group.max(initial=0)))
    model.add_no_more((owner, piece), (group, x), count)


def _add_hotspots(model: MipBuilder, problem: RotaProblem, x: Ints) -> None:
    """Add the worth of each hotspot by the set of days on which it has its dose."""
    # Places that count once need only one column: whether anyone goes there on any day.
    # A cell is a hotspot and day to which any option goes. Its column `visited` counts the options
    # chosen there (it only shortens the rows that follow), and the sets that hold the day sum to no
    # more. Sets with a day without any option get no column.
    days, many = len(problem.dates), len(problem.weight)
    option, visit = problem.option_visits
    once = np.flatnonzero(problem.is_once)
    place = problem.visits[visit, 1]
    is_once = problem.is_once[place]
    _add_falling_worth(model, once, problem.weight[once], place[is_once], x[option[is_once]])
    counts = ~is_once & (problem.weight[place] > 0)
    option, visit = option[counts], visit[counts]
    cells, row = np.unique(place[counts] * days + problem.day[option], return_inverse=True)
    number = np.full(many * days, -1)
    number[cells] = np.arange(len(cells))
    sets = list_day_sets(days)
    reachable = (number >= 0).reshape(many, days)
    which, hotspot = np.nonzero((reachable | ~sets[:, None]).all(axis=2))
    # Where options are whole, one set of days is worth most for a hotspot.
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
    held = number[hotspot[of] * days + day], pattern[of]
    model.add_no_more(held, (each, visited), len(cells))
    # Dose above the daily maximum is penalised, where forced visits can exceed it.
    forced, minutes = find_forced_visits(problem)[counts], problem.visit_minutes[visit]
    highest = np.bincount(row[forced], weights=minutes[forced], minlength=len(cells))
    crowded = np.flatnonzero(highest > problem.max_dose_minutes)
    at = np.full(len(cells), -1)
    at[crowded] = np.arange(len(crowded))
    weight = problem.weight[cells[crowded] // days]
    excess = model.add_variables(-objective.OVER_CAP_PENALTY * weight, upper=np.inf)
    mine = at[row] >= 0
    given = (at[row[mine]], x[option[mine]], minutes[mine] / problem.max_dose_minutes)
    less = (np.arange(len(crowded)), excess, -1.0)
    model.add_constraints(given, less, upper=1.0, count=len(crowded))


def list_day_sets(days: int) -> Bools:
    """(2^d - 1, d) every set of days except the empty one, by its binary number."""
    return np.asarray((np.arange(1, 2**days)[:, None] >> np.arange(days) & 1).astype(bool))


def compute_set_worth(problem: RotaProblem, sets: Bools) -> Floats:
    """(h, m) worth of each set of days, as a multiple of a hotspot's weight."""
    ladder = np.cumsum(objective.compute_day_gains(problem), axis=1)
    worth = ladder[:, sets.sum(axis=1) - 1]
    for column, days in enumerate(sets):
        run = objective.count_days_in_a_row(problem, np.tile(days, (len(worth), 1)))
        worth[:, column] += objective.compute_row_gain(run)
    return worth
