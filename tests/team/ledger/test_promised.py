"""What a week's folder hands out is what the week promises."""

import dataclasses
import datetime as dt
import json

import numpy as np
import pytest
import shapely

from patrolplan.atomic import WEEK_FILE
from patrolplan.errors import InputError
from patrolplan.outputs.output_folder import write_json
from patrolplan.patrols.plan import Tasking
from patrolplan.team.ledger.promised import (
    HOTSPOTS_FILE,
    build_hotspots_document,
    build_promised_week,
    read_promised_week,
)
from patrolplan.team.week_file import build_week_document


@pytest.fixture
def folder(tmp_path, week):
    """The two files of a week's folder that the ledger reads."""
    write_json(tmp_path / WEEK_FILE, build_week_document(week))
    write_json(tmp_path / HOTSPOTS_FILE, build_hotspots_document(week))
    return tmp_path


def test_a_folder_hands_out_what_the_week_promises(folder, promised_week):
    """Days, doses and hotspots read from the folder are those of the calls."""
    assert read_promised_week(folder) == promised_week


def test_a_hotspot_that_is_lost_is_reported(folder, promised_week):
    """A dose in a place that the folder does not know is no dose."""
    name = promised_week.doses[0]["id"]
    spots = json.loads((folder / HOTSPOTS_FILE).read_text(encoding="utf-8"))
    others = [row for row in spots["features"] if row["properties"]["id"] != name]
    write_json(folder / HOTSPOTS_FILE, {**spots, "features": others})
    with pytest.raises(InputError, match=rf"hotspots\.geojson lacks {name}"):
        read_promised_week(folder)


def test_a_tasked_place_with_a_hotspots_name_is_a_place_of_its_own(week):
    """A dose at a tasked place is where the officer stands, not at the hotspot of that name."""
    duty = next(duty for duty in week.duties if duty.patrol.stops)
    spot = week.plan.hotspots.iloc[0]
    tasking = Tasking(spot["hotspot"], "a reason", "A", dt.date(2026, 12, 18))
    name = f"{spot['hotspot']} (tasked)"
    stop = duty.patrol.stops[0]
    stop = dataclasses.replace(stop, id="P1-1a", hotspot=name, kind="tasked", tasking=tasking)
    patrol = dataclasses.replace(duty.patrol, stops=(stop, *duty.patrol.stops[1:]))
    other = dataclasses.replace(week, duties=(dataclasses.replace(duty, patrol=patrol),))
    properties = [row["properties"] for row in build_hotspots_document(other)["features"]]
    (row,) = [row for row in properties if row["kind"] == "tasked"]
    assert row["hotspot"] == stop.hotspot
    assert row["place"] == stop.place
    assert build_promised_week(other).doses[0]["id"] == row["id"]
    assert [row["kind"] for row in properties if row["hotspot"] == spot["hotspot"]] == ["hotspot"]


def test_every_place_where_a_week_stands_is_handed_out(week, promised_week):
    """Each stop of the week is its place's own, or one of its further points."""
    spots = {spot["id"]: spot for spot in promised_week.hotspots}
    elsewhere = 0
    for stop in (stop for duty in week.duties for stop in duty.patrol.stops):
        spot = spots[stop.id]
        points = shapely.get_coordinates(shapely.from_wkt(spot["shape"]))
        assert points[0] == pytest.approx([spot["longitude"], spot["latitude"]])
        xy = np.column_stack(week.plan.area.projection.to_metres(*np.transpose(points)))
        away = np.hypot(*(xy - (stop.x, stop.y)).T)
        assert away.min() < 0.5
        elsewhere += away[0] > 1
    assert elsewhere  # a corner in the same part of a square as a hotspot
