"""What the force designates is accounted for under its own id, wherever in it somebody stood."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from patrolplan.outputs.week.spreadsheet import build_return_tables
from patrolplan.team.ledger.promised import build_hotspots_document, build_promised_week


@pytest.fixture(scope="module")
def designated_week(week):
    """The demo week, as if the force designated two hotspots: one with doses, one without."""
    plan = week.plan
    visited = {stop.hotspot for duty in week.duties for stop in duty.patrol.stops}
    table = plan.hotspots.set_index("hotspot").geometry
    names = [
        next(name for name in table.index if name in visited),
        next(name for name in table.index if name not in visited),
    ]
    polygons = gpd.GeoDataFrame(
        {"place_id": names}, geometry=[table[name].buffer(40) for name in names], crs=table.crs
    )
    is_force = plan.hotspots["hotspot"].isin(names)
    hotspots = plan.hotspots.assign(kind=np.where(is_force, "designated", "hotspot"))
    area = replace(plan.area, designated=polygons)
    duties = []
    for duty in week.duties:
        stops = tuple(
            replace(stop, kind="designated") if stop.hotspot in names else stop
            for stop in duty.patrol.stops
        )
        duties.append(replace(duty, patrol=replace(duty.patrol, stops=stops)))
    plan = replace(plan, area=area, hotspots=hotspots)
    return names, replace(week, plan=plan, duties=tuple(duties))


def test_its_whole_polygon_is_handed_out(designated_week):
    """The other hotspots are the points where patrols stand."""
    names, week = designated_week
    features = build_hotspots_document(week)["features"]
    shape_of = {row["properties"]["hotspot"]: row["geometry"]["type"] for row in features}
    kind_of = {row["properties"]["hotspot"]: row["properties"]["kind"] for row in features}
    assert {shape_of[name] for name in names} == {"Polygon"}
    assert {kind_of[name] for name in names} == {"designated"}
    assert "Polygon" not in {shape_of[name] for name in set(shape_of) - set(names)}


def test_a_return_has_a_row_for_each(ledger, designated_week, visit):
    """A visit at another place of the polygon counts for it; where nobody was, there are zeros."""
    (dosed, none), week = designated_week
    promised = build_promised_week(week)
    ledger.hand_out(promised)
    doses = [dose for dose in promised.doses if dose["id"] == dosed and dose["date"].month == 12]
    spot = next(one for one in promised.hotspots if one["hotspot"] == dosed)
    corner = shapely.get_coordinates(shapely.from_wkt(spot["shape"]))[0].tolist()
    place = dict(zip(("longitude", "latitude"), corner, strict=True))
    who = {name: doses[0][name] for name in ("officer", "date", "urn", "id")}
    ledger.record([visit(0, 12.0, kind="designated", hotspot=dosed, **who, **place)])
    table = build_return_tables(ledger, "2026-12")["by-designated"].set_index("place_id")
    assert sorted(table.index) == sorted([dosed, none])
    assert table.loc[dosed, "promised_minutes"] == sum(dose["minutes"] for dose in doses)
    assert table.loc[dosed, "delivered_minutes"] == 12.0
    assert table.loc[none, ["promised_visits", "presence_minutes"]].tolist() == [0, 0.0]
