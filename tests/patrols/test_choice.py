"""Which places of a school its patrols may visit: no two in sight of each other, nothing lost."""

import datetime as dt
import math
from collections import defaultdict
from dataclasses import replace
from itertools import combinations

import numpy as np
from problems import build_problem
from tasked_table import task

import patrolplan as pp
from patrolplan.area.patrol_window import Window
from patrolplan.network import Positions, concatenate_positions
from patrolplan.network.graph import look_around
from patrolplan.patrols.choice import keep_apart
from patrolplan.patrols.planner import get_planner

DAY = dt.date(2026, 12, 2)


def _find_near(area, places):
    """The pairs of places of which one is in sight of the other, on the whole network."""
    positions = concatenate_positions(*(place.position for place in places))
    near = look_around(area.network.walkable, positions)[1]
    rows = combinations(range(len(places)), 2)
    return [(places[one], places[other]) for one, other in rows if near[one, other]]


def _problem(plan, row, points=(), visit=(), **columns):
    """The problem of a school with places tasked at some points."""
    area = task(plan.area, *points, **columns)
    return build_problem((area, plan.risk, plan.hotspots), row, date=DAY, visit=visit)


def _move(area, place, metres):
    """A point so far along the street from a place, on the same piece where that is long enough."""
    piece = int(place.position.piece[0])
    length = area.network.piece_metres[piece]
    offset = float(place.position.offset_metres[0])
    there = offset + metres if offset + metres < length else offset - metres
    at = Positions(np.array([piece]), np.array([np.clip(there, 0, length)]), np.zeros(1))
    return tuple(area.network.xy(at)[0])


def test_no_two_places_are_in_sight_of_each_other(demo_plan):
    """At every school, also where hotspots have a reason of their own, and the gate is a stop."""
    for row in range(len(demo_plan.area.schools)):
        problem = _problem(demo_plan, row)
        assert problem.places
        assert not _find_near(demo_plan.area, problem.places)


def test_consecutive_stops_are_not_in_sight_of_each_other(demo_plan):
    """Neither of a patrol nor of its variants: they would be one stay."""
    network = demo_plan.area.network
    walks = [walk for own in demo_plan.patrols for each in own.variants for walk in each.patrols]
    for patrol in (*demo_plan.patrols, *walks):
        if patrol.stops:
            points = [patrol.point, *(stop.point for stop in patrol.stops), patrol.point]
            near = look_around(network.walkable, network.snap(points))[1]
            assert not near.diagonal(1).any()


def test_an_id_names_one_place(demo_plan):
    """Of all the places of all schools, and in all windows, none has that of another."""
    planner, points = get_planner(demo_plan), defaultdict(set)
    for row in range(len(demo_plan.area.schools)):
        for window in (Window(90), Window(60, 20 * 60)):
            for place in planner.get_places(row, window).places:
                points[place.id].add(place.xy)
    assert len(points) > 100
    for xy in points.values():
        assert np.ptp(np.array(list(xy)), axis=0).max() < 1.5


def test_a_tasked_place_takes_the_place_of_what_is_near_it(demo_plan):
    """It keeps its ID, hours and minutes, and is worth what the place near it is."""
    before = _problem(demo_plan, 2)
    corner = next(place for place in before.places if place.kind == "corner")
    point = _move(demo_plan.area, corner, 12.0)
    hours = {"from_minutes": 940.0, "to_minutes": 985.0, "minutes": 25.0}
    problem = _problem(demo_plan, 2, [point], ["T1"], **hours)
    (tasked,) = (place for place in problem.places if place.tasking is not None)
    assert (tasked.must, tasked.dwell_minutes, str(tasked.hours)) == (True, 25.0, "15:40-16:25")
    assert np.hypot(*np.subtract(tasked.xy, point)) < 1
    assert tasked.id != corner.id
    assert corner.id not in {place.id for place in problem.places}
    assert tasked.kind == "hotspot" or tasked.rates is corner.rates
    near = _find_near(demo_plan.area, problem.places)
    assert not near
    assert problem.visits.count(tasked) == 1


def test_a_hotspot_is_visited_where_it_is_tasked_and_nowhere_else(demo_plan):
    """Its own stopping place is none then, however far away on its stretch it is."""
    before = _problem(demo_plan, 2)
    longest = max(
        (place for place in before.places if place.hotspot_row >= 0),
        key=lambda place: demo_plan.hotspots.geometry.iloc[place.hotspot_row].length,
    )
    line = demo_plan.hotspots.geometry.iloc[longest.hotspot_row]
    points = [line.interpolate(share, normalized=True) for share in (0.02, 0.98)]
    far = max(points, key=lambda point: math.dist((point.x, point.y), longest.xy))
    problem = _problem(demo_plan, 2, [(far.x, far.y)], ["T1"])
    names = [place.name for place in problem.places]
    assert len({*names}) == len(names)
    (tasked,) = (place for place in problem.places if place.tasking is not None)
    assert tasked.name in {place.name for place in before.places}


def test_two_tasked_places_near_each_other_are_both_visited(demo_plan):
    """Neither is lost: only places that patrols are sent for may be in sight of each other."""
    corner = next(place for place in _problem(demo_plan, 2).places if place.kind == "corner")
    points = [_move(demo_plan.area, corner, metres) for metres in (3.0, 14.0)]
    problem = _problem(demo_plan, 2, points, ["T1", "T2"])
    tasked = [place for place in problem.places if place.tasking is not None]
    assert [place.tasking.place_id for place in tasked] == ["T1", "T2"]
    assert tasked[0].id != tasked[1].id
    assert [{*pair} for pair in _find_near(demo_plan.area, problem.places)] == [{*tasked}]


def test_a_place_tasked_at_the_gate_is_visited(demo_plan):
    """The gate is no further stop then: the stay there is the visit."""
    patrol = demo_plan.patrols[2]
    problem = _problem(demo_plan, 2, [patrol.point], ["T1"])
    assert "gate" not in {place.kind for place in problem.places}
    area = task(demo_plan.area, patrol.point, schools=[patrol.urn])
    given = area, demo_plan.risk, demo_plan.hotspots
    (tasked,) = pp.plan_patrols(*given, urns=[patrol.urn], date=DAY, for_week=False).patrols
    assert "T1" in [stop.tasked for stop in tasked.stops]


def test_a_watched_hotspot_in_sight_of_the_gate_is_visited(demo_plan):
    """What a patrol is sent for is never dropped for what is near it."""
    planner, visited = get_planner(demo_plan), 0
    for row in range(len(demo_plan.area.schools)):
        standing = planner.get_places(row, Window(90))
        hotspots = (place for place in standing.places if place.hotspot_row >= 0)
        near = [place for place in hotspots if standing.near[0, standing.places.index(place)]]
        for place in near:
            found = demo_plan.area, demo_plan.risk, demo_plan.hotspots
            problem = build_problem(found, row, watch=[place.name])
            if problem.find_stops_at(place.name):
                assert "gate" not in {own.kind for own in problem.places}
                visited += 1
    assert visited


def test_what_is_asked_for_goes_before_what_is_free(demo_plan):
    """And the gate before both; what patrols are sent for before all of them."""
    gate, *others = get_planner(demo_plan).get_places(2, Window(90)).places
    free, asked, must = (replace(place, is_free=False) for place in others[:3])
    asked, must = replace(asked, is_asked=True), replace(must, must=True)
    every = np.ones((4, 4), dtype=bool)
    assert keep_apart([free, asked, gate, must], every) == [3]
    assert keep_apart([free, asked, gate], every[:3, :3]) == [2]
    assert keep_apart([free, asked], every[:2, :2]) == [1]
    assert keep_apart([free, asked, gate, must], np.eye(4, dtype=bool)) == [0, 1, 2, 3]
