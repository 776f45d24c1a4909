"""The keys of `[patrol]`, `[way_home]` and `[reports]`: patrols, and pupils on their way."""

from datetime import time
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from patrolplan.settings.kinds import ClockTime, Section, key
from patrolplan.travel import TRAVEL, PatrolWay, WayOfTravel

MAX_WINDOW_MINUTES = 720  # Maximum length of a patrol, wherever it is given: half a day


AFTER_SCHOOL = "after_school"  # Needs no declaration: `window_minutes` from each school's bell


class PatrolWindow(Section):
    """A named patrol window: from and to a time of day, or about each school's bell."""

    from_: ClockTime | None = Field(None, alias="from", description="start, HH:MM")
    to: ClockTime | None = key("end, HH:MM", None)
    bell: Literal["opening", "closing"] | None = key(
        "the bell that it is about, in place of from and to", None
    )
    before_minutes: float = key("start, before that bell", 0, 0, 240)
    after_minutes: float = key("end, after that bell", 0, 0, 480)
    at_gate: bool = key("whether the officer stays at the gate and makes no stops", default=False)

    @model_validator(mode="after")
    def _check_order_and_length(self) -> Self:
        begin, end, message = self.from_, self.to, ""
        if (begin is None) == (self.bell is None) or (end is None) == (self.bell is None):
            message = "give from and to, or bell with before_minutes and after_minutes"
        elif begin is None or end is None:
            if self.before_minutes + self.after_minutes < 1:
                message = "give before_minutes or after_minutes with bell"
        elif begin >= end:
            message = f"'from' ({begin:%H:%M}) must be before 'to' ({end:%H:%M})"
        elif (
            long := 60 * (end.hour - begin.hour) + end.minute - begin.minute
        ) > MAX_WINDOW_MINUTES:
            message = (
                f"from and to are {long} minutes apart, a patrol lasts {MAX_WINDOW_MINUTES} at most"
            )
        if message:
            raise ValueError(message)
        return self


class PatrolSettings(Section):
    """How a patrol is walked or ridden."""

    window_minutes: float = key("length in minutes, from the bell", 90, 1, MAX_WINDOW_MINUTES)
    windows: dict[str, PatrolWindow] = key("named windows", {})
    dwell_minutes: float = key("time at each stop", 15, 0.1, 120)
    gate_minutes: float = key("presence at the gate first", 10, 0, 120)
    way: PatrolWay = key("on foot, or by bicycle", "walk")
    walking_speed_kmh: float = key("speed on foot", 4.8, 0.5, 12)
    radius_metres: float = key("longest walk from the gate", 1500, 10, 50_000)
    officers: int = key("officers who patrol a school together", 1, 1, 10)
    default_finish_time: ClockTime = key("bell of schools without one in bell_times", time(15, 15))
    after_dark: Literal["avoid", "allow"] = key(
        "avoid or allow stops without street lighting after sunset", "avoid"
    )

    @property
    def travel(self) -> WayOfTravel:
        """How patrols go."""
        return TRAVEL[self.way]

    @property
    def metres_per_minute(self) -> float:
        """Their full speed."""
        return self.travel.compute_metres_per_minute(self.walking_speed_kmh)


class WayHomeSettings(Section):
    """How pupils go home after the bell, and how much their presence counts."""

    exposure: dict[str, Annotated[float, Field(ge=0, le=1)]] = key(
        "power of the pupils present that a category's risk grows with; {} = off",
        {"Violence and sexual offences": 0.36, "Anti-social behaviour": 0.36},
    )
    clock: Literal["declared", "flat"] = key(
        "how crime of which only the month is known spreads over the day", "declared"
    )
    modes: Literal["london", "england"] | dict[str, dict[str, float]] = key(
        "how pupils travel: a preset, or shares by mode under primary and secondary", "london"
    )
    leave_minutes: float = Field(7, gt=0, le=60, description="mean minutes from bell to gate")
    late_share: float = key("share of pupils who leave later", 0.25, 0, 1)
    late_minutes: float = key("when those leave, after the bell", 60, 0, 240)


class ReportSettings(Section):
    """How much pupils' reports count."""

    half_life_months: float = key(
        "age at which a report counts half; 1000000: never", 12, 0.1, 1_000_000
    )
