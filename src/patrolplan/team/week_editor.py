"""A week changed by hand, patrol by patrol, under the rules of the rota."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.errors import PatrolplanError
from patrolplan.team.constraints import find_unrepeatable_routes
from patrolplan.team.day_plans import list_day_plans
from patrolplan.team.objective import compute_worth
from patrolplan.team.reasons import UnmetReasons
from patrolplan.team.rota import build_week
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.solve import PROVEN_GAP, RotaSolution, count_missing_patrols
from patrolplan.team.week import Duty, Lock, Week, format_day

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from patrolplan.area import StudyArea
    from patrolplan.patrols.plan import Plan
    from patrolplan.team.problem import Bools, Ints, RotaProblem
    from patrolplan.team.week import Ban


PATROL_GONE = "the patrol is not there any more"


class InvalidEditError(PatrolplanError, ValueError):
    """A change by hand that the rules do not allow; its words say why."""


@dataclass(frozen=True)
class PatrolSlot:
    """Who patrols which school when: names one patrol of a week."""

    officer: str
    urn: str
    date: dt.date

    def __str__(self) -> str:
        return f"{self.officer} at URN {self.urn} on {format_day(self.date)}"


def get_slot(duty: Duty) -> PatrolSlot:
    """The post of a patrol."""
    return PatrolSlot(duty.officer, duty.urn, duty.date)


@dataclass(frozen=True, eq=False)
class IndexedOptions:
    """A choice with its options as arrays, each worked out once."""

    inputs: RotaInputs

    @cached_property
    def problem(self) -> RotaProblem:
        """The options as arrays."""
        return self.inputs.build_problem()

    @cached_property
    def rows(self) -> dict[tuple[int, int, int], int]:
        """Row of each option by officer, day and route."""
        columns = (self.problem.officer, self.problem.day, self.problem.route)
        keys = zip(*(column.tolist() for column in columns), strict=True)
        return {key: row for row, key in enumerate(keys)}

    @cached_property
    def is_unrepeatable(self) -> Bools:
        """(d - 1, r) routes that may not be walked on this day and the next."""
        return find_unrepeatable_routes(self.problem)


@dataclass(frozen=True, eq=False)
class WeekEditor:
    """What a week may become by hand: its options under its locks and bans.

    Parameters
    ----------
    options
        What the week is chosen from; patrols handed out that the plan knows no more are held.
    before
        The week that is changed: what is neither chosen nor ruled out by hand is taken from it.
    own_notes
        Notes that do not follow from the choice, such as absences told before.
    """

    options: IndexedOptions
    before: Week
    own_notes: tuple[str, ...] = ()

    @classmethod
    def from_week(
        cls, week: Week, area: StudyArea, plan: Plan | Mapping[dt.date, Plan]
    ) -> WeekEditor:
        """Take a week in hand, as it was planned or read."""
        choice = RotaInputs(
            area,
            list_day_plans(plan, week.days, area, week.locks),
            week.days,
            week.locks,
            week.bans,
            absent=week.absent,
            delivered=week.delivered,
        )
        strangers = tuple(duty for duty in week.duties if _find_option(choice, duty) is None)
        if strangers:
            choice = replace(choice, held=strangers)
        hand = cls(IndexedOptions(choice), week)
        derived = hand.build_week(week.duties).notes
        return replace(hand, own_notes=tuple(row for row in week.notes if row not in derived))

    @property
    def inputs(self) -> RotaInputs:
        """What the week is chosen from."""
        return self.options.inputs

    @property
    def problem(self) -> RotaProblem:
        """The options as arrays."""
        return self.options.problem

    def with_locks_and_bans(
        self, *, locks: Sequence[Lock] | None = None, bans: Sequence[Ban] | None = None
    ) -> WeekEditor:
        """The same week under other locks or bans."""
        choice = self.inputs.with_locks_and_bans(
            locks=self.inputs.locks if locks is None else tuple(locks),
            bans=self.inputs.bans if bans is None else tuple(bans),
        )
        return replace(self, options=IndexedOptions(choice))

    def with_held_duties(self, held: Sequence[Duty]) -> WeekEditor:
        """The same week with these patrols held, whatever the plan says."""
        if tuple(held) == self.inputs.held:
            return self
        return replace(self, options=IndexedOptions(replace(self.inputs, held=tuple(held))))

    def find_lock(self, duty: Duty) -> Lock | None:
        """The lock that a patrol fulfils."""
        for lock in self.inputs.locks:
            mine = (lock.officer, lock.urn, lock.date) == (duty.officer, duty.urn, duty.date)
            if mine and lock.variant in {None, duty.variant}:
                return lock
        return None

    def build_week(self, duties: Sequence[Duty], *, bound: float | None = None) -> Week:
        """The week of these patrols, with its worth and the reasons for what is missing.

        Parameters
        ----------
        duties
            Patrols that each are an option.
        bound
            What no week of these choices can exceed; by default the bound of the week before.
        """
        chosen = np.array([self.find_row(duty) for duty in duties], dtype=np.int64)
        worth = compute_worth(self.problem, chosen).total
        bound = max(self.before.bound if bound is None else bound, worth)
        proven = bound - worth <= PROVEN_GAP * max(1.0, bound)
        missing = count_missing_patrols(self.problem, chosen)
        solution = RotaSolution(np.sort(chosen), worth, bound, proven, missing)
        made = build_week(self.inputs, self.problem, solution)
        kept = {get_slot(duty): duty for duty in duties}
        return replace(
            made,
            duties=tuple(kept[get_slot(duty)] for duty in made.duties),
            notes=tuple(dict.fromkeys((*self.own_notes, *made.notes))),
            created_from=self.before.created_from,
            history=self.before.history,
        )

    def find_row(self, duty: Duty) -> int:
        """The option of a patrol.

        Raises
        ------
        CannotBeError
            When it is none under these locks and bans.
        """
        key = _find_option(self.inputs, duty)
        row = None if key is None else self.options.rows.get(key)
        if row is None:
            message = f"{get_slot(duty)}: a ban rules it out, or its route is planned no more"
            raise InvalidEditError(message)
        return row

    def is_option(self, duty: Duty) -> bool:
        """Whether a patrol may be, looked at alone."""
        key = _find_option(self.inputs, duty)
        return key is not None and key in self.options.rows

    def is_loan(self, slot: PatrolSlot) -> bool:
        """Whether a patrol would lend an officer to a school that is not in their care."""
        return not self.inputs.cares[self._find_officer(slot.officer), self._find_school(slot.urn)]

    def place_patrol(
        self,
        slot: PatrolSlot,
        duties: Sequence[Duty],
        *,
        variant: int | None = None,
        like: Duty | None = None,
    ) -> Duty:
        """A patrol for a post beside others: the route asked for, or the one of most worth.

        Parameters
        ----------
        post
            Who, where, when. Who is lent must be locked before.
        duties
            The other patrols of the week.
        variant
            The route; None leaves it open.
        like
            A patrol whose walk is kept where it may be.

        Raises
        ------
        CannotBeError
            With the reason.
        """
        officer, school = self._find_officer(slot.officer), self._find_school(slot.urn)
        day = self._find_day(slot.date)
        rows = np.array([self.find_row(duty) for duty in duties], dtype=np.int64)
        problem = self.problem
        chosen = np.stack([problem.officer[rows], problem.day[rows], problem.route[rows]], axis=1)
        reasons = UnmetReasons(self.inputs, chosen)
        if hindered := reasons.find_obstacle(officer, school, day):
            raise InvalidEditError(hindered)
        there = [duty for duty in duties if (duty.urn, duty.date) == (slot.urn, slot.date)]
        numbers = self._list_free_numbers(there)
        if not numbers:
            who = " and ".join(duty.officer for duty in there)
            message = f"{who} patrols URN {slot.urn} on {format_day(slot.date)} already"
            raise InvalidEditError(message)
        mine = (problem.officer == officer) & (problem.day == day) & (problem.school == school)
        mine &= problem.route_number[problem.route] == numbers[0]
        if variant is not None:
            mine &= self.inputs.variant[day, problem.route] == variant
        options = np.flatnonzero(mine)
        if not len(options):
            raise InvalidEditError(self._explain_no_route(slot, variant))
        free = options[~self._find_repeated_routes(chosen, day)[problem.route[options]]]
        if not len(free):
            message = (
                f"the same route would be walked two days running at URN {slot.urn}: "
                "choose another route or day"
            )
            raise InvalidEditError(message)
        return self._build_duty(
            self._choose_best(self._select_under_cap(free, reasons, slot), rows, like)
        )

    def _select_under_cap(self, options: Ints, reasons: UnmetReasons, slot: PatrolSlot) -> Ints:
        """Options that bring no hotspot over the most of a day.

        A lock alone does not let more in: the patrols that are there already are not forced.
        """
        day = self._find_day(slot.date)
        routes = self.problem.route[options].tolist()
        over = [reasons.find_crowded_hotspots(day, route) for route in routes]
        keeps = np.array([not names for names in over], dtype=bool)
        if keeps.any():
            return np.asarray(options[keeps])
        names = " and ".join(sorted(set().union(*over)))
        message = (
            f"{names} would get more than the most of {self.problem.max_dose_minutes:g} minutes on "
            f"{format_day(slot.date)}: choose another route or day"
        )
        raise InvalidEditError(message)

    def _choose_best(self, options: Ints, rows: Ints, like: Duty | None) -> int:
        if like is not None:
            route = self.inputs.find_route(like.patrol)
            same = options[self.problem.route[options] == route]
            if len(same):
                return int(same[0])
        worth = [compute_worth(self.problem, np.append(rows, option)).total for option in options]
        return int(options[int(np.argmax(np.round(worth, 12)))])

    def _build_duty(self, option: int) -> Duty:
        one = np.array([option], dtype=np.int64)
        none = np.zeros(0, dtype=np.int64)
        solution = RotaSolution(one, 0.0, 0.0, proven=False, missing=none)
        return build_week(self.inputs, self.problem, solution).duties[0]

    def _list_free_numbers(self, there: Sequence[Duty]) -> list[int]:
        """Numbers of the officers that a school still takes that day, the lowest first."""
        most = self.inputs.area.settings.patrol.officers
        taken = {duty.patrol.number for duty in there}
        return [number for number in range(1, most + 1) if number not in taken]

    def _find_repeated_routes(self, chosen: Ints, day: int) -> Bools:
        """(r,) routes that are walked the day before or after and must vary."""
        found = np.zeros(len(self.inputs.routes), dtype=bool)
        for pair, other in ((day - 1, day - 1), (day, day + 1)):
            if 0 <= pair < len(self.options.is_unrepeatable):
                walked = chosen[chosen[:, 1] == other, 2]
                found[walked] |= self.options.is_unrepeatable[pair, walked]
        return found

    def _explain_no_route(self, slot: PatrolSlot, variant: int | None) -> str:
        if self.is_loan(slot) and not any(
            (lock.officer, lock.urn, lock.date) == (slot.officer, slot.urn, slot.date)
            for lock in self.inputs.locks
        ):
            return f"URN {slot.urn} is not in the care of {slot.officer}"
        if variant is None:
            return f"no route is left for {slot}"
        return (
            f"route {variant + 1} is not planned that day, does not fit the hours, or is ruled out"
        )

    def _find_officer(self, name: str) -> int:
        if name not in self.inputs.officers:
            message = f"there is no officer '{name}'"
            raise InvalidEditError(message)
        return self.inputs.officers.index(name)

    def _find_school(self, urn: str) -> int:
        if urn not in self.inputs.urns:
            message = f"no patrol is planned for URN '{urn}'"
            raise InvalidEditError(message)
        return self.inputs.urns.index(urn)

    def _find_day(self, date: dt.date) -> int:
        if date not in self.inputs.days:
            message = f"{date} is not a day of this week"
            raise InvalidEditError(message)
        return self.inputs.days.index(date)


def _find_option(inputs: RotaInputs, duty: Duty) -> tuple[int, int, int] | None:
    """Officer, day and route of a patrol, where the choice knows them."""
    route = inputs.find_route(duty.patrol)
    known = duty.officer in inputs.officers and duty.date in inputs.days
    if route is None or not known:
        return None
    key = inputs.officers.index(duty.officer), inputs.days.index(duty.date), route
    return key if inputs.possible[key] else None
