"""Every paper of a plan and of a week says the same of each patrol: read back, one by one."""

import csv
import datetime as dt
import html
from dataclasses import replace

import pytest
from gpxpy import parse as parse_gpx
from outputs.printed import read_pages, strip_spaces
from outputs.read_back import list_faults

import patrolplan as pp
from patrolplan.cli.console import list_week
from patrolplan.outputs.card.card import render_cards
from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.frames import frame_stops
from patrolplan.outputs.gpx import render_gpx
from patrolplan.outputs.notes_file import render_notes
from patrolplan.outputs.plan_document import build_plan_document
from patrolplan.outputs.webmap.map_page import render_map
from patrolplan.outputs.week.lead_sheet import build_lead_sheet
from patrolplan.outputs.week.roster import Roster
from patrolplan.outputs.week.spreadsheet import render_week_tables
from patrolplan.outputs.wording import describe_barred
from patrolplan.patrols.plan import KEEP_AWAY_METRES, BarredPlace, Tasking
from patrolplan.team.not_met import count_unmet, list_missing
from patrolplan.team.week_file import build_week_document
from patrolplan.text import capitalise

MARKED = "OFFICIAL-SENSITIVE"


def _bar(patrol, name, metres):
    """A barred place so far west of a patrol's whole walk."""
    west, y = patrol.shape.bounds[0] - metres, patrol.shape.centroid.y
    tasking = Tasking(name, f"leave {name} alone", "Insp. A", dt.date(2026, 12, 18))
    return BarredPlace(point=(west, y), place=f"{name} Mews", tasking=tasking)


@pytest.fixture(scope="module", params=["demo", "bloomsbury"])
def plan(request):
    """A plan; each patrol comes near one barred place, and stays far from another."""
    whole = request.getfixturevalue(f"{request.param}_plan")
    patrols = tuple(
        replace(patrol, barred=(_bar(patrol, f"N{n}N", 30.0), _bar(patrol, f"F{n}F", 900.0)))
        for n, patrol in enumerate(whole.patrols)
    )
    return replace(whole, patrols=patrols)


@pytest.fixture(scope="module")
def bloomsbury_week(bloomsbury_area, bloomsbury_plan):
    """A week of the Bloomsbury schools."""
    return pp.plan_week(bloomsbury_area, bloomsbury_plan, start=dt.date(2020, 3, 2))


def test_only_places_near_the_walk_are_kept_away_from(plan):
    """A barred place counts within the distance from gate, stops and legs, and no other."""
    for patrol in plan.patrols:
        walk = [patrol.point, *(stop.point for stop in patrol.stops)]
        walk += [point for leg in patrol.legs for point in leg.line.tolist()]
        for place in patrol.barred:
            away = min(((x - place.x) ** 2 + (y - place.y) ** 2) ** 0.5 for x, y in walk)
            if abs(away - KEEP_AWAY_METRES) > 40:  # points of lines are not far apart
                assert (place in patrol.keep_away) == (away < KEEP_AWAY_METRES)
        assert len(patrol.keep_away) <= 1
    assert any(patrol.keep_away for patrol in plan.patrols)


def test_all_papers_of_a_plan_say_the_same(plan):
    """Card, phone, GPX, layer and `plan.json` agree in places, times, reasons and taskings."""
    files, page = render_cards(plan), html.unescape(render_map(plan).decode("utf-8"))
    rows = frame_stops(plan).groupby("urn")
    crs = plan.area.projection.crs
    for patrol, document in zip(plan.patrols, build_plan_document(plan)["patrols"], strict=True):
        card = "".join(read_pages(files[f"cards/{patrol.urn}.pdf"]))
        gpx = html.unescape(render_gpx(plan, patrol.urn).decode("utf-8"))
        points = parse_gpx(gpx.replace("&", "&amp;")).waypoints
        shown = [place.tasking.place_id for place in patrol.keep_away]
        assert [place["id"] for place in document["keep_away"]] == shown
        assert len([point for point in points if point.type == "keep away"]) == len(shown)
        for place in patrol.barred:
            words, is_shown = describe_barred(place, crs=crs), place in patrol.keep_away
            assert (strip_spaces(words) in card) == (words in page) == (words in gpx) == is_shown
        is_raised = bool(shown) or any(
            stop.tasked or {one.kind for one in stop.why} & {"reports", "way_home"}
            for stop in patrol.stops
        )
        assert document["marking"] == (MARKED if is_raised else "OFFICIAL")
        assert (MARKED in card) == (MARKED in gpx) == is_raised
        facts = list_stop_facts(patrol, crs)
        layer = rows.get_group(patrol.urn) if facts else ()
        assert document["taskings"] == [*patrol.taskings]
        assert len(document["stops"]) == len(layer) == len(facts)
        for one, row, told in zip(facts, getattr(layer, "why", ()), document["stops"], strict=True):
            assert (told["arrive"], told["leave"]) == (one.arrive, one.leave)
            assert told["why"] == one.list_sentences("short")
            assert told["why_long"] == one.list_sentences()
            assert row == " ".join(told["why_long"])
            assert " ".join(told["why_long"]) in gpx
            assert all(line.text in page for line in one.list_why())
            lines = [] if one.earlier else told["why"][bool(one.tasking) :]
            assert all(strip_spaces(line) in card for line in lines)
            assert one.tasking in page
            assert strip_spaces(one.tasking) in card


@pytest.mark.parametrize("name", ["demo", "bloomsbury"])
def test_all_papers_of_a_week_say_the_same(request, name, tmp_path):
    """Cards, phone, task sheets, calendars, table, school sheets and `week.json` agree."""
    week = request.getfixturevalue(f"{name}_week")
    pp.write_pack(week, tmp_path / "out")
    assert list_faults(week, tmp_path / "out", None) == []


def test_minutes_over_a_days_maximum_are_noted(demo_week):
    """A place at which the week stands longer on a day than the maximum is named in a note."""
    minutes = {}
    for stay in demo_week.stays:
        for name in stay.names:
            key = name, stay.date
            minutes[key] = minutes.get(key, 0) + stay.to_minutes - stay.from_minutes
    most = demo_week.plan.area.settings.week.max_dose_minutes_per_day
    noted = " ".join(note.text for note in demo_week.notes)
    hotspots = {*demo_week.plan.hotspots["hotspot"]}
    over = {name for (name, _), much in minutes.items() if much > most + 1 and name in hotspots}
    assert over
    assert all(f"{name} " in noted for name in over)


def test_all_that_is_not_met_is_told_alike(demo_week):
    """Lead's sheet, notes, table, screen and `week.json` have the same rows and reasons."""
    roster = Roster(demo_week)
    lead = "".join(read_pages(build_lead_sheet(roster).render(demo_week.plan)))
    notes = " ".join(render_notes(demo_week).decode("utf-8").split())
    table = csv.DictReader(render_week_tables(roster)["unmet.csv"].decode("utf-8-sig").splitlines())
    printed = [(row["kind"], row["what"], row["urn"], row["why"]) for row in table]
    unmet = [row for row in demo_week.unmet if row.kind != "closed"]
    assert printed == [(row.kind, row.what, row.urn or "", row.why) for row in unmet]
    rows = build_week_document(demo_week)["unmet"]
    assert [(row["kind"], row["what"], row["place"], row["why"], row["fix"]) for row in rows] == [
        (row.kind, row.what, row.place, row.why, row.fix) for row in demo_week.unmet
    ]
    streets = list_missing(unmet, "street")
    assert {row.kind for row in unmet} >= {"visit", "street", "day"}
    for row in unmet:
        assert capitalise(f"{row}.") in notes
        if row.kind != "day":
            assert strip_spaces(row.why) in lead
            assert strip_spaces(row.fix) in lead
            assert row in streets[5:] or strip_spaces(row.what) in lead
    assert count_unmet(unmet) in " ".join(list_week(demo_week))
