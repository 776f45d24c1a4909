"""The choice of a week as plain arrays: what may be chosen, and what each choice touches."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from patrolplan.arrays import expand_ranges

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MINUTES_TOLERANCE = 1e-6
"""Minutes that rounding may add."""


@dataclass(frozen=True, eq=False)
class RotaProblem:
    """Options of officer, day and route, some of which are to be chosen."""

    officer: Ints
    day: Ints
    route: Ints
    """(o,) what each option joins, as rows of the arrays below."""
    lock: Ints
    """(o,) number of the lock that an option would fulfil, -1 for none: exactly one option of each
    lock is chosen."""
    route_school: Ints
    """(r,) school of each route."""
    route_number: Ints
    """(r,) 1 for the first officer at a school, 2 for one who patrols it together with the
    first..."""
    is_reversible: Bools
    """(r,) routes that can be walked the other way round, and so on two consecutive days."""
    visits: Ints
    """(v, 2) route and hotspot of every stop."""
    visit_minutes: Floats
    """(v,) minutes of dwell of every stop."""
    weight: Floats
    """(h,) worth of a day of presence at each hotspot: its share of the area's risk."""
    dosed_before: Ints
    """(h,) days of the last week on which a hotspot already had its dose."""
    run_before: Ints
    """(h,) consecutive days, up to three, with a dose just before the first day."""
    max_patrols: Ints
    """(k,) maximum patrols of each officer in the week."""
    dates: Ints
    """(d,) proleptic Gregorian ordinals, rising: consecutive days differ by one."""
    schools: int
    """Number of schools."""
    min_patrols: int = 1
    """Patrols that every school should get."""
    max_dose_minutes: float = 30.0
    """Maximum minutes of a hotspot a day, see `patrolplan.team.programme`."""
    exact_patrols: Ints | None = None
    """(s,) patrols that each school should get and may not exceed; None leaves it open."""
    mandatory_visits: Bools | None = None
    """(v,) stops at places that intelligence has every patrol of a school visit; None: no stop."""
    route_window: Ints | None = None
    """(r,) window of each route, 0 for the first of the week; None: all are of one window. An
    officer has at most one patrol a window and day."""
    option_minutes: Floats | None = None
    """(o, 2) from setting out to being back at the base: two options of an officer and day whose
    times overlap are not both chosen; None: all of a day overlap."""
    route_after: Ints | None = None
    """(r,) number (see `route_number`) that must be at the school in the same window and day as
    well, 0 for none; None: one less than the route's own. Of someone who walks along with another
    it is that officer's number, and the route has no visits."""
    is_companion: Bools | None = None
    """(r,) routes of those who walk along with another; None: none is. Each that is chosen is worth
    `COMPANION_FACTOR` of an average patrol, see `patrolplan.team.objective`."""
    needs_companion: Bools | None = None
    """(o,) options that are chosen only with a companion; None: none is."""
    demand_routes: Ints | None = None
    """(m, 2) demand, and a route that meets it; None: there are no demands."""
    demand_days: Bools | None = None
    """(j, d) days on which a visit counts for each demand."""
    demand_visits: Ints | None = None
    """(j,) visits that each demand asks for, and more than which it does not have by routes that
    `is_tasked` says exist for it."""
    is_tasked: Bools | None = None
    """(j,) demands by intelligence, which come before the daily maximum; the others come after
    every school's minimum."""
    locks_first: bool = False
    """Whether a locked patrol may exceed the daily maximum even if another of its routes would not:
    used where the locks cannot all be fulfilled otherwise."""

    def __len__(self) -> int:
        return len(self.officer)

    def select(self, options: ArrayLike) -> "RotaProblem":
        """The same problem with these options, by row or by mask, in this order."""
        which = np.asarray(options)
        names = ("officer", "day", "route", "lock", "option_minutes", "needs_companion")
        given = {name: getattr(self, name) for name in names}
        return replace(self, **{name: of[which] for name, of in given.items() if of is not None})

    @cached_property
    def school(self) -> Ints:
        """(o,) school of each option."""
        return self.route_school[self.route]

    @cached_property
    def is_first(self) -> Bools:
        """(o,) whether the option is a school's first officer of the day."""
        return np.asarray(self.route_number[self.route] == 1)

    @cached_property
    def officer_day(self) -> Ints:
        """(o,) one number for officer and day."""
        return self.officer * len(self.dates) + self.day

    @cached_property
    def school_day(self) -> Ints:
        """(o,) one number for school and day."""
        return self.school * len(self.dates) + self.day

    @cached_property
    def fixed(self) -> Bools:
        """(o,) options that alone can fulfil a lock: they are chosen."""
        locked = self.lock >= 0
        count = np.bincount(self.lock[locked], minlength=1)
        return np.asarray(locked & (count[np.maximum(self.lock, 0)] == 1))

    def find_conflicts(self, option: int) -> Bools:
        """(o,) options of the same officer and day that cannot be chosen besides one."""
        same = self.officer_day == self.officer_day[option]
        if self.option_minutes is None or self.route_window is None:
            return np.asarray(same)
        begin, end = self.option_minutes.T
        together = (begin < end[option] - MINUTES_TOLERANCE) & (
            begin[option] < end - MINUTES_TOLERANCE
        )
        window = self.route_window[self.route]
        return np.asarray(same & (together | (window == window[option])))

    @property
    def is_mandatory(self) -> Bools:
        """(v,) stops at places that must be visited."""
        none = np.zeros(len(self.visits), dtype=bool)
        return none if self.mandatory_visits is None else self.mandatory_visits

    @cached_property
    def open_days(self) -> Ints:
        """(s,) days on which a school has any option."""
        days = np.unique(self.school_day) // len(self.dates)
        return np.bincount(days, minlength=self.schools)

    @cached_property
    def capacity(self) -> Ints:
        """(k,) patrols an officer can have: their maximum, or the days with an option if fewer."""
        days = np.unique(self.officer_day) // len(self.dates)
        return np.minimum(self.max_patrols, np.bincount(days, minlength=len(self.max_patrols)))

    @cached_property
    def option_visits(self) -> tuple[Ints, Ints]:
        """(w,) option and (w,) row of `visits`, for every stop of every option."""
        order = np.argsort(self.visits[:, 0], kind="stable")
        count = np.bincount(self.visits[:, 0], minlength=len(self.route_school))
        begin = np.cumsum(count) - count
        each = count[self.route]
        option = np.repeat(np.arange(len(self)), each)
        return option, order[expand_ranges(begin[self.route], each)]

    @cached_property
    def option_dose(self) -> Floats:
        """(o,) minutes of dose that each option gives, in all its stops."""
        dose = np.bincount(self.visits[:, 0], self.visit_minutes, minlength=len(self.route_school))
        return np.asarray(dose[self.route])

    @cached_property
    def patrol_unit(self) -> float:
        """Worth of the hotspots of a patrol together, averaged over the routes."""
        routes = max(1, len(self.route_school))
        return float(self.weight[self.visits[:, 1]].sum() / routes)


@dataclass(frozen=True, eq=False)
class Floor:
    """What every school gets before anything else is weighed, see `patrolplan.team.solve`."""

    patrols: Ints
    """(s,) patrols aimed at."""
    missing: int
    """How many of them must be missing, over all schools; `IMPOSSIBLE` where no week exists."""
    dose: Floats
    """(s,) minimum minutes of dose in the week."""
    chosen: Ints
    """Options that prove it possible."""
