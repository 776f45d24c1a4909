"""Minutes from an officer's base to the gates of schools, by the officer's mode."""

import datetime as dt
import itertools

import networkx as nx
import numpy as np

from patrolplan.outputs.note_words import describe_note
from patrolplan.patrols.surroundings import CYCLING_SPEED_KMH
from patrolplan.team import free_time
from patrolplan.team.free_time import OFF_STREET_FACTOR, compute_minutes_from_base
from patrolplan.team.rota import plan_week

MONDAY = dt.date(2026, 11, 30)


def test_who_comes_another_way_than_they_patrol_is_named(demo_area, demo_plan):
    """An officer's mode is how they come to the gate; all patrols go the area's way."""
    week = plan_week(demo_area, demo_plan, start=MONDAY)
    assert {duty.patrol.way for duty in week.duties} == {"walk"}
    (words,) = [describe_note(note) for note in week.notes if note.kind == "other_mode"]
    assert words == (
        "SSO-03, SSO-05 and SSO-07 go by bicycle to the gate and between schools, and patrol on "
        "foot."
    )


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
            shortest = graph.get_edge_data(start, end, {"metres": np.inf})["metres"]
            graph.add_edge(start, end, metres=min(shortest, high - low))
    away = nx.single_source_dijkstra_path_length(graph, "base", weight="metres")
    moved = float(places["base"].moved_metres[0])
    return [away[row] + OFF_STREET_FACTOR * moved for row in range(len(area.gates))]


def test_minutes_are_those_of_networkx(demo_area):
    """On foot and by bicycle, minutes are the shortest way's at each officer's own speed."""
    found = compute_minutes_from_base(demo_area)
    settings = demo_area.settings.patrol
    for officer in range(0, len(demo_area.officers), 3):
        rides = demo_area.officers["mode"].iloc[officer] == "bicycle"
        speed_kmh = CYCLING_SPEED_KMH if rides else settings.walking_speed_kmh
        slow = np.array(_slow_metres(demo_area, officer)) / (speed_kmh / 0.06)
        np.testing.assert_allclose(found[officer], slow, atol=1e-3)


def test_far_gates_are_as_far_as_the_straight_line_counts(demo_area, monkeypatch):
    """Beyond what is looked for, the straight line counts 1.3 times; nearer gates stay exact."""
    exact = compute_minutes_from_base(demo_area)
    monkeypatch.setattr(free_time, "MAX_SEARCH_METRES", 900.0)
    found = compute_minutes_from_base(demo_area)
    speed = (
        np.where(
            demo_area.officers["mode"] == "bicycle",
            CYCLING_SPEED_KMH,
            demo_area.settings.patrol.walking_speed_kmh,
        )[:, None]
        / 0.06
    )
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
