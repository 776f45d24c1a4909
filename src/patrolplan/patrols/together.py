"""Schools that share hotspots at the same time, planned as one team."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse import csgraph

from patrolplan.patrols.joint import Joint, Member, Routes, overlapping, solve_together, taken_rows
from patrolplan.patrols.patrol_writer import patrols_of, written
from patrolplan.patrols.plan import Patrol
from patrolplan.patrols.school_problem import SchoolCase
from patrolplan.patrols.solver.solution import timed_route
from patrolplan.patrols.solver.solve import Solution, solve

TASKED_PRIZE = 2.0
"""More than all hotspots, whose shares sum to at most 1: tasked places come first."""

NAMED = 3
"""So many other schools are named on a patrol; the rest are counted."""

NO_GAP = 1e-9

Written = tuple[list[Patrol], list[str]]


def plan_together(cases: Sequence[SchoolCase]) -> list[Written]:
    """Patrols of every school, and the tasked places not visited, aligned with the cases.

    Schools that are out at overlapping times and share candidate hotspots are one team: no
    hotspot is visited twice at overlapping times, and what counts is the area's risk that they
    cover together. A place tasked for several of them is visited by one.
    """
    members = [_member(case) for case in cases]
    found: list[Written] = [([], []) for _ in cases]
    for group in _groups(members):
        if len(group) == 1:
            found[group[0]] = patrols_of(cases[group[0]])
            continue
        chosen = [cases[number] for number in group]
        team = [members[number] for number in group]
        joint = solve_together(team, seed=chosen[0].area.settings.seed)
        for place, number in enumerate(group):
            found[number] = _written(chosen, team, joint, place)
    return found


def _member(case: SchoolCase) -> Member:
    """A school's problem with the area's risk as prizes, so that schools compare."""
    problem = case.problem()
    prizes = np.zeros(problem.size)
    places = [""] * problem.size
    for candidate, row in enumerate(case.reach.candidates):
        if row >= 0:
            prizes[candidate + 1] = case.hotspots["worth"].iloc[row]
            places[candidate + 1] = f"hotspot {case.hotspots['hotspot'].iloc[row]}"
        else:
            places[candidate + 1] = f"tasked {case.place_id(candidate + 1)}"
    prizes[list(case.demanded)] += TASKED_PRIZE
    return Member(
        problem=replace(problem, prizes=prizes),
        places=tuple(places),
        start_minutes=case.start_minutes,
        end_minutes=case.latest_end_minutes,
    )


def _groups(members: Sequence[Member]) -> list[list[int]]:
    """Members that share places at overlapping times, directly or by way of others."""
    held = [{place for place in member.places if place} for member in members]
    tied = np.array(
        [
            [
                overlapping(one, other) and bool(mine & theirs)
                for other, theirs in zip(members, held, strict=True)
            ]
            for one, mine in zip(members, held, strict=True)
        ],
        dtype=bool,
    ).reshape(len(members), len(members))
    count, label = csgraph.connected_components(tied, directed=False)
    return [np.flatnonzero(label == number).tolist() for number in range(count)]


def _written(
    cases: Sequence[SchoolCase], team: Sequence[Member], joint: Joint, number: int
) -> Written:
    """One school's part of the team's answer."""
    case, routes = cases[number], joint.routes[number]
    taken = taken_rows(team, number, joint.routes)
    visited = case.demanded & {stop for route in routes for stop in route}
    others = case.demanded & taken
    missed = case.not_visited(case.demanded - visited - others)
    notes = [
        *case.notes(missed),
        *(f"Tasked place {case.place_id(stop)} is in another school's patrol." for stop in others),
        _said(cases, joint, number),
    ]
    problem = case.problem(visited)
    bound = solve(problem, seed=case.area.settings.seed).bound
    found = [timed_route(problem, officer, stops) for officer, stops in enumerate(routes)]
    timed = tuple(route for route in found if route is not None)
    worth = math.fsum(route.worth for route in timed)
    proven = bound - worth <= NO_GAP
    solution = Solution(
        routes=timed,
        worth=worth,
        bound=max(bound, worth),
        status="proven" if proven else "feasible",
        iterations=0,
        seconds=0.0,
    )
    beside = replace(problem, barred=problem.barred | taken)
    return written(case, beside, solution, tuple(notes)), missed


def _said(cases: Sequence[SchoolCase], joint: Joint, number: int) -> str:
    """With whom, how much all cover together, and how good that is."""
    others = [str(case.school["urn"]) for place, case in enumerate(cases) if place != number]
    names = ", ".join(others[:NAMED])
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    prizes = _tasked_prizes(cases, joint.routes)
    worth, bound = joint.worth - prizes, joint.bound - prizes
    gap = 0.0 if bound <= worth else math.ceil(1000 * (bound - worth) / bound) / 10
    sure = f"within {gap:.1f} % of the best possible" if gap else "the best possible"
    return (
        f"Planned together with URN {names}{more}, no hotspot twice at one time: "
        f"in all {worth:.1%} of the area's risk, {sure}."
    )


def _tasked_prizes(cases: Sequence[SchoolCase], routes: Sequence[Routes]) -> float:
    """What was added for tasked places that are visited."""
    visited = sum(
        stop in case.demanded
        for case, own in zip(cases, routes, strict=True)
        for route in own
        for stop in route
    )
    return TASKED_PRIZE * visited
