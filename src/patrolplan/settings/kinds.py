"""Types of settings, the base of sections, and names of modules that settings may not import."""

from contextlib import suppress
from datetime import time
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from patrolplan.settings.messages import KeyDescription, format_value
from patrolplan.times import parse_time


def _parse_clock_time(value: object) -> object:
    """Accept the text "15:10", or TOML's own 15:10:00 (TOML has no type for HH:MM alone)."""
    if isinstance(value, time) and value == time(value.hour, value.minute):
        return value
    if isinstance(value, str):
        with suppress(ValueError):
            return parse_time(value)
    message = f"{format_value(value)} is not a valid time; write HH:MM"
    raise ValueError(message)


PathText = Annotated[str, Field(min_length=1)]
Paths = Annotated[
    tuple[PathText, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
    KeyDescription("a path in quotes, or a list of them"),
]
NeededPaths = Annotated[Paths, Field(min_length=1)]
ClockTime = Annotated[
    time, BeforeValidator(_parse_clock_time), KeyDescription('a time of day in quotes, "HH:MM"')
]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Box = Annotated[
    tuple[Longitude, Latitude, Longitude, Latitude],
    KeyDescription("[lon_min, lat_min, lon_max, lat_max] in degrees"),
]


def key(
    meaning: str,
    default: Any = ...,  # noqa: ANN401 - any value
    low: float | None = None,
    high: float | None = None,
    examples: list[Any] | None = None,
) -> Any:  # noqa: ANN401 - as pydantic's Field
    """A key: its meaning, default (... where it is needed), limits, and examples for a new file."""
    return Field(default, description=meaning, ge=low, le=high, examples=examples)


def name_argument(source: str) -> str:
    """The entry under `[sources]` for a table given in memory: "argument crimes"."""
    return f"argument {source}"


class Section(BaseModel):
    """A table of the settings: frozen, no unknown keys, strict about types, no `inf` and `nan`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, strict=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _normalise_value(cls, value: object) -> object:
        """Turn TOML's lists into tuples, and numpy's numbers into Python's."""
        if isinstance(value, np.generic):
            return value.item()
        return tuple(value) if isinstance(value, list) else value


PATROL_RELEVANT = (
    *("Robbery", "Theft from the person", "Violence and sexual offences", "Anti-social behaviour"),
    *("Bicycle theft", "Other theft", "Criminal damage and arson"),
)
"""Categories that a visible patrol after school can prevent; victims report all of them."""

DISCOVERED_CATEGORIES = ("Drugs", "Possession of weapons", "Public order")
"""Categories that patrols discover rather than victims report; the feedback guard excludes them."""

CATEGORIES = (
    *(*PATROL_RELEVANT, *DISCOVERED_CATEGORIES),
    *("Burglary", "Shoplifting", "Vehicle crime", "Other crime"),
)
"""Every category of data.police.uk."""

RiskModel = Literal["auto", "shrunk", "prior", "poisson", "kernel"]
"""Names of the models in `patrolplan.risk.models`, or "auto": the shrunk count."""
