"""The doses that a week promises: from a week, or from the folder that it was written to."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.atomic import WEEK_FILE, hash_content
from patrolplan.errors import InputError
from patrolplan.patrols.designated import find_territories
from patrolplan.settings.patrol import AFTER_SCHOOL
from patrolplan.team.ledger.visits import SAME_STOP_METRES
from patrolplan.team.week import Week
from patrolplan.team.week_file import build_week_document

HOTSPOTS_FILE = "hotspots.geojson"
DECIMALS = 6


@dataclass(frozen=True)
class PromisedWeek:
    """A week as it is handed out: its days, its promised doses and all hotspots of its plan.

    `doses` and `hotspots` are rows of these tables of `patrolplan.team.ledger.schema`, without the
    number of the handout.
    """

    days: tuple[dt.date, ...]
    doses: tuple[dict[str, Any], ...]
    hotspots: tuple[dict[str, Any], ...]


def compute_digest(week: PromisedWeek) -> str:
    """A digest that identifies a week handed out."""
    content = [week.days, week.doses, week.hotspots]
    text = json.dumps(content, default=str, sort_keys=True)
    return hash_content(text)


def build_promised_week(week: Week) -> PromisedWeek:
    """The doses that a week promises, and the hotspots of the plan it was chosen from."""
    return _parse_promised_week(build_week_document(week), build_hotspots_document(week))


def build_hotspots_document(week: Week) -> dict[str, Any]:
    """All beats of a week's plan as GeoJSON, with the places tasked by intelligence.

    A visit anywhere on a beat counts for the account of the hotspot that leads it. A feature is a
    beat: its stretches, and as properties `hotspot`, `kind`, `place`, `stop` [lon, lat] and
    `other_stops`, other places where patrols of the week stand for it: tasked ones. One that the
    force designates has its whole polygon: presence anywhere in it counts. A tasked place is a
    point.
    """
    table = week.plan.hotspots
    projection = week.plan.area.projection
    rows = [
        (name, kind, place, stop, stretch)
        for name, kind, place, stop, stretch in zip(
            *(table[column] for column in ("hotspot", "kind", "place", "stop")),
            find_territories(week.plan.area, table),
            strict=True,
        )
    ]
    names = set(table["hotspot"])  # a week handed out may stop at hotspots of an earlier plan
    others = {
        stop.hotspot: (stop.hotspot, stop.kind, stop.place, point, point)
        for duty in week.duties
        for stop in duty.patrol.stops
        if (stop.kind == "tasked" or stop.hotspot not in names)
        and (point := shapely.Point(stop.x, stop.y))
    }
    rows += [others[name] for name in sorted(others)]

    def to_degrees(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(projection.to_degrees(*xy.T))

    stops = shapely.get_coordinates([stop for *_, stop, _ in rows])
    stretches = shapely.transform(np.array([shape for *_, shape in rows], dtype=object), to_degrees)
    visited: dict[str, set[tuple[float, float]]] = {}
    for duty in week.duties:
        for stop in duty.patrol.stops:
            visited.setdefault(stop.hotspot, set()).add((stop.x, stop.y))
    other_stops = {
        name: to_degrees(np.array(found)).tolist()
        for (name, *_), own in zip(rows, stops, strict=True)
        if (found := _list_others(visited.get(name, set()), own))
    }
    features = [
        {
            "type": "Feature",
            "properties": {
                "hotspot": name,
                "kind": kind,
                "place": place,
                "stop": stop,
                "other_stops": other_stops.get(name, []),
            },
            "geometry": shapely.geometry.mapping(stretch),
        }
        for (name, kind, place, *_), stop, stretch in zip(
            rows, to_degrees(stops).tolist(), stretches, strict=True
        )
    ]
    return {"type": "FeatureCollection", "features": features}


def _list_others(
    visited: Iterable[tuple[float, float]], own: NDArray[np.float64]
) -> list[tuple[float, float]]:
    """Stops that are not a hotspot's own one, in metres."""
    return sorted(xy for xy in visited if np.hypot(*(xy - own)) > SAME_STOP_METRES)


def read_promised_week(folder: Path) -> PromisedWeek:
    """The doses that a folder written by `patrolplan week --out` promises.

    Raises InputError when the folder holds no week, or one without its stops.
    """
    documents = _read_json(folder, WEEK_FILE), _read_json(folder, HOTSPOTS_FILE)
    try:
        week = _parse_promised_week(*documents)
    except (KeyError, TypeError, ValueError, IndexError, shapely.errors.ShapelyError) as error:
        what = f"is not in the form that `patrolplan week` writes ({type(error).__name__}: {error})"
        raise InputError.one(folder, what, "write the week again") from None
    names = {spot["hotspot"] for spot in week.hotspots}
    missing = sorted({dose["hotspot"] for dose in week.doses} - names)
    if missing or not week.days:
        what = f"{HOTSPOTS_FILE} lacks {', '.join(missing[:5])}" if missing else "contains no days"
        raise InputError.one(folder, what, "write the week again")
    return week


def _parse_promised_week(week: Mapping[str, Any], hotspots: Mapping[str, Any]) -> PromisedWeek:
    """The promise in the contents of `week.json` and `hotspots.geojson`."""
    doses = [
        {
            "officer": str(patrol["officer"]),
            "date": dt.date.fromisoformat(patrol["date"]),
            "urn": str(patrol["urn"]),
            "window": str(week["routes"][patrol["route"]].get("window", AFTER_SCHOOL)),
            "stop": number,
            "school": str(week["routes"][patrol["route"]]["school"]),
            "hotspot": str(stop["hotspot"]),
            "arrive": str(stop["arrive"]),
            "minutes": _count_minutes(stop["arrive"], stop["leave"]),
            "people": 1 + len(patrol.get("crew", ())),
            "crew": ";".join(map(str, patrol.get("crew", ()))),
        }
        for patrol in week["patrols"]
        for number, stop in enumerate(patrol["stops"], start=1)
    ]
    days = {dt.date.fromisoformat(day) for day in week["days"]}
    spots = tuple(_build_hotspot_row(feature) for feature in hotspots["features"])
    return PromisedWeek(tuple(sorted(days)), tuple(doses), spots)


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = "name the folder that `patrolplan week --out` wrote"
        raise InputError.one(path, "there is no such file", remedy) from None
    except (OSError, ValueError) as error:
        raise InputError.one(path, f"cannot be read ({error})", "write the week again") from None
    if not isinstance(document, dict):
        raise InputError.one(path, "is not a JSON object", "write the week again")
    return document


def _build_hotspot_row(feature: Mapping[str, Any]) -> dict[str, Any]:
    properties = feature["properties"]
    shape = shapely.geometry.shape(feature["geometry"])
    if others := properties.get("other_stops"):
        parts = [*shapely.get_parts(shape), *shapely.points(np.array(others, dtype=np.float64))]
        shape = shapely.GeometryCollection(parts)
    stretch = shapely.to_wkt(shape, rounding_precision=DECIMALS)
    return {
        "hotspot": str(properties["hotspot"]),
        "kind": str(properties["kind"]),
        "place": str(properties["place"]),
        "longitude": float(properties["stop"][0]),
        "latitude": float(properties["stop"][1]),
        "stretch": stretch,
    }


def _count_minutes(arrive: str, leave: str) -> float:
    """Minutes promised, as the card shows them, between two times of day (HH:MM)."""
    begin, end = (int(text[:2]) * 60 + int(text[3:]) for text in (arrive, leave))
    return float((end - begin) % 1440)
