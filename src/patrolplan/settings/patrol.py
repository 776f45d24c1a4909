"""The keys of `[patrol]`, `[way_home]` and `[reports]`: patrols, and pupils on their way."""

from datetime import time
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from patrolplan.settings.kinds import ClockTime, Section

MAX_WINDOW_MINUTES = 720  # Maximum length of a patrol, wherever it is given: half a day


AFTER_SCHOOL = "after_school"
"""Name of the window that needs no declaration: `window_minutes` from each school's bell."""


class PatrolWindow(Section):
    """A named patrol window: from and to a time of day, or about each school's bell."""

    from_: ClockTime | None = Field(None, alias="from", description="start, HH:MM")
    to: ClockTime | None = Field(None, description="end, HH:MM")
    bell: Literal["opening", "closing"] | None = Field(
        None, description="the bell that it is about, in place of from and to"
    )
    before_minutes: float = Field(0, ge=0, le=240, description="start, before that bell")
    after_minutes: float = Field(0, ge=0, le=480, description="end, after that bell")
    at_gate: bool = Field(
        default=False, description="whether the officer stays at the gate and makes no stops"
    )

    @model_validator(mode="after")
    def _check_order_and_length(self) -> Self:
        if self.bell is not None:
            if self.from_ is not None or self.to is not None:
                message = "give from and to, or bell with before_minutes and after_minutes"
                raise ValueError(message)
            if self.before_minutes + self.after_minutes < 1:
                message = "give before_minutes or after_minutes with bell"
                raise ValueError(message)
            return self
        if self.from_ is None or self.to is None:
            message = "give from and to, or bell with before_minutes and after_minutes"
            raise ValueError(message)
        if self.from_ >= self.to:
            message = f"'from' ({self.from_:%H:%M}) must be before 'to' ({self.to:%H:%M})"
            raise ValueError(message)
        minutes = 60 * (self.to.hour - self.from_.hour) + self.to.minute - self.from_.minute
        if minutes > MAX_WINDOW_MINUTES:
            message = (
                f"from and to are {minutes} minutes apart, "
                f"a patrol lasts {MAX_WINDOW_MINUTES} at most"
            )
            raise ValueError(message)
        return self


class PatrolSettings(Section):
    """How a patrol is walked or ridden."""

    window_minutes: float = Field(
        90, ge=1, le=MAX_WINDOW_MINUTES, description="length in minutes, from the bell"
    )
    windows: dict[str, PatrolWindow] = Field({}, description="named windows")
    dwell_minutes: float = Field(15, ge=0.1, le=120, description="time at each stop")
    gate_minutes: float = Field(10, ge=0, le=120, description="presence at the gate first")
    way: Literal["walk", "bicycle"] = Field("walk", description="on foot, or by bicycle")
    walking_speed_kmh: float = Field(4.8, ge=0.5, le=12, description="speed on foot")
    radius_metres: float = Field(1500, ge=10, le=50_000, description="longest walk from the gate")
    officers: int = Field(1, ge=1, le=10, description="officers who patrol a school together")
    default_finish_time: ClockTime = Field(
        time(15, 15), description="bell of schools without one in bell_times"
    )
    after_dark: Literal["avoid", "allow"] = Field(
        "avoid", description="avoid or allow stops without street lighting after sunset"
    )


class WayHomeSettings(Section):
    """How pupils go home after the bell, and how much their presence counts."""

    exposure: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        {"Violence and sexual offences": 0.36, "Anti-social behaviour": 0.36},
        description="power of the pupils present that a category's risk grows with; {} = off",
    )
    clock: Literal["declared", "flat"] = Field(
        "declared", description="how crime of which only the month is known spreads over the day"
    )
    modes: Literal["london", "england"] | dict[str, dict[str, float]] = Field(
        "london",
        description="how pupils travel: a preset, or shares by mode under primary and secondary",
    )
    leave_minutes: float = Field(7, gt=0, le=60, description="mean minutes from bell to gate")
    late_share: float = Field(0.25, ge=0, le=1, description="share of pupils who leave later")
    late_minutes: float = Field(60, ge=0, le=240, description="when those leave, after the bell")


class ReportSettings(Section):
    """How much pupils' reports count."""

    half_life_months: float = Field(
        12, ge=0.1, le=1_000_000, description="age at which a report counts half; 1000000: never"
    )
