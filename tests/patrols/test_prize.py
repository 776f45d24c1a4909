"""What standing at a place is worth to a school: its pupils, its share of them, and the places."""

import math
import pickle
from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely

import patrolplan as pp
from patrolplan.area.patrol_window import Window
from patrolplan.arrays import gather
from patrolplan.patrols import prize
from patrolplan.patrols.planner import Planner
from patrolplan.risk.in_time import RiskInTime

ROWS = [1, 7]


@pytest.fixture(scope="module")
def standing(demo_area, demo_risk, demo_hotspots):
    """The places of two schools of the demo borough."""
    return prize.build_places(Planner(demo_area, demo_risk, demo_hotspots), Window(90), ROWS)


@pytest.mark.parametrize("minutes", [range(900, 990), range(480, 530)])
def test_own_pupils_are_those_of_the_presence(demo_area, minutes):
    """But for its walks in steps, where each school has its own share and end of clubs."""
    late = {"late_share": np.linspace(0, 0.8, 12), "late_minutes": np.linspace(20, 90, 12)}
    area = replace(demo_area, schools=demo_area.schools.assign(**late))
    pupils = pp.model_pupils(area)
    for row in ROWS:
        school = pupils.schools[row]
        pieces = np.sort(school.pieces[school.pieces < len(area.network)])
        _, own = prize.count_own_pupils(area, school, pieces, minutes)
        counted = np.transpose([pupils.count_at(m, urn=school.urn)[pieces] for m in minutes])
        assert counted.sum() > 100
        assert own.sum() == pytest.approx(counted.sum(), rel=0.01)
        np.testing.assert_allclose(own.sum(axis=1), counted.sum(axis=1), rtol=0.05, atol=0.1)
        assert np.abs(own - counted).sum() < 0.05 * counted.sum()


def test_a_street_counts_by_the_share_of_own_pupils():
    """Own pupils alone count the whole risk, half of them half of it, nobody none."""
    own, everybody = np.array([3.0, 3.0, 0.0, 0.0, 2.0]), np.array([3.0, 6.0, 5.0, 0.0, 1.9])
    worth = prize.weigh_by_share(np.full(5, 2.0), own, everybody)
    np.testing.assert_allclose(worth, [2.0, 1.0, 0.0, 0.0, 2.0])


def test_a_place_that_is_shared_half_and_half_counts_half(demo_area, demo_risk, demo_hotspots):
    """Where a twin of the school sends as many pupils the same ways, but for walks in steps."""
    school = demo_area.schools.iloc[[1]]
    twins = pd.concat([school, school.assign(urn="900099")], ignore_index=True)
    alone, both = (
        replace(demo_area, schools=schools, gates=demo_area.gates.take([1] * count))
        for count, schools in ((1, school), (2, twins))
    )
    static = RiskInTime.from_static(demo_risk.joined)
    risks = [
        replace(demo_risk, in_time=static, pupils=pp.model_pupils(area)) for area in (alone, both)
    ]
    (one,) = prize.build_places(Planner(alone, risks[0], demo_hotspots), Window(90), [0]).values()
    halved = prize.build_places(Planner(both, risks[1], demo_hotspots), Window(90), [0, 1])
    whole = _sum_by_id(one)
    for other in halved.values():
        worths = [(worth, whole[at]) for at, worth in _sum_by_id(other).items() if at in whole]
        assert len(worths) > 50
        half, all_of_it = np.transpose(worths)
        np.testing.assert_allclose(half, all_of_it / 2, rtol=0.03)
        assert all_of_it.sum() > 0


def _sum_by_id(standing):
    return {place.id: place.rates.sum() for place in standing.places}


def test_spots_are_apart_and_the_gate_is_first():
    """Of spots in sight of each other the better one is chosen; where nobody may stand, never."""
    x = np.array([0.0, 50, 100, 160, 400, 600])
    near = np.abs(x[:, None] - x) <= 75
    best, may_stand = np.array([0.0, 9, 4, 5, 1, 8]), np.array([True] * 5 + [False])
    assert prize.choose_apart(near, best, may_stand, 12) == [0, 3, 4]
    assert prize.choose_apart(near, best, may_stand, 1) == [0, 3]


def test_the_busiest_corner_is_a_place_where_no_other_is_near():
    """The reference stands there: beyond the maximum of places, but in sight of none of them."""
    x = np.array([0.0, 50, 100, 160, 400, 600])
    near = np.abs(x[:, None] - x) <= 75
    assert prize.add_busiest([0, 3], near, np.array([9.0, 8, 1, 2, 1, 7])) == [0, 3, 5]
    assert prize.add_busiest([0, 3], near, np.array([9.0, 8, 7, 2, 1, 6])) == [0, 3]
    assert prize.add_busiest([0, 3], near, np.array([9.0, 8, 0, 0, 0, 0])) == [0, 3]


def test_free_places_are_never_in_sight_of_each_other(demo_area, standing):
    """Walked along all ways, as a plain search has it, they are more than 75 m apart."""
    graph = demo_area.network.walkable.to_networkx().to_undirected()
    for one in standing.values():
        free = [place for place in one.places if place.is_free]
        for place in free:
            away = _measure_walks(demo_area.network.walkable, graph, place.position, 75.0)
            others = [other for other in free if other is not place]
            assert not any(_is_reached(demo_area, away, other, 75.0) for other in others)


def test_what_is_in_sight_is_within_75_metres_of_walking(demo_area, standing):
    """Pieces to patrol with an end so near, by a plain search, and the piece that one stands on."""
    network = demo_area.network
    graph = network.walkable.to_networkx().to_undirected()
    for place in standing[1].places:
        away = _measure_walks(network.walkable, graph, place.position, 75.0)
        expected = {
            piece
            for piece, (start, end) in enumerate(network.piece_nodes.tolist())
            if start in away or end in away
        }
        assert {*place.seen_pieces.tolist()} == expected | {int(place.position.piece[0])}


def _measure_walks(network, graph, position, limit):
    """Metres to each node within a limit, by networkx, from a place on a piece."""
    piece = int(position.piece[0])
    offset = float(position.offset_metres[0])
    first, last = network.piece_nodes[piece].tolist()
    away = {}
    for node, metres in ((first, offset), (last, network.piece_metres[piece] - offset)):
        if metres <= limit:
            found = nx.single_source_dijkstra_path_length(
                graph, node, cutoff=limit - metres, weight="length"
            )
            for other, more in found.items():
                away[other] = min(away.get(other, np.inf), metres + more)
    return away


def _is_reached(area, away, place, limit):
    """Whether a place is within a limit by the walks to the ends of its piece."""
    network, piece = area.network.walkable, int(place.position.piece[0])
    offset = float(place.position.offset_metres[0])
    first, last = network.piece_nodes[piece].tolist()
    metres = [
        away.get(first, np.inf) + offset,
        away.get(last, np.inf) + network.piece_metres[piece] - offset,
    ]
    return min(metres) <= limit


def test_places_are_on_own_ways_near_the_gate(demo_area, demo_risk, demo_hotspots, standing):
    """Free ones have 5 % of the busiest own street's flow in sight, within 600 m as one walks."""
    schools = demo_area.schools
    large = replace(demo_area, schools=schools.assign(roll=10 * schools["roll"]))
    of_large = prize.build_places(Planner(large, demo_risk, demo_hotspots), Window(90), ROWS)
    for one in (*standing.values(), *of_large.values()):
        assert one.has_pupils
        free = [place for place in one.places if place.is_free]
        flow = np.array([place.flow for place in free])
        assert len(flow) > 4
        assert flow.min() >= 0.05 * flow.max() - 1e-12
        assert max(math.dist(place.xy, one.gate.xy) for place in free) <= 600 + 25
        assert all(place.hotspot_row >= 0 for place in one.places if not place.is_free)
        hotspots = [place for place in one.places if place.hotspot_row >= 0]
        assert all(place.name in place.sees for place in hotspots)


def test_a_dwell_begins_while_enough_own_pupils_pass(standing):
    """Between the first and the last begin with 1 % of them; earlier and later there are fewer."""
    for one in standing.values():
        for place in (place for place in one.places if place.is_free):
            first, last = one.find_begins(place)
            column = int(first) - one.first_minute
            assert place.dwell_minutes == 15
            assert place.passing[column : column + 15].sum() >= 0.01
            assert column == 0 or place.passing[column - 1 : column + 14].sum() < 0.01
            assert last >= first
    assert one.find_begins(replace(place, passing=0 * place.passing)) == (0, 0)


def test_sums_over_minutes():
    """Parts of minutes count in part, and the best run of minutes is found."""
    rates = np.array([[1.0, 0.0, 2.0, 3.0]])
    assert gather(rates[0], 900, 900.5, 903.5) == pytest.approx(0.5 + 2 + 1.5)
    assert gather(rates[0], 900, 890, 1000) == pytest.approx(6)
    assert prize.sum_best(rates, 2).tolist() == [5]
    assert prize.sum_best(rates, 9).tolist() == [6]


def test_with_hardly_any_pupils_it_is_the_risk_per_metre(demo_area, demo_risk, demo_hotspots):
    """In the evening hotspots alone are places, each worth the mean risk in sight, and no gate."""
    planner = Planner(demo_area, demo_risk, demo_hotspots)
    (one,) = prize.build_places(planner, Window(90, 20 * 60), [1]).values()
    assert not one.has_pupils
    assert all(place.hotspot_row >= 0 for place in one.places[1:])
    metres = demo_area.network.piece_metres
    for minute in (1200, 1263):
        rate = demo_risk.in_time.compute_rate(minute)
        for place in one.places:
            expected = rate[place.seen_pieces].sum() / metres[place.seen_pieces].sum()
            assert place.rates[minute - one.first_minute] == pytest.approx(expected)
    assert max(place.rates.sum() for place in one.places) <= one.total * (1 + 1e-9)


def test_where_nothing_is_recorded_or_reported_it_is_said(demo_area, demo_risk, demo_hotspots):
    """Without crime and reports nothing is on the own ways; in the demo borough something is."""
    gates = shapely.points(demo_area.network.xy(demo_area.gates.take(ROWS)))
    kept = demo_area.incidents.distance(shapely.MultiPoint(gates)) > 1500
    crimes = {
        "incidents": demo_area.incidents[kept],
        "incident_catchment": demo_area.incident_catchment[kept],
    }
    of_piece = np.zeros(len(demo_area.network), dtype=np.int64)
    for group, few, is_nothing in ((-1, {}, False), (0, crimes, False), (-1, crimes, True)):
        reports = replace(demo_area.reports, group_of_piece=of_piece + group)
        area = replace(demo_area, reports=reports, **few)
        risk = replace(demo_risk, incidents=None)  # so that the crime of the area is counted
        planner = Planner(area, risk, demo_hotspots)
        found = prize.build_places(planner, Window(90), ROWS).values()
        assert [one.nothing_recorded for one in found] == [is_nothing] * 2


def test_workers_are_handed_no_pupils(demo_area, demo_plan):
    """What worker processes are sent holds neither the risk of each minute nor pupils."""
    planner = Planner(demo_area, demo_plan.risk, demo_plan.hotspots)
    gate = planner.get_places(1, Window(90)).gate
    with pytest.raises(TypeError, match="pupils"):
        pickle.dumps(demo_plan.risk.in_time)
    sent = pickle.loads(pickle.dumps(planner))  # noqa: S301 - made a moment ago
    assert (sent.risk.in_time, sent.risk.pupils) == (None, None)
    assert sent.area.way_home.counts.empty
    np.testing.assert_array_equal(sent.get_places(1, Window(90)).gate.rates, gate.rates)
