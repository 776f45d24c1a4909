"""A kind is a record in a table: one that is added is honoured everywhere."""

import datetime as dt
import html
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from outputs.printed import change_settings, read_pages

import patrolplan as pp
from patrolplan.board.requests import AppointmentKind
from patrolplan.inputs.duty_kinds import DUTY_KINDS
from patrolplan.inputs.small_tables import DUTIES, OFFICERS
from patrolplan.outputs.card.card import render_cards
from patrolplan.outputs.gpx import render_gpx
from patrolplan.outputs.pack import ROUTE_FORMATS
from patrolplan.outputs.papers import is_output_name
from patrolplan.outputs.plan_document import build_plan_document
from patrolplan.outputs.routes import list_route_points
from patrolplan.outputs.webmap.map_page import render_map
from patrolplan.patrols.plan import BarredPlace, Tasking
from patrolplan.team.free_time import compute_minutes_from_base, note_modes
from patrolplan.travel import PATROL_WAYS, TRAVEL, PatrolWay, WayOfTravel

RUN = WayOfTravel(words="at a run", verb="run", noun="run", speed_kmh=9.0)


@pytest.fixture
def area(demo_area, monkeypatch):
    """The demo borough with patrols at a run, and one officer who runs to the gate."""
    monkeypatch.setitem(TRAVEL, "run", RUN)
    modes = ["run", *demo_area.officers["mode"].iloc[1:]]
    runs = change_settings(demo_area, patrol={"way": "run"})
    return replace(runs, officers=demo_area.officers.assign(mode=modes))


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # its name is in no schema yet
def test_a_further_way_of_travel_is_honoured_by_costs_and_papers(area, demo_area, demo_plan):
    """Patrols at a run take the minutes of a run, and card, phone, GPX and `plan.json` say so."""
    plan = pp.plan_patrols(area, demo_plan.risk, demo_plan.hotspots, urns=["900003"])
    (patrol,) = plan.patrols
    assert patrol.stops
    for leg in patrol.legs:
        assert leg.moving_minutes == pytest.approx(leg.metres / 150)
    card = "".join(read_pages(render_cards(plan)["cards.pdf"]))
    page = html.unescape(render_map(plan).decode("utf-8"))
    assert "minrun;1:" in card
    assert "Run to stop 1" in page
    assert "at a run" in render_gpx(plan, "900003").decode("utf-8")
    assert build_plan_document(plan)["patrols"][0]["way"] == "run"
    assert not any(words in page for words in ("Walk to", "Ride to", "Riding times"))
    walking, running = (compute_minutes_from_base(one)[0] for one in (demo_area, area))
    assert np.allclose(running, walking * 4.8 / 9)
    assert "at a run" in note_modes(area)[0].text


def test_ways_of_travel_are_those_of_settings_and_officers():
    """The settings take each way that has a verb; the officers' table takes every way."""
    assert get_args(PatrolWay) == PATROL_WAYS
    assert {*PATROL_WAYS} == {name for name, way in TRAVEL.items() if way.verb}
    assert all(way.noun for way in TRAVEL.values() if way.verb)
    (mode,) = (column for column in OFFICERS.columns if column.name == "mode")
    assert all(name in mode.meaning for name in TRAVEL)


def test_duty_kinds_are_those_of_table_and_board():
    """The table's reference names each kind of duty, and the board's request takes each."""
    (kind,) = (column for column in DUTIES.columns if column.name == "kind")
    assert all(name in kind.meaning for name in DUTY_KINDS)
    pattern = AppointmentKind.__metadata__[0].metadata[0].pattern
    assert {*pattern.strip("^()$").split("|")} == {*DUTY_KINDS}


@pytest.mark.parametrize("name", ROUTE_FORMATS)
def test_each_format_has_taskings_and_places_to_keep_away_from(demo_plan, name):
    """What other programs read of a patrol has each stop, its tasking, and each barred place."""
    task = Tasking("T-9", "be seen at this corner", "A", dt.date(2026, 5, 4))
    first, *others = next(one for one in demo_plan.patrols if len(one.stops) > 1).stops
    patrol = next(one for one in demo_plan.patrols if first in one.stops)
    barred = BarredPlace(point=(patrol.x + 60.0, patrol.y), place="Mill Lane", tasking=task)
    stops = (replace(first, tasking=task), *others)
    patrol = replace(patrol, stops=stops, barred=(barred,))
    plan = replace(demo_plan, patrols=(patrol,))
    text = html.unescape(ROUTE_FORMATS[name](plan, patrol.urn).decode("utf-8"))
    points = list_route_points(patrol, plan.area.projection)
    kinds = ["gate", "tasked", *("stop" for _ in others), "keep_away"]
    assert [point.kind for point in points] == kinds
    for point in points:
        assert all(words in text for words in (point.name, point.about))
        assert all(f"{degrees:.6f}"[:-1] in text for degrees in point.degrees)
    assert is_output_name(f"{name}/{patrol.urn}.{name}")
