"""Schools that share hotspots at the same time, planned as one team."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse import csgraph

from patrolplan.patrols.joint import (
    Member,
    Routes,
    TeamSolution,
    find_taken_rows,
    is_overlapping,
    solve_together,
)
from patrolplan.patrols.patrol_writer import build_patrols, plan_school_patrols
from patrolplan.patrols.plan import Patrol
from patrolplan.patrols.school_problem import SchoolProblem
from patrolplan.patrols.solver.solution import time_route
from patrolplan.patrols.solver.solve import Solution, solve

TASKED_PRIZE = 2.0
"""More than all hotspots, whose shares sum to at most 1: tasked places come first."""

MAX_NAMED_SCHOOLS = 3
"""So many other schools are named on a patrol; the rest are counted."""

GAP_TOLERANCE = 1e-9

PatrolsAndUnvisited = tuple[list[Patrol], list[str]]


def plan_together(school_problems: Sequence[SchoolProblem]) -> list[PatrolsAndUnvisited]:
    """Patrols of every school, and the tasked places not visited, aligned with the cases.

    Schools that are out at overlapping times and share candidate hotspots are one team: no
    hotspot is visited twice at overlapping times, and what counts is the area's risk that they
    cover together. A place tasked for several of them is visited by one.
    """
    members = [_build_member(case) for case in school_problems]
    found: list[PatrolsAndUnvisited] = [([], []) for _ in school_problems]
    for group in _group_members(members):
        if len(group) == 1:
            found[group[0]] = plan_school_patrols(school_problems[group[0]])
            continue
        chosen = [school_problems[number] for number in group]
        team = [members[number] for number in group]
        joint = solve_together(team, seed=chosen[0].area.settings.seed)
        for place, number in enumerate(group):
            found[number] = _build_school_patrols(chosen, team, joint, place)
    return found


def _build_member(school_problem: SchoolProblem) -> Member:
    """A school's problem with the area's risk as prizes, so that schools compare."""
    problem = school_problem.build_problem()
    prizes = np.zeros(problem.size)
    places = [""] * problem.size
    for candidate, row in enumerate(school_problem.reach.hotspot_rows):
        if row >= 0:
            prizes[candidate + 1] = school_problem.hotspots["worth"].iloc[row]
            places[candidate + 1] = f"hotspot {school_problem.hotspots['hotspot'].iloc[row]}"
        else:
            places[candidate + 1] = f"tasked {school_problem.get_place_id(candidate + 1)}"
    prizes[list(school_problem.must_visit_rows)] += TASKED_PRIZE
    return Member(
        problem=replace(problem, prizes=prizes),
        places=tuple(places),
        start_minutes=school_problem.start_minutes,
        end_minutes=school_problem.latest_end_minutes,
    )


def _group_members(members: Sequence[Member]) -> list[list[int]]:
    """Members that share places at overlapping times, directly or by way of others."""
    held = [{place for place in member.places if place} for member in members]
    tied = np.array(
        [
            [
                is_overlapping(one, other) and bool(mine & theirs)
                for other, theirs in zip(members, held, strict=True)
            ]
            for one, mine in zip(members, held, strict=True)
        ],
        dtype=bool,
    ).reshape(len(members), len(members))
    count, label = csgraph.connected_components(tied, directed=False)
    return [np.flatnonzero(label == number).tolist() for number in range(count)]


def _build_school_patrols(
    school_problems: Sequence[SchoolProblem],
    team: Sequence[Member],
    joint: TeamSolution,
    number: int,
) -> PatrolsAndUnvisited:
    """One school's part of the team's answer."""
    case, routes = school_problems[number], joint.routes[number]
    taken = find_taken_rows(team, number, joint.routes)
    visited = case.must_visit_rows & {stop for route in routes for stop in route}
    others = case.must_visit_rows & taken
    missed = case.explain_unvisited(case.must_visit_rows - visited - others)
    notes = [
        *case.build_notes(missed),
        *(
            f"Tasked place {case.get_place_id(stop)} is in another school's patrol."
            for stop in others
        ),
        _describe_team(school_problems, joint, number),
    ]
    problem = case.build_problem(visited)
    bound = solve(problem, seed=case.area.settings.seed).bound
    found = [time_route(problem, officer, stops) for officer, stops in enumerate(routes)]
    timed = tuple(route for route in found if route is not None)
    worth = math.fsum(route.worth for route in timed)
    proven = bound - worth <= GAP_TOLERANCE
    solution = Solution(
        routes=timed,
        worth=worth,
        bound=max(bound, worth),
        status="proven" if proven else "feasible",
        iterations=0,
        seconds=0.0,
    )
    beside = replace(problem, barred=problem.barred | taken)
    return build_patrols(case, beside, solution, tuple(notes)), missed


def _describe_team(
    school_problems: Sequence[SchoolProblem], joint: TeamSolution, number: int
) -> str:
    """With whom, how much all cover together, and how good that is."""
    others = [
        str(case.school["urn"]) for place, case in enumerate(school_problems) if place != number
    ]
    names = ", ".join(others[:MAX_NAMED_SCHOOLS])
    more = f" and {len(others) - MAX_NAMED_SCHOOLS} more" if len(others) > MAX_NAMED_SCHOOLS else ""
    prizes = _sum_tasked_prizes(school_problems, joint.routes)
    worth, bound = joint.worth - prizes, joint.bound - prizes
    gap = 0.0 if bound <= worth else math.ceil(1000 * (bound - worth) / bound) / 10
    sure = f"within {gap:.1f} % of the best possible" if gap else "the best possible"
    return (
        f"Planned together with URN {names}{more}, no hotspot twice at one time: "
        f"in all {worth:.1%} of the area's risk, {sure}."
    )


def _sum_tasked_prizes(school_problems: Sequence[SchoolProblem], routes: Sequence[Routes]) -> float:
    """What was added for tasked places that are visited."""
    visited = sum(
        stop in case.must_visit_rows
        for case, own in zip(school_problems, routes, strict=True)
        for route in own
        for stop in route
    )
    return TASKED_PRIZE * visited
