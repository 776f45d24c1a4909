"""`plan.json` read back: tables of what was planned, to compare with what is planned today.

The file has what people see, in words, degrees and HH:MM, without the risk and without reasons as
records. So the result is not a `Plan` from which papers can be written, but the plan's tables, with
the columns of `patrolplan.outputs.frames` and places in longitude and latitude. A week's file is
different: `patrolplan.read_week` returns a `Week`.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from pydantic import ValidationError

from patrolplan.crs import DEGREES
from patrolplan.errors import InputError, Problems
from patrolplan.outputs.document_forms import HotspotEntry, PlanDocument
from patrolplan.outputs.frames import describe_legs, describe_patrol, describe_stops
from patrolplan.outputs.geopackage import SCHEMA
from patrolplan.tables import render_html_table
from patrolplan.text import format_count

REMEDY = "use the file as it was written, or plan again"

MAX_PROBLEMS = 20
"""Maximum number of wrong values that are named."""

MAX_SHOWN_CHARACTERS = 40
"""Maximum number of characters of a wrong value that are shown."""


@dataclass(frozen=True, eq=False)
class SavedPlan:
    """The content of a `plan.json`, as tables in longitude and latitude.

    Parameters
    ----------
    area, date
        Name of the area; the patrols' day, YYYY-MM-DD, or None for any day.
    patrols, stops, legs
        The columns of `frame_patrols`, `frame_stops`, `frame_legs`.
    hotspots
        `hotspot`, `worth`, `length_metres`, `place`, `reasons`, `carried_by`, `how_sure`; the
        geometry is the stopping place, since the file does not have the stretch.
    risk
        Model and months of the risk.
    created_from
        Hashes of data and settings, the seed, and the version: if these are equal, and no custom
        model is used, plans are equal.
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
    patrols, day = entry.patrols, entry.date
    return SavedPlan(
        area=entry.area,
        date=None if day is None else f"{day}",
        patrols=_build_frame([describe_patrol(patrol, day) for patrol in patrols]),
        stops=_build_frame(
            [
                row
                for patrol in patrols
                for row in describe_stops(
                    patrol, day, ["; ".join(stop.why) for stop in patrol.stops]
                )
            ]
        ),
        legs=_build_frame([row for patrol in patrols for row in describe_legs(patrol)]),
        hotspots=_build_frame([_describe_hotspot(hotspot) for hotspot in entry.hotspots]),
        risk=entry.risk.model_dump(mode="json", by_alias=True),
        created_from=entry.created_from.model_dump(),
        left_out=pd.DataFrame(
            [one.model_dump() for one in entry.left_out], columns=["source", "reason", "count"]
        ),
        notes=tuple(entry.notes),
    )


def _read_entry(path: Path) -> PlanDocument:
    """The content of the file, if all of it is valid."""
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
        entry = PlanDocument.model_validate_json(text)
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


def _describe_hotspot(hotspot: HotspotEntry) -> dict[str, Any]:
    row = hotspot.model_dump(exclude={"stop"})
    return row | {"reasons": "; ".join(hotspot.reasons), "geometry": shapely.Point(hotspot.stop)}


def _build_frame(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    if not rows:
        return gpd.GeoDataFrame({"urn": pd.Series(dtype="str")}, geometry=[], crs=DEGREES)
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=DEGREES)
