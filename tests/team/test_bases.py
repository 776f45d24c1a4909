"""One time to set out everywhere, and nobody led to a colleague's base without a word.

Officers on foot and by bicycle in one week: each has patrols of the way that they go.

Minutes from an officer's base to the gates of schools.
"""

import dataclasses
import datetime as dt
import itertools

import networkx as nx
import numpy as np
import pytest
from team import checker

import patrolplan as pp
from patrolplan.outputs.note_words import describe_note
from patrolplan.outputs.week.roster import Roster
from patrolplan.outputs.week.spreadsheet import render_week_csv
from patrolplan.team import travel
from patrolplan.team.rota import plan_week
from patrolplan.team.travel import OFF_STREET_FACTOR, compute_minutes_from_base
from patrolplan.team.week import Lock, format_day
from patrolplan.times import format_time

MONDAY = dt.date(2026, 11, 30)
SHARED, FIRST, SECOND = "900009", "SSO-03", "SSO-08"

COLLEAGUE_KINDS = {"approach_for_colleague", "colleague_base", "patrol_at_colleague_base"}
OTHER = "900001"
AWAY = 400.0


def _apart(area):
    """The area with the second officer of a school at a base of their own."""
    officers = area.officers.copy()
    moved = officers["officer"] == SECOND
    officers.loc[moved, "geometry"] = officers.geometry[moved].translate(0, AWAY)
    return dataclasses.replace(area, officers=officers, tasked_places=area.tasked_places.iloc[:0])


def _week(area, plan, **patrol):
    """The week with the shared school given to its second officer once and to its first."""
    area = pp.with_settings(_apart(area), patrol=patrol)
    made = pp.plan_patrols(area, plan.risk, plan.hotspots, urns=[SHARED, OTHER])
    locks = [Lock(SECOND, SHARED, MONDAY), Lock(FIRST, SHARED, MONDAY + dt.timedelta(days=1))]
    return plan_week(area, made, start=MONDAY, locks=locks)


@pytest.fixture(scope="module", params=[0, 10], ids=["no presence", "presence"])
def week(request, demo_area, demo_plan):
    """A week of patrols from base to base."""
    return _week(demo_area, demo_plan, start="base", end="base", gate_minutes=request.param)


def _own(week):
    """The patrols that are not the second officer's at the shared school."""
    return [duty for duty in week.duties if (duty.officer, duty.urn) != (SECOND, SHARED)]


def _colleagues(week):
    return next(d for d in week.duties if (d.officer, d.urn) == (SECOND, SHARED))


def test_a_patrol_from_the_own_base_has_one_time_to_set_out(week):
    """Week, table and sheet have the time of the patrol's card, within the officer's hours."""
    mine, table = _own(week), render_week_csv(Roster(week)).decode("utf-8-sig")
    assert any(duty.patrol.starts_at == "base" for duty in mine)
    hours = week.plan.area.officers.set_index("officer")
    for duty in mine:
        assert duty.leave_minutes == pytest.approx(duty.patrol.set_out_minutes)
        begin = hours.loc[duty.officer, ("mon", "tue", "wed", "thu", "fri")[duty.date.weekday()]]
        assert checker.parse_clock(begin[:5]) <= duty.leave_minutes + 1e-6
        assert not {note.kind for note in duty.patrol.notes} & COLLEAGUE_KINDS
        cells = (
            duty.officer,
            format_day(duty.date),
            f"{duty.date}",
            format_time(duty.leave_minutes),
        )
        assert ",".join(f'"{cell}"' for cell in cells) in table


def test_who_comes_to_a_colleagues_base_leaves_in_time_to_be_there(week):
    """From the own base to where the patrol begins, by no less than the straight line."""
    duty = _colleagues(week)
    patrol, area = duty.patrol, week.plan.area
    base = area.officers.set_index("officer").loc[SECOND].geometry
    begin = patrol.base_xy if patrol.from_base else (patrol.x, patrol.y)
    straight = np.hypot(base.x - begin[0], base.y - begin[1]) / 80
    assert straight <= duty.start_minutes - duty.leave_minutes + 1 < 3 * straight + 2


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
        speed_kmh = settings.cycling_speed_kmh if rides else settings.walking_speed_kmh
        slow = np.array(_slow_metres(demo_area, officer)) / (speed_kmh / 0.06)
        np.testing.assert_allclose(found[officer], slow, atol=1e-3)


def test_far_gates_are_as_far_as_the_straight_line_counts(demo_area, monkeypatch):
    """Beyond what is looked for, the straight line counts 1.3 times; nearer gates stay exact."""
    exact = compute_minutes_from_base(demo_area)
    monkeypatch.setattr(travel, "MAX_SEARCH_METRES", 900.0)
    found = compute_minutes_from_base(demo_area)
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
    outside = OFF_STREET_FACTOR * on_street.moved_metres[:, None] / speed
    near = (exact - outside) * speed <= 900
    assert near.any()
    assert not near.all()
    np.testing.assert_allclose(found[near], exact[near])
    gates = demo_area.network.xy(demo_area.gates)
    straight = np.hypot(*(demo_area.network.xy(on_street)[:, None] - gates).transpose(2, 0, 1))
    far = (OFF_STREET_FACTOR * straight / speed + outside)[~near]
    np.testing.assert_allclose(found[~near], far)
