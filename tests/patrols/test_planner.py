"""Patrols of the demo borough, recomputed by networkx on the raw pieces of street."""

import dataclasses
from functools import partial
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import shapely

import patrolplan as pp
from patrolplan.area.patrol_window import Window
from patrolplan.patrols.surroundings import build_surroundings


@pytest.fixture(scope="module")
def streets(demo_area):
    """The streets as a plain graph of nodes."""
    graph = nx.MultiGraph()
    network = demo_area.network
    for piece, (first, last) in enumerate(network.piece_nodes):
        graph.add_edge(int(first), int(last), metres=network.piece_metres[piece], piece=piece)
    return graph


def _shortest(graph, network, start, end):
    """Metres from one point on a street to another, by way of the ends of their pieces."""
    placed = network.snap([start, end])
    assert placed.moved_metres.max() < 0.01
    ends = []
    for k in (0, 1):
        piece, offset = placed.piece[k], placed.offset_metres[k]
        first, last = (int(node) for node in network.piece_nodes[piece])
        ends.append({first: offset, last: network.piece_metres[piece] - offset})
    best = np.inf
    if placed.piece[0] == placed.piece[1]:
        best = abs(placed.offset_metres[0] - placed.offset_metres[1])
    for node, before in ends[0].items():
        away = nx.single_source_dijkstra_path_length(graph, node, cutoff=4000, weight="metres")
        for other, after in ends[1].items():
            best = min(best, before + away.get(other, np.inf) + after)
    return best


def test_every_school_has_its_patrols(demo_area, demo_plan):
    """Each school of the area has one patrol an officer, in the order of the schools."""
    assert [patrol.urn for patrol in demo_plan.patrols] == list(demo_area.schools["urn"])
    assert sum(bool(patrol.stops) for patrol in demo_plan.patrols) >= 10


def test_legs_join_gate_and_stops_along_the_streets(demo_area, demo_plan):
    """Each leg is a line on the streets, from the gate over the stops and back to it."""
    network = demo_area.network
    for patrol in demo_plan.patrols:
        gate = (patrol.x, patrol.y)
        places = [gate, *((stop.x, stop.y) for stop in patrol.stops), gate]
        assert len(patrol.legs) == (len(patrol.stops) + 1 if patrol.stops else 0)
        for leg, (start, end) in zip(patrol.legs, pairwise(places), strict=bool(patrol.legs)):
            np.testing.assert_allclose(leg.line[0], start, atol=0.02)
            np.testing.assert_allclose(leg.line[-1], end, atol=0.02)
            drawn = np.hypot(*np.diff(leg.line, axis=0).T).sum()
            assert drawn == pytest.approx(leg.metres, abs=0.05)
            on = shapely.multilinestrings(network.piece_lines[np.unique(leg.pieces)])
            assert shapely.distance(shapely.points(leg.line), on).max() < 1e-6
            for one, other in pairwise(leg.pieces):
                assert one == other or network.neighbours[one, other]


def test_legs_are_the_shortest_walks(demo_area, demo_plan, streets):
    """A leg is the shortest walk of networkx, or longer where crossing a main road takes time."""
    for patrol in demo_plan.patrols[::3]:
        gate = (patrol.x, patrol.y)
        places = [gate, *((stop.x, stop.y) for stop in patrol.stops), gate]
        for leg, (start, end) in zip(patrol.legs, pairwise(places), strict=bool(patrol.legs)):
            shortest = _shortest(streets, demo_area.network, start, end)
            assert leg.metres >= shortest - 0.05
            assert leg.minutes <= 1.1 * shortest / 80 + 2


def test_times_add_up_and_fit_the_window(demo_area, demo_plan):
    """Bell, presence, walks and dwells follow on each other and end within the window."""
    settings = demo_area.settings.patrol
    bells = demo_area.schools.set_index("urn")["finish_time"]
    for patrol in demo_plan.patrols:
        hours, minutes = bells[patrol.urn].split(":")
        now = int(hours) * 60 + int(minutes)
        assert patrol.start_minutes == now
        assert patrol.latest_end_minutes == now + settings.window_minutes
        assert patrol.gate_until_minutes >= now + settings.gate_minutes
        now = patrol.gate_until_minutes
        for stop, leg in zip(patrol.stops, patrol.legs, strict=False):
            # Waiting at main roads counts, too.
            assert leg.minutes >= leg.metres / (settings.walking_speed_kmh * 1000 / 60) - 1e-9
            now += leg.minutes
            # Waiting is at the place before, and a stop lasts at least one dwell.
            assert stop.arrive_minutes == pytest.approx(now)
            now = stop.leave_minutes
            stood = now - stop.arrive_minutes
            assert stood >= min(settings.dwell_minutes, stop.stood_minutes) - 1e-6
        if patrol.legs:
            now += patrol.legs[-1].minutes
        assert patrol.end_minutes == patrol.latest_end_minutes >= now - 1e-6


def test_bound_is_never_below_the_patrol(demo_plan):
    """No patrol is worth more than its bound; a proven one is worth nearly that."""
    for patrol in demo_plan.patrols:
        assert patrol.bound >= patrol.worth - 1e-9
        if patrol.proven:
            assert patrol.gap_percent == pytest.approx(0, abs=1e-6)


def test_variants_are_other_patrols_worth_no_more(demo_plan):
    """Variants go elsewhere, or in another order, and are worth no more than the best."""
    for patrol in demo_plan.patrols:
        own = [(stop.hotspot, stop.tasked, stop.arrive_minutes) for stop in patrol.stops]
        for variant in patrol.variants:
            assert 0 < variant.worth_share <= 1 + 1e-9
            stops = [stop for other in variant.patrols for stop in other.stops]
            assert tuple(stop.hotspot for stop in stops) == variant.hotspots
            assert [(stop.hotspot, stop.tasked, stop.arrive_minutes) for stop in stops] != own


def test_directions_tell_all_metres(demo_plan):
    """The steps of a leg are together as long as the leg."""
    for patrol in demo_plan.patrols:
        for leg in patrol.legs:
            assert sum(step.metres for step in leg.steps) == pytest.approx(leg.metres)


def _with(area, **patrol):
    changed = area.settings.patrol.model_copy(update=patrol)
    settings = area.settings.model_copy(update={"patrol": changed})
    return pp.StudyArea(**(vars(area) | {"settings": settings}))


def test_two_officers_share_out_the_stops(demo_area, demo_plan):
    """Officers of one school have patrols of their own, and no place in common; none gives way."""
    plan = pp.plan_patrols(
        _with(demo_area, officers=2), demo_plan.risk, demo_plan.hotspots, urns=["900001"]
    )
    assert [patrol.number for patrol in plan.patrols] == [1, 2]
    first, second = ({stop.hotspot for stop in patrol.stops} for patrol in plan.patrols)
    assert first
    assert second
    assert not first & second
    assert all(patrol.kind == "patrol" and patrol.reference for patrol in plan.patrols)


def test_window_too_short_for_a_stop_is_presence_alone(demo_area, demo_plan):
    """With no time for a dwell the patrol is presence at the gate, without a leg."""
    area = _with(demo_area, window_minutes=15)
    empty = area.tasked_places.iloc[:0]
    area = pp.StudyArea(**(vars(area) | {"tasked_places": empty}))
    plan = pp.plan_patrols(area, demo_plan.risk, demo_plan.hotspots)
    for patrol in plan.patrols:
        assert (patrol.stops, patrol.legs) == ((), ())
        assert patrol.gate_until_minutes == patrol.end_minutes == patrol.latest_end_minutes
        assert (patrol.kind, patrol.variants) == ("gate", ())
        assert 0 < patrol.worth == pytest.approx(patrol.bound)


def test_presence_longer_than_the_window_is_refused(demo_area, demo_plan):
    """Presence at the gate that does not fit the window is refused with both numbers."""
    with pytest.raises(pp.InputError, match="gate_minutes 100 is longer than the window's 90"):
        pp.plan_patrols(_with(demo_area, gate_minutes=100), demo_plan.risk, demo_plan.hotspots)


@pytest.mark.parametrize("radius", [5, 60, 400])
def test_small_radius_keeps_patrols_near(demo_area, demo_plan, radius):
    """However small the radius, plans are made, and no stop is farther away than that."""
    area = _with(demo_area, radius_metres=radius)
    plan = pp.plan_patrols(area, demo_plan.risk, demo_plan.hotspots)
    assert len(plan.patrols) == len(demo_plan.patrols)
    for patrol in plan.patrols:
        for stop in patrol.stops:
            if not stop.tasked:
                assert np.hypot(stop.x - patrol.x, stop.y - patrol.y) <= radius + 25


def test_variants_share_legs_they_have_in_common(demo_plan):
    """A leg that a variant has in common with the best patrol is one and the same."""
    shared = 0
    for patrol in demo_plan.patrols:
        legs = {(leg.line.tobytes(), leg.metres): leg for leg in patrol.legs}
        for variant in patrol.variants:
            for leg in (leg for other in variant.patrols for leg in other.legs):
                mine = legs.get((leg.line.tobytes(), leg.metres))
                shared += mine is leg
    assert shared > 0


def test_less_detail_changes_no_patrol(demo_area, demo_plan):
    """Without timings, or the best patrols alone, a school has the same stops, and variants."""
    urn = "900005"
    ask = partial(pp.plan_patrols, demo_area, demo_plan.risk, demo_plan.hotspots, urns=[urn])
    whole, plain, best = (ask(detail=how).patrols for how in ("timings", "variants", "best"))
    has_timings = [patrol.timings is not None for patrol in (*whole, *plain, *best)]
    assert has_timings == [True, False, False]
    drawn, named = whole[0].variants, plain[0].variants
    assert len(drawn) == len(named) > 1
    for one, other in zip(drawn, named, strict=True):
        assert (one.hotspots, one.worth_share) == (other.hotspots, other.worth_share)
    assert not best[0].variants
    assert not any(variant.patrols for variant in named)
    assert [leg.steps for leg in plain[0].legs] == [leg.steps for leg in whole[0].legs]
    for each in (plain, best):
        assert each[0].stops == whole[0].stops
        assert [leg.metres for leg in each[0].legs] == [leg.metres for leg in whole[0].legs]


def test_the_streets_of_a_school_are_looked_at_once(demo_area):
    """Equal windows and settings share them, with any crime; others do not."""
    cut = dataclasses.replace(demo_area, incidents=demo_area.incidents.iloc[:100])
    first = build_surroundings(demo_area, 2, Window(90))
    assert build_surroundings(cut, 2, Window(90)) is first
    assert build_surroundings(demo_area, 3, Window(90)) is not first
    assert build_surroundings(demo_area, 2, Window(60)) is not first
    nearer = pp.with_settings(demo_area, patrol={"radius_metres": 700})
    assert len(build_surroundings(nearer, 2, Window(90)).pieces) < len(first.pieces)
