"""Patrols of the demo borough, recomputed by networkx on the raw pieces of street."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import shapely

import patrolplan as pp


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


def test_two_officers_share_out_the_stops(demo_area, demo_plan):
    """Officers of one school have patrols of their own, and no place in common; none gives way."""
    area = pp.with_settings(demo_area, patrol={"officers": 2})
    given = area, demo_plan.risk, demo_plan.hotspots
    plan = pp.plan_patrols(*given, urns=["900001"], for_week=False)
    assert [patrol.number for patrol in plan.patrols] == [1, 2]
    first, second = ({stop.hotspot for stop in patrol.stops} for patrol in plan.patrols)
    assert first
    assert second
    assert not first & second
    assert all(patrol.kind == "patrol" and patrol.reference for patrol in plan.patrols)


def test_less_detail_changes_no_patrol(demo_area, demo_plan):
    """Where no week is drawn, a school has the same stops and variants, without other times."""
    given = demo_area, demo_plan.risk, demo_plan.hotspots
    (whole,), (plain,) = (
        pp.plan_patrols(*given, urns=["900005"], for_week=how).patrols for how in (True, False)
    )
    assert (whole.timings is None, plain.timings) == (False, None)
    assert len(whole.variants) > 1
    names = [[(one.hotspots, one.worth_share) for one in each.variants] for each in (whole, plain)]
    assert names[0] == names[1]
    assert not any(variant.patrols for variant in plain.variants)
    assert plain.stops == whole.stops
    assert [leg.steps for leg in plain.legs] == [leg.steps for leg in whole.legs]
