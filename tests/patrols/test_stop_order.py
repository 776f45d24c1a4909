"""The order of stops by when each is at its worst."""

import dataclasses
from itertools import pairwise, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import patrolplan as pp
from patrolplan.notes import Note
from patrolplan.patrols.solver.solution import time_route
from patrolplan.patrols.solver.solve import Officer, OrienteeringProblem, solve
from patrolplan.patrols.stop_order import (
    BIN_COUNT,
    TimeProfile,
    estimate_time_profile,
    find_best_order,
)


@st.composite
def cases(draw):
    """A small problem, maybe with time windows, its best route, and a rhythm."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.integers(2, 6))
    xy = rng.uniform(0, 15, (size, 2))
    opens = rng.uniform(900, 940, size)
    windows = np.column_stack([opens, opens + rng.uniform(30, 60, size)])
    problem = OrienteeringProblem(
        travel_minutes=np.hypot(*(xy[:, None] - xy[None]).T),
        prizes=np.concatenate([[0.0], rng.uniform(0.1, 1, size - 1)]),
        dwell_minutes=np.concatenate([[0.0], np.full(size - 1, 12.0)]),
        officers=(Officer(0, 0, 910.0, 910.0 + draw(st.sampled_from([50.0, 80.0]))),),
        windows=windows if draw(st.booleans()) else None,
        barred=frozenset({0}),
    )
    return (
        problem,
        solve(problem).routes[0],
        TimeProfile(rng.uniform(0.2, 3, (size - 1, BIN_COUNT))),
    )


def _met(problem, route, rhythm):
    """Worth times intensity, minute by minute of every dwell."""
    total = 0.0
    for stop, begin, leave in zip(
        route.stops, route.begin_minutes, route.leave_minutes, strict=True
    ):
        at = begin + (np.arange(6000) + 0.5) * (leave - begin) / 6000
        total += problem.prizes[stop] * rhythm.intensity[stop - 1, (at // 30).astype(int)].mean()
    return total


@given(cases())
def test_the_order_is_the_best_of_all_in_time(case):
    """No order in time meets over 1 % more, and none that meets as much is a shorter walk."""
    problem, route, rhythm = case
    ordered = find_best_order(problem, route, rhythm, problem.prizes[1:])
    assert sorted(ordered.stops) == sorted(route.stops)
    assert time_route(problem, 0, ordered.stops) == ordered
    found = [time_route(problem, 0, stops) for stops in permutations(route.stops)]
    others = [(_met(problem, other, rhythm), other) for other in found if other is not None]
    best = max(met for met, _ in others)
    assert _met(problem, ordered, rhythm) >= 0.99 * best - 1e-3
    for met, other in others:
        if met >= 0.99 * best + 1e-3:
            assert ordered.travelled_minutes <= other.travelled_minutes + 1e-5


def test_a_rhythm_without_ups_and_downs_gives_the_shortest_walk():
    """Where all hours are alike, every order meets as much and the shortest is taken."""
    at = np.array([0.0, 4.0, 8.0, 12.0, -3.0])
    problem = OrienteeringProblem(
        travel_minutes=np.abs(np.subtract.outer(at, at)),
        prizes=np.array([0.0, 1, 2, 3, 4]),
        dwell_minutes=np.array([0.0, 5, 5, 5, 5]),
        officers=(Officer(0, 0, 900.0, 1000.0),),
        barred=frozenset({0}),
    )
    route = time_route(problem, 0, (3, 1, 4, 2))
    ordered = find_best_order(
        problem, route, TimeProfile(np.ones((4, BIN_COUNT))), problem.prizes[1:]
    )
    assert ordered.travelled_minutes == pytest.approx(30)


def test_longer_routes_keep_their_order():
    """A route of more than six stops is left as it is."""
    problem = OrienteeringProblem(
        travel_minutes=np.ones((8, 8)),
        prizes=np.ones(8),
        dwell_minutes=np.ones(8),
        officers=(Officer(0, 0, 900.0, 1000.0),),
    )
    route = time_route(problem, 0, tuple(range(1, 8)))
    rhythm = TimeProfile(np.random.default_rng(1).uniform(1, 2, (7, BIN_COUNT)))
    assert find_best_order(problem, route, rhythm, problem.prizes[1:]) is route


def test_mean_intensity_goes_by_the_minutes_in_each_half_hour():
    """A dwell over two half-hours has the mean of both by minutes; after midnight day begins."""
    rhythm = TimeProfile(np.arange(BIN_COUNT, dtype=float)[None])
    assert rhythm.compute_mean(0, 30, 60) == pytest.approx(1)
    assert rhythm.compute_mean(0, 50, 65) == pytest.approx((10 * 1 + 5 * 2) / 15)
    assert rhythm.compute_mean(0, 1440, 1470) == pytest.approx(0)


def test_within_a_window_the_usual_intensity_is_one():
    """Relative to a window, each hotspot's mean over that window is one."""
    rhythm = TimeProfile(np.random.default_rng(2).uniform(1, 2, (3, BIN_COUNT))).normalise_within(
        915, 1005
    )
    assert [rhythm.compute_mean(row, 915, 1005) for row in range(3)] == pytest.approx([1, 1, 1])


def _extract(folder, area, plan, worst):
    """A force's own extract: crimes on the stretches of some stops, each in its worst minutes."""
    rows = []
    days = pd.bdate_range("2026-09-07", periods=60)
    for hotspot, minute in worst.items():
        pieces = plan.hotspots.set_index("hotspot")["pieces"][hotspot]
        xy = area.network.piece_middle[pieces]
        longitude, latitude = area.projection.to_degrees(xy[:, 0], xy[:, 1])
        for number, day in enumerate(days):
            at = day + pd.Timedelta(minutes=minute + number % 12 - 6)
            k = number % len(pieces)
            rows.append(("Robbery", f"{at:%Y-%m-%d %H:%M}", longitude[k], latitude[k]))
    columns = ["category", "occurred_at", "longitude", "latitude"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "extract.csv", index=False)
    sources = area.settings.sources.model_copy(update={"crimes": (str(folder / "extract.csv"),)})
    return pp.load_area(area.settings.model_copy(update={"sources": sources}))


@pytest.fixture(scope="module")
def best(demo_plan):
    """A patrol of several stops without a tasked place."""
    untasked = [p for p in demo_plan.patrols if not any(stop.tasked for stop in p.stops)]
    return max(untasked, key=lambda patrol: len(patrol.stops))


def _planned(area, plan, urn, **known):
    risk = dataclasses.replace(plan.risk, **known)
    return pp.plan_patrols(area, risk, plan.hotspots, urns=[urn]).patrols[0]


def test_stops_come_when_they_are_at_their_worst(tmp_path, demo_area, demo_plan, best):
    """In an extract where the last stop is worst first, the same stops come the other way round."""
    plain = [stop.hotspot for stop in best.stops]
    at = [(stop.arrive_minutes + stop.leave_minutes) / 2 for stop in best.stops]
    area = _extract(tmp_path, demo_area, demo_plan, dict(zip(plain, at[::-1], strict=True)))
    assert area.times_known
    assert not area.snapped
    patrol = _planned(area, demo_plan, best.urn, times_known=True)
    assert [stop.hotspot for stop in patrol.stops] == plain[::-1]
    assert Note("stops_reordered") in patrol.notes
    assert patrol.worth == pytest.approx(best.worth)
    assert patrol.end_minutes <= patrol.latest_end_minutes + 1e-6
    for leg, (one, other) in zip(patrol.legs[1:-1], pairwise(patrol.stops), strict=True):
        ends = [(one.x, one.y), (other.x, other.y)]
        np.testing.assert_allclose(leg.line[[0, -1]], ends, atol=0.02)


def test_without_clock_times_the_order_stays(tmp_path, demo_area, demo_plan, best):
    """Where times are not known, nothing changes, whatever the incidents hold."""
    at = [(stop.arrive_minutes + stop.leave_minutes) / 2 for stop in best.stops]
    names = [stop.hotspot for stop in best.stops]
    area = _extract(tmp_path, demo_area, demo_plan, dict(zip(names, at[::-1], strict=True)))
    patrol = _planned(area, demo_plan, best.urn, times_known=False)
    assert [stop.hotspot for stop in patrol.stops] == names
    assert estimate_time_profile(demo_area, demo_plan.hotspots) is None


def test_a_stretch_strip_for_workers_goes_by_the_area(tmp_path, demo_area, demo_plan):
    """Shares of a stretch come near its own where it has many incidents, else near the area's."""
    first, second = demo_plan.hotspots["hotspot"].iloc[[0, 1]]
    area = _extract(tmp_path, demo_area, demo_plan, {first: 16 * 60 + 15})
    rhythm = estimate_time_profile(area, demo_plan.hotspots)
    np.testing.assert_allclose(rhythm.intensity.sum(axis=1), 1)
    rows = {name: row for row, name in enumerate(demo_plan.hotspots["hotspot"])}
    peak = rhythm.intensity[:, 32]
    assert peak[rows[first]] > peak[rows[second]] > 10 / BIN_COUNT


def test_dates_alone_are_no_midnights(tmp_path, demo_area, demo_plan):
    """Crimes of which only the date is known change no hotspot's rhythm."""
    first = demo_plan.hotspots["hotspot"].iloc[0]
    area = _extract(tmp_path, demo_area, demo_plan, {first: 16 * 60 + 15})
    dates = area.incidents.assign(
        occurred_at=area.incidents["occurred_at"].dt.normalize(), timed=False
    )
    both = dataclasses.replace(
        area,
        incidents=pd.concat([area.incidents, dates], ignore_index=True),
        incident_catchment=np.tile(area.incident_catchment, 2),
    )
    plain = estimate_time_profile(area, demo_plan.hotspots)
    np.testing.assert_array_equal(
        estimate_time_profile(both, demo_plan.hotspots).intensity, plain.intensity
    )
    alone = dataclasses.replace(area, incidents=dates)
    assert estimate_time_profile(alone, demo_plan.hotspots) is None
