"""Week -> `PromisedWeek`: the doses that a week promises, from the calls or from its folder.

What is entered into the ledger: a week handed out, and visits.

The same place under another name: hotspots are named anew by every plan, streets stay.

H3 of one month need not be H3 of the next, so a dose never finds its hotspot by name. The rule: a
dose belongs to the hotspot whose stretch is nearest to the stop where it was given, if that is
within 50 m; else its place is no hotspot any more.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from patrolplan.atomic import hash_content
from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.network import StreetNetwork
from patrolplan.patrols.plan import Plan, format_time
from patrolplan.team.week import Week

MAX_VISIT_MINUTES = 720.0
"""More minutes than this in one place on one day are a slip of the pen."""


@dataclass(frozen=True)
class PromisedWeek:
    """A week as it is handed out: its days, its promised doses and all hotspots of its plan.

    Parameters
    ----------
    days
        The days it stands for.
    doses
        Rows of `patrolplan.team.ledger.schema.doses`, without the number of the handout.
    hotspots
        Rows of `patrolplan.team.ledger.schema.hotspots`, likewise.
    """

    days: tuple[dt.date, ...]
    doses: tuple[dict[str, Any], ...]
    hotspots: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Visit:
    """Minutes that an officer spent at a hotspot on a day; none where it was not visited.

    Parameters
    ----------
    officer, date, urn
        Who, when, and for which school.
    hotspot, place, longitude, latitude
        Which hotspot of the week handed out; words and stop tell it apart when names change.
    minutes
        Minutes delivered.
    engagements
        People spoken to; None where nobody told.
    source
        "keyboard", "csv" or "gpx".
    """

    officer: str
    date: dt.date
    urn: str
    hotspot: str
    place: str
    longitude: float
    latitude: float
    minutes: float
    engagements: int | None
    source: str

    def row(self) -> dict[str, Any]:
        """As a row of the table."""
        return dict(vars(self))


@dataclass(frozen=True)
class VisitEntry:
    """What became of a visit: "new", "same" as it stands, or "corrected"."""

    visit: Visit
    outcome: str
    revision: int
    minutes_before: float | None = None

    @classmethod
    def after(cls, visit: Visit, latest: Sequence[Any] | None) -> Self:
        """The entry that follows what stands: its revision, minutes and engagements, or None."""
        if latest is None:
            return cls(visit, "new", 1)
        revision, minutes, engagements = latest
        if visit.engagements is None:
            visit = replace(visit, engagements=engagements)
        if (visit.minutes, visit.engagements) == (minutes, engagements):
            return cls(visit, "same", revision, minutes)
        return cls(visit, "corrected", revision + 1, minutes)


def compute_digest(week: PromisedWeek) -> str:
    """What tells one handed-out week from another."""
    text = json.dumps([week.days, week.doses, week.hotspots], default=str, sort_keys=True)
    return hash_content(text)


HOTSPOTS_FILE = "hotspots.geojson"
WEEK_FILE = "week.json"
DECIMALS = 6


def build_promised_week(week: Week) -> PromisedWeek:
    """The doses that a week promises, and the hotspots of the plan it was chosen from."""
    doses = [
        {
            "officer": duty.officer,
            "date": duty.date,
            "urn": duty.urn,
            "stop": number,
            "school": duty.patrol.school,
            "hotspot": stop.hotspot,
            "arrive": format_time(stop.arrive_minutes),
            "minutes": _count_minutes(
                format_time(stop.arrive_minutes), format_time(stop.leave_minutes)
            ),
        }
        for duty in week.duties
        for number, stop in enumerate(duty.patrol.stops, start=1)
    ]
    spots = [_build_hotspot_row(feature) for feature in hotspots_document(week)["features"]]
    return PromisedWeek(week.days, tuple(doses), tuple(spots))


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
                "geometry": shapely.geometry.mapping(_project_to_degrees(shape, plan)),
            }
        )
    return {"type": "FeatureCollection", "features": features}


def read_promised_week(folder: Path) -> PromisedWeek:
    """The doses that a folder written by `patrolplan week --out` promises.

    Raises
    ------
    InputError
        When the folder holds no week, or one without its stops.
    """
    week, spots = _read_json(folder, WEEK_FILE), _read_json(folder, HOTSPOTS_FILE)
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
                "minutes": _count_minutes(stop["arrive"], stop["leave"]),
            }
            for patrol in week["patrols"]
            for number, stop in enumerate(patrol["stops"], start=1)
        ]
        days = {dt.date.fromisoformat(day) for day in week["days"]}
        hotspots = tuple(_build_hotspot_row(feature) for feature in spots["features"])
    except (KeyError, TypeError, ValueError, IndexError, shapely.errors.ShapelyError) as error:
        what = f"is not as `patrolplan week` writes it ({type(error).__name__}: {error})"
        raise InputError.one(folder, what, "write the week again") from None
    named = {spot["hotspot"] for spot in hotspots}
    lost = sorted({str(dose["hotspot"]) for dose in doses} - named)
    if lost or not days:
        what = f"{HOTSPOTS_FILE} lacks {', '.join(lost[:5])}" if lost else "holds no day"
        raise InputError.one(folder, what, "write the week again")
    return PromisedWeek(tuple(sorted(days)), tuple(doses), hotspots)


def _read_json(folder: Path, name: str) -> dict[str, Any]:
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


def _build_hotspot_row(feature: Mapping[str, Any]) -> dict[str, Any]:
    named = feature["properties"]
    shape = shapely.geometry.shape(feature["geometry"])
    return {
        "hotspot": str(named["hotspot"]),
        "place": str(named["place"]),
        "longitude": float(named["stop"][0]),
        "latitude": float(named["stop"][1]),
        "stretch": shapely.to_wkt(shape, rounding_precision=DECIMALS),
    }


def _project_to_degrees(shape: shapely.Geometry, plan: Plan) -> shapely.Geometry:
    return shapely.transform(
        shape, lambda xy: np.column_stack(plan.area.projection.to_degrees(*xy.T))
    )


def _count_minutes(arrive: str, leave: str) -> float:
    """Minutes promised, as the card shows them."""
    begin, end = (int(text[:2]) * 60 + int(text[3:]) for text in (arrive, leave))
    return float((end - begin) % 1440)


SAME_PLACE_METRES = 50.0
"""A stop within so many metres of a stretch is on it: half a short street."""

ON_STRETCH_METRES = 1.0
"""A piece of street whose middle is this near to a stretch is part of it, degrees rounded."""

POINT_RADIUS_METRES = 40.0
"""A place without a stretch, tasked by intelligence, is the street within so many metres."""


def match_stretches(xy: ArrayLike, stretches: ArrayLike) -> NDArray[np.int64]:
    """Which stretch each stop is on.

    Parameters
    ----------
    xy
        (k, 2) metres.
    stretches
        (m,) shapely lines or points in metres.

    Returns
    -------
    NDArray
        (k,) row of the nearest stretch within `SAME_PLACE_METRES`, else -1.

    Examples
    --------
    >>> street = shapely.LineString([(0, 0), (200, 0)])
    >>> match_stretches([[120, 30], [120, 80]], [street]).tolist()
    [0, -1]
    """
    points = shapely.points(np.asarray(xy, dtype=np.float64).reshape(-1, 2))
    found = np.full(len(points), -1, dtype=np.int64)
    shapes = np.asarray(stretches, dtype=object)
    if len(shapes) and len(points):
        asked, nearest = shapely.STRtree(shapes).query_nearest(
            points, max_distance=SAME_PLACE_METRES, all_matches=False
        )
        found[asked] = nearest
    return found


def project_to_metres(shapes: ArrayLike, projection: Projection) -> NDArray[np.object_]:
    """Shapes in degrees, or their WKT, in the area's metres."""
    given = np.asarray(shapes, dtype=object)
    degrees = shapely.from_wkt(given) if given.size and isinstance(given.flat[0], str) else given
    return np.asarray(
        shapely.transform(degrees, lambda xy: np.column_stack(projection.to_metres(*xy.T))),
        dtype=object,
    )


def project_stops(table: pd.DataFrame, projection: Projection) -> NDArray[np.float64]:
    """(k, 2) metres of a table's `longitude` and `latitude`."""
    return np.column_stack(projection.to_metres(table["longitude"], table["latitude"]))


def find_pieces(network: StreetNetwork, stretches: NDArray[np.object_]) -> list[NDArray[np.int64]]:
    """Pieces of street that each stretch is made of; around a point, those nearby.

    Parameters
    ----------
    network
        The streets.
    stretches
        (m,) shapely lines or points in metres.
    """
    is_point = shapely.get_type_id(stretches) == 0
    tree = shapely.STRtree(shapely.points(network.piece_middle))
    reach = np.where(is_point, POINT_RADIUS_METRES, ON_STRETCH_METRES)
    asked, found = tree.query(stretches, predicate="dwithin", distance=reach)
    return [np.sort(found[asked == row]) for row in range(len(stretches))]
