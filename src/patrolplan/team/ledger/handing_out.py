"""Week -> `HandOut`: the doses that a week promises, from the calls or from its folder."""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from patrolplan.errors import InputError
from patrolplan.patrols.plans import Plan
from patrolplan.patrols.plans import clock
from patrolplan.team.ledger.entries import HandOut
from patrolplan.team.week import Week

HOTSPOTS_FILE = "hotspots.geojson"
WEEK_FILE = "week.json"
DECIMALS = 6


def handed_out(week: Week) -> HandOut:
    """The doses that a week promises, and the hotspots of the plan it was chosen from."""
    doses = [
        {
            "officer": duty.officer,
            "date": duty.date,
            "urn": duty.urn,
            "stop": number,
            "school": duty.patrol.school,
            "hotspot": stop.hotspot,
            "arrive": clock(stop.arrive_minutes),
            "minutes": _whole_minutes(clock(stop.arrive_minutes), clock(stop.leave_minutes)),
        }
        for duty in week.duties
        for number, stop in enumerate(duty.patrol.stops, start=1)
    ]
    spots = [_spot(feature) for feature in hotspots_document(week)["features"]]
    return HandOut(week.days, tuple(doses), tuple(spots))


def hotspots_document(week: Week) -> dict[str, Any]:
    """All hotspots of a week's plan as GeoJSON, with the places tasked by intelligence.

    Returns
    -------
    dict
        A feature a hotspot: its stretch, and as properties `hotspot`, `place` and `stop` [lon,
        lat]. A tasked place that is no hotspot is a point.
    """
    plan = week.plan
    table = plan.hotspots
    stops = gpd.GeoSeries(table["stop"])
    rows = [*zip(table["hotspot"], table["place"], stops.x, stops.y, table.geometry, strict=True)]
    known = {row[0] for row in rows}
    tasked = {
        stop.hotspot: (stop.hotspot, stop.place, stop.x, stop.y, shapely.Point(stop.x, stop.y))
        for duty in week.duties
        for stop in duty.patrol.stops
        if stop.hotspot not in known
    }
    rows += [tasked[name] for name in sorted(tasked)]
    features = []
    for name, place, x, y, shape in rows:
        longitude, latitude = plan.area.projection.to_degrees([x], [y])
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "hotspot": name,
                    "place": place,
                    "stop": [float(longitude[0]), float(latitude[0])],
                },
                "geometry": shapely.geometry.mapping(_in_degrees(shape, plan)),
            }
        )
    return {"type": "FeatureCollection", "features": features}


def read_handed_out(folder: Path) -> HandOut:
    """The doses that a folder written by `patrolplan week --out` promises.

    Raises
    ------
    InputError
        When the folder holds no week, or one without its stops.
    """
    week, spots = _document(folder, WEEK_FILE), _document(folder, HOTSPOTS_FILE)
    try:
        doses = [
            {
                "officer": str(patrol["officer"]),
                "date": dt.date.fromisoformat(patrol["date"]),
                "urn": str(patrol["urn"]),
                "stop": number,
                "school": str(week["routes"][patrol["route"]]["school"]),
                "hotspot": str(stop["hotspot"]),
                "arrive": str(stop["arrive"]),
                "minutes": _whole_minutes(stop["arrive"], stop["leave"]),
            }
            for patrol in week["patrols"]
            for number, stop in enumerate(patrol["stops"], start=1)
        ]
        days = {dt.date.fromisoformat(day) for day in week["days"]}
        hotspots = tuple(_spot(feature) for feature in spots["features"])
    except (KeyError, TypeError, ValueError, IndexError, shapely.errors.ShapelyError) as error:
        what = f"is not as `patrolplan week` writes it ({type(error).__name__}: {error})"
        raise InputError.one(folder, what, "write the week again") from None
    named = {spot["hotspot"] for spot in hotspots}
    lost = sorted({str(dose["hotspot"]) for dose in doses} - named)
    if lost or not days:
        what = f"{HOTSPOTS_FILE} lacks {', '.join(lost[:5])}" if lost else "holds no day"
        raise InputError.one(folder, what, "write the week again")
    return HandOut(tuple(sorted(days)), tuple(doses), hotspots)


def _document(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = "name the folder that `patrolplan week --out` wrote"
        raise InputError.one(path, "there is no such file", remedy) from None
    except (OSError, ValueError) as error:
        raise InputError.one(path, f"cannot be read ({error})", "write the week again") from None
    if not isinstance(found, dict):
        raise InputError.one(path, "is no JSON object", "write the week again")
    return found


def _spot(feature: Mapping[str, Any]) -> dict[str, Any]:
    named = feature["properties"]
    shape = shapely.geometry.shape(feature["geometry"])
    return {
        "hotspot": str(named["hotspot"]),
        "place": str(named["place"]),
        "longitude": float(named["stop"][0]),
        "latitude": float(named["stop"][1]),
        "stretch": shapely.to_wkt(shape, rounding_precision=DECIMALS),
    }


def _in_degrees(shape: shapely.Geometry, plan: Plan) -> shapely.Geometry:
    return shapely.transform(
        shape, lambda xy: np.column_stack(plan.area.projection.to_degrees(*xy.T))
    )


def _whole_minutes(arrive: str, leave: str) -> float:
    """Minutes promised, as the card shows them."""
    begin, end = (int(text[:2]) * 60 + int(text[3:]) for text in (arrive, leave))
    return float((end - begin) % 1440)
