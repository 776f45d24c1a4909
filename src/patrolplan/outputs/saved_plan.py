"""`plan.json` read back: tables of what was planned, to compare with what is planned today.

The file holds what people were given, in words, degrees and HH:MM, and neither the risk nor the
reasons as records. So what is read is not a `Plan` to write papers from: it is the plan's tables,
with the columns of `patrolplan.outputs.frames`, whose places are longitude and latitude. A week's
file is another: `patrolplan.read_week` gives a `Week` again.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import geopandas as gpd
import pandas as pd
import shapely
from pydantic import Field, ValidationError

from patrolplan.crs import DEGREES
from patrolplan.errors import InputError, Problems
from patrolplan.outputs.geopackage import SCHEMA
from patrolplan.patrols.file_forms import FileModel
from patrolplan.tables import render_html_table
from patrolplan.text import format_count

REMEDY = "use the file as it was written, or plan again"

MAX_PROBLEMS = 20
"""Wrong values that are named."""

MAX_SHOWN_CHARACTERS = 40
"""Characters of a wrong value that are shown."""

Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Place = tuple[Longitude, Latitude]
Clock = Annotated[str, Field(pattern=r"^\d\d:\d\d$")]
Share = Annotated[float, Field(ge=0)]


class _StopEntry(FileModel):
    hotspot: str
    kind: str
    tasked: str | None
    arrive: Clock
    leave: Clock
    place: str
    stand: str = "street"
    stands_at: str = Field("", alias="at")
    lit: str = "unknown"
    tasked_metres: float | None = None
    why: list[str]
    point: Place


class _LegEntry(FileModel):
    metres: Share
    moving_minutes: Share = Field(alias="minutes")
    waiting_minutes: Share = 0.0
    directions: list[dict[str, Any]]
    line: list[Place]

    @property
    def streets(self) -> str:
        return ", ".join(str(step.get("street", "")) for step in self.directions)


class _PatrolEntry(FileModel):
    urn: str
    school: str
    number: int
    start: Clock
    end: Clock
    worth: Share
    bound: Share
    proven: bool
    walked_metres: Share
    stops: list[_StopEntry]
    legs: list[_LegEntry]


class _HotspotEntry(FileModel):
    hotspot: str = Field(alias="id")
    worth: Share
    length_metres: Share
    place: str
    reasons: list[str]
    carried_by: str = ""
    how_sure: str
    stop: Place


class _PlanEntry(FileModel):
    schema_number: int = Field(alias="schema")
    area: str
    date: str | None
    created_from: dict[str, Any]
    risk: dict[str, Any]
    hotspots: list[_HotspotEntry]
    patrols: list[_PatrolEntry]
    left_out: list[dict[str, Any]]
    notes: list[str]


@dataclass(frozen=True, eq=False)
class SavedPlan:
    """What a `plan.json` holds, as tables in longitude and latitude.

    Parameters
    ----------
    area, date
        Name of the area; the patrols' day, YYYY-MM-DD, None for any.
    patrols, stops, legs
        The columns of `frame_patrols`, `frame_stops`, `frame_legs`.
    hotspots
        `hotspot`, `worth`, `length_metres`, `place`, `reasons`, `carried_by`, `how_sure`; the
        geometry is the stopping place, since the file does not have the stretch.
    risk
        Model, margin and months of the risk.
    created_from
        Hashes of data and settings, the seed, and the version: equal ones give equal plans.
    left_out, notes
        What was left out, with counts; what was assumed.
    """

    area: str
    date: str | None
    patrols: gpd.GeoDataFrame
    stops: gpd.GeoDataFrame
    legs: gpd.GeoDataFrame
    hotspots: gpd.GeoDataFrame
    risk: dict[str, Any]
    created_from: dict[str, Any]
    left_out: pd.DataFrame
    notes: tuple[str, ...] = field(repr=False)

    def __repr__(self) -> str:
        return (
            f"<SavedPlan: {self.area}, {format_count(len(self.patrols), 'patrol')} with "
            f"{format_count(len(self.stops), 'stop')} in "
            f"{format_count(len(self.hotspots), 'hotspot')}>"
        )

    def _repr_html_(self) -> str:
        facts = {
            "patrols": len(self.patrols),
            "stops": len(self.stops),
            "hotspots": len(self.hotspots),
            "day": self.date or "any",
            "risk model": str(self.risk.get("model", "")),
            "version": str(self.created_from.get("version", "")),
        }
        after = "saved.stops.merge(pp.frame_stops(plan), on=['urn', 'number', 'stop'])"
        return render_html_table(f"Saved plan of {self.area}", facts, next_call=after)


def read_plan(path: str | Path) -> SavedPlan:
    """Read a plan's file, or the folder that it was written into.

    Raises
    ------
    InputError
        When the file cannot be read or is not a plan, with every reason.

    Examples
    --------
    >>> import patrolplan as pp
    >>> saved = pp.read_plan("out")  # doctest: +SKIP
    >>> saved.stops[["urn", "stop", "arrive", "place"]]  # doctest: +SKIP
    """
    path = Path(path)
    path = path / "plan.json" if path.is_dir() else path
    entry = _read_entry(path)
    whole = [(patrol, {"urn": patrol.urn, "number": patrol.number}) for patrol in entry.patrols]
    return SavedPlan(
        area=entry.area,
        date=entry.date,
        patrols=_build_frame([_describe_patrol(patrol) for patrol in entry.patrols]),
        stops=_build_frame(
            [
                whose | {"stop": order} | _describe_stop(stop)
                for patrol, whose in whole
                for order, stop in enumerate(patrol.stops, start=1)
            ]
        ),
        legs=_build_frame(
            [
                whose | {"leg": order} | _describe_leg(leg)
                for patrol, whose in whole
                for order, leg in enumerate(patrol.legs, start=1)
                if len(leg.line) > 1
            ]
        ),
        hotspots=_build_frame([_describe_hotspot(hotspot) for hotspot in entry.hotspots]),
        risk=entry.risk,
        created_from=entry.created_from,
        left_out=pd.DataFrame(entry.left_out, columns=["source", "reason", "count"]),
        notes=tuple(entry.notes),
    )


def _read_entry(path: Path) -> _PlanEntry:
    """What the file holds, if everything in it is right."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        what = f"the plan cannot be read ({error.strerror or error})"
        raise InputError.one(path, what, "name the folder of a plan, or its plan.json") from None
    except UnicodeDecodeError as error:
        what = f"it is not text in UTF-8 ({error.reason})"
        raise InputError.one(path, what, REMEDY) from None
    problems = Problems()
    try:
        entry = _PlanEntry.model_validate_json(text)
    except ValidationError as error:
        for row in error.errors(include_url=False)[:MAX_PROBLEMS]:
            place = ".".join(str(part) for part in row["loc"]) or "the whole file"
            what = f"{row['msg']} (seen: {row['input']!r:.{MAX_SHOWN_CHARACTERS}})"
            problems.add(path, what, REMEDY, place)
        problems.raise_if_any()
        raise
    if entry.schema_number != SCHEMA:
        what = f"schema {entry.schema_number} is not {SCHEMA}"
        raise InputError.one(path, what, "read it with the version that wrote it", "'schema'")
    return entry


def _describe_patrol(patrol: _PatrolEntry) -> dict[str, Any]:
    row = patrol.model_dump(exclude={"stops", "legs"})
    lines = [leg.line for leg in patrol.legs if len(leg.line) > 1]
    return row | {"geometry": shapely.MultiLineString(lines)}


def _describe_stop(stop: _StopEntry) -> dict[str, Any]:
    row = stop.model_dump(exclude={"point"})
    return row | {"why": "; ".join(stop.why), "geometry": shapely.Point(stop.point)}


def _describe_leg(leg: _LegEntry) -> dict[str, Any]:
    return {
        "metres": leg.metres,
        "minutes": leg.moving_minutes + leg.waiting_minutes,
        "streets": leg.streets,
        "geometry": shapely.LineString(leg.line),
    }


def _describe_hotspot(hotspot: _HotspotEntry) -> dict[str, Any]:
    row = hotspot.model_dump(exclude={"stop"})
    return row | {"reasons": "; ".join(hotspot.reasons), "geometry": shapely.Point(hotspot.stop)}


def _build_frame(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    if not rows:
        return gpd.GeoDataFrame({"urn": pd.Series(dtype="str")}, geometry=[], crs=DEGREES)
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=DEGREES)
