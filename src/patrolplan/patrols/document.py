"""A patrol as a document for other programs, and back: plan and week files hold the same form."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from patrolplan.crs import Projection
from patrolplan.patrols.plan import BarredPlace, Leg, Patrol, Step, Stop, Variant
from patrolplan.times import format_time, minutes_after_midnight, parse_time


def build_patrol_document(patrol: Patrol, projection: Projection) -> dict[str, Any]:
    """A patrol in the form of the contracts, in degrees and HH:MM."""
    legs = [_build_leg_document(leg, projection) for leg in patrol.legs]
    return {
        "urn": patrol.urn,
        "school": patrol.school,
        "number": patrol.number,
        "gate": convert_to_degrees(np.array([[patrol.x, patrol.y]]), projection)[0],
        "start": format_time(patrol.start_minutes),
        "gate_until": format_time(patrol.gate_until_minutes),
        "end": format_time(patrol.end_minutes),
        "latest_end": format_time(patrol.latest_end_minutes),
        "ends_at": patrol.ends_at,
        **_build_way_fields(patrol, projection, legs),
        "worth": round(patrol.worth, 8),
        "bound": round(patrol.bound, 8),
        "gap_percent": round(patrol.gap_percent, 2),
        "proven": patrol.proven,
        "walked_metres": round(sum(leg["metres"] for leg in legs), 1),
        "stops": [
            {
                "hotspot": stop.hotspot,
                "arrive": format_time(stop.arrive_minutes),
                "leave": format_time(stop.leave_minutes),
                "place": stop.place,
                "why": list(stop.why),
                "worth": round(stop.worth, 8),
                "tasked": stop.tasked,
                "point": convert_to_degrees(np.array([[stop.x, stop.y]]), projection)[0],
            }
            for stop in patrol.stops
        ],
        "legs": legs,
        "variants": [
            {"worth_share": round(variant.worth_share, 6), "stops": list(variant.hotspots)}
            for variant in patrol.variants
        ],
        "keep_away": [_build_barred_document(one, projection) for one in patrol.keep_away],
        "notes": list(patrol.notes),
        "tested": patrol.tested,
    }


def _build_way_fields(
    patrol: Patrol, projection: Projection, legs: list[dict[str, Any]]
) -> dict[str, Any]:
    """What only patrols by bicycle, and those that start at the base, have to say."""
    said: dict[str, Any] = {}
    if patrol.way != "walk":
        # Of the rounded legs, so that a patrol that was read is written as it was.
        pushed = sum(leg.get("pushed_metres", 0.0) for leg in legs)
        said |= {"way": patrol.way, "pushed_metres": round(pushed, 1)}
    if patrol.starts_at != "gate":
        before = patrol.approach
        said |= {
            "starts_at": patrol.starts_at,
            "set_out": format_time(patrol.set_out_minutes),
            "approach": None if before is None else _build_leg_document(before, projection),
        }
    return said


def _build_barred_document(place: BarredPlace, projection: Projection) -> dict[str, Any]:
    return {
        "place_id": place.place_id,
        "place": place.place,
        "why": place.why,
        "point": convert_to_degrees(np.array([[place.x, place.y]]), projection)[0],
    }


def _build_leg_document(leg: Leg, projection: Projection) -> dict[str, Any]:
    return {
        "metres": round(leg.metres, 1),
        "minutes": round(leg.minutes, 2),
        "unlit_metres": round(leg.unlit_metres, 1),
        "lighting_unknown_metres": round(leg.lighting_unknown_metres, 1),
        "streets": list(dict.fromkeys(step.street for step in leg.steps)),
        "directions": [
            {"turn": step.turn, "street": step.street, "metres": round(step.metres)}
            | ({} if step.way == "walk" else {"way": step.way})
            | ({"tail_metres": tail} if (tail := round(step.tail_metres)) else {})
            for step in leg.steps
        ],
        **({"pushed_metres": pushed} if (pushed := round(leg.pushed_metres, 1)) else {}),
        "line": _build_line(leg.line, projection),
    }


def _build_line(xy: NDArray[np.float64], projection: Projection) -> list[list[float]]:
    """A line in degrees, without points that rounding made the same as the one before."""
    points = convert_to_degrees(xy, projection)
    moved = [point for before, point in pairwise(points) if point != before]
    return [*points[:1], *moved]


def convert_to_degrees(xy: NDArray[np.float64], projection: Projection) -> list[list[float]]:
    """(n, 2) metres as pairs of longitude and latitude."""
    longitude, latitude = projection.to_degrees(xy[:, 0], xy[:, 1])
    return [[float(lon), float(lat)] for lon, lat in zip(longitude, latitude, strict=True)]


def _parse_minutes(value: object) -> object:
    """Minutes after midnight of HH:MM."""
    if isinstance(value, str):
        with suppress(ValueError):
            return minutes_after_midnight(parse_time(value))
    message = "is no time of day, written HH:MM"
    raise ValueError(message)


Minutes = Annotated[float, BeforeValidator(_parse_minutes)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-89, le=89)]
LonLat = tuple[Longitude, Latitude]
Amount = Annotated[float, Field(ge=0, le=1e9)]
Count = Annotated[int, Field(ge=0, le=99)]


class FileModel(BaseModel):
    """Part of a file of ours; keys added by later versions are passed over."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, strict=True, extra="ignore")


class StepEntry(FileModel):
    """A line of the directions."""

    turn: str
    street: str
    metres: Amount
    way: str = "walk"
    tail_metres: Amount = 0.0

    @property
    def as_step(self) -> Step:
        """The line itself."""
        return Step(self.turn, self.street, self.metres, self.way, self.tail_metres)


class LegEntry(FileModel):
    """A walk."""

    metres: Amount
    minutes: Amount
    unlit_metres: Amount
    lighting_unknown_metres: Amount
    pushed_metres: Amount = 0.0
    directions: list[StepEntry]
    line: list[Annotated[LonLat, Field(strict=False)]]

    def to_leg(self, projection: Projection) -> Leg:
        """The walk itself; which pieces of street it takes is not kept in files."""
        return Leg(
            metres=self.metres,
            minutes=self.minutes,
            steps=tuple(row.as_step for row in self.directions),
            line=convert_to_metres(self.line, projection),
            pieces=np.zeros(0, dtype=np.int64),
            unlit_metres=self.unlit_metres,
            lighting_unknown_metres=self.lighting_unknown_metres,
            pushed_metres=self.pushed_metres,
        )


class StopEntry(FileModel):
    """A stop."""

    hotspot: str
    arrive: Minutes
    leave: Minutes
    place: str
    why: list[str]
    worth: Amount
    tasked: str
    point: Annotated[LonLat, Field(strict=False)]

    def to_stop(self, projection: Projection) -> Stop:
        """The stop itself."""
        ((x, y),) = convert_to_metres([self.point], projection)
        return Stop(
            hotspot=self.hotspot,
            arrive_minutes=self.arrive,
            leave_minutes=self.leave,
            x=float(x),
            y=float(y),
            place=self.place,
            why=tuple(self.why),
            worth=self.worth,
            tasked=self.tasked,
        )


class BarredEntry(FileModel):
    """A place to keep away from."""

    place_id: str
    place: str
    why: str
    point: Annotated[LonLat, Field(strict=False)]

    def to_barred_place(self, projection: Projection) -> BarredPlace:
        """The place itself."""
        ((x, y),) = convert_to_metres([self.point], projection)
        return BarredPlace(self.place_id, float(x), float(y), self.place, self.why)


class VariantEntry(FileModel):
    """Another patrol of the school, by its hotspots."""

    worth_share: Amount
    stops: list[str]


class PatrolEntry(FileModel):
    """A patrol; times are to the minute, as its card shows them."""

    urn: str
    school: str
    number: Annotated[int, Field(ge=1, le=99)]
    gate: Annotated[LonLat, Field(strict=False)]
    start: Minutes
    gate_until: Minutes
    end: Minutes
    latest_end: Minutes
    ends_at: str
    worth: Amount
    bound: Amount
    proven: bool
    stops: list[StopEntry]
    legs: list[LegEntry]
    variants: list[VariantEntry]
    notes: list[str]
    tested: str
    way: str = "walk"
    starts_at: str = "gate"
    approach: LegEntry | None = None
    keep_away: list[BarredEntry] = []

    def to_patrol(self, projection: Projection) -> Patrol:
        """The patrol itself."""
        ((x, y),) = convert_to_metres([self.gate], projection)
        return Patrol(
            urn=self.urn,
            school=self.school,
            number=self.number,
            x=float(x),
            y=float(y),
            start_minutes=self.start,
            gate_until_minutes=self.gate_until,
            end_minutes=self.end,
            latest_end_minutes=self.latest_end,
            worth=self.worth,
            bound=self.bound,
            proven=self.proven,
            stops=tuple(row.to_stop(projection) for row in self.stops),
            legs=tuple(row.to_leg(projection) for row in self.legs),
            variants=tuple(Variant(row.worth_share, tuple(row.stops)) for row in self.variants),
            notes=tuple(self.notes),
            tested=self.tested,
            ends_at=self.ends_at,
            way=self.way,
            starts_at=self.starts_at,
            approach=None if self.approach is None else self.approach.to_leg(projection),
            keep_away=tuple(row.to_barred_place(projection) for row in self.keep_away),
        )


def convert_to_metres(places: Sequence[LonLat], projection: Projection) -> NDArray[np.float64]:
    """(n, 2) metres of pairs of longitude and latitude."""
    table = np.array(places, dtype=np.float64).reshape(-1, 2)
    return np.column_stack(projection.to_metres(table[:, 0], table[:, 1]))
