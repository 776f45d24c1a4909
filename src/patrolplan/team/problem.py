"""The choice of a week as plain arrays: the options, what each affects, and when a search stops."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from pydantic import ConfigDict, Field

from patrolplan.arrays import Bools, Floats, Ints, match_rows

MINUTES_TOLERANCE = 1e-6  # tolerance for rounding, in minutes


@dataclass(frozen=True, eq=False)
class RotaProblem:
    """Options of officer, day and route, from which a week is chosen."""

    officer: Ints
    day: Ints
    route: Ints  # (o,) what each option joins, as rows of the arrays below
    lock: Ints  # (o,) lock that an option would fulfil, -1 for none; one option of each is chosen
    route_school: Ints  # (r,) school of each route
    route_number: Ints  # (r,) 1 for the first officer at a school, 2 for one who goes with them...
    visits: Ints  # (v, 2) route and place of every visit: a stop visits each place seen from it
    visit_minutes: Floats  # (v,) minutes of every visit
    route_dose: Floats  # (r,) minutes that each route stands at its stops, apart from the gate
    weight: Floats
    """(h,) worth of a day of presence at each place: of a hotspot, its share of the area's risk."""
    is_once: Bools
    """(h,) places of one school that count once a week, see `patrolplan.team.objective`."""
    dosed_before: Ints  # (h,) days of the last week on which a hotspot already had its dose
    run_before: Ints  # (h,) consecutive days, up to three, with a dose just before the first day
    max_patrols: Ints  # (k,) maximum patrols of each officer in the week
    dates: Ints  # (d,) proleptic Gregorian ordinals, rising: consecutive days differ by one
    schools: int  # number of schools
    min_patrols: int  # patrols that every school should get
    max_dose_minutes: float  # maximum minutes of a hotspot a day, see `patrolplan.team.programme`
    mandatory_visits: Bools
    """(v,) stops at places that intelligence has every patrol of a school visit."""
    route_window: Ints  # (r,) 0 for the first; an officer has at most one patrol a window and day
    option_minutes: Floats
    """(o, 2) setting out and being back at the base: an officer's chosen options do not overlap."""
    route_after: Ints
    """(r,) number (see `route_number`) that must be at the school in the same window and day as
    well, 0 for none. For a companion it is the number of the officer who is joined, and the route
    has no visits."""
    is_companion: Bools  # (r,) routes of companions, see `patrolplan.team.objective`
    needs_companion: Bools  # (o,) options that are chosen only with a companion
    demand_routes: Ints  # (m, 2) demand, and a route that meets it
    demand_days: Bools  # (j, d) days on which a visit counts for each demand
    demand_visits: Ints
    """(j,) visits that each demand asks for; also the maximum of one by intelligence."""
    is_tasked: Bools
    """(j,) demands by intelligence; the others come after every school's minimum."""

    def __len__(self) -> int:
        return len(self.officer)

    def select(self, options: ArrayLike) -> "RotaProblem":
        """The same problem with these options, by row or by mask, in this order."""
        which = np.asarray(options)
        names = ("officer", "day", "route", "lock", "option_minutes", "needs_companion")
        return replace(self, **{name: getattr(self, name)[which] for name in names})

    def list_options(self, rows: Ints) -> Ints:
        """(c, 3) officer, day and route of some options."""
        return np.stack([self.officer[rows], self.day[rows], self.route[rows]], axis=1)

    @cached_property
    def school(self) -> Ints:
        """(o,) school of each option."""
        return self.route_school[self.route]

    @cached_property
    def number(self) -> Ints:
        """(o,) number of each option's route."""
        return self.route_number[self.route]

    @cached_property
    def window(self) -> Ints:
        """(o,) window of each option."""
        return self.route_window[self.route]

    @cached_property
    def windows(self) -> int:
        """Number of windows."""
        return int(self.route_window.max(initial=0)) + 1

    @cached_property
    def is_along(self) -> Bools:
        """(o,) options of companions."""
        return self.is_companion[self.route]

    @cached_property
    def is_present(self) -> Bools:
        """(o,) whether the option is a school's first officer of a window."""
        return np.asarray(self.number == 1)

    @cached_property
    def is_first(self) -> Bools:
        """(o,) whether the option is a school's first officer of the day, in the first window."""
        return np.asarray(self.is_present & (self.window == 0))

    @cached_property
    def officer_day(self) -> Ints:
        """(o,) one number for officer and day."""
        return self.officer * len(self.dates) + self.day

    @cached_property
    def slot(self) -> Ints:
        """(o,) one number for officer, day and window."""
        return self.officer_day * self.windows + self.window

    @cached_property
    def school_day(self) -> Ints:
        """(o,) one number for school and day."""
        return self.school * len(self.dates) + self.day

    @cached_property
    def school_window(self) -> Ints:
        """(o,) one number for school and window."""
        return self.school * self.windows + self.window

    @cached_property
    def together(self) -> int:
        """Officers and companions that a school can have at once."""
        return int(self.route_number.max(initial=1))

    @cached_property
    def place(self) -> Ints:
        """(o,) one number for school, day and window."""
        return self.school_day * self.windows + self.window

    @cached_property
    def cell(self) -> Ints:
        """(o,) one number for school, day, window and number."""
        return self.place * self.together + self.number - 1

    @cached_property
    def after_cell(self) -> Ints:
        """(o,) the cell that must be filled as well, -1 for none."""
        # A lock may send a second officer without a first; a companion always needs someone to
        # join.
        after = self.route_after[self.route]
        follows = (after > 0) & ((self.lock < 0) | self.is_along)
        return np.where(follows, self.place * self.together + after - 1, -1)

    @cached_property
    def fixed(self) -> Bools:
        """(o,) options that are the only ones to fulfil a lock: they are chosen."""
        locked = self.lock >= 0
        count = np.bincount(self.lock[locked], minlength=1)
        return np.asarray(locked & (count[np.maximum(self.lock, 0)] == 1))

    @cached_property
    def busy(self) -> Floats:
        """(o, 2) times from and to: options that each begin before the other ends overlap."""
        # An option lasts two tolerances at least, less one at its end: one that begins as another
        # ends does not overlap it, and one of unknown times overlaps every other of its day.
        begin, end = self.option_minutes.T
        unknown = np.isnan(begin) | np.isnan(end)
        times = np.stack([begin, np.maximum(end, begin + 2 * MINUTES_TOLERANCE)], axis=1)
        times[:, 1] -= MINUTES_TOLERANCE
        times[unknown] = -np.inf, np.inf
        return np.asarray(times)

    @cached_property
    def meetings(self) -> tuple[Ints, Ints]:
        """(m,) option and (m,) demand, for every option that meets a demand."""
        demand, route = np.unique(self.demand_routes, axis=0).T
        row, option = match_rows(route, self.route)
        demand = demand[row]
        counts = self.demand_days[demand, self.day[option]]
        return option[counts], demand[counts]

    @cached_property
    def max_visits(self) -> Ints:
        """(j,) visits that each demand may have."""
        # One by intelligence may have as many as it asks for, or as locks force.
        option, demand = self.meetings
        locked = self.lock[option] >= 0
        pairs = np.stack([demand[locked], self.lock[option[locked]]])
        pairs, count = np.unique(pairs, axis=1, return_counts=True)
        # A lock forces a visit where each of its routes makes it.
        is_forced = count == np.bincount(self.lock[self.lock >= 0], minlength=1)[pairs[1]]
        forced = np.bincount(pairs[0][is_forced], minlength=len(self.demand_visits))
        most = np.maximum(self.demand_visits, forced)
        return np.where(self.is_tasked, most, len(self))

    @cached_property
    def open_days(self) -> Ints:
        """(s,) days on which a school could be patrolled in the first window."""
        days = np.unique(self.school_day[self.is_first]) // len(self.dates)
        return np.bincount(days, minlength=self.schools)

    @cached_property
    def capacity(self) -> Ints:
        """(k,) capacity of each officer: the maximum of patrols, or their days and windows."""
        windows = np.unique(self.slot) // (self.windows * len(self.dates))
        days = np.bincount(windows, minlength=len(self.max_patrols))
        return np.asarray(np.minimum(self.max_patrols, days))

    @cached_property
    def option_visits(self) -> tuple[Ints, Ints]:
        """(w,) option and (w,) row of `visits`, for every stop of every option."""
        return match_rows(self.route, self.visits[:, 0])

    @cached_property
    def option_dose(self) -> Floats:
        """(o,) minutes that each option stands at its stops."""
        return np.asarray(self.route_dose[self.route])

    @cached_property
    def dose_weight(self) -> Floats:
        """(h,) weight of the places whose minutes are a dose, 0 of those that count once."""
        return np.where(self.is_once, 0.0, self.weight)

    @cached_property
    def patrol_unit(self) -> float:
        """Worth of the places of a patrol together, averaged over the routes."""
        routes = max(1, int((~self.is_companion).sum()))
        return float(self.weight[self.visits[:, 1]].sum() / routes)


@dataclass(frozen=True, eq=False)
class Floor:
    """What every school gets before the worth is maximised, see `patrolplan.team.solve`."""

    patrols: Ints  # (s,) patrols aimed at
    missing: int
    """Minimum number of them missing, over all schools; `IMPOSSIBLE` if no week is feasible."""
    dose: Floats  # (s,) minimum minutes of dose in the week
    chosen: Ints  # options that prove it possible
    unmet_tasked: int
    """Minimum number of visits missing of those that demands by intelligence ask for."""
    unmet_watched: int  # minimum number of visits missing of those that other demands ask for


Limit = Annotated[int, Field(ge=0, le=10**9, strict=True)]
Positive = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


@dataclass(frozen=True)
class SearchLimits:
    """When to stop searching; not by the clock, so that equal inputs give equal weeks."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=False)

    gap_percent: Positive = 0.5
    """Relative gap to the bound at which a week is good enough, at every size; 0 for one that is
    proven best if `nodes` are enough."""
    nodes: Limit = 500  # maximum nodes of the search tree of a week that is to be proven best
    moves_per_school: Limit = 200_000  # maximum small changes tried for every school by annealing
