"""Seeded teams to plan a week for: schools, officers, hotspots and routes drawn at random.

Schools and hotspots lie at random on a square, as dense as in a London borough; every school has
near-optimal routes over hotspots within reach, so that neighbouring schools share hotspots;
every officer has schools near each other, days off, and a most of three to five patrols a week;
some schools have two officers, some are closed on a day, some routes do not fit somebody's hours.

Each route may be walked in every order of its stops, and by every minute of leaving the gate that
leaves time for them: legs are 1.3 times the straight line on foot, bells ring between 15:00 and
15:30, and where a route would hardly fit into the window, the window is longer.
"""

import datetime as dt
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np

from patrolplan.patrols.solver.problem import list_leg_minutes
from patrolplan.patrols.solver.solve import OrienteeringProblem, TimedPrizes
from patrolplan.patrols.timings import Timings, list_timings
from patrolplan.team.problem import RotaProblem

SIZES = ((12, 8), (60, 25), (500, 150))
MONDAY = dt.date(2026, 11, 30).toordinal()
DAYS = 5
SCHOOLS_PER_KM2 = 1.0
HOTSPOTS_PER_SCHOOL = 8
REACH_KM = 0.9
VARIANTS = 3
DAY_OFF = 0.1
SCHOOL_CLOSED = 0.02
TOO_LATE = 0.05
NEAR = 12
FIRST_BELL = 15 * 60
BELL_MINUTES = 30
WINDOW_MINUTES = 90
LONGEST_MINUTES = 240
GATE_MINUTES = 5
DWELL_MINUTES = 15.0
SLACK_MINUTES = 3
MINUTES_PER_KM = 1.3 / 0.08


def draw_team(
    schools: int,
    officers: int,
    *,
    seed: int,
    least: int = 1,
    together: int = 1,
    variants: int = VARIANTS,
) -> RotaProblem:
    """A week's choice for a team drawn at random.

    Parameters
    ----------
    schools, officers
        How many.
    seed
        Equal seeds give equal teams.
    least
        Patrols that every school should get.
    together
        Officers who patrol a school together.
    variants
        Routes of a school and officer besides the best.
    """
    rng = np.random.default_rng(seed)
    school_xy, hotspot_xy = _draw_places(rng, schools)
    hotspots = len(hotspot_xy)
    weight = rng.lognormal(0.0, 1.0, hotspots)
    weight /= weight.sum()
    own = variants + 1
    routes = schools * own * together
    route_school = np.repeat(np.arange(schools), own * together)
    route_number = np.tile(np.repeat(np.arange(1, together + 1), own), schools)
    visits = _draw_visits(rng, school_xy, hotspot_xy, weight, route_school[::own], variants)
    cares = _assign_schools(rng, school_xy, officers)
    on_duty = rng.random((officers, DAYS)) > DAY_OFF
    is_open = rng.random((schools, DAYS)) > SCHOOL_CLOSED
    fits = rng.random((officers, routes)) > TOO_LATE
    grid = np.stack(np.meshgrid(range(officers), range(DAYS), range(routes), indexing="ij"), -1)
    officer, day, route = grid.reshape(-1, 3).T
    chosen = cares[officer, route_school[route]] & on_duty[officer, day]
    chosen &= is_open[route_school[route], day] & fits[officer, route]
    return build_problem(
        officer=officer[chosen],
        day=day[chosen],
        route=route[chosen],
        lock=np.full(chosen.sum(), -1),
        route_school=route_school,
        route_number=route_number,
        visits=visits,
        visit_minutes=np.full(len(visits), DWELL_MINUTES),
        weight=weight,
        dosed_before=np.zeros(hotspots, dtype=np.int64),
        run_before=np.zeros(hotspots, dtype=np.int64),
        max_patrols=rng.integers(3, 6, officers),
        dates=MONDAY + np.arange(DAYS),
        schools=schools,
        min_patrols=least,
    )


def build_problem(**given: Any) -> RotaProblem:  # noqa: ANN401 - any of its fields
    """A problem of one window with no demands, companions or places that must be visited.

    Unless they are given. An officer's options of a day all overlap.
    """
    places = len(given["weight"])
    dose = np.bincount(given["visits"][:, 0], given["visit_minutes"], len(given["route_school"]))
    options, routes, days = (len(given[name]) for name in ("officer", "route_school", "dates"))
    fields = {
        "min_patrols": 1,
        "max_dose_minutes": 30.0,
        "mandatory_visits": np.zeros(len(given["visits"]), dtype=bool),
        "route_window": np.zeros(routes, dtype=np.int64),
        "option_minutes": np.tile([0.0, 1.0], (options, 1)),
        "route_after": given["route_number"] - 1,
        "is_companion": np.zeros(routes, dtype=bool),
        "needs_companion": np.zeros(options, dtype=bool),
        "demand_routes": np.zeros((0, 2), dtype=np.int64),
        "demand_days": np.zeros((0, days), dtype=bool),
        "demand_visits": np.zeros(0, dtype=np.int64),
        "is_tasked": np.zeros(0, dtype=bool),
        "is_once": np.zeros(places, dtype=bool),
        "route_dose": dose,
    }
    return RotaProblem(**(fields | given))


def draw_timings(problem: RotaProblem, *, seed: int) -> list[tuple[np.ndarray, Timings]]:
    """Each route's hotspots, and every way in which it may be walked.

    Parameters
    ----------
    problem
        Of `draw_team`.
    seed
        The one it was drawn with.
    """
    school_xy, hotspot_xy = _draw_places(np.random.default_rng(seed), problem.schools)
    bells = np.random.default_rng([seed, 1]).integers(0, BELL_MINUTES + 1, problem.schools)
    found = []
    for route, school in enumerate(problem.route_school.tolist()):
        stops = problem.visits[problem.visits[:, 0] == route, 1]
        xy = np.vstack([school_xy[school], hotspot_xy[stops]])
        travel = MINUTES_PER_KM * np.hypot(*(xy[:, None] - xy).transpose(2, 0, 1))
        bell = float(FIRST_BELL + bells[school])
        # A stop is worth the same at any time: so much for each minute that one dwells there.
        rate = np.append(0.0, problem.weight[stops]) / DWELL_MINUTES
        walk = OrienteeringProblem(
            travel_minutes=travel,
            timed_prizes=TimedPrizes(int(bell), np.outer(rate, np.arange(LONGEST_MINUTES))),
            dwell_minutes=np.append(0.0, np.full(len(stops), DWELL_MINUTES)),
            earliest_minutes=bell + GATE_MINUTES,
            latest_minutes=bell + WINDOW_MINUTES,
        )
        worth = float(problem.weight[stops].sum())
        found.append((stops, _list_with_slack(walk, len(stops), worth)))
    return found


def _list_with_slack(walk: OrienteeringProblem, stops: int, worth: float) -> Timings:
    """Every order and minute, in a window that leaves the quickest order some slack."""
    rows = range(1, stops + 1)
    quickest = walk.earliest_minutes + min(
        sum(list_leg_minutes(walk, order)) for order in permutations(rows)
    )
    needed = quickest + DWELL_MINUTES * stops + SLACK_MINUTES
    walk = replace(walk, latest_minutes=max(walk.latest_minutes, needed))
    return list_timings(walk, rows, worth=worth)


def _draw_places(rng: np.random.Generator, schools: int) -> tuple[np.ndarray, np.ndarray]:
    """(s, 2) and (h, 2) kilometres of schools and hotspots."""
    side = np.sqrt(schools / SCHOOLS_PER_KM2)
    school_xy = rng.uniform(0, side, (schools, 2))
    hotspots = max(VARIANTS + 1, schools * HOTSPOTS_PER_SCHOOL)
    return school_xy, rng.uniform(0, side, (hotspots, 2))


def _draw_visits(
    rng: np.random.Generator,
    school_xy: np.ndarray,
    hotspot_xy: np.ndarray,
    weight: np.ndarray,
    schools: np.ndarray,
    variants: int,
) -> np.ndarray:
    """(v, 2) route and hotspot: three or four of the best, and with one or two of them changed.

    `schools` are those of each officer at a school.
    """
    rows = []
    for number, school in enumerate(schools.tolist()):
        apart = np.hypot(*(hotspot_xy - school_xy[school]).T)
        near = np.argsort(np.where(apart < REACH_KM, -weight, apart))[:NEAR]
        best = near[: rng.integers(3, 5)]
        others = rng.permutation(near[len(best) :])
        for variant in range(variants + 1):
            stops = best.copy()
            if variant:
                stops[-1 - variant % len(stops)] = others[variant % len(others)]
                stops[rng.integers(len(stops))] = others[-variant % len(others)]
            route = number * (variants + 1) + variant
            rows += [(route, hotspot) for hotspot in np.unique(stops)]
    return np.array(rows, dtype=np.int64)


def _assign_schools(rng: np.random.Generator, school_xy: np.ndarray, officers: int) -> np.ndarray:
    """(k, s) who has which school: the nearest officer with room; one school in six a second."""
    schools = len(school_xy)
    base_xy = school_xy[rng.permutation(schools)[np.arange(officers) % schools]]
    apart = np.hypot(*(school_xy[None] - base_xy[:, None]).transpose(2, 0, 1))
    room = np.full(officers, -(-schools // officers))
    cares = np.zeros((officers, schools), dtype=bool)
    for school in rng.permutation(schools):
        by = np.argsort(np.where(room > 0, apart[:, school], np.inf), kind="stable")
        cares[by[0], school] = True
        room[by[0]] -= 1
    second = np.flatnonzero(rng.random(schools) < 1 / 6)
    cares[np.argmin(np.where(cares[:, second], np.inf, apart[:, second]), axis=0), second] = True
    return cares
