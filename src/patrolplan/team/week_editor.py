"""A week changed by hand, patrol by patrol, under the rules of the rota."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.errors import PatrolplanError
from patrolplan.team.constraints import must_vary
from patrolplan.team.day_plans import plans_by_day
from patrolplan.team.objective import worth_of
from patrolplan.team.reasons import Reasons
from patrolplan.team.rota import week_of
from patrolplan.team.rota_inputs import Choice
from patrolplan.team.solve import PROVEN, RotaSolution, lacking_of
from patrolplan.team.week import Duty, Lock, Week, day_name

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from patrolplan.area import StudyArea
    from patrolplan.patrols.plan import Plan
    from patrolplan.team.problem import Bools, Ints, RotaProblem
    from patrolplan.team.week import Ban


GONE = "the patrol is not there any more"


class CannotBeError(PatrolplanError, ValueError):
    """A change by hand that the rules do not allow; its words say why."""


@dataclass(frozen=True)
class Post:
    """Who patrols which school when: names one patrol of a week."""

    officer: str
    urn: str
    date: dt.date

    def __str__(self) -> str:
        return f"{self.officer} at URN {self.urn} on {day_name(self.date)}"


def post_of(duty: Duty) -> Post:
    """The post of a patrol."""
    return Post(duty.officer, duty.urn, duty.date)


@dataclass(frozen=True, eq=False)
class Options:
    """A choice with its options as arrays, each worked out once."""

    choice: Choice

    @cached_property
    def problem(self) -> RotaProblem:
        """The options as arrays."""
        return self.choice.problem()

    @cached_property
    def rows(self) -> dict[tuple[int, int, int], int]:
        """Row of each option by officer, day and route."""
        columns = (self.problem.officer, self.problem.day, self.problem.route)
        keys = zip(*(column.tolist() for column in columns), strict=True)
        return {key: row for row, key in enumerate(keys)}

    @cached_property
    def vary(self) -> Bools:
        """(d - 1, r) routes that may not be walked on this day and the next."""
        return must_vary(self.problem)


@dataclass(frozen=True, eq=False)
class Hand:
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

    options: Options
    before: Week
    own_notes: tuple[str, ...] = ()

    @classmethod
    def on(cls, week: Week, area: StudyArea, plan: Plan | Mapping[dt.date, Plan]) -> Hand:
        """Take a week in hand, as it was planned or read."""
        choice = Choice(
            area,
            plans_by_day(plan, week.days, area, week.locks),
            week.days,
            week.locks,
            week.bans,
            absent=week.absent,
            delivered=week.delivered,
        )
        strangers = tuple(duty for duty in week.duties if _row(choice, duty) is None)
        if strangers:
            choice = replace(choice, held=strangers)
        hand = cls(Options(choice), week)
        derived = hand.week(week.duties).notes
        return replace(hand, own_notes=tuple(row for row in week.notes if row not in derived))

    @property
    def choice(self) -> Choice:
        """What the week is chosen from."""
        return self.options.choice

    @property
    def problem(self) -> RotaProblem:
        """The options as arrays."""
        return self.options.problem

    def by_hand(
        self, *, locks: Sequence[Lock] | None = None, bans: Sequence[Ban] | None = None
    ) -> Hand:
        """The same week under other locks or bans."""
        choice = self.choice.by_hand(
            locks=self.choice.locks if locks is None else tuple(locks),
            bans=self.choice.bans if bans is None else tuple(bans),
        )
        return replace(self, options=Options(choice))

    def holding(self, held: Sequence[Duty]) -> Hand:
        """The same week with these patrols held, whatever the plan says."""
        if tuple(held) == self.choice.held:
            return self
        return replace(self, options=Options(replace(self.choice, held=tuple(held))))

    def lock_of(self, duty: Duty) -> Lock | None:
        """The lock that a patrol fulfils."""
        for lock in self.choice.locks:
            mine = (lock.officer, lock.urn, lock.date) == (duty.officer, duty.urn, duty.date)
            if mine and lock.variant in {None, duty.variant}:
                return lock
        return None

    def week(self, duties: Sequence[Duty], *, bound: float | None = None) -> Week:
        """The week of these patrols, with its worth and the reasons for what is missing.

        Parameters
        ----------
        duties
            Patrols that each are an option.
        bound
            What no week of these choices can exceed; by default the bound of the week before.
        """
        chosen = np.array([self.row_of(duty) for duty in duties], dtype=np.int64)
        worth = worth_of(self.problem, chosen).total
        bound = max(self.before.bound if bound is None else bound, worth)
        proven = bound - worth <= PROVEN * max(1.0, bound)
        missing = lacking_of(self.problem, chosen)
        solution = RotaSolution(np.sort(chosen), worth, bound, proven, missing)
        made = week_of(self.choice, self.problem, solution)
        kept = {post_of(duty): duty for duty in duties}
        return replace(
            made,
            duties=tuple(kept[post_of(duty)] for duty in made.duties),
            notes=tuple(dict.fromkeys((*self.own_notes, *made.notes))),
            created_from=self.before.created_from,
            history=self.before.history,
        )

    def row_of(self, duty: Duty) -> int:
        """The option of a patrol.

        Raises
        ------
        CannotBeError
            When it is none under these locks and bans.
        """
        key = _row(self.choice, duty)
        row = None if key is None else self.options.rows.get(key)
        if row is None:
            message = f"{post_of(duty)}: a ban rules it out, or its route is planned no more"
            raise CannotBeError(message)
        return row

    def is_option(self, duty: Duty) -> bool:
        """Whether a patrol may be, looked at alone."""
        key = _row(self.choice, duty)
        return key is not None and key in self.options.rows

    def lends(self, post: Post) -> bool:
        """Whether a patrol would lend an officer to a school that is not in their care."""
        return not self.choice.cares[self._officer(post.officer), self._school(post.urn)]

    def placed(
        self,
        post: Post,
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
        officer, school = self._officer(post.officer), self._school(post.urn)
        day = self._day(post.date)
        rows = np.array([self.row_of(duty) for duty in duties], dtype=np.int64)
        problem = self.problem
        chosen = np.stack([problem.officer[rows], problem.day[rows], problem.route[rows]], axis=1)
        reasons = Reasons(self.choice, chosen)
        if hindered := reasons.hindrance(officer, school, day):
            raise CannotBeError(hindered)
        there = [duty for duty in duties if (duty.urn, duty.date) == (post.urn, post.date)]
        numbers = self._numbers(there)
        if not numbers:
            who = " and ".join(duty.officer for duty in there)
            message = f"{who} patrols URN {post.urn} on {day_name(post.date)} already"
            raise CannotBeError(message)
        mine = (problem.officer == officer) & (problem.day == day) & (problem.school == school)
        mine &= problem.route_number[problem.route] == numbers[0]
        if variant is not None:
            mine &= self.choice.variant[day, problem.route] == variant
        options = np.flatnonzero(mine)
        if not len(options):
            raise CannotBeError(self._no_route(post, variant))
        free = options[~self._repeats(chosen, day)[problem.route[options]]]
        if not len(free):
            message = (
                f"the same route would be walked two days running at URN {post.urn}: "
                "choose another route or day"
            )
            raise CannotBeError(message)
        return self._duty(self._best(self._under_the_most(free, reasons, post), rows, like))

    def _under_the_most(self, options: Ints, reasons: Reasons, post: Post) -> Ints:
        """Options that bring no hotspot over the most of a day.

        A lock alone does not let more in: the patrols that are there already are not forced.
        """
        day = self._day(post.date)
        routes = self.problem.route[options].tolist()
        over = [reasons.over(day, route) for route in routes]
        keeps = np.array([not names for names in over], dtype=bool)
        if keeps.any():
            return np.asarray(options[keeps])
        names = " and ".join(sorted(set().union(*over)))
        message = (
            f"{names} would get more than the most of {self.problem.most_minutes:g} minutes on "
            f"{day_name(post.date)}: choose another route or day"
        )
        raise CannotBeError(message)

    def _best(self, options: Ints, rows: Ints, like: Duty | None) -> int:
        if like is not None:
            route = self.choice.route_of(like.patrol)
            same = options[self.problem.route[options] == route]
            if len(same):
                return int(same[0])
        worth = [worth_of(self.problem, np.append(rows, option)).total for option in options]
        return int(options[int(np.argmax(np.round(worth, 12)))])

    def _duty(self, option: int) -> Duty:
        one = np.array([option], dtype=np.int64)
        none = np.zeros(0, dtype=np.int64)
        solution = RotaSolution(one, 0.0, 0.0, proven=False, missing=none)
        return week_of(self.choice, self.problem, solution).duties[0]

    def _numbers(self, there: Sequence[Duty]) -> list[int]:
        """Numbers of the officers that a school still takes that day, the lowest first."""
        most = self.choice.area.settings.patrol.officers
        taken = {duty.patrol.number for duty in there}
        return [number for number in range(1, most + 1) if number not in taken]

    def _repeats(self, chosen: Ints, day: int) -> Bools:
        """(r,) routes that are walked the day before or after and must vary."""
        found = np.zeros(len(self.choice.routes), dtype=bool)
        for pair, other in ((day - 1, day - 1), (day, day + 1)):
            if 0 <= pair < len(self.options.vary):
                walked = chosen[chosen[:, 1] == other, 2]
                found[walked] |= self.options.vary[pair, walked]
        return found

    def _no_route(self, post: Post, variant: int | None) -> str:
        if self.lends(post) and not any(
            (lock.officer, lock.urn, lock.date) == (post.officer, post.urn, post.date)
            for lock in self.choice.locks
        ):
            return f"URN {post.urn} is not in the care of {post.officer}"
        if variant is None:
            return f"no route is left for {post}"
        return (
            f"route {variant + 1} is not planned that day, does not fit the hours, or is ruled out"
        )

    def _officer(self, name: str) -> int:
        if name not in self.choice.officers:
            message = f"there is no officer '{name}'"
            raise CannotBeError(message)
        return self.choice.officers.index(name)

    def _school(self, urn: str) -> int:
        if urn not in self.choice.urns:
            message = f"no patrol is planned for URN '{urn}'"
            raise CannotBeError(message)
        return self.choice.urns.index(urn)

    def _day(self, date: dt.date) -> int:
        if date not in self.choice.days:
            message = f"{date} is not a day of this week"
            raise CannotBeError(message)
        return self.choice.days.index(date)


def _row(choice: Choice, duty: Duty) -> tuple[int, int, int] | None:
    """Officer, day and route of a patrol, where the choice knows them."""
    route = choice.route_of(duty.patrol)
    known = duty.officer in choice.officers and duty.date in choice.days
    if route is None or not known:
        return None
    key = choice.officers.index(duty.officer), choice.days.index(duty.date), route
    return key if choice.possible[key] else None
