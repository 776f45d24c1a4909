"""Minutes from an officer's base to the gates of schools."""

import dataclasses
import itertools

import networkx as nx
import numpy as np
import pytest

import patrolplan as pp
from patrolplan.team import bases as travel
from patrolplan.team.bases import OUTSIDE, minutes_from_base


def _slow_metres(area, officer):
    """Walking distance from an officer's base to every gate, by networkx."""
    network = area.network
    graph = nx.Graph()
    base = area.officers.geometry.iloc[officer]
    places = {"base": network.snap([(base.x, base.y)])}
    places |= {row: area.gates.take([row]) for row in range(len(area.gates))}
    on_piece = {}
    for name, place in places.items():
        on_piece.setdefault(int(place.piece[0]), []).append((float(place.offset_metres[0]), name))
    for piece, (first, last) in enumerate(network.piece_nodes.tolist()):
        marks = [(0.0, ("node", first)), *sorted(on_piece.get(piece, []), key=lambda row: row[0])]
        marks.append((float(network.piece_metres[piece]), ("node", last)))
        for (low, start), (high, end) in itertools.pairwise(marks):
            known = graph.get_edge_data(start, end, {"metres": np.inf})["metres"]
            graph.add_edge(start, end, metres=min(known, high - low))
    away = nx.single_source_dijkstra_path_length(graph, "base", weight="metres")
    moved = float(places["base"].moved_metres[0])
    return [away[row] + OUTSIDE * moved for row in range(len(area.gates))]


def test_minutes_are_those_of_networkx(demo_area):
    """On foot and by bicycle, minutes are the shortest way's at each officer's own speed."""
    found = minutes_from_base(demo_area)
    settings = demo_area.settings.patrol
    for officer in range(0, len(demo_area.officers), 3):
        rides = demo_area.officers["mode"].iloc[officer] == "bicycle"
        speed_kmh = settings.cycling_speed_kmh if rides else settings.walking_speed_kmh
        slow = np.array(_slow_metres(demo_area, officer)) / (speed_kmh / 0.06)
        np.testing.assert_allclose(found[officer], slow, atol=1e-3)


def test_far_gates_are_as_far_as_the_straight_line_counts(demo_area, monkeypatch):
    """Beyond what is looked for, the straight line counts 1.3 times; nearer gates stay exact."""
    exact = minutes_from_base(demo_area)
    monkeypatch.setattr(travel, "LOOKED_FOR_METRES", 900.0)
    found = minutes_from_base(demo_area)
    speed = (
        np.where(
            demo_area.officers["mode"] == "bicycle",
            demo_area.settings.patrol.cycling_speed_kmh,
            demo_area.settings.patrol.walking_speed_kmh,
        )[:, None]
        / 0.06
    )
    bases = np.column_stack([demo_area.officers.geometry.x, demo_area.officers.geometry.y])
    on_street = demo_area.network.snap(bases)
    outside = OUTSIDE * on_street.moved_metres[:, None] / speed
    near = (exact - outside) * speed <= 900
    assert near.any()
    assert not near.all()
    np.testing.assert_allclose(found[near], exact[near])
    gates = demo_area.network.xy(demo_area.gates)
    straight = np.hypot(*(demo_area.network.xy(on_street)[:, None] - gates).transpose(2, 0, 1))
    far = (OUTSIDE * straight / speed + outside)[~near]
    np.testing.assert_allclose(found[~near], far)


def test_officers_of_one_base_are_as_far(demo_area):
    """Two officers at the same base have the same minutes, in the ratio of their speeds."""
    officers = demo_area.officers.copy()
    officers.geometry = [officers.geometry.iloc[0]] * len(officers)
    area = dataclasses.replace(demo_area, officers=officers)
    settings = pp.with_settings(area, patrol={"cycling_speed_kmh": 14.4}).settings
    found = minutes_from_base(dataclasses.replace(area, settings=settings))
    walks = (officers["mode"] == "walk").to_numpy()
    assert found[walks] == pytest.approx(np.repeat(found[walks][:1], walks.sum(), axis=0))
    if (~walks).any():
        assert 3 * found[~walks][0] == pytest.approx(found[walks][0])
