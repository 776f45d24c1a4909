"""A week changed by hand, patrol by patrol, under the rules of the rota."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np

from patrolplan.area import StudyArea
from patrolplan.arrays import Ints
from patrolplan.errors import PatrolplanError
from patrolplan.notes import Note
from patrolplan.patrols.plan import Plan
from patrolplan.team.objective import compute_worth
from patrolplan.team.obstacle_finder import ObstacleFinder
from patrolplan.team.problem import MINUTES_TOLERANCE, RotaProblem
from patrolplan.team.rota import build_duty, choose_week, settle_week
from patrolplan.team.rota_inputs import Option, RotaInputs
from patrolplan.team.routes import has_time_for
from patrolplan.team.solve import RotaSolution
from patrolplan.team.walks import find_time_limits
from patrolplan.team.week import Duty, PatrolSlot, Week, format_day
from patrolplan.team.week_records import Ban, Lock

PATROL_GONE = "the patrol no longer exists"


class InvalidEditError(PatrolplanError, ValueError):
    """A change by hand that the rules do not allow; its message says why."""


def refuse(message: str) -> NoReturn:
    """Raise InvalidEditError: a change that the rules do not allow, with the reason."""
    raise InvalidEditError(message)


@dataclass(frozen=True, eq=False)
class WeekEditor:
    """The changes that can be made to a week by hand: its options under its locks and bans."""

    inputs: RotaInputs
    """What the week is chosen from; patrols handed out that are no longer in the plan are fixed."""
    before: Week
    """The week that is changed; everything not chosen or ruled out by hand comes from it."""
    own_notes: tuple[Note, ...] = ()
    """Notes that do not follow from the choice, such as earlier absences."""

    @classmethod
    def from_week(
        cls, week: Week, area: StudyArea, plan: Plan | Mapping[dt.date, Plan]
    ) -> "WeekEditor":
        """An editor of a week, as it was planned or read."""
        inputs = RotaInputs.of_week(week, area, plan, locks=week.locks)
        editor = cls(inputs, week)
        unplanned = tuple(duty for duty in week.duties if not editor._is_planned(duty))
        editor = editor.with_held_duties(unplanned)
        derived = editor.build_week(week.duties).notes
        return replace(editor, own_notes=tuple(note for note in week.notes if note not in derived))

    @property
    def problem(self) -> RotaProblem:
        """The options as arrays."""
        return self.inputs.problem

    def with_locks_and_bans(self, **changes: Sequence[Lock] | Sequence[Ban]) -> "WeekEditor":
        """The same week under other locks or bans."""
        return replace(self, inputs=self.inputs.with_locks_and_bans(**changes))

    def with_held_duties(self, held: Sequence[Duty]) -> "WeekEditor":
        """The same week with these patrols fixed, whatever the plan."""
        if tuple(held) == self.inputs.held:
            return self
        return replace(self, inputs=replace(self.inputs, held=tuple(held)))

    def find_lock(self, duty: Duty) -> Lock | None:
        """The lock that a patrol fulfils."""
        return next((lock for lock in self.inputs.locks if lock.fits(duty)), None)

    def build_week(self, duties: Sequence[Duty], *, bound: float | None = None) -> Week:
        """The week of these patrols, with its worth and the reasons for what is missing."""
        # Each must be an option. The bound is by default that of the week before.
        chosen = np.sort(self.find_rows(duties))
        bound = self.before.bound if bound is None else bound
        solution = RotaSolution.rate(self.problem, chosen, bound)
        week = choose_week(self.inputs, self.problem, solution, self.before)
        by_slot = {duty.slot: duty for duty in duties}
        kept = [by_slot[duty.slot].with_crew(duty.crew) for duty in week.duties]
        notes = tuple(dict.fromkeys((*self.own_notes, *week.notes)))
        return settle_week(self.inputs, replace(week, notes=notes), kept)

    def build_chosen(self, rows: Ints, week: Week, bound: float) -> Week:
        """The week of these options; patrols of a week that are among them keep their walks."""
        problem, find_option = self.problem, self.inputs.find_option
        present = {find_option(duty): duty for duty in week.duties}
        solution = RotaSolution.rate(problem, np.sort(rows), bound)
        chosen = choose_week(self.inputs, problem, solution).duties
        duties = [present.get(find_option(duty), duty) for duty in chosen]
        return self.build_week(duties, bound=bound)

    def find_option(self, duty: Duty) -> Option | None:
        """Officer, day and route of a patrol, if it is allowed, regardless of the others."""
        key = self.inputs.find_option(duty)
        return key if key is not None and self.inputs.possible[key] else None

    def _find_companion(self, option: Option, name: str) -> int | None:
        """Row of the option that someone walks along on a patrol, if it is one."""
        _, day, route = option
        if name not in self.inputs.officers:
            return None
        key = (self.inputs.officers.index(name), day, int(self.inputs.companions.route[route]))
        return self.inputs.option_rows.get(key)

    def _is_planned(self, duty: Duty) -> bool:
        """Whether a patrol and everyone of its crew who still has time are options."""
        option = self.find_option(duty)
        return option is not None and all(
            self._find_companion(option, name) is not None
            for name in duty.crew
            if has_time_for(self.inputs, duty, name)
        )

    def find_rows(self, duties: Sequence[Duty]) -> Ints:
        """(c,) rows of the options of patrols and their crews; an error for one that is none."""
        # Members of a crew who no longer have time for it have none.
        rows = []
        for duty in duties:
            option = self.find_option(duty)
            if option is None:
                refuse(f"{duty.slot}: a ban rules it out, or its route is no longer planned")
            rows.append(self.inputs.option_rows[option])
            for name in duty.crew:
                companion = self._find_companion(option, name)
                if companion is not None:
                    rows.append(companion)
                elif has_time_for(self.inputs, duty, name):
                    refuse(f"{duty.slot}: {name} may not walk along")
        return np.array(rows, dtype=np.int64)

    def build_lock(self, slot: PatrolSlot, variant: int | None = None) -> Lock:
        """A lock of a patrol; it names the window where the week has several."""
        several = len(self.inputs.area.settings.week.windows) > 1
        window = slot.window if several else None
        return Lock(slot.officer, slot.urn, slot.date, variant, window)

    def list_companions(self, duty: Duty, duties: Sequence[Duty]) -> list[str]:
        """Who may walk along on a patrol, and is free given the other patrols of the week."""
        # Those with the fewest patrols come first.
        option, problem = self.find_option(duty), self.problem
        if option is None:
            return []
        _, day, route = option
        along = (problem.day == day) & (problem.route == self.inputs.companions.route[route])
        others = [other for other in duties if other is not duty]
        rows = self.find_rows([replace(duty, crew=()), *others])
        patrols = np.bincount(problem.officer[rows], minlength=len(self.inputs.officers))
        free, names, busy = [], self.inputs.officers, problem.busy
        for row in np.flatnonzero(along).tolist():
            officer = int(problem.officer[row])
            clashes = (busy[rows, 0] < busy[row, 1]) & (busy[row, 0] < busy[rows, 1])
            clashes |= problem.window[rows] == problem.window[row]
            clashes &= problem.officer_day[rows] == problem.officer_day[row]
            # The times of the patrol as it is walked were drawn, and must leave time as well.
            joined = replace(duty, crew=(names[officer],))
            begin, end = find_time_limits(self.inputs, [joined, *others], 0)
            has_time = begin <= duty.start_minutes and duty.end_minutes <= end + MINUTES_TOLERANCE
            if has_time and not clashes.any() and patrols[officer] < problem.max_patrols[officer]:
                free.append((int(patrols[officer]), officer))
        return [names[officer] for _, officer in sorted(free)]

    def find_crew_obstacle(self, duty: Duty, name: str, duties: Sequence[Duty]) -> str:
        """What keeps somebody from walking along on a patrol; empty if nothing."""
        if name in self.list_companions(duty, duties):
            return ""
        option = self.find_option(duty)
        if option is None or self._find_companion(option, name) is None:
            return f"may not walk along at URN {duty.urn} on {format_day(duty.date)}"
        return "has another patrol at that time, or all that they may have in a week"

    def needs_companion(self, duty: Duty) -> bool:
        """Whether a patrol needs two people: because of its officer, or of a place on it."""
        option = self.find_option(duty)
        return option is not None and bool(self.inputs.needs_companion[option])

    def is_loan(self, slot: PatrolSlot) -> bool:
        """Whether a patrol would lend an officer to a school that is not in their care."""
        officer, school, _ = self._find_slot(slot)
        return not self.inputs.cares[officer, school]

    def place_patrol(
        self,
        slot: PatrolSlot,
        duties: Sequence[Duty],
        *,
        variant: int | None = None,
        like: Duty | None = None,
    ) -> Duty:
        """A patrol for a slot next to the week's others: the requested route, or the best one."""
        # A patrol `like` it keeps its walk where possible. An officer who is lent must be locked
        # before. An `InvalidEditError` says what keeps them from it.
        officer, school, day = self._find_slot(slot)
        rows, problem = self.find_rows(duties), self.problem
        finder = ObstacleFinder(self.inputs, problem.list_options(rows))
        if obstacle := finder.explain(officer, school, day, slot.window):
            refuse(obstacle)
        place = (slot.urn, slot.date, slot.window)
        same = [duty for duty in duties if (duty.urn, duty.date, duty.window) == place]
        taken = {duty.patrol.number for duty in same}
        together = self.inputs.area.settings.patrol.officers
        number = min({*range(1, together + 1)} - taken, default=None)
        if number is None:
            who = " and ".join(duty.officer for duty in same)
            refuse(f"URN {slot.urn} is already patrolled by {who} on {format_day(slot.date)}")
        mine = (problem.officer == officer) & (problem.day == day) & (problem.school == school)
        mine &= problem.route_number[problem.route] == number
        options = np.flatnonzero(mine & ~problem.is_along)
        routes = problem.route[options]
        fits = self.inputs.is_of_window(slot.window)[routes]
        if variant is not None:
            fits &= self.inputs.variant[day, routes] == variant
        options = options[fits]
        if not len(options):
            refuse(
                f"no route is left for {slot}: it is not planned that day, is ruled out, or the "
                f"school is not in the care of {slot.officer}"
            )
        # A lock alone does not exceed the daily maximum: patrols in the week are not forced.
        routes = problem.route[options]
        free = [not finder.find_crowded_hotspots(day, route) for route in routes.tolist()]
        if not any(free):
            raise InvalidEditError(finder.tell(officer, day, routes))
        within = self._select_within_visits(options[np.array(free, dtype=bool)], rows)
        option = self._choose_best(within, rows, like)
        duty = build_duty(self.inputs, officer, day, int(problem.route[option]))
        if not self.needs_companion(duty):
            return duty
        crew = tuple(self.list_companions(duty, duties)[:1])
        if not crew:
            refuse(f"{slot}: nobody is free to walk along, and two are needed")
        return replace(duty, crew=crew)

    def _select_within_visits(self, options: Ints, rows: Ints) -> Ints:
        """Options that bring no tasked place over its visits; an error if there are none."""
        option, demand = self.problem.meetings
        most = self.problem.max_visits
        visits = np.bincount(demand[np.isin(option, rows)], minlength=len(most))
        is_full = (visits >= most)[demand]
        within = options[~np.isin(options, option[is_full])]
        if len(within):
            return within
        full = demand[is_full & np.isin(option, options)]
        names = " and ".join(sorted({self.inputs.demands[one].place for one in full}))
        refuse(f"{names} has all the visits that it was tasked for: choose another route or day")

    def _choose_best(self, options: Ints, rows: Ints, like: Duty | None) -> int:
        """The option with the same walk as a patrol, or the one of most worth with `rows`."""
        if like is not None:
            route = self.inputs.find_route(like.patrol)
            same = options[self.problem.route[options] == route]
            if len(same):
                return int(same[0])
        worth = [compute_worth(self.problem, np.append(rows, option)) for option in options]
        return int(options[int(np.argmax(np.round(worth, 12)))])

    def _find_slot(self, slot: PatrolSlot) -> tuple[int, int, int]:
        """Rows of a slot's officer, school and day."""
        inputs = self.inputs
        if slot.officer not in inputs.officers:
            refuse(f"there is no officer '{slot.officer}'")
        if slot.urn not in inputs.urns:
            refuse(f"no patrol is planned for URN '{slot.urn}'")
        if slot.date not in inputs.days:
            refuse(f"{slot.date} is not a day of this week")
        officer, school = inputs.officers.index(slot.officer), inputs.urns.index(slot.urn)
        return officer, school, inputs.days.index(slot.date)
