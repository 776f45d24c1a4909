"""What a school's patrols can reach: streets, hours, candidates, barred places."""

import datetime as dt
from dataclasses import replace
from datetime import time

import networkx as nx
import numpy as np
import pytest
import shapely
from problems import build_problem
from scipy.sparse import csgraph
from tasked_table import task

import patrolplan as pp
from patrolplan.area.patrol_window import Window, resolve_window
from patrolplan.errors import InputError
from patrolplan.hotspots.reasons import read_reasons
from patrolplan.network.graph import compute_piece_distances
from patrolplan.network.paths import WalkFinder
from patrolplan.network.walking_effort import compute_preference
from patrolplan.notes import list_texts
from patrolplan.patrols.plan import Tasking
from patrolplan.patrols.prize import count_own_pupils
from patrolplan.patrols.surroundings import build_surroundings, compute_hours, find_dark
from patrolplan.patrols.tasked_places import MIN_WALK_METRES_TO_BARRED
from patrolplan.settings import load_settings
from patrolplan.settings.patrol import PatrolSettings, PatrolWindow
from patrolplan.times import format_time


@pytest.fixture(scope="module")
def free(demo_area):
    """The demo borough with nothing tasked."""
    return replace(demo_area, tasked_places=demo_area.tasked_places.iloc[:0])


def _plan(area, plan, *urns, **wish):
    """The patrols of these schools, with the risk and the hotspots of a plan."""
    wish = {"for_week": False, "urns": list(urns) or None, **wish}
    return pp.plan_patrols(area, plan.risk, plan.hotspots, **wish)


@pytest.fixture(scope="module")
def quiet(demo_area, demo_plan):
    """A school, and the middle of a piece near its gate that no hotspot's stretch comes near."""
    network, gate = demo_area.network, demo_plan.patrols[6]
    near = network.piece_middle[network.find_pieces_within(gate.point, 500)]
    apart = shapely.distance(shapely.points(near), demo_plan.hotspots.geometry.union_all())
    return gate.urn, near[np.argmax(apart)]


@pytest.mark.parametrize("name", ["T1", "H1", "h1", "H999", "H1 (tasked)"])
def test_a_place_far_from_every_hotspot_is_visited_when_tasked(demo_area, demo_plan, quiet, name):
    """A stop of its own, with reason, who asks and until when; no hotspot has its name, ever."""
    urn, spot = quiet
    area = task(demo_area, spot, schools=[urn])
    area.tasked_places["place_id"] = name
    (patrol,) = _plan(area, demo_plan, urn).patrols
    (stop,) = (stop for stop in patrol.stops if stop.tasked)
    assert (stop.hotspot, stop.kind) == (name if name == "T1" else f"{name} (tasked)", "tasked")
    assert stop.tasking == Tasking(name, "a reason", "somebody", dt.date(2026, 12, 18))
    assert np.hypot(*(spot - stop.point)) < 1
    assert stop.hotspot not in patrol.hotspots
    assert set(patrol.hotspots) <= set(demo_plan.hotspots["hotspot"])


def test_a_place_on_a_stretch_is_one_hotspot_for_all_schools(demo_area, demo_plan):
    """Whichever schools visit it, they stand at the place, and its doses count for one hotspot."""
    hotspots, schools = demo_plan.hotspots, list(demo_area.schools["urn"])
    at = hotspots.geometry.iloc[30].interpolate(0.2, normalized=True)
    spot = (at.x + 12, at.y + 12)
    area = task(demo_area, spot, schools=schools, visits=5)
    here = demo_area.network.snap([spot])
    plan = _plan(area, demo_plan)
    stops = [stop for patrol in plan.patrols for stop in patrol.stops if stop.tasked]
    assert len(stops) == 5
    (name,) = {stop.hotspot for stop in stops}
    row = hotspots.set_index("hotspot").loc[name]
    assert row.geometry.distance(shapely.Point(spot)) <= 60
    for stop in stops:
        assert stop.kind == "hotspot"
        assert np.hypot(*(np.array(stop.point) - demo_area.network.xy(here)[0])) < 1e-6
        assert stop.tasked_metres == pytest.approx(here.moved_metres[0])
        assert stop.tasked_metres == pytest.approx(np.hypot(*(np.array(stop.point) - spot)))
        assert list(stop.why) == list(read_reasons(row["reasons"]))


def test_a_hotspot_is_visited_where_one_stands_for_it(demo_plan):
    """A stop has the point, the lighting and the words of its hotspot's stopping place."""
    hotspots = demo_plan.hotspots.set_index("hotspot")
    stops = [stop for patrol in demo_plan.patrols for stop in patrol.stops if not stop.tasked]
    stops = [stop for stop in stops if stop.kind == "hotspot"]
    assert any(stop.stand != "street" for stop in stops)
    for stop in stops:
        row = hotspots.loc[stop.hotspot]
        assert tuple(row[["stop_x", "stop_y"]]) == pytest.approx(stop.point, abs=1e-6)
        assert (stop.stand, stop.at, stop.lit) == tuple(row[["stop_stand", "stop_at", "stop_lit"]])
        assert stop.place.startswith(stop.street)
        assert stop.tasked_metres is None


def test_without_any_hotspot_patrols_stand_at_corners(free, demo_plan):
    """An area of even risk has an empty table, and own pupils pass its corners all the same."""
    none = replace(demo_plan, hotspots=demo_plan.hotspots.iloc[:0])
    (patrol,) = _plan(free, none, "900003", for_week=True).patrols
    assert {stop.kind for stop in patrol.stops} <= {"corner", "gate"} != set()
    assert patrol.stops


def test_a_barred_place_is_kept_away_from(demo_area, demo_plan):
    """No stop is near a barred place, and the patrol has its place and reason."""
    best = demo_plan.patrols[2]
    first = best.stops[0]
    area = task(demo_area, first.point, must_visit=False, schools=[best.urn])
    (patrol,) = _plan(area, demo_plan, best.urn).patrols
    assert first.hotspot not in [stop.hotspot for stop in patrol.stops]
    (barred,) = patrol.keep_away
    assert (barred.tasking.place_id, barred.point, barred.place) == ("T1", first.point, first.place)
    assert (barred.tasking.reason, barred.tasking.by) == ("a reason", "somebody")


@pytest.mark.parametrize(
    ("way", "is_gate_barred", "notes"),
    [
        ("bicycle", False, []),
        ("walk", True, ["The gate, or the only way to it, is in sight of barred T2."]),
    ],
)
def test_legs_go_round_a_barred_place(free, demo_plan, way, is_gate_barred, notes):
    """A street that a leg would lead along is gone round, also if the gate is at another one."""
    area = pp.with_settings(free, patrol={"way": way})
    (best,) = _plan(area, demo_plan, "900004").patrols
    line = best.legs[0].line
    spot = line[len(line) // 2]
    barred = task(area, spot, *[best.point] * is_gate_barred, must_visit=False)
    (patrol,) = _plan(barred, demo_plan, "900004").patrols
    assert patrol.stops
    legs = [shapely.LineString(leg.line) for leg in patrol.legs]
    assert (shapely.distance(legs, shapely.Point(spot)) >= MIN_WALK_METRES_TO_BARRED - 1).all()
    assert patrol.end_minutes <= patrol.latest_end_minutes + 1e-6
    assert [note.text for note in patrol.notes if note.key == "barred_place_passed"] == notes


@pytest.mark.parametrize(
    ("schools", "expected"), [("900004", "Coldharrow Academy"), ("*", "no school's streets")]
)
def test_a_place_beyond_a_schools_streets_is_not_a_stop(schools, expected, demo_area, demo_plan):
    """The nearest of a school's streets is never used for a place beyond them."""
    east, north = demo_area.network.node_xy.mean(axis=0)
    area = task(demo_area, (east, north + 6000), schools=[schools])
    plan = _plan(area, demo_plan, *[schools] * (schools != "*"))
    assert not any(stop.tasked for patrol in plan.patrols for stop in patrol.stops)
    (reason,) = [row.reason for row in plan.left_out if "T1" in row.reason]
    assert expected in reason
    assert [row.urn for row in plan.unserved] == ["900004"] * (schools == "900004")


@pytest.mark.parametrize(
    ("window", "expected", "note"),
    [
        (Window(120, 14 * 60 + 30), (920, 930, 990), "starts as pupils leave"),
        (Window(60, 920), (920, 930, 980), ""),
        (Window(60, 926), (926, 930, 986), ""),
        (Window(60, 930), (930, 930, 990), "after pupils have left"),
        (Window(52, 14 * 60 + 30), (870, 870, 922), "No pupils leave in this window"),
        (Window(60, 14 * 60), (840, 840, 900), "No pupils leave in this window"),
    ],
)
def test_the_presence_is_for_the_pupils_as_they_leave(window, expected, note, free, demo_plan):
    """From the bell where that leaves time; at short notice until it would have ended, or none."""
    at_risk = replace(demo_plan, risk=replace(demo_plan.risk, window=window))
    (patrol,) = _plan(free, at_risk, "900003", window=window).patrols
    start, until, latest = expected
    hours = compute_hours(free, free.schools.iloc[2], window)
    assert (hours.start_minutes, hours.gate_until_minutes, hours.latest_end_minutes) == expected
    assert (patrol.start_minutes, patrol.latest_end_minutes) == (start, latest)
    assert patrol.gate_until_minutes >= until
    assert (patrol.reference is None) is (until == start)
    assert patrol.end_minutes <= latest + 1e-6
    assert note in " ".join(list_texts(patrol.notes))


@pytest.fixture(scope="module", params=[0, 5])
def reach(request, free, demo_plan):
    """The problem of a school without tasked places."""
    return build_problem((free, demo_plan.risk, demo_plan.hotspots), request.param)


def test_candidates_are_within_a_walk_there_and_back(demo_area, reach):
    """Free ones within 600 m, for four dwells in a row at most; the gate for three, others one."""
    settings = demo_area.settings.patrol
    farthest = (80 - settings.dwell_minutes) / 2 * settings.metres_per_minute
    there_and_back = reach.walks.metres[0, 1:] + reach.walks.metres[1:, 0]
    assert len(there_and_back) == len(reach.visits) > 10
    is_free = np.array([place.is_free for place in reach.visits])
    assert (there_and_back[is_free] / 2 <= min(600, farthest) + 45).all()
    visits = [reach.visits.count(place) for place in reach.places]
    assert visits == [3, *(4 if place.is_free else 1 for place in reach.places[1:])]
    before = [None, *reach.visits]
    again = [stop if place is before[stop] else -1 for stop, place in enumerate(reach.visits)]
    assert reach.plain_problem.follows[1:].tolist() == again


def test_hotspots_within_150_metres_of_a_barred_place_are_no_candidates(free, demo_plan):
    """Just the places, or stretches of hotspots, farther than that from it can be stops."""
    stop, found = demo_plan.patrols[2].stops[0], (demo_plan.risk, demo_plan.hotspots)
    before, after = (
        build_problem((area, *found), 2)
        for area in (free, task(free, stop.point, must_visit=False))
    )
    metres = {}
    for place in before.places:
        shape = shapely.Point(place.xy)
        if place.hotspot_row >= 0:
            shape = demo_plan.hotspots.geometry.iloc[place.hotspot_row]
        metres[place.id] = shape.distance(shapely.Point(stop.point))
    metres[before.standing.gate.id] = np.inf  # the gate has to be passed, and stays
    assert any(0 < away <= 150 for away in metres.values())
    assert any(150 < away <= 300 for away in metres.values())
    far = {name for name, away in metres.items() if away > 150}
    assert far <= {place.id for place in after.places}
    assert not {place.id for place in after.places} & (metres.keys() - far)


def _with_school(area, row, **cells):
    """The area with other values of one school."""
    schools = area.schools.copy()
    schools.loc[row, list(cells)] = list(cells.values())
    return replace(area, schools=schools)


def test_a_school_without_clubs_ends_when_nobody_is_left(free, demo_plan):
    """The card ends when 99 in 100 have passed every street near the gate, and says so."""
    area = _with_school(free, 2, late_share=0.0)
    plan = _plan(area, demo_plan, "900003", "900004")
    patrol, other = plan.patrols
    assert (patrol.start_minutes, other.end_minutes - other.start_minutes) == (920, 90)
    assert patrol.end_minutes == patrol.latest_end_minutes == 952
    words = f"No pupils stay for clubs: the patrol ends at {format_time(952)}"
    assert [words in " ".join(list_texts(one.notes)) for one in plan.patrols] == [True, False]
    school = pp.model_pupils(area).schools[2]
    near = school.pieces[school.gate_metres <= 600]
    passing, _ = count_own_pupils(area, school, np.sort(near), range(920, 1100))
    later = passing[:, 952 - 920 :].sum(axis=1) / passing.sum(axis=1)
    assert 0.005 < later.max() <= 0.01


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(20), (920, 940)), (Window(180, 14 * 60), (920, 952)),
        (Window(60, 931), (931, 991)), (Window(60, 20 * 60), (1200, 1260)),
        (Window(60, bell="opening", before_minutes=20), (500, 560)),
        (Window(60, at_gate=True), (920, 980)),
    ],
)  # fmt: skip
def test_only_patrols_as_pupils_leave_end_when_nobody_is_left(window, expected, demo_area):
    """Shorter and later windows, mornings and those at the gate are as long as they were."""
    area = _with_school(demo_area, 2, late_share=0.0)
    hours = compute_hours(area, area.schools.iloc[2], window)
    assert (hours.start_minutes, hours.latest_end_minutes) == expected


def test_special_schools_have_a_gate_card(free, demo_plan):
    """Their pupils are driven: none but a place to visit takes the officer from the gate."""
    assert free.schools["is_driven"].tolist() == [urn == "900010" for urn in free.schools["urn"]]

    def plan(area):
        (patrol,) = _plan(area, demo_plan, "900010").patrols
        return patrol, "Most pupils of special schools" in " ".join(list_texts(patrol.notes))

    patrol, is_noted = plan(free)
    assert (patrol.kind, patrol.stops, is_noted) == ("gate", (), True)
    patrol, is_noted = plan(task(free, (patrol.x, patrol.y + 400), schools=["900010"]))
    assert ([stop.kind for stop in patrol.stops], is_noted) == (["tasked"], False)
    patrol, is_noted = plan(_with_school(free, 9, is_driven=False, walk_share=0.5))
    assert (patrol.kind, is_noted) == ("patrol", False)


@pytest.mark.parametrize(
    "row", [0, 2, *(pytest.param(row, marks=pytest.mark.slow) for row in (5, 8))]
)
def test_no_walk_comes_in_sight_of_a_barred_place(free, demo_plan, row):
    """All walks keep out of 75 m of walking of it, but for the one way out of a gate in sight."""

    def build(area):
        return build_problem((area, demo_plan.risk, demo_plan.hotspots), row)

    plain, graph = build(free), nx.Graph()
    network, gate = plain.surroundings.network, plain.surroundings.gate
    for piece in np.argsort(-network.piece_metres):  # of parallel pieces the shortest is left
        graph.add_edge(*network.piece_nodes[piece].tolist(), metres=network.piece_metres[piece])
    walk = plain.walks.find_shortest(0, int(np.argmax(plain.walks.metres[0])))
    on_way = int(walk.pieces[len(walk.pieces) // 2])
    for piece, is_at_gate in ((on_way, False), (gate.piece[0], True)):
        node = int(network.piece_nodes[piece, 0])
        away = nx.single_source_dijkstra_path_length(graph, node, cutoff=75, weight="metres")
        seen = np.isin(network.piece_nodes, list(away)).any(axis=1)
        problem = build(task(free, network.node_xy[node], must_visit=False))
        ends = np.flatnonzero(np.isfinite(problem.walks.metres[0]))
        pieces = [problem.walks.find_shortest(0, end).pieces for end in ends]
        walked = [set(one[seen[one]].tolist()) for one in pieces]
        assert len(ends) > 1
        assert len(problem.unavoidable_rows) == is_at_gate
        assert is_at_gate or not any(walked)
        assert set.union(*walked) in walked


@pytest.mark.parametrize("row", [0, 3])
def test_distances_from_the_gate_are_those_over_all_streets(demo_area, row):
    """Within the radius, cutting the streets down makes no walk from the gate longer."""
    around = build_surroundings(demo_area, row)
    network, piece = demo_area.network, demo_area.gates.piece[row]
    away = csgraph.dijkstra(network.node_graph, indices=network.piece_nodes[piece])
    offset = demo_area.gates.offset_metres[row]  # by the way of either end of the gate's piece
    nodes = np.minimum(away[0] + offset, away[1] + network.piece_metres[piece] - offset)
    expected = nodes[network.piece_nodes[around.pieces]].min(axis=1)
    near = expected <= demo_area.settings.patrol.radius_metres
    assert near.sum() > 50
    np.testing.assert_allclose(around.gate_metres[near], expected[near], atol=1e-6)


def test_waiting_at_crossings_is_real_and_darkness_a_preference(demo_area):
    """Seconds make the way there and back longer, darkness only counts where it can get dark."""
    window, december, june = Window(90), dt.date(2026, 12, 9), dt.date(2026, 6, 10)
    around = build_surroundings(demo_area, 3)
    near = np.isfinite(around.gate_metres)
    waiting = around.round_trip_metres[near] - 2 * around.gate_metres[near]
    assert (waiting >= -1e-6).all()
    assert waiting.max() > 20
    hours = compute_hours(demo_area, demo_area.schools.iloc[3], window)
    assert [find_dark(demo_area, hours, day) for day in (december, june, None)] == [
        True,
        False,
        False,
    ]
    lit, secluded = around.network.piece_lit, around.network.piece_is_secluded
    darker = np.where(lit == "no", 1.5, 1.0) * np.where(secluded, 1000.0, 1.0)
    dark = compute_preference(around.network, is_dark=True)
    light = compute_preference(around.network, is_dark=False)
    np.testing.assert_allclose(dark / light, darker)
    assert set(darker) >= {1.0, 1500.0}
    cycling = pp.with_settings(demo_area, patrol={"way": "bicycle"})
    ridden = build_surroundings(cycling, 3)
    assert np.isinf(ridden.effort).any()  # against one-way streets


@pytest.fixture(scope="module")
def edge_area(demo):
    """The middle of the demo borough, whose streets reach beyond it, with a part only walked."""
    whole = load_settings(demo)
    bounds = {"bounds": (0.8645, 51.5235, 0.8825, 51.5345)}
    limited = whole.model_copy(update={"area": whole.area.model_copy(update=bounds)})
    return pp.load_area(limited)


def test_walks_may_leave_the_area_and_come_back(edge_area):
    """Streets round a gate are those of the walkable network; stops and risk are in the area."""
    area, network = pp.with_settings(edge_area, risk={"model": "prior"}), edge_area.network
    risk = pp.estimate_risk(area)
    plan = pp.plan_patrols(area, risk, pp.find_hotspots(area, risk), for_week=False)
    assert len(network.walkable) > len(network) + 100
    around = [build_surroundings(area, row) for row in range(len(area.schools))]
    assert sum((one.pieces >= len(network)).sum() for one in around) > 100
    for leg in (leg for patrol in plan.patrols for leg in patrol.legs):
        walked = shapely.multilinestrings(network.walkable.piece_lines[np.unique(leg.pieces)])
        assert shapely.distance(shapely.points(leg.line), walked).max() < 1e-6


def test_distances_at_the_edge_are_those_of_all_streets(edge_area, demo_area):
    """Streets beyond the limits shorten walks between places inside them."""
    gates = edge_area.network.xy(edge_area.gates)
    everywhere = WalkFinder(demo_area.network, demo_area.network.snap(gates)).metres
    between = WalkFinder(edge_area.network.walkable, edge_area.gates).metres
    np.testing.assert_allclose(between, everywhere, atol=0.1)
    gate = edge_area.gates.take([0])
    ours = compute_piece_distances(edge_area.network.walkable, gate)[: len(edge_area.network)]
    cut = compute_piece_distances(edge_area.network, gate)
    assert (ours <= cut + 1e-6).all()
    assert (cut > ours + 1).any()


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"name": "late"}, "there is no window 'late' .the settings have: early"),
        ({"name": "early", "start": time(15, 0)}, "give one of them"),
        ({"minutes": 0}, "cannot last 0 minutes"),
    ],
)
def test_impossible_wishes_say_what_to_do(wish, message):
    """A window that cannot be is an error that names the wish and the remedy."""
    early = PatrolWindow.model_validate({"from": "07:45", "to": "08:45"})
    with pytest.raises(InputError, match=message):
        resolve_window(PatrolSettings(window_minutes=75, windows={"early": early}), **wish)
