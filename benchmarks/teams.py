"""Seeded teams to plan a week for: schools, officers, hotspots and routes drawn at random.

Schools and hotspots lie at random on a square, as dense as in a London borough; every school has
near-optimal routes over hotspots within reach, so that neighbouring schools share hotspots;
every officer has schools near each other, days off, and a most of three to five patrols a week;
some schools have two officers, some are closed on a day, some routes do not fit somebody's hours.
"""

import datetime as dt
from typing import Any

import numpy as np

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
DWELL_MINUTES = 15.0


def draw_team(
    schools: int, officers: int, *, seed: int, least: int = 1, together: int = 1
) -> RotaProblem:
    """A week's choice for a team drawn at random.

    Every school should get `least` patrols, each by `together` officers.
    """
    rng = np.random.default_rng(seed)
    school_xy, hotspot_xy = _draw_places(rng, schools)
    hotspots = len(hotspot_xy)
    weight = rng.lognormal(0.0, 1.0, hotspots)
    weight /= weight.sum()
    own = VARIANTS + 1
    routes = schools * own * together
    route_school = np.repeat(np.arange(schools), own * together)
    route_number = np.tile(np.repeat(np.arange(1, together + 1), own), schools)
    visits = _draw_visits(rng, school_xy, hotspot_xy, weight, route_school[::own])
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
    flags = {"mandatory_visits": len(given["visits"]), "is_companion": routes, "is_once": places}
    flags |= {"needs_companion": options, "demand_days": (0, days), "is_tasked": 0}
    counts = {"route_window": routes, "demand_routes": (0, 2), "demand_visits": 0}
    fields = {
        **{name: np.zeros(shape, dtype=bool) for name, shape in flags.items()},
        **{name: np.zeros(shape, dtype=np.int64) for name, shape in counts.items()},
        "min_patrols": 1,
        "max_dose_minutes": 30.0,
        "option_minutes": np.tile([0.0, 1.0], (options, 1)),
        "route_after": given["route_number"] - 1,
        "route_dose": dose,
    }
    return RotaProblem(**(fields | given))


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
        for variant in range(VARIANTS + 1):
            stops = best.copy()
            if variant:
                stops[-1 - variant % len(stops)] = others[variant % len(others)]
                stops[rng.integers(len(stops))] = others[-variant % len(others)]
            route = number * (VARIANTS + 1) + variant
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
