"""The doses that a week promises: from a week, or from the folder that it was written to."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from patrolplan.area.square_names import name_places
from patrolplan.crs import DEGREES
from patrolplan.errors import InputError
from patrolplan.hotspots import DESIGNATED, OWN
from patrolplan.patrols.plan import Stop
from patrolplan.team.stays import list_visited
from patrolplan.team.week import Week
from patrolplan.team.week_file import read_week_alone
from patrolplan.times import format_time

HOTSPOTS_FILE = "hotspots.geojson"
DECIMALS = 6


@dataclass(frozen=True)
class PromisedWeek:
    """A week as it is handed out: its days, and rows of the ledger's doses and hotspots."""

    days: tuple[dt.date, ...]
    doses: tuple[dict[str, Any], ...]
    hotspots: tuple[dict[str, Any], ...]


def build_promised_week(week: Week) -> PromisedWeek:
    """The doses that a week promises, and the hotspots of the plan it was chosen from."""
    return _build_promised_week(week, build_hotspots_document(week))


def list_place_ids(hotspots: gpd.GeoDataFrame, crs: str) -> list[str]:
    """The ID of each hotspot's place; that of one which the force designates is the force's own."""
    ids = name_places(hotspots[["stop_x", "stop_y"]].to_numpy(), crs)
    rows = zip(hotspots["hotspot"], hotspots["kind"], ids, strict=True)
    return [name if kind == DESIGNATED else own for name, kind, own in rows]


def get_place_id(stop: Stop) -> str:
    """The ID of a stop's place; in a hotspot which the force designates it is the force's own."""
    return stop.hotspot if stop.kind == DESIGNATED else stop.id


def build_hotspots_document(week: Week) -> dict[str, Any]:
    """All hotspots of a week's plan as GeoJSON, with the other places where its patrols stand."""
    # A feature is a place: the point where patrols stand, and as properties `id`, `hotspot`,
    # `kind`, `place`, `stop` [lon, lat] and `sees`, the IDs of the hotspots in view. One that the
    # force designates has its whole polygon: presence anywhere in it counts. Of hotspots and
    # corners at one place, one with a patrol gives the name.
    table, area = week.plan.hotspots, week.plan.area
    stops = [stop for duty in week.duties for stop in duty.patrol.stops]
    stops.sort(key=lambda stop: stop.kind != OWN)
    ids = dict(zip(table["hotspot"], list_place_ids(table, area.projection.crs), strict=True))
    columns = (table[name] for name in ("hotspot", "kind", "place", "stop_x", "stop_y"))
    rows = [(get_place_id(one), one.hotspot, one.kind, one.place, *one.point) for one in stops]
    rows += [(ids[row[0]], *row) for row in zip(*columns, strict=True)]
    x, y = np.reshape([row[4:] for row in rows], (-1, 2)).T
    degrees = zip(*(side.tolist() for side in area.projection.to_degrees(x, y)), strict=True)
    places: dict[str, dict[str, Any]] = {}
    for (own_id, name, kind, place, *_), point in zip(rows, degrees, strict=True):
        facts = {"id": own_id, "hotspot": name, "kind": kind, "place": place}
        places.setdefault(own_id, {**facts, "stop": list(point), "sees": set()})
    for stop in stops:
        own_id = get_place_id(stop)
        seen = {ids[name] for name in list_visited(stop) if name in ids}
        places[own_id]["sees"] |= seen - {own_id}
    shapes = {own_id: shapely.Point(facts["stop"]) for own_id, facts in places.items()}
    if area.designated is not None:
        polygons = area.designated.geometry.to_crs(DEGREES)
        shapes |= dict(zip(area.designated["place_id"], polygons, strict=True))
    features = [
        {
            "type": "Feature",
            "properties": {**facts, "sees": sorted(facts["sees"])},
            "geometry": shapely.geometry.mapping(shapes[own_id]),
        }
        for own_id, facts in places.items()
    ]
    return {"type": "FeatureCollection", "features": features}


def read_promised_week(folder: Path) -> PromisedWeek:
    """The doses that a folder written by `patrolplan week --out` promises."""
    path = folder / HOTSPOTS_FILE
    week = read_week_alone(folder)
    try:
        promised = _build_promised_week(week, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, LookupError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
        what = f"is not in the form that `patrolplan week` writes ({type(error).__name__}: {error})"
        raise InputError.one(path, what, "write the week again") from None
    known = {spot["id"] for spot in promised.hotspots}
    if missing := sorted({dose["id"] for dose in promised.doses} - known):
        what = f"{HOTSPOTS_FILE} lacks {', '.join(missing[:5])}"
        raise InputError.one(folder, what, "write the week again")
    return promised


def _build_promised_week(week: Week, hotspots: Mapping[str, Any]) -> PromisedWeek:
    """What a week promises, with the content of `hotspots.geojson`."""
    doses = [
        {
            "officer": stay.duty.officer,
            "date": stay.date,
            "urn": stay.duty.urn,
            "window": stay.duty.window,
            "stop": stay.number,
            "school": stay.duty.patrol.school,
            "id": get_place_id(stay.stop),
            "arrive": format_time(stay.from_minutes),
            # As the card shows them, waiting for the next stop included.
            "minutes": float((round(stay.to_minutes) - round(stay.from_minutes)) % 1440),
            "people": len(stay.officers),
            "crew": ";".join(stay.duty.crew),
        }
        for stay in week.stays
        if stay.stop is not None
    ]
    spots, names = [], ("id", "hotspot", "kind", "place")
    for feature in hotspots["features"]:
        facts, shape = feature["properties"], shapely.geometry.shape(feature["geometry"])
        spot: dict[str, Any] = {name: str(facts[name]) for name in names}
        spot |= {"longitude": float(facts["stop"][0]), "latitude": float(facts["stop"][1])}
        spot["shape"] = shapely.to_wkt(shape, rounding_precision=DECIMALS)
        spots.append(spot | {"sees": ";".join(map(str, facts["sees"]))})
    return PromisedWeek(week.days, tuple(doses), tuple(spots))
