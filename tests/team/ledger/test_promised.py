"""What a week's folder hands out is what the week promises."""

import datetime as dt
import json
import math
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from team.slow_counts import list_stops

from patrolplan.atomic import WEEK_FILE
from patrolplan.errors import InputError
from patrolplan.outputs.output_folder import write_json
from patrolplan.outputs.week.spreadsheet import build_return_tables
from patrolplan.patrols.plan import Tasking
from patrolplan.team.ledger import promised
from patrolplan.team.week_file import build_week_document


@pytest.fixture
def folder(tmp_path, week):
    """The two files of a week's folder that the ledger reads."""
    write_json(tmp_path / WEEK_FILE, build_week_document(week))
    write_json(tmp_path / promised.HOTSPOTS_FILE, promised.build_hotspots_document(week))
    return tmp_path


def test_a_folder_hands_out_what_the_week_promises(folder, promised_week):
    """Days, doses and hotspots read from the folder are those of the calls."""
    assert promised.read_promised_week(folder) == promised_week


def test_a_hotspot_that_is_lost_is_reported(folder, promised_week):
    """A dose in a place that the folder does not know is no dose."""
    name = promised_week.doses[0]["id"]
    spots = json.loads((folder / promised.HOTSPOTS_FILE).read_text(encoding="utf-8"))
    others = [row for row in spots["features"] if row["properties"]["id"] != name]
    write_json(folder / promised.HOTSPOTS_FILE, {**spots, "features": others})
    with pytest.raises(InputError, match=rf"hotspots\.geojson lacks {name}"):
        promised.read_promised_week(folder)


def test_a_tasked_place_with_a_hotspots_name_is_a_place_of_its_own(week):
    """A dose at a tasked place is where the officer stands, not at the hotspot of that name."""
    duty = next(duty for duty in week.duties if duty.patrol.stops)
    spot = week.plan.hotspots.iloc[0]
    tasking = Tasking(spot["hotspot"], "a reason", "A", dt.date(2026, 12, 18))
    name = f"{spot['hotspot']} (tasked)"
    stop = duty.patrol.stops[0]
    stop = replace(stop, id="P1-1a", hotspot=name, kind="tasked", tasking=tasking)
    patrol = replace(duty.patrol, stops=(stop, *duty.patrol.stops[1:]))
    other = replace(week, duties=(replace(duty, patrol=patrol),))
    properties = [row["properties"] for row in promised.build_hotspots_document(other)["features"]]
    (row,) = [row for row in properties if row["kind"] == "tasked"]
    assert row["hotspot"] == stop.hotspot
    assert row["place"] == stop.place
    assert promised.build_promised_week(other).doses[0]["id"] == row["id"]
    assert [row["kind"] for row in properties if row["hotspot"] == spot["hotspot"]] == ["hotspot"]


def test_every_place_where_a_week_stands_is_handed_out(week, promised_week):
    """Each stop of the week is where its place is: an ID names one place."""
    spots = {spot["id"]: spot for spot in promised_week.hotspots}
    for _, stop in list_stops(week):
        spot = spots[stop.id]
        (point,) = shapely.get_coordinates(shapely.from_wkt(spot["shape"]))
        assert point == pytest.approx([spot["longitude"], spot["latitude"]])
        xy = week.plan.area.projection.to_metres(*point)
        assert math.dist(xy, stop.point) < 0.5


@pytest.fixture(scope="module")
def designated_week(week):
    """The demo week, as if the force designated two hotspots: one with doses, one without."""
    plan = week.plan
    table = plan.hotspots.set_index("hotspot").geometry
    is_visited = table.index.isin([stop.hotspot for _, stop in list_stops(week)])
    names = [table.index[is_visited][0], table.index[~is_visited][0]]
    shapes = table[names].buffer(40).to_list()
    polygons = gpd.GeoDataFrame({"place_id": names}, geometry=shapes, crs=table.crs)
    is_force = plan.hotspots["hotspot"].isin(names)
    hotspots = plan.hotspots.assign(kind=np.where(is_force, "designated", "hotspot"))
    area = replace(plan.area, designated=polygons)

    def mark(stop):
        return replace(stop, kind="designated") if stop.hotspot in names else stop

    duties = []
    for duty in week.duties:
        patrol = replace(duty.patrol, stops=tuple(map(mark, duty.patrol.stops)))
        duties.append(replace(duty, patrol=patrol))
    plan = replace(plan, area=area, hotspots=hotspots)
    return names, replace(week, plan=plan, duties=tuple(duties))


def test_its_whole_polygon_is_handed_out(designated_week):
    """The other hotspots are the points where patrols stand."""
    names, week = designated_week
    features = promised.build_hotspots_document(week)["features"]
    rows = [(row["properties"], row["geometry"]["type"]) for row in features]
    mine = {(one["hotspot"], one["kind"]) for one, shape in rows if shape == "Polygon"}
    assert mine == {(name, "designated") for name in names}


def test_a_return_has_a_row_for_each(ledger, designated_week, visit):
    """A visit at another place of the polygon counts for it; where nobody was, there are zeros."""
    (dosed, none), week = designated_week
    given = promised.build_promised_week(week)
    ledger.hand_out(given)
    doses = [dose for dose in given.doses if dose["id"] == dosed and dose["date"].month == 12]
    spot = next(one for one in given.hotspots if one["hotspot"] == dosed)
    corner = shapely.get_coordinates(shapely.from_wkt(spot["shape"]))[0].tolist()
    place = dict(zip(("longitude", "latitude"), corner, strict=True))
    who = {name: doses[0][name] for name in ("officer", "date", "urn", "id")}
    ledger.record([visit(0, 12.0, kind="designated", hotspot=dosed, **who, **place)])
    table = build_return_tables(ledger, "2026-12")["by-designated"].set_index("place_id")
    assert sorted(table.index) == sorted([dosed, none])
    assert table.loc[dosed, "promised_minutes"] == sum(dose["minutes"] for dose in doses)
    assert table.loc[dosed, "delivered_minutes"] == 12.0
    assert table.loc[none, ["promised_visits", "presence_minutes"]].tolist() == [0, 0.0]
