"""Change at short notice: the least change that repairs a week already handed out."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, replace

import numpy as np

from patrolplan.area import StudyArea
from patrolplan.errors import Problems
from patrolplan.notes import Note
from patrolplan.patrols.plan import Plan
from patrolplan.team.day_plans import list_day_plans
from patrolplan.team.problem import Ints, RotaProblem
from patrolplan.team.rota import build_week
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.solve import SearchLimits, solve_rota
from patrolplan.team.week import Duty, Week


@dataclass(frozen=True, eq=False)
class Change:
    """One duty that differs from the week as it was handed out."""

    kind: str
    """"withdrawn": its card is void; "new": its card must be printed."""
    duty: Duty
    """The duty."""

    def __str__(self) -> str:
        what = "withdraw the card of" if self.kind == "withdrawn" else "print the card of"
        return f"{what} {self.duty}"


def replan(
    week: Week,
    area: StudyArea,
    plan: Plan | Mapping[dt.date, Plan],
    *,
    absent: Mapping[str, AbstractSet[dt.date]],
) -> tuple[Week, tuple[Change, ...]]:
    """Repair a week after absences, changing as few duties as possible.

    Duties that the absences do not touch stay as they are. Each one that is lost is given to
    another officer who is free, has the school in their care and has patrols left; a school that
    would fall below its minimum gets another day, not before the first absence. Among equal
    repairs, the one of most worth is chosen.

    Parameters
    ----------
    week
        As handed out.
    area, plan
        What repairs are chosen from. Duties that stay do so even if these have changed since.
    absent
        Days on which officers are absent, by officer.

    Returns
    -------
    Week, tuple of Change
        The repaired week, and every duty that was withdrawn or is new.

    Raises
    ------
    InputError
        When an officer or a day is not of this week.
    """
    officers = [*area.officers["officer"], *(duty.officer for duty in week.duties)]
    check_absences(week.days, officers, absent)
    lost = [duty for duty in week.duties if duty.date in absent.get(duty.officer, set())]
    stay = [duty for duty in week.duties if duty not in lost]
    absences_so_far = {
        officer: week.absent.get(officer, frozenset()) | frozenset(absent.get(officer, ()))
        for officer in sorted({*week.absent, *absent})
    }
    plans = list_day_plans(plan, week.days, area, week.locks)
    inputs = RotaInputs(
        area, plans, week.days, (), week.bans, absences_so_far, week.delivered, held=tuple(stay)
    )
    urns, days = inputs.urns, inputs.days
    lost_slots = {(urns.index(d.urn), days.index(d.date)) for d in lost if d.urn in urns}
    firsts = [d.urn for d in week.duties if d.patrol.number == 1]
    had = np.array([firsts.count(urn) for urn in urns], dtype=np.int64)
    first = min((day for dates in absent.values() for day in dates), default=days[-1])
    problem = limit_to_repairs(inputs.problem, had, lost_slots, first=days.index(first))
    solution = solve_rota(problem, seed=area.settings.seed, stop=SearchLimits(gap_percent=0.0))
    repaired = build_week(inputs, problem, solution)
    before = {duty.key for duty in week.duties}
    after = {duty.key for duty in repaired.duties}
    changes = [Change("withdrawn", duty) for duty in week.duties if duty.key not in after]
    changes += [Change("new", duty) for duty in repaired.duties if duty.key not in before]
    absences = (
        Note("officer_away", {"officer": name, "date": f"{day}"})
        for name in sorted(absent)
        for day in sorted(absent[name])
    )
    repaired = replace(
        repaired,
        locks=week.locks,
        notes=tuple(dict.fromkeys((*week.notes, *repaired.notes, *absences))),
        created_from=week.created_from,
        draw=week.draw,
        foreseen=week.foreseen,
        chances=week.chances,
        history=week.history,
    )
    return repaired, tuple(changes)


def check_absences(
    days: Sequence[dt.date], officers: Iterable[str], absent: Mapping[str, AbstractSet[dt.date]]
) -> None:
    """Raise for officers who do not exist and days that are not of the week."""
    problems = Problems()
    names = list(dict.fromkeys(officers))
    for officer, days_absent in absent.items():
        if officer not in names:
            what = f"there is no officer '{officer}' (known: {', '.join(names[:12])})"
            problems.add("--absent", what, "name one of them")
        for day in sorted(days_absent):
            if day not in days:
                span = f"{days[0]} to {days[-1]}"
                problems.add("--absent", f"{day} is not in the week {span}", "name a day of it")
    problems.raise_if_any()


def limit_to_repairs(
    problem: RotaProblem, had: Ints, lost: AbstractSet[tuple[int, int]], *, first: int
) -> RotaProblem:
    """The problem with nothing to choose but what is fixed and what repairs.

    Replacements on the same school and day; for a school that these leave below its minimum, other
    days from the first absence on. No school gets more patrols than it had.

    Parameters
    ----------
    problem
        All options, with those of the patrols that stay locked.
    had
        (s,) patrols that each school had.
    lost
        Schools and days of the patrols that are lost.
    first
        First day on which something may change.
    """
    slots = list(zip(problem.school.tolist(), problem.day.tolist(), strict=True))
    same = np.array([slot in lost for slot in slots], dtype=bool)
    uncovered = np.bincount([s for s, _ in lost - set(slots)], minlength=problem.schools)
    needy = had - uncovered < problem.min_patrols
    later = (needy & (uncovered > 0))[problem.school] & (problem.day >= first)
    free = (problem.lock < 0) & (same | later)
    return replace(problem.select(problem.fixed | free), exact_patrols=had)
