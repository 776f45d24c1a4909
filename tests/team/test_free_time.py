"""Duties and windows: what an officer has to do leaves no time for a patrol, ways included."""

import datetime as dt
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from team.day_checker import DayChecker

import patrolplan as pp
from patrolplan.area.patrol_window import resolve_window
from patrolplan.hotspots.stretches import rate_hotspots
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.settings.patrol import PatrolWindow
from patrolplan.team import free_time
from patrolplan.team.day_plans import list_day_plans, plan_days
from patrolplan.team.free_time import OFF_STREET_FACTOR, compute_minutes_from_base, list_school_days
from patrolplan.team.rota import build_week
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.solve import SearchLimits, solve_rota
from patrolplan.times import minutes_after_midnight
from patrolplan.travel import TRAVEL

MONDAY = dt.date(2026, 11, 16)
QUICK = SearchLimits(gap_percent=2.0, moves_per_school=1000)
DAYS = list_school_days(MONDAY)
WINDOWS = {
    "morning": {"bell": "opening", "before_minutes": 45},
    "gate": {"bell": "opening", "before_minutes": 20, "after_minutes": 5, "at_gate": True},
}
KINDS = ("leave", "court", "training", "assembly", "home_visit", "away")


@pytest.fixture(scope="module")
def windowed(demo_area):
    """The demo with three windows, and no place tasked."""
    windows = {name: PatrolWindow.model_validate(one) for name, one in WINDOWS.items()}
    names = ("after_school", *WINDOWS)
    area = pp.with_settings(demo_area, patrol={"windows": windows}, week={"windows": names})
    return replace(area, tasked_places=area.tasked_places.iloc[:0])


def _find(area, hotspots, name):
    """Risk, hotspots and times of a window."""
    window = resolve_window(area.settings.patrol, name=name)
    risk = pp.estimate_risk(area, window=window)
    return risk, rate_hotspots(area, risk, hotspots), window


def _duties(area, *rows):
    """Rows of officer, day, from, to, kind, and a URN or a point."""
    urns = [row[-1] if isinstance(row[-1], str) else "" for row in rows]
    points = [shapely.Point() if isinstance(at, str) else shapely.Point(at) for *_, at in rows]
    names = ["officer", "date", "from_minutes", "to_minutes", "kind", "urn"]
    table = pd.DataFrame(rows, columns=names).assign(urn=urns)
    table = table.astype({"date": "datetime64[ns]", "from_minutes": float, "to_minutes": float})
    return replace(area, duties=gpd.GeoDataFrame(table, geometry=points))


def _build(area, plan, days=DAYS, windows=None):
    if windows is not None:
        area = pp.with_settings(area, week={"windows": windows})
    plans = list_day_plans(dict.fromkeys(days, plan), days)
    return RotaInputs(area, plans, days)


def test_morning_patrols_end_at_the_gate_with_the_opening_bell(windowed, found):
    """Stops come before the presence, which ends with the bell of each school."""
    opening = windowed.schools.set_index("urn")["start_time"].map(minutes_after_midnight)
    urns = list(opening.index[::3])
    for name in WINDOWS:
        risk, hotspots, window = _find(windowed, found[1], name)
        plan = pp.plan_patrols(windowed, risk, hotspots, urns=urns, window=window)
        assert {patrol.urn for patrol in plan.patrols} == set(urns)
        for patrol in plan.patrols:
            bell = opening[patrol.urn]
            assert patrol.end_minutes == (bell if name == "morning" else bell + 5)
            assert all(stop.leave_minutes <= bell - 5 for stop in patrol.stops)
            if name == "gate":
                assert (patrol.stops, patrol.gate_until_minutes) == ((), patrol.end_minutes)
                assert "gate_reason" in {note.key for note in patrol.notes}


def test_an_appointment_blocks_patrols_with_its_ways(demo_area, demo_plan):
    """A patrol fits that is over as the way to court begins, and none a minute longer."""
    inputs = _build(demo_area, demo_plan)
    officer = inputs.officers.index("SSO-02")
    own = inputs.cares[officer][inputs.route_school]
    route = int(np.flatnonzero(inputs.in_time[officer, 0] & own)[0])
    back = float(inputs.back[officer, route])
    base = demo_area.officers.geometry.iloc[officer]
    place = (base.x + 1500.0, base.y)
    way = float(compute_minutes_from_base(demo_area, np.array([place]))[officer, 0])
    assert way > 15
    for late, fits in ((0.01, True), (-1.0, False)):
        area = _duties(demo_area, ("SSO-02", MONDAY, back + way + late, 1100, "court", place))
        assert _build(area, demo_plan).in_time[officer, 0, route] == fits
        assert _build(area, demo_plan).in_time[officer, 1, route]


def _draw_team(area, rng):
    """Officers anywhere in the area, with hours of some or all windows, and random duties."""
    count = int(rng.integers(2, 6))
    rows, nodes = [], area.network.node_xy
    for number in range(count):
        urns = rng.choice(area.schools["urn"], size=int(rng.integers(1, 4)), replace=False)
        begin = int(rng.choice([7, 8, 14]))
        hours = f"{begin:02}:00-{int(rng.integers(16, 20)):02}:30"
        days = {day: hours if rng.random() < 0.9 else "" for day in WEEKDAYS}
        most, mode = int(rng.integers(3, 10)), rng.choice(["walk", "bicycle", "transport", "car"])
        row = {"officer": f"R-{number}", "school_urns": [*map(str, urns)], "mode": str(mode)}
        row |= days | {"max_patrols_per_week": most, "role": "officer", "alone": True}
        rows.append(row | {"gate_only": False})
    places = nodes[rng.integers(0, len(nodes), count)] + rng.normal(0, 40, (count, 2))
    points = gpd.points_from_xy(*places.T, crs=area.officers.crs)
    team = replace(area, officers=gpd.GeoDataFrame(rows, geometry=points))
    duties = []
    for _ in range(int(rng.integers(0, 14))):
        begin = int(rng.integers(7 * 60, 17 * 60))
        kind, at = str(rng.choice(KINDS)), rng.random()
        where = str(rng.choice(area.schools["urn"])) if at < 0.4 else ""
        where = tuple(nodes[rng.integers(len(nodes))] + 60.0) if at > 0.7 else where
        who, day = f"R-{rng.integers(count)}", DAYS[rng.integers(len(DAYS))]
        duties.append((who, day, begin, begin + int(rng.integers(20, 240)), kind, where))
    return _duties(team, *duties)


@pytest.mark.slow
def test_on_random_teams_nothing_overlaps(windowed, found):
    """Patrols of two or three windows, appointments and ways: checked by code of its own."""
    area, hotspots = windowed, found[1]
    risks = {name: _find(area, hotspots, name)[0] for name in ("after_school", *WINDOWS)}
    risk = risks.pop("after_school")
    plan = plan_days(area, risk, hotspots, [MONDAY], further_risks=risks)[MONDAY]
    rng = np.random.default_rng(20)
    patrols = several = 0
    for number in range(40):
        names = ("after_school", *list(WINDOWS)[: 1 + number % 2])
        team = _draw_team(area, rng)
        inputs = _build(team, plan, windows=names)
        solution = solve_rota(inputs.problem, seed=number, stop=QUICK)
        week = build_week(inputs, inputs.problem, solution)
        assert DayChecker(inputs.area).find_faults(week) == []
        patrols += len(week.duties)
        slots = [(duty.officer, duty.date) for duty in week.duties]
        several += len(slots) - len(set(slots))
    assert patrols > 120
    assert several > 12  # the check is of days with more than one patrol


def test_the_checker_finds_an_overlap(demo_area, demo_plan):
    """A week that ignores an appointment is faulted: the check can fail."""
    inputs = _build(demo_area, demo_plan, [MONDAY])
    solution = solve_rota(inputs.problem, seed=1, stop=QUICK)
    week = build_week(inputs, inputs.problem, solution)
    duty = week.duties[0]
    assert DayChecker(demo_area).find_faults(week) == []
    at = (duty.start_minutes, duty.end_minutes)
    busy = _duties(demo_area, (duty.officer, MONDAY, *at, "court", ""))
    assert DayChecker(busy).find_faults(week)


def test_minutes_are_those_of_networkx(demo_area):
    """The shortest way at each officer's own speed; off the streets speed and overhead, once."""
    modes = np.resize(["transport", "walk", "car", "bicycle"], len(demo_area.officers))
    area = replace(demo_area, officers=demo_area.officers.assign(mode=modes))
    found, slow = compute_minutes_from_base(area), DayChecker(area)
    gates = area.network.xy(area.gates)
    for row, officer in enumerate(area.officers["officer"]):
        minutes = [slow.find_way(officer, gate) for gate in gates]
        np.testing.assert_allclose(found[row], minutes, atol=1e-3)


def test_far_gates_are_as_far_as_the_straight_line_counts(demo_area, monkeypatch):
    """Beyond what is looked for, the straight line counts 1.3 times; nearer gates stay exact."""
    exact = compute_minutes_from_base(demo_area)
    monkeypatch.setattr(free_time, "MAX_SEARCH_METRES", 900.0)
    found = compute_minutes_from_base(demo_area)
    walking = demo_area.settings.patrol.walking_speed_kmh
    kmh = np.where(demo_area.officers["mode"] == "bicycle", TRAVEL["bicycle"].speed_kmh, walking)
    speed = kmh[:, None] / 0.06
    bases = np.column_stack([demo_area.officers.geometry.x, demo_area.officers.geometry.y])
    on_street = demo_area.network.snap(bases)
    outside = OFF_STREET_FACTOR * on_street.moved_metres[:, None] / speed
    near = (exact - outside) * speed <= 900
    assert near.any()
    assert not near.all()
    np.testing.assert_allclose(found[near], exact[near])
    gates = demo_area.network.xy(demo_area.gates)
    straight = np.hypot(*(demo_area.network.xy(on_street)[:, None] - gates).transpose(2, 0, 1))
    far = (OFF_STREET_FACTOR * straight / speed + outside)[~near]
    np.testing.assert_allclose(found[~near], far)
