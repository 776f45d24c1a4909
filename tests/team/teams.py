"""Teams to choose a week for: the random ones of the benchmark, and small ones by hand."""

import importlib.util
from pathlib import Path

import numpy as np

_path = Path(__file__).parents[2] / "benchmarks" / "teams.py"
_spec = importlib.util.spec_from_file_location("teams", _path)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

draw_team = _module.draw_team


def build_team(options, route_school, visits, weight, **changes):
    """A problem of options (officer, day, route), schools of routes and stops (route, hotspot).

    Nothing is locked or dosed before; every stop takes 15 minutes, officers have up to
    five patrols, and the days follow each other, unless changed.
    """
    officer, day, route = np.array(options).T
    fields = {
        "lock": np.full(len(options), -1),
        "route_number": np.ones(len(route_school), dtype=np.int64),
        "visit_minutes": np.full(len(visits), 15.0),
        "dosed_before": np.zeros(len(weight), dtype=np.int64),
        "run_before": np.zeros(len(weight), dtype=np.int64),
        "max_patrols": np.full(1 + int(officer.max()), 5),
        "dates": 739_000 + np.arange(1 + int(day.max())),
        "schools": 1 + int(np.max(route_school)),
    }
    fields |= {"officer": officer, "day": day, "route": route, "weight": np.array(weight)}
    fields |= {"route_school": np.array(route_school), "visits": np.array(visits)}
    return _module.build_problem(**(fields | changes))


def draw_crews(seed, *, options=11):
    """A tiny week of everything: windows, overlaps, companions, demands, maxima and locks."""
    rng = np.random.default_rng(seed)
    officers, schools, days, windows, variants = 3, 2, 2, 2, 2
    together = int(rng.integers(1, 3))
    grid = np.indices((schools, windows, together, variants)).reshape(4, -1)
    school, window, first, _ = grid
    number = first + 1
    places = np.indices((schools, windows, together)).reshape(3, -1)
    routes, companions = len(school), len(places[0])
    visits = np.array(
        [(route, h) for route in range(routes) for h in rng.permutation(4)[: rng.integers(1, 3)]]
    )
    everything = np.indices((officers, days, routes + companions)).reshape(3, -1).T
    # Few at random would seldom be able to go together: one school and day comes first.
    order = rng.permutation(len(everything))
    all_windows = np.r_[window, places[1]]
    all_schools = np.r_[school, places[0]]
    at = (all_schools[everything[order, 2]] == 0) & (everything[order, 1] == 0)
    order = np.r_[order[at][: options * 2 // 3], order[~at]][:options]
    chosen = everything[np.sort(order)]
    begin = np.where(all_windows[chosen[:, 2]] == 0, 900.0, 480.0)
    begin += rng.choice([0.0, 30.0, 200.0, 240.0], len(chosen))
    minutes = np.stack([begin, begin + rng.choice([60.0, 90.0, 240.0], len(chosen))], axis=1)
    is_companion = np.arange(routes + companions) >= routes
    lock = np.full(len(chosen), -1)
    if rng.random() < 0.5:
        one = chosen[rng.integers(len(chosen))]
        same = (chosen[:, :2] == one[:2]).all(axis=1)
        same &= is_companion[chosen[:, 2]] == is_companion[one[2]]
        same &= all_schools[chosen[:, 2]] == all_schools[one[2]]
        lock[same] = 0
    demands = int(rng.integers(0, 4))
    return build_team(
        chosen,
        all_schools,
        visits,
        rng.choice([0.1, 0.2, 0.3], 4),
        lock=lock,
        route_number=np.r_[number, places[2] + 1 + together],
        route_window=all_windows,
        option_minutes=minutes if rng.random() < 0.8 else np.tile([0.0, 1.0], (len(chosen), 1)),
        route_after=np.r_[number - 1, places[2] + 1],
        is_companion=is_companion,
        needs_companion=(rng.random(len(chosen)) < 0.3) & ~is_companion[chosen[:, 2]],
        demand_routes=np.argwhere(rng.random((demands, routes)) < 0.3),
        demand_days=rng.random((demands, days)) < 0.7,
        demand_visits=rng.integers(1, 3, demands),
        is_tasked=rng.random(demands) < 0.5,
        mandatory_visits=rng.random(len(visits)) < 0.1,
        max_patrols=rng.integers(1, 4, officers),
        max_dose_minutes=float(rng.choice([15.0, 30.0])),
        min_patrols=int(rng.integers(0, 3)),
        dates=739_000 + np.arange(days),
        schools=schools,
        is_once=rng.random(4) < 0.3,
        visit_minutes=rng.choice([10.0, 15.0, 20.0], len(visits)),
    )
