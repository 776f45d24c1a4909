"""Types of values in `plan.json` and `week.json`, by which pydantic reads and writes records."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    GetPydanticSchema,
    PlainSerializer,
    SerializationInfo,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
    with_config,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from patrolplan.arrays import Floats
from patrolplan.crs import Projection
from patrolplan.times import TIME_OF_DAY, format_time, minutes_after_midnight, parse_time

XY = tuple[float, float]
T = TypeVar("T")
NO_PIECES = np.zeros(0, dtype=np.int64)


def convert_to_degrees(xy: Floats, projection: Projection) -> list[list[float]]:
    """(n, 2) metres as pairs of longitude and latitude."""
    longitude, latitude = projection.to_degrees(xy[:, 0], xy[:, 1])
    return [[float(lon), float(lat)] for lon, lat in zip(longitude, latitude, strict=True)]


def _parse_minutes(value: object) -> object:
    """Minutes after midnight, from HH:MM."""
    if isinstance(value, str):
        with suppress(ValueError):
            return minutes_after_midnight(parse_time(value))
    message = "is not a valid time; write HH:MM"
    raise ValueError(message)


def _parse_day(value: object) -> object:
    """A date, from YYYY-MM-DD."""
    if isinstance(value, str):
        with suppress(ValueError):
            return dt.datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a day
    elif isinstance(value, dt.date):
        return value
    message = "is not a date; write YYYY-MM-DD"
    raise ValueError(message)


def _check_list(value: object) -> object:
    """Refuse values in a file that are not lists; the records themselves have tuples."""
    if not isinstance(value, list | tuple):
        raise PydanticKnownError("list_type")  # noqa: EM101 - a name, not a message
    return value


def round_to(digits: int | None) -> PlainSerializer:
    """Annotation of a number that files have with this number of decimals; None makes it whole."""

    def write(value: float) -> Any:  # noqa: ANN401 - a whole number without digits
        return round(value, digits)

    return PlainSerializer(write)


def _to_metres(points: Sequence[XY], info: ValidationInfo) -> Floats:
    """(n, 2) metres from longitudes and latitudes; degrees if the reader has no projection."""
    table = np.array(points, dtype=np.float64).reshape(-1, 2)
    projection: Projection | None = (info.context or {}).get("projection")
    if projection is None:
        return table
    return np.column_stack(projection.to_metres(table[:, 0], table[:, 1]))


def _read_point(point: XY, info: ValidationInfo) -> XY:
    ((x, y),) = _to_metres([point], info).tolist()
    return x, y


def _write_point(point: XY, info: "SerializationInfo[dict[str, Projection]]") -> list[float]:
    return convert_to_degrees(np.array([point]), info.context["projection"])[0]


def _write_line(
    line: Floats, info: "SerializationInfo[dict[str, Projection]]"
) -> list[list[float]]:
    """A line in degrees, without points that are equal to the one before after rounding."""
    points = convert_to_degrees(line, info.context["projection"])
    return [*points[:1], *(point for before, point in pairwise(points) if point != before)]


def not_in_files(default: object) -> GetPydanticSchema:
    """Annotation of a field that is not in files, and ignored if it is."""
    schema = core_schema.no_info_plain_validator_function(lambda _: default)
    return GetPydanticSchema(lambda *_: schema)


ClockText = WithJsonSchema(
    {"type": "string", "pattern": f"^{TIME_OF_DAY.pattern}$", "examples": ["15:30"]}
)

Minutes = Annotated[float, BeforeValidator(_parse_minutes), PlainSerializer(format_time), ClockText]
"""Minutes after midnight; in files HH:MM."""

Day = Annotated[dt.date, BeforeValidator(_parse_day)]
Month = Annotated[str, Field(pattern="^[0-9]{4}-(0[1-9]|1[0-2])$", examples=["2026-11"])]

Hours = Annotated[str, Field(pattern=f"^({TIME_OF_DAY.pattern}-{TIME_OF_DAY.pattern})?$")]
"""HH:MM-HH:MM; empty means any time."""

Amount = Annotated[float, Field(ge=0, le=1e9, strict=True, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=99, strict=True)]
Longitude = Annotated[float, Field(ge=-180, le=180, strict=True, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-89, le=89, strict=True, allow_inf_nan=False)]

Point = Annotated[
    tuple[Longitude, Latitude], AfterValidator(_read_point), PlainSerializer(_write_point)
]
"""Metres in the area's CRS; in files degrees."""

Line = Annotated[
    Floats,
    GetPydanticSchema(
        lambda _, handler: core_schema.with_info_after_validator_function(
            _to_metres,
            handler.generate_schema(list[tuple[Longitude, Latitude]]),
            serialization=core_schema.plain_serializer_function_ser_schema(
                _write_line, info_arg=True
            ),
        )
    ),
]
"""(v, 2) metres in the area's CRS; in files degrees."""

IsList = BeforeValidator(_check_list)
SHARE_STEP = 0.05  # of shares and ratios in files that carry where pupils walk


def round_share(share: float) -> float:
    """A share or ratio, rounded for files."""
    return round(SHARE_STEP * round(share / SHARE_STEP), 2)


Share = Annotated[Amount, PlainSerializer(round_share)]
Metres = Annotated[Amount, round_to(1)]
WholeMetres = Annotated[Amount, round_to(None)]
Texts = Annotated[tuple[str, ...], IsList]


RECORD = ConfigDict(extra="ignore", strict=False)  # later versions' keys are ignored


def also_writes(
    *required: str,
    instead_of: str = "",
    **kinds: Any,  # noqa: ANN401 - of any kind
) -> Callable[[type[T]], type[T]]:
    """Declare more keys in files; reading ignores all but `required` and `instead_of` a field."""

    def describe(declared: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(declared)
        own = handler.resolve_ref_schema(schema)
        own["properties"].pop(instead_of, None)
        own["properties"] |= {
            name: handler(TypeAdapter(kind).core_schema) for name, kind in kinds.items()
        }
        own["required"] = [name for name in own["required"] if name != instead_of] + [*required]
        return schema

    def declare(record: type[T]) -> type[T]:
        record.__get_pydantic_json_schema__ = staticmethod(describe)  # type: ignore[attr-defined]
        return with_config(RECORD)(record)

    return declare


class FileModel(BaseModel):
    """Part of one of our files; keys added by later versions are ignored."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, strict=True, extra="ignore")


@cache
def _get_adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def write_record(record: object, projection: Projection) -> dict[str, Any]:
    """A record as files have it: under its names there, in degrees and HH:MM."""
    adapter = _get_adapter(type(record))  # type: ignore[arg-type]  # mypy: no class is hashable
    written: dict[str, Any] = adapter.dump_python(
        record, mode="json", by_alias=True, context={"projection": projection}
    )
    return written


def arrange(
    record: Mapping[str, Any], without: Sequence[str] = (), **after: Mapping[str, Any]
) -> dict[str, Any]:
    """A record without some of its keys, and with more keys, each placed `after` another."""
    return {
        key: value
        for name, own in record.items()
        if name not in without
        for key, value in {name: own, **after.get(name, {})}.items()
    }
