"""`Plan`: the contract between the solver and everything that people hold.

Times are minutes after local midnight; places are metres in the area's CRS. Outputs turn them
into HH:MM and degrees.
"""

import datetime as dt
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.risk.surface import Risk
from patrolplan.tables import LeftOutRow, render_html_table
from patrolplan.text import format_count
from patrolplan.times import (
    format_span as format_span,  # noqa: PLC0414 - callers still import it from this module
    format_time as format_time,  # noqa: PLC0414
)


@dataclass(frozen=True)
class Step:
    """Part of a leg along one street: one line of the directions.

    `turn` says how it begins: "start", "straight on", "left", "right", "bear left", ... and
    `street` is the street's name, or what it is ("footpath", "steps") where it has none. `way` is
    "walk", or by bicycle "ride", "push" (get off) or "carry".
    """

    turn: str
    street: str
    metres: float
    way: str = "walk"
    tail_metres: float = field(default=0.0, compare=False)
    """How much of it leads over into the next street."""


@dataclass(frozen=True, eq=False)
class Leg:
    """A walk or ride from the gate, the base or a stop to the next stop or the patrol's end."""

    metres: float
    minutes: float
    steps: tuple[Step, ...]
    line: NDArray[np.float64]
    """(v, 2) metres."""
    pieces: NDArray[np.int64]
    """(s,) pieces walked, in order."""
    unlit_metres: float = 0.0
    """Metres along streets that the streets file says have no lighting."""
    lighting_unknown_metres: float = 0.0
    """Metres along streets of which it does not say."""
    pushed_metres: float = 0.0
    """Metres on which a bicycle is pushed or carried."""


@dataclass(frozen=True)
class Stop:
    """A hotspot's stopping place on a patrol, and the minutes spent there."""

    hotspot: str
    arrive_minutes: float
    leave_minutes: float
    x: float
    y: float
    place: str
    why: tuple[str, ...]
    """Reasons in plain sentences, most important first."""
    worth: float
    """Risk of the stretch as a share of the risk within the school's reach."""
    tasked: str = ""
    """Reason and who asked, for a place tasked by intelligence; empty otherwise."""


@dataclass(frozen=True)
class BarredPlace:
    """A place that intelligence asks to keep away from."""

    place_id: str
    x: float
    y: float
    place: str
    """The nearest street in words."""
    why: str
    """Reason, who asks, and until when."""


@dataclass(frozen=True, eq=False)
class Variant:
    """Another near-optimal patrol, so that patrols need not be the same every day."""

    worth_share: float
    """Its worth as a share of the best."""
    hotspots: tuple[str, ...]
    """Its hotspots in the order of the visits; of several officers one after the other."""
    patrols: tuple["Patrol", ...] = ()
    """The patrols themselves, one an officer, with their own times and legs."""
    avoided_hotspots: tuple[str, ...] = ()
    """Hotspots that it was planned to keep off, see `patrolplan.patrols.further_patrols`."""


@dataclass(frozen=True, eq=False)
class Patrol:
    """One officer's timed walk or ride: gate presence, stops, and back to the gate or to the base.

    `legs` are one more than `stops`; with no stop worth it there is presence at the gate alone
    and no leg. A patrol that starts at the base is led to its presence at the gate by `approach`,
    before `start_minutes`; without a presence its first leg sets out at the base.
    """

    urn: str
    school: str
    number: int
    """1 for the first officer at this school, 2 for the second..."""
    x: float
    y: float
    """The gate."""
    start_minutes: float
    gate_until_minutes: float
    """End of the presence at the gate."""
    end_minutes: float
    latest_end_minutes: float
    """End of the patrol window."""
    worth: float
    bound: float
    """No patrol of this school and window can be worth more."""
    proven: bool
    stops: tuple[Stop, ...]
    legs: tuple[Leg, ...]
    variants: tuple[Variant, ...]
    notes: tuple[str, ...]
    """What was assumed for this school (bell, gate), in plain sentences."""
    tested: str = ""
    """What a patrol planned this way met in held-out months against a plain loop, one sentence."""
    ends_at: str = "gate"
    """"gate", or "base" where the settings say so; the place is where the last leg ends."""
    way: str = "walk"
    """"walk" or "bicycle"."""
    starts_at: str = "gate"
    """"gate", or "base" where the settings say so; see `approach`."""
    approach: Leg | None = None
    """From the base to the gate, so as to be there when the presence begins."""
    keep_away: tuple[BarredPlace, ...] = ()
    """Places within the school's radius to keep away from; stops and walks do."""

    @property
    def pushed_metres(self) -> float:
        """Metres on which a bicycle is pushed or carried, in all."""
        return float(sum(leg.pushed_metres for leg in self.legs))

    @property
    def set_out_minutes(self) -> float:
        """When the officer sets out."""
        before = 0.0 if self.approach is None else self.approach.minutes
        return self.start_minutes - before

    @property
    def all_legs(self) -> tuple[Leg, ...]:
        """The legs, after the way to the gate where there is one."""
        return self.legs if self.approach is None else (self.approach, *self.legs)

    @property
    def from_base(self) -> bool:
        """Whether the first leg sets out at the base, without a presence at the gate."""
        return self.starts_at == "base" and self.approach is None

    @property
    def base_xy(self) -> tuple[float, float] | None:
        """Metres of the base where the patrol starts or ends; None where it does neither."""
        if self.starts_at == "base":
            first = self.legs[0] if self.approach is None else self.approach
            return float(first.line[0, 0]), float(first.line[0, 1])
        if self.ends_at == "base":
            return float(self.legs[-1].line[-1, 0]), float(self.legs[-1].line[-1, 1])
        return None

    @property
    def walked_metres(self) -> float:
        """Metres walked in all."""
        return float(sum(leg.metres for leg in self.legs))

    @property
    def gap_percent(self) -> float:
        """How far below the bound it may be at most."""
        return 0.0 if self.bound <= 0 else max(0.0, 100 * (self.bound - self.worth) / self.bound)


@dataclass(frozen=True, eq=False)
class Plan:
    """Patrols for every school of an area, with all that they rest on."""

    area: StudyArea
    risk: Risk
    hotspots: gpd.GeoDataFrame
    """One row a hotspot, see `patrolplan.tables.HOTSPOTS`."""
    patrols: tuple[Patrol, ...]
    left_out: tuple[LeftOutRow, ...]
    """Everything left out, from the readers to the schools that could not be planned."""
    date: dt.date | None = None
    """Day of the patrols, where one was asked for."""
    other_mode: "Plan | None" = None
    """What officers go by who do not go the area's way, at their schools; see
    `patrolplan.team.bases`."""

    def __repr__(self) -> str:
        stops = sum(len(patrol.stops) for patrol in self.patrols)
        return (
            f"<Plan: {self.area.name}, {format_count(len(self.patrols), 'patrol')} with "
            f"{format_count(stops, 'stop')} in {format_count(len(self.hotspots), 'hotspot')}>"
        )

    def _repr_html_(self) -> str:
        proven = sum(patrol.proven for patrol in self.patrols)
        stops = sum(len(patrol.stops) for patrol in self.patrols)
        facts = {
            "patrols": f"{len(self.patrols)}, {proven} of them proven best",
            "stops": stops,
            "hotspots": len(self.hotspots),
            "day": self.date or "any",
            "left out": "; ".join(map(str, self.left_out)) or "nothing",
        }
        after = 'pp.write_pack(plan, "out"); pp.plot.web_map(plan)'
        return render_html_table(f"Plan of {self.area.name}", facts, next_call=after)
