"""What a week is worth: the function that the rota maximises, and nothing else.

Hotspot-policing trials say that a visit of about 15 minutes works on that day, has no effect left
on the next, and works better after three consecutive days (Bland et al. 2021, Operation Rowan). So
a week is worth the sum of

* for every hotspot, its share of the area's risk times `DAY_FACTORS[n - 1]` for the n-th day on
  which it has its dose (days of the seven days before count as earlier ones): the more a place has
  had, the less a further day adds, so that doses spread. `THIRD_DAY_BONUS` is added once the
  hotspot has had its dose on three consecutive days. A day counts once, for any officer: a hotspot
  that two schools share does not count twice;
* for every school, place and part of the afternoon in which an officer stands there for the
  school's own pupils, what that is worth to them (`patrolplan.patrols.prize`), once a week: a
  second day at the same place meets the same pupils again;
* less `OVER_CAP_PENALTY` of its share for every `max_dose_minutes_per_day` above that maximum,
  where locks or mandatory places add up to more (`patrolplan.team.programme`);
* for every school and window, `PRESENCE_FACTOR / n` of an average patrol for its n-th patrol:
  presence at the gate, falling so that schools share fairly;
* for every officer, `EVEN_LOAD_FACTOR * (1 - (n - 1) / capacity)` of an average patrol for their
  n-th patrol: of equal weeks, the one that spreads the load by capacity is better;
* for every companion, `COMPANION_FACTOR` of an average patrol.

Demands and the minimum of every school come before all of this, and so does the lowest dose of any
school, which is as high as it can be: see `patrolplan.team.solve`.
"""

import numpy as np

from patrolplan.arrays import Bools, Floats, Ints
from patrolplan.team.problem import RotaProblem

DAY_FACTORS = np.array([1.0, 0.85, 0.65, 0.2, 0.1])
FURTHER_DAY_FACTOR = 0.05  # factor of each day after those of `DAY_FACTORS`
THIRD_DAY_BONUS = 0.3
"""No trial says how much stronger the third consecutive day is. With this the third day pays nearly
as much as a first one (`DAY_FACTORS[2] + THIRD_DAY_BONUS`), and a fourth much less; a larger bonus
would make the relaxation too loose to say how good a week is."""
OVER_CAP_PENALTY = 0.2
PRESENCE_FACTOR = 0.2
EVEN_LOAD_FACTOR = 0.05
COMPANION_FACTOR = 0.3
"""A patrol alone is worth more than none, and two patrols more than one of two people."""


def compute_worth(problem: RotaProblem, chosen: Ints) -> float:
    """The worth of these options (rows) together."""
    minutes = sum_minutes_by_day(problem, chosen)
    present = chosen[problem.is_present[chosen]]
    over = np.maximum(0.0, minutes / problem.max_dose_minutes - 1).sum(axis=1)
    patrols = np.bincount(problem.school_window[present])
    duties = np.bincount(problem.officer[chosen], minlength=len(problem.capacity))
    companions = int(problem.is_along[chosen].sum())
    return _add_up(problem, minutes > 0, over, patrols, duties, companions)


def compute_loosest_bound(problem: RotaProblem) -> float:
    """An upper bound of any week of these options, whatever its rules, without solving."""
    # Every hotspot on every day with an option there, every school on all its open days and in all
    # windows, every officer at capacity, a companion wherever one is possible.
    option, visit = problem.option_visits
    reachable = np.zeros((len(problem.weight), len(problem.dates)), dtype=bool)
    reachable[problem.visits[visit, 1], problem.day[option]] = True
    none = np.zeros(len(problem.weight))
    places = np.unique(problem.place[problem.is_present])
    windows = places // problem.windows // len(problem.dates) * problem.windows
    patrols = np.bincount(windows + places % problem.windows)
    along = len(np.unique(problem.cell[problem.is_along]))
    return _add_up(problem, reachable, none, patrols, problem.capacity, along)


def _add_up(
    problem: RotaProblem, dosed: Bools, over: Floats, patrols: Ints, duties: Ints, companions: int
) -> float:
    """The worth of (h, d) days with a dose, (h,) excess, patrols, (k,) duties and companions."""
    # Patrols are counted for each school and window.
    days = dosed.sum(axis=1)
    ladder = np.column_stack([np.zeros(len(days)), np.cumsum(compute_day_gains(problem), axis=1)])
    row = compute_row_gain(count_days_in_a_row(problem, dosed))
    unit = problem.patrol_unit
    presence = compute_presence_sums(len(problem.dates))[patrols].sum()
    even = compute_even_load(duties, problem.capacity).sum()
    # Summed by numpy: a product of matrices has other last digits on other processors.
    places = (problem.weight * (ladder[np.arange(len(days)), days] + row)).sum()
    places -= (problem.dose_weight * (OVER_CAP_PENALTY * over)).sum()
    load, people = EVEN_LOAD_FACTOR * unit * even, COMPANION_FACTOR * unit * companions
    return float(places + PRESENCE_FACTOR * unit * presence + load + people)


def compute_presence_sums(days: int) -> Floats:
    """(d + 1,) what 0, 1, 2... patrols of a school pay, in units of `PRESENCE_FACTOR`."""
    return np.asarray(np.cumsum(np.r_[0.0, 1 / np.arange(1, days + 1)]))


def compute_even_load(patrols: Ints, capacity: Ints) -> Floats:
    """The total worth of an officer's number of patrols, in units of `EVEN_LOAD_FACTOR`."""
    return np.asarray(patrols - patrols * (patrols - 1) / 2 / np.maximum(1, capacity))


def compute_day_gains(problem: RotaProblem) -> Floats:
    """(h, d) what the first, second... day of this week adds, as a multiple of the weight."""
    days = len(problem.dates)
    ladder = np.concatenate([DAY_FACTORS, np.full(days, FURTHER_DAY_FACTOR)])
    # A dose in the week before counts as an earlier day: the ladder goes on where it stopped.
    nth = problem.dosed_before[:, None] + np.arange(days)
    gains = ladder[np.minimum(nth, len(ladder) - 1)]
    return np.asarray(np.where(problem.is_once[:, None], np.arange(days) == 0, gains))


def sum_minutes_by_day(problem: RotaProblem, chosen: Ints) -> Floats:
    """(h, d) minutes of dose that chosen options give."""
    option, visit = problem.option_visits
    mine = np.isin(option, chosen)
    option, visit = option[mine], visit[mine]
    minutes = np.zeros((len(problem.weight), len(problem.dates)))
    at = (problem.visits[visit, 1], problem.day[option])
    np.add.at(minutes, at, problem.visit_minutes[visit])
    return minutes


def count_days_in_a_row(problem: RotaProblem, dosed: Bools) -> Ints:
    """(h, d) for a day with a dose, the consecutive days with a dose up to it; else 0."""
    # Places that count once a week have none.
    dosed = dosed & ~problem.is_once[:, None]
    run = np.zeros(dosed.shape, dtype=np.int64)
    before = problem.run_before
    for day in range(dosed.shape[1]):
        if day and problem.dates[day] - problem.dates[day - 1] > 1:
            before = np.zeros_like(before)
        run[:, day] = before = np.where(dosed[:, day], before + 1, 0)
    return run


def compute_row_gain(run: Ints) -> Floats:
    """(h,) what three consecutive days add, once a week, as a multiple of the weight."""
    # Since it counts once, leaving a day out to begin a new run never gains.
    third = 3
    return np.asarray(THIRD_DAY_BONUS * (run >= third).any(axis=1))
