"""The keys of `[way_home]` and `[reports]`: how pupils go home, and what their reports count."""

from typing import Annotated, Literal

from pydantic import Field

from patrolplan.settings.kinds import Section


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
