"""One time to set out everywhere, and nobody led to a colleague's base without a word.

Officers on foot and by bicycle in one week: each has patrols of the way that they go.

Minutes from an officer's base to the gates of schools.
"""

import dataclasses
import datetime as dt
import itertools
import json
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
import shapely
from team import checker

import patrolplan as pp
from patrolplan.notes import Note
from patrolplan.outputs.note_words import describe_note, describe_notes
from patrolplan.outputs.week.roster import Roster
from patrolplan.outputs.week.spreadsheet import render_week_csv
from patrolplan.outputs.week.task_sheets import build_tasks_data
from patrolplan.team import travel
from patrolplan.team.bases import Bases, list_other_mode_schools
from patrolplan.team.day_plans import plan_days
from patrolplan.team.repair import repair_week
from patrolplan.team.rota import plan_week
from patrolplan.team.routes import build_route_key, list_patrols
from patrolplan.team.travel import OFF_STREET_FACTOR, compute_minutes_from_base
from patrolplan.team.week import Lock, format_day, list_school_days
from patrolplan.team.week_file import build_week_document, read_week
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


def test_a_patrol_that_leads_to_a_colleagues_base_says_so(week):
    """Its notes and the week's name the colleague; the way from there to the gate is left out."""
    duty = _colleagues(week)
    patrol = duty.patrol
    (note,) = [note for note in describe_notes(patrol.notes) if f"base of {FIRST}, " in note]
    assert note.endswith(f" m from that of {SECOND}.")
    does = "starts and ends" if patrol.from_base else "ends"
    (note,) = [note for note in week.notes if note.kind == "patrol_at_colleague_base"]
    words = f"{SECOND} at URN {SHARED}: the patrol {does} at the base of {FIRST}."
    assert describe_note(note) == words
    assert patrol.approach is None
    assert patrol.starts_at == ("base" if patrol.from_base else "gate")
    sheets = build_tasks_data(Roster(week), [duty], wall=False)["sheets"]
    (task,) = [task for sheet in sheets for day in sheet["days"] for task in day["duties"]]
    assert task["end"].startswith(f"at the base of {FIRST} ")
    assert task["first_place"] == (f"Base of {FIRST}" if patrol.from_base else "School gate")


def test_who_comes_to_a_colleagues_base_leaves_in_time_to_be_there(week):
    """From the own base to where the patrol begins, by no less than the straight line."""
    duty = _colleagues(week)
    patrol, area = duty.patrol, week.plan.area
    base = area.officers.set_index("officer").loc[SECOND].geometry
    begin = patrol.base_xy if patrol.from_base else (patrol.x, patrol.y)
    straight = np.hypot(base.x - begin[0], base.y - begin[1]) / 80
    assert straight <= duty.start_minutes - duty.leave_minutes + 1 < 3 * straight + 2


def test_officers_of_one_base_share_it_without_a_word(demo_area, demo_plan):
    """A second officer with the base of the first is led from it as the first is."""
    area = pp.with_settings(demo_area, patrol={"start": "base"})
    plan = pp.plan_patrols(area, demo_plan.risk, demo_plan.hotspots, urns=[SHARED])
    week = plan_week(area, plan, start=MONDAY, locks=[Lock(SECOND, SHARED, MONDAY)])
    duty = _colleagues(week)
    assert duty.patrol.approach is not None
    assert duty.leave_minutes == duty.patrol.set_out_minutes
    assert not {note.kind for note in (*week.notes, *duty.patrol.notes)} & COLLEAGUE_KINDS


def test_bases_within_five_metres_are_one(demo_area):
    """Rounding in files does not send an officer to a "colleague's" base that is their own."""
    at = shapely.get_coordinates(demo_area.officers.geometry.values[:1])
    x, y = demo_area.network.xy(demo_area.network.snap(at))[0]
    near, far = (SimpleNamespace(base_xy=(x + metres, y)) for metres in (4.9, 5.1))
    assert Bases(demo_area, [near, far]).is_own[0].tolist() == [True, False]


DAYS = list_school_days(MONDAY)
OFFICERS = ["SSO-02", "SSO-03", "SSO-08"]
"""SSO-03 goes by bicycle, to 900002 and, as SSO-08 on foot, to 900009."""
URNS = ["900002", "900007", "900009", "900011"]


@pytest.fixture(scope="module")
def area(demo_area):
    """The demo borough with three of its officers."""
    officers = demo_area.officers
    mine = officers[officers["officer"].isin(OFFICERS)].reset_index(drop=True)
    return pp.with_settings(
        dataclasses.replace(demo_area, officers=mine), week={"way_by_officer": True}
    )


@pytest.fixture(scope="module")
def plan(area, found):
    """Patrols on foot of four schools."""
    return pp.plan_patrols(area, *found, urns=URNS)


@pytest.fixture(scope="module")
def mode_week(area, plan):
    """A mode_week of both modes."""
    return plan_week(area, plan, start=MONDAY)


def _on_foot(area):
    return dataclasses.replace(area, officers=area.officers.assign(mode="walk"))


def test_each_officer_has_patrols_of_their_mode(mode_week, area):
    """Who goes by bicycle has patrols by bicycle, who goes on foot has patrols on foot."""
    assert checker.find_broken_duties(mode_week, area) == []
    assert {duty.patrol.way for duty in mode_week.duties if duty.officer == "SSO-03"} == {"bicycle"}
    assert {duty.patrol.way for duty in mode_week.duties if duty.officer != "SSO-03"} == {"walk"}


def test_only_their_schools_are_planned_the_other_way(mode_week, area, found):
    """Patrols by bicycle are those that a plan by bicycle has, at the schools of who rides."""
    other = mode_week.plan.other_mode
    assert {patrol.urn for patrol in other.patrols} == {"900002", "900009"}
    rides = pp.with_settings(area, patrol={"way": "bicycle"})
    same = pp.plan_patrols(rides, *found, urns=["900002", "900009"])
    own = {(build_route_key(patrol), number) for number, patrol in list_patrols(same)}
    assert own <= {(build_route_key(patrol), number) for number, patrol in list_patrols(other)}


@pytest.mark.slow
def test_days_planned_ahead_hold_the_same_patrols(area, found, mode_week):
    """`plan_days` plans both modes at once, and a mode_week of it is as good."""
    plans = plan_days(area, *found, DAYS)
    assert list_other_mode_schools(area) == ("900002", "900009")
    mine = {build_route_key(patrol) for _, patrol in list_patrols(plans[MONDAY].other_mode)}
    assert {build_route_key(patrol) for patrol in mode_week.plan.other_mode.patrols} <= mine


def test_without_another_mode_nothing_changes(area, plan):
    """Where all go the area's way no other patrols are planned, and no mode is written."""
    same = plan_week(_on_foot(area), plan, start=MONDAY)
    document = build_week_document(same)
    assert same.plan.other_mode is None
    assert not same.has_mixed_modes
    assert all("way" not in row for row in document["patrols"])
    assert b"way" not in render_week_csv(Roster(same)).splitlines()[0]


@pytest.mark.slow
def test_an_area_by_bicycle_has_walkers_walk(area, found):
    """Where patrols go by bicycle, officers on foot have patrols on foot."""
    rides = pp.with_settings(area, patrol={"way": "bicycle"})
    plan = pp.plan_patrols(rides, *found, urns=URNS)
    mode_week = plan_week(rides, plan, start=MONDAY)
    assert checker.find_broken_duties(mode_week, area) == []
    assert {duty.patrol.way for duty in mode_week.duties} == {"walk", "bicycle"}


def test_the_week_tells_the_way_and_comes_back(mode_week, area, plan, tmp_path):
    """`mode_week.json` tells how each patrol goes; read again it is the same mode_week."""
    document = json.loads(json.dumps(build_week_document(mode_week)))
    ways = {(row["officer"], row["way"]) for row in document["patrols"]}
    assert ways == {("SSO-02", "walk"), ("SSO-03", "bicycle"), ("SSO-08", "walk")}
    (tmp_path / "week.json").write_text(json.dumps(document), encoding="utf-8")
    again = read_week(tmp_path, area, plan)
    assert build_week_document(again) == document
    assert [duty.patrol.way for duty in again.duties] == [d.patrol.way for d in mode_week.duties]


@pytest.mark.slow
def test_an_absence_is_covered_on_foot(area, plan):
    """A patrol by bicycle that is lost goes to an officer on foot as a patrol on foot."""
    free = dataclasses.replace(area, officers=area.officers.assign(max_patrols_per_week=[3, 4, 5]))
    lock = Lock("SSO-03", "900009", MONDAY)
    bare = plan_week(free, plan, start=MONDAY, locks=[lock])
    stay = [d for d in bare.duties if not (d.officer == "SSO-08" and d.date == MONDAY)]
    held = dataclasses.replace(bare, duties=tuple(stay), locks=())
    repaired = repair_week(held, free, plan, absent={"SSO-03": {MONDAY}}).week
    handed_out = {duty.key for duty in stay}
    new = [duty for duty in repaired.duties if duty.key not in handed_out]
    assert [(duty.officer, duty.patrol.way) for duty in new] == [("SSO-08", "walk")]


@pytest.mark.slow
def test_an_officer_who_is_lent_goes_their_way(area, plan):
    """A lock at a school that nobody rides to is fulfilled by a patrol by bicycle."""
    locks = [Lock("SSO-03", "900007", MONDAY, 0)]
    mode_week = plan_week(area, plan, start=MONDAY, locks=locks)
    [lent] = [duty for duty in mode_week.duties if duty.officer == "SSO-03" and duty.date == MONDAY]
    assert (lent.urn, lent.variant, lent.patrol.way) == ("900007", 0, "bicycle")


def test_an_extract_for_walking_is_announced(area, plan):
    """The mode_week says that roads for bicycles may be missing, as a plan by bicycle does."""
    bare = dataclasses.replace(area, walking_extract=True)
    mode_week = plan_week(bare, dataclasses.replace(plan, area=bare), start=MONDAY)
    assert Note("walking_extract") in mode_week.notes


def test_a_bicycle_slower_than_a_walk_is_an_error(area, plan):
    """Settings that are right on foot are refused where somebody goes by bicycle."""
    slow = pp.with_settings(area, patrol={"cycling_speed_kmh": 4})
    with pytest.raises(pp.InputError, match="SSO-03 goes by bicycle"):
        plan_week(slow, plan, start=MONDAY)


def test_without_the_setting_all_go_one_way_and_the_week_says_so(area, plan):
    """Unless officers are to go their own way, every patrol goes the area's, which is announced."""
    alike = pp.with_settings(area, week={"way_by_officer": False})
    mode_week = plan_week(alike, plan, start=MONDAY)
    assert {duty.patrol.way for duty in mode_week.duties} == {"walk"}
    assert checker.find_broken_duties(mode_week, alike) == []
    note = "SSO-03 goes by bicycle to the gate and between schools, and patrols on foot."
    assert any(row.startswith(note) for row in describe_notes(mode_week.notes))


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


def test_officers_of_one_base_are_as_far(demo_area):
    """Two officers at the same base have the same minutes, in the ratio of their speeds."""
    officers = demo_area.officers.copy()
    officers.geometry = [officers.geometry.iloc[0]] * len(officers)
    area = dataclasses.replace(demo_area, officers=officers)
    settings = pp.with_settings(area, patrol={"cycling_speed_kmh": 14.4}).settings
    found = compute_minutes_from_base(dataclasses.replace(area, settings=settings))
    walks = (officers["mode"] == "walk").to_numpy()
    assert found[walks] == pytest.approx(np.repeat(found[walks][:1], walks.sum(), axis=0))
    if (~walks).any():
        assert 3 * found[~walks][0] == pytest.approx(found[walks][0])
