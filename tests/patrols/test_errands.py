"""Who is sent where somebody asks for a patrol: taskings, feared and watched places."""

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import shapely
from tasked_table import task

import patrolplan as pp
from patrolplan.network.graph import compute_walk_metres
from patrolplan.patrols.demands import KINDS
from patrolplan.patrols.errands import Errand, add_variants, find_errands, plan_errand, plan_errands
from patrolplan.patrols.feared_places import FEARED_A_SCHOOL, find_feared_places, name_place
from patrolplan.patrols.plan import Unserved, Variant
from patrolplan.patrols.planner import Occasion, Planner, get_planner
from patrolplan.patrols.planning import _give_places
from patrolplan.patrols.surroundings import is_in_force

DAY = dt.date(2026, 12, 2)
URNS = ["900001", "900003", "900010"]
TODAY = {"from": pd.Timestamp(DAY), "to": pd.Timestamp(DAY)}


@pytest.fixture(scope="module")
def best(demo_area, demo_plan):
    """Three schools' patrols without tasked places, for a day."""
    area = replace(demo_area, tasked_places=demo_area.tasked_places.iloc[:0])
    how = {"urns": URNS, "date": DAY, "assign_tasked": False}
    return pp.plan_patrols(area, demo_plan.risk, demo_plan.hotspots, **how)


def add_errands(best, area, *kinds):
    """The plan of an area with the patrols of its errands of some kinds."""
    plan = replace(best, area=area)
    errands = find_errands(plan, kinds)
    answers = plan_errands(plan, errands, for_week=False)
    return add_variants(plan, dict(zip(errands, answers, strict=True)))


def list_served(plan):
    """The variant to a tasked place by school."""
    return {patrol.urn: v for patrol in plan.patrols for v in patrol.variants if v.serves}


def test_each_school_has_a_patrol_to_a_place_it_may_serve(demo_area, best):
    """One further patrol per school goes there for the requested time; all others are unchanged."""
    gate = next(patrol for patrol in best.patrols if patrol.urn == "900001")
    area = task(demo_area, (gate.x + 150, gate.y), minutes=25.0, **TODAY)
    plan = add_errands(best, area, "tasked")
    served = list_served(plan)
    assert served["900001"].serves == ("T1",)
    for variant in served.values():
        (patrol,) = variant.patrols
        (stop,) = (stop for stop in patrol.stops if stop.tasked)
        assert stop.stood_minutes == pytest.approx(25)
        for other in patrol.stops:
            assert other.stood_minutes >= 15 - 1e-6
        assert patrol.end_minutes <= patrol.latest_end_minutes + 1e-6
        assert 0 <= variant.worth_share <= 1  # beyond the own ways a place is worth nothing
    for patrol, before in zip(plan.patrols, best.patrols, strict=True):
        own = [variant for variant in patrol.variants if not variant.is_further]
        assert list(map(id, own)) == list(map(id, before.variants))
        assert patrol.stops is before.stops


def test_weekdays_decide_on_which_days_a_place_counts(demo_area):
    """Of a place for Wednesdays alone every other day is free, the weekend too."""
    area = task(demo_area, (0, 0), weekdays=["wed"], **(TODAY | {"to": pd.Timestamp("2026-12-18")}))
    days = (None, *(DAY + dt.timedelta(days=days) for days in (0, 1, 3)))
    found = [is_in_force(area.tasked_places, day).item() for day in days]
    assert found == [True, True, False, False]


def test_only_schools_that_are_named_or_near_may_serve(demo_area, best):
    """A named school may serve a place at any distance, one of all schools only within reach."""
    gate = best.patrols[0]
    near, far = (gate.x, gate.y), (gate.x, gate.y + 5000)
    for point, schools, urns in (
        (near, ["900010"], {"900010"}), (far, ["900010"], {"900010"}), (far, ["*"], set()),
    ):  # fmt: skip
        area = task(demo_area, point, schools=schools, **TODAY)
        errands = find_errands(replace(best, area=area), ["tasked"])
        assert {errand.urn for errand in errands} == urns


def test_a_watched_hotspot_has_a_patrol_from_each_school_near(demo_area, best):
    """Each rising hotspot near a gate is a stop of some patrol of that school, or refused."""
    bare = replace(demo_area, tasked_places=demo_area.tasked_places.iloc[:0])
    plan = add_errands(best, bare, "watched")
    watched = {one.place: dict(one.near) for one in KINDS["watched"].find(best, [DAY], URNS)}
    assert len(watched) == 3
    stops, driven = best.hotspots.set_index("hotspot")["stop_piece"], demo_area.schools["is_driven"]
    for row, urn in enumerate(demo_area.schools["urn"]):
        gate = demo_area.gates.take([row])
        walk = compute_walk_metres(demo_area.network.walkable, gate, 600)
        is_asked = urn in URNS and not driven.iloc[row]
        within = {name for name in watched if is_asked and np.isfinite(walk[stops[name]])}
        assert {name for name in watched if urn in watched[name]} == within
    added = 0
    assert not any(variant.watches for variant in plan.patrols[2].variants)  # a special school
    for patrol in plan.patrols[:2]:
        walks = [patrol, *(one for variant in patrol.variants for one in variant.patrols)]
        stops = {name for walk in walks for name in walk.covered}
        refused = {row.place for row in plan.unserved if row.urn == patrol.urn and row.is_watched}
        assert {name for name, near in watched.items() if patrol.urn in near} <= stops | refused
        added += sum(bool(variant.watches) for variant in patrol.variants)
    assert added


@pytest.mark.parametrize("visits", [1, 2])
def test_without_a_week_the_schools_that_lose_least_go(demo_area, demo_plan, best, visits):
    """As many schools as there are visits take the place; where as many pass, the least is lost."""
    gate = best.patrols[1]
    area = task(demo_area, (gate.x + 200, gate.y), visits=visits, **TODAY)
    how = {"urns": URNS, "date": DAY, "for_week": False}
    plan = pp.plan_patrols(area, demo_plan.risk, demo_plan.hotspots, **how)
    going = {p.urn for p in plan.patrols if any(stop.tasked for stop in p.stops)}
    served = list_served(add_errands(best, area, "tasked"))
    worth = {patrol.urn: patrol.worth for patrol in best.patrols}
    loss = {urn: worth[urn] - variant.patrols[0].worth for urn, variant in served.items()}
    assert going == set(sorted(loss, key=loss.get)[:visits])
    for patrol, before in zip(plan.patrols, best.patrols, strict=True):
        if patrol.urn not in going:
            assert [s.hotspot for s in patrol.stops] == [s.hotspot for s in before.stops]


def _invent(worth, serves):
    patrol = SimpleNamespace(worth=worth)
    return Variant(worth_share=1.0, hotspots=(), patrols=(patrol,), serves=serves)


BEST = {urn: [SimpleNamespace(worth=1.0)] for urn in ("a", "b")}
LOSSES = {
    ("T1", "a"): 0.2,
    ("T1", "b"): 0.1,
    ("T2", "a"): 0.3,
    ("T2", "b"): 0.0,
    ("T3", "a"): 0.1,
    ("T3", "b"): 0.4,
}


def test_a_place_goes_to_a_school_without_one_and_then_to_one_that_has_time_for_both():
    """Of two schools the second place has the one left; the third place is added to a patrol."""
    served = {(name, urn): _invent(1 - loss, (name,)) for (name, urn), loss in LOSSES.items()}
    both = _invent(0.1, ("T2", "T3"))
    alike = dict.fromkeys(served, 0.05)
    given = _give_places(["T1", "T2", "T3"], BEST, served, alike, lambda asked: [both] * len(asked))
    assert given == {"b": served["T1", "b"], "a": both}


def test_a_place_goes_to_the_school_whose_pupils_pass_whatever_is_lost():
    """More of the pupils of one school pass both places: it visits them, if it has the time."""
    served = {(name, urn): _invent(1 - loss, (name,)) for (name, urn), loss in LOSSES.items()}
    passing = dict.fromkeys(served, 0.0) | {("T1", "a"): 0.1, ("T2", "a"): 0.2}
    both = _invent(0.4, ("T1", "T2"))
    given = _give_places(["T1", "T2"], BEST, served, passing, lambda _: [both])
    assert given == {"a": both}
    answer = [Unserved("a", "T2", "no time")]
    given = _give_places(["T1", "T2"], BEST, served, passing, lambda _: answer)
    assert given == {"a": served["T1", "a"], "b": served["T2", "b"]}


@pytest.mark.parametrize("is_apart", [False, True])
def test_taskings_are_no_matter_past_crowded_hotspots(demo_area, demo_plan, is_apart):
    """Keeping off every other stop, or off the place itself, a patrol leaves the place alone."""
    own, hotspots, network = demo_plan.patrols[0], demo_plan.hotspots, demo_area.network
    metres = np.hypot(hotspots["stop_x"] - own.x, hotspots["stop_y"] - own.y)
    near = hotspots[metres < 500].iloc[-1]
    streets = shapely.points(network.piece_middle[network.find_pieces_within(own.point, 500)])
    quiet = max(streets, key=lambda street: hotspots.geometry.distance(street).min())
    spot = quiet if is_apart else shapely.Point(network.piece_middle[near["pieces"][0]])
    given = task(demo_area, spot, schools=[own.urn]), demo_plan.risk, hotspots
    (best,) = pp.plan_patrols(*given, urns=[own.urn], for_week=False).patrols
    name = "T1" if is_apart else near["hotspot"]
    assert [stop.hotspot for stop in best.stops if stop.tasked] == [name]
    others = frozenset(stop.hotspot for stop in best.stops) - {name}
    assert others
    planner, occasion = Planner(*given), Occasion(pp.Window(90))
    for off in (others, others | {name}):
        past = plan_errand(planner, (occasion, Errand(own.urn, avoid=tuple(off)), (best,)))
        assert not any(stop.tasked for patrol in past.patrols for stop in patrol.stops)
        assert not off & set(past.hotspots)


@pytest.fixture(scope="module")
def places(demo_plan):
    """Those of the demo borough."""
    return find_feared_places(get_planner(demo_plan))


def test_they_are_the_heaviest_squares_in_reach_of_each_school(demo_area, demo_plan, places):
    """The same as by a plain loop over schools, squares and pieces."""
    of_piece, voice = demo_area.reports.group_of_piece, demo_plan.risk.reports
    weight = [sum(voice[of_piece == group]) for group in range(len(demo_area.reports))]
    radius = demo_area.settings.patrol.radius_metres
    for row, urn in enumerate(demo_area.schools["urn"]):
        gate = demo_area.gates.take([row])
        walk = compute_walk_metres(demo_area.network.walkable, gate, radius)
        reached = {
            group: walk[of_piece == group].min()
            for group in range(len(weight))
            if weight[group] > 0 and np.isfinite(walk[of_piece == group].min())
        }
        ranked = sorted(reached, key=lambda group: (-round(weight[group], 12), reached[group]))
        mine = {place.group for place in places if urn in place.schools}
        assert mine == set(ranked[:FEARED_A_SCHOOL])
    assert [place.weight for place in places] == sorted((p.weight for p in places), reverse=True)


def test_their_hotspots_stand_in_their_square(demo_area, demo_plan, places):
    """Every hotspot of a place has its stopping place in it, and every such hotspot is named."""
    group = demo_area.reports.group_of_piece[demo_plan.hotspots["stop_piece"]]
    for place in places:
        inside = demo_plan.hotspots["hotspot"][group == place.group]
        assert place.hotspots == tuple(inside)
        assert {hotspot for _, hotspot in place.nearest} <= set(place.hotspots)
        assert place.name == name_place(demo_area.reports.squares[place.group])


def test_a_place_that_no_patrol_goes_to_is_an_errand_of_the_two_nearest_schools(
    demo_area, demo_plan
):
    """Where somebody's patrol stops there, there is no errand; special schools have none."""
    schools = demo_area.schools
    walking = list(schools["urn"][~schools["is_driven"]])
    places = find_feared_places(get_planner(demo_plan), walking)
    assert len(walking) < len(schools)
    bare = [replace(patrol, stops=(), variants=()) for patrol in demo_plan.patrols]
    errands = find_errands(replace(demo_plan, patrols=tuple(bare)), ["feared"])
    wanted = [(urn, (hotspot,)) for place in places for urn, hotspot in place.nearest[:2]]
    assert [(errand.urn, errand.watch) for errand in errands] == wanted
    others = (one for patrol in demo_plan.patrols for v in patrol.variants for one in v.patrols)
    walked = {name for walk in (*demo_plan.patrols, *others) for name in walk.covered}
    left = [place for place in places if walked.isdisjoint(place.hotspots)]
    found = {errand.watch[0] for errand in find_errands(demo_plan, ["feared"])}
    assert found == {hotspot for place in left for _, hotspot in place.nearest[:2]}
