"""`Plan`: the contract between the solver and all papers and files, by annotations for pydantic.

Times are minutes after local midnight; places are metres in the area's CRS.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

import geopandas as gpd
import numpy as np
import shapely
from pydantic import Field, SerializerFunctionWrapHandler, Strict, model_serializer, with_config
from shapely.geometry.base import BaseGeometry

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window
from patrolplan.arrays import Floats
from patrolplan.hotspots.ground import Lighting, Stand
from patrolplan.hotspots.reasons import Reason
from patrolplan.notes import Note
from patrolplan.patrols import file_forms as forms
from patrolplan.patrols.legs import Leg
from patrolplan.patrols.obstacles import Obstacle
from patrolplan.patrols.posts import Post
from patrolplan.patrols.solver.problem import compute_gap_percent
from patrolplan.patrols.stop_reasons import StopReasons, find_stop_reasons
from patrolplan.patrols.timings import Timings
from patrolplan.patrols.way_home import WayHome, average_way_home
from patrolplan.risk.surface import Risk
from patrolplan.settings.patrol import AFTER_SCHOOL
from patrolplan.tables import Drawn, LeftOutRow, render_html_table
from patrolplan.text import format_count, pick_fields
from patrolplan.travel import TRAVEL, PatrolWay, WayOfTravel

if TYPE_CHECKING:
    from patrolplan.patrols.planner import Planner

KEEP_AWAY_METRES = 250.0  # who comes no nearer to a barred place need not know of it
GATE_ASSUMED = "gate_assumed"  # key of the note that a school's gate is not known


class _AtPoint:
    """Mixin for records with a place."""

    point: forms.XY

    @property
    def x(self) -> float:
        """Metres eastwards."""
        return self.point[0]

    @property
    def y(self) -> float:
        """Metres northwards."""
        return self.point[1]


@with_config(forms.RECORD)
@dataclass(frozen=True)
class Tasking:
    """A request by intelligence for a place: to go there, or to keep away."""

    place_id: str
    """Name of the place in the table of tasked places."""
    reason: str
    by: str
    """Who requests it."""
    until: forms.Day
    """Last day on which it applies."""
    hours: forms.Hours = ""
    """HH:MM-HH:MM when it applies; empty means any time."""

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return forms.arrange(handler(self), [] if self.hours else ["hours"])


StopReason = Annotated[Reason, Field(discriminator="kind")]

StopKind = Literal["hotspot", "corner", "gate", "tasked", "designated"]
"""What a stop is: a hotspot, a corner of the pupils' ways, the gate again, a place that is only
tasked by intelligence, or one that a force designates. A hotspot that is also tasked is a
hotspot."""

PatrolKind = Literal["patrol", "reference", "gate"]
"""A patrol of its own; the reference, where a patrol gains too little on it; or staying at the gate
where there is nowhere else to stand."""


@forms.also_writes(tasked=str | None, stands=bool)
@dataclass(frozen=True, kw_only=True)
class Stop(_AtPoint):
    """A stopping place on a patrol, and the minutes spent there."""

    id: str
    """ID of the place, the same next month: see `patrolplan.area.square_names.name_places`."""
    hotspot: str
    """Name of the hotspot, or of the place; different places of a plan have different names."""
    kind: StopKind = "hotspot"
    tasking: Tasking | None = None
    """What intelligence requests where the officer stands; None where nothing is requested."""
    is_sent: Annotated[bool, Strict()] = False
    """Whether the patrol goes there for the tasking; else it only stands in sight of the place."""
    arrive_minutes: Annotated[forms.Minutes, Field(alias="arrive")]
    leave_minutes: Annotated[forms.Minutes, Field(alias="leave")]
    dwell: Annotated[forms.Amount, forms.round_to(2)] | None = None
    """Minutes spent there, in files where it differs from the rounded times; otherwise None."""
    place: str
    why: Annotated[tuple[StopReason, ...], forms.IsList]
    """Reasons, the most important first."""
    street: str = ""
    """Name of the street where the officer stands."""
    stand: Stand = "street"
    """Kind of place where the officer stands."""
    at: str = ""
    """Name of the street that meets there, of the bus stop or of the station."""
    lit: Lighting = "unknown"
    """Street lighting where the officer stands."""
    is_dark: Annotated[bool, Strict()] = False
    """Whether the stop ends after sunset, or begins before sunrise, on the plan's day."""
    tasked_metres: forms.Metres | None = None
    """Distance of a tasked place from where the officer stands."""
    sees: Annotated[tuple[str, ...], forms.IsList] = ()
    """Hotspots in view: standing there is a dose for each."""
    worth: forms.Share
    """What standing there is worth, as a share of the patrol's worth."""
    stood: Annotated[forms.Amount, forms.round_to(2)] | None = None
    """Minutes of its dwells, in files where one stays longer, between them or for the next stop;
    otherwise None."""
    point: forms.Point

    @property
    def covered(self) -> tuple[str, ...]:
        """The place itself, and the hotspots in view."""
        return tuple(dict.fromkeys((self.hotspot, *self.sees)))

    @property
    def tasked(self) -> str | None:
        """Name of the tasked place where the officer stands; None if there is none."""
        return None if self.tasking is None else self.tasking.place_id

    @property
    def sent_for(self) -> Tasking | None:
        """The tasking for which the patrol goes there; None where it goes for another reason."""
        return self.tasking if self.is_sent else None

    @property
    def stood_minutes(self) -> float:
        """Minutes spent there without waiting for the next stop."""
        return self.dwell_minutes if self.stood is None else self.stood

    @property
    def dwell_minutes(self) -> float:
        """Minutes spent there, to a hundredth."""
        spent = self.leave_minutes - self.arrive_minutes if self.dwell is None else self.dwell
        return round(spent, 2)

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        without = [name for name in ("street", "at") if not getattr(self, name)]
        without += ["tasked_metres"] if self.tasked_metres is None else []
        without += ["is_sent"] if self.tasking is None else []
        dwell = self.dwell_minutes
        without += ["stood"] if round(self.stood_minutes, 2) == dwell else []
        is_said = round(self.leave_minutes) - round(self.arrive_minutes) == dwell
        return forms.arrange(
            handler(self),
            [*without, "dwell"],
            kind={"tasked": self.tasked},
            leave={"stands": True} | ({} if is_said else {"dwell": dwell}),
        )


@with_config(forms.RECORD)
@dataclass(frozen=True, kw_only=True)
class BarredPlace(_AtPoint):
    """A place to keep away from, as requested by intelligence."""

    place: str
    """The nearest street, in words."""
    tasking: Tasking
    point: forms.Point


@with_config(forms.RECORD)
@dataclass(frozen=True)
class Reference:
    """A patrol over its reference, see `patrolplan.patrols.reference`; None where it meets none."""

    worth_ratio: forms.Share | None
    """Of the risk to own pupils that is met."""
    pupils_ratio: forms.Share | None
    """Of own pupils who pass."""


@with_config(forms.RECORD)
@dataclass(frozen=True, eq=False)
class Variant:
    """Another near-optimal patrol, so that patrols need not be the same every day."""

    worth_share: forms.Share
    """Its worth as a share of the best patrol's."""
    hotspots: Annotated[forms.Texts, Field(alias="stops")]
    """Its hotspots in the order of visits; for several officers, one after the other."""
    patrols: Annotated[tuple["Patrol", ...], forms.not_in_files(()), Field(exclude=True)] = ()
    """The patrols themselves, one per officer, with their own times and legs."""
    avoided_hotspots: Annotated[tuple[str, ...], forms.not_in_files(()), Field(exclude=True)] = ()
    """Hotspots that it was planned to avoid, see `patrolplan.patrols.errands`."""
    serves: Annotated[tuple[str, ...], forms.not_in_files(()), Field(exclude=True)] = ()
    """Tasked places that it was planned to visit, see `patrolplan.patrols.errands`."""
    watches: Annotated[tuple[str, ...], forms.not_in_files(()), Field(exclude=True)] = ()
    """Hotspots that it was planned to visit because they are new or rising."""

    @classmethod
    def from_patrols(
        cls, patrols: Sequence["Patrol"], worth_share: float = 1.0, **planned_for: tuple[str, ...]
    ) -> Self:
        """A variant of whole patrols, one per officer."""
        hotspots = tuple(stop.hotspot for patrol in patrols for stop in patrol.stops)
        alone = tuple(replace(patrol, variants=()) for patrol in patrols)
        return cls(worth_share, hotspots, alone, **planned_for)

    @property
    def is_further(self) -> bool:
        """Whether it was planned to fill gaps of other patrols, not as one of the best."""
        return bool(self.avoided_hotspots or self.serves or self.watches)


class Standing(NamedTuple):
    """The time that a patrol spends at one place."""

    from_minutes: float
    to_minutes: float
    number: int = 0
    """Of the stop; 0 is the gate before the stops, and after them."""


@forms.also_writes(
    pushed_metres=forms.Metres, gap_percent=forms.Amount, gate_card=bool, walked_metres=forms.Metres
)
@dataclass(frozen=True, eq=False, kw_only=True)
class Patrol(_AtPoint):
    """One officer's timed walk or ride: presence at the gate, stops, and back to the gate.

    There is one more of `legs` than of `stops`; if no stop is worth it, there is only presence at
    the gate and no leg.
    """

    urn: str
    school: str
    kind: PatrolKind = "patrol"
    number: Annotated[int, Field(ge=1, le=99, strict=True)]
    """1 for the first officer at this school, 2 for the second..."""
    point: Annotated[forms.Point, Field(alias="gate")]
    start_minutes: Annotated[forms.Minutes, Field(alias="start")]
    gate_until_minutes: Annotated[forms.Minutes, Field(alias="gate_until")]
    """End of the presence at the gate; after its minimum if staying is worth more than leaving."""
    end_minutes: Annotated[forms.Minutes, Field(alias="end")]
    latest_end_minutes: Annotated[forms.Minutes, Field(alias="latest_end")]
    """End of the patrol window."""
    window: str = AFTER_SCHOOL
    """Name of the window in the settings."""
    way: PatrolWay = "walk"
    worth: forms.Share
    """What it meets of the risk to own pupils within reach, see `patrolplan.patrols.prize`."""
    bound: forms.Share
    """Upper bound on the worth of any patrol of this school and window."""
    proven: Annotated[bool, Strict()]
    stops: Annotated[tuple[Stop, ...], forms.IsList]
    legs: Annotated[tuple[Leg, ...], forms.IsList]
    variants: Annotated[tuple[Variant, ...], forms.IsList]
    gate_id: str = ""
    """ID of the gate's place."""
    gate_place: str = ""
    """Where the gate is, in words."""
    barred: Annotated[tuple[BarredPlace, ...], forms.IsList] = ()
    """Barred places within the school's radius; stops and walks avoid them."""
    notes: Annotated[tuple[Note, ...], forms.IsList]
    """What was assumed for this school, such as its bell or gate."""
    reference: Reference | None = None
    """How it compares with what an experienced officer would do; None without such a comparison."""
    nothing_recorded: Annotated[bool, Strict()] = False
    """Whether neither crime nor reports are on the own ways."""
    way_home: Annotated[WayHome | None, forms.not_in_files(None), Field(exclude=True)] = None
    """How much of the way home it meets; None for variants and for patrols read from files."""
    timings: Annotated[Timings | None, forms.not_in_files(None), Field(exclude=True)] = None
    """The times and orders of its stops that may be drawn; None for patrols read from files."""

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        record, usual = handler(self), {"way": "walk", "window": AFTER_SCHOOL}
        # Sums are those of rounded legs, and the gap that of the rounded worth, so that a patrol
        # that was read is written unchanged.
        worth, bound, legs = (record[name] for name in ("worth", "bound", "legs"))
        pushed = sum(leg.get("pushed_metres", 0.0) for leg in legs)
        return forms.arrange(
            record,
            [name for name, one in usual.items() if getattr(self, name) == one],
            way={"pushed_metres": round(pushed, 1)},
            bound={"gap_percent": round(compute_gap_percent(worth, bound), 2)},
            proven={
                "gate_card": self.is_gate_card,
                "walked_metres": round(sum(leg["metres"] for leg in legs), 1),
            },
        )

    @property
    def travel(self) -> WayOfTravel:
        """How the officer goes."""
        return TRAVEL[self.way]

    @property
    def has_presence(self) -> bool:
        """Whether there is a presence at the gate before the stops."""
        return self.gate_until_minutes > self.start_minutes

    @property
    def is_gate_card(self) -> bool:
        """Whether staying at the gate is best, since no stop is worth the walk."""
        return not self.stops

    @property
    def points(self) -> Floats:
        """(1 + stops, 2) metres of the gate and of the stops."""
        return np.array([(self.x, self.y), *((stop.x, stop.y) for stop in self.stops)])

    @property
    def hotspots(self) -> list[str]:
        """The hotspots in which it dwells; places that are only tasked are not among them."""
        return [stop.hotspot for stop in self.stops if stop.kind in {"hotspot", "designated"}]

    @cached_property
    def shape(self) -> BaseGeometry:
        """Gate, stops and legs as one shape, in metres."""
        lines = [shapely.LineString(leg.line) for leg in self.legs if len(leg.line) > 1]
        return shapely.union_all([shapely.MultiPoint(self.points), *lines])

    @cached_property
    def keep_away(self) -> tuple[BarredPlace, ...]:
        """The barred places to which an officer on it might come."""
        metres = [self.shape.distance(shapely.Point(place.point)) for place in self.barred]
        near = zip(self.barred, metres, strict=True)
        return tuple(place for place, away in near if away <= KEEP_AWAY_METRES)

    @cached_property
    def stop_reasons(self) -> tuple[StopReasons, ...]:
        """Why it stops at each of its places."""
        return find_stop_reasons(self)

    @property
    def taskings(self) -> tuple[str, ...]:
        """Names of the tasked places at which it stands, in its order."""
        names = (stop.tasked for stop in self.stops)
        return tuple(dict.fromkeys(name for name in names if name is not None))

    @property
    def is_gate_assumed(self) -> bool:
        """Whether it is not known where the school's gate is."""
        return any(note.key == GATE_ASSUMED for note in self.notes)

    @property
    def covered(self) -> list[str]:
        """Its places, and the hotspots in view of them."""
        return list(dict.fromkeys(name for stop in self.stops for name in stop.covered))

    @property
    def back_minutes(self) -> float:
        """When the last leg ends, from the minute that the card prints; the rest is the gate's."""
        if not self.legs:
            return self.end_minutes
        return round(self.stops[-1].leave_minutes) + self.legs[-1].rounded_minutes

    @property
    def standings(self) -> list[Standing]:
        """Where it stands, in the order of time: at the gate, at each stop, back at the gate."""
        stood = []
        if self.has_presence:
            stood.append(Standing(self.start_minutes, self.gate_until_minutes))
        for number, stop in enumerate(self.stops, start=1):
            stood.append(Standing(stop.arrive_minutes, stop.leave_minutes, number))
        if self.stops and self.end_minutes > self.back_minutes:
            stood.append(Standing(self.back_minutes, self.end_minutes))
        return stood

    @property
    def leg_times(self) -> list[tuple[float, float]]:
        """Departure and arrival of each leg, in minutes after midnight."""
        if not self.legs:
            return []
        leaves = [self.gate_until_minutes, *(stop.leave_minutes for stop in self.stops)]
        arrives = [*(stop.arrive_minutes for stop in self.stops), self.back_minutes]
        return list(zip(leaves, arrives, strict=True))

    @property
    def title(self) -> str:
        """The school, and the number of the officer if it has several."""
        return self.school if self.number == 1 else f"{self.school}, officer {self.number}"

    @property
    def walked_metres(self) -> float:
        """All metres walked or ridden."""
        return float(sum(leg.metres for leg in self.legs))

    @property
    def pushed_metres(self) -> float:
        """Metres of these on which a bicycle is pushed or carried."""
        return float(sum(leg.pushed_metres for leg in self.legs))

    @property
    def gap_percent(self) -> float:
        """Maximum difference below the bound, in percent."""
        return compute_gap_percent(self.worth, self.bound)


@dataclass(frozen=True)
class Unserved:
    """A place that a school's patrols may serve but cannot, with the reason."""

    urn: str
    place: str
    """Name of the tasked place, or of the watched hotspot."""
    why: Obstacle
    is_watched: bool = False
    """Whether it is a watched hotspot."""


@dataclass(frozen=True, eq=False)
class Plan(Drawn):
    """Patrols for every school of an area, with their basis."""

    area: StudyArea
    risk: Risk
    hotspots: gpd.GeoDataFrame
    """One row per hotspot, see `patrolplan.tables.HOTSPOTS`."""
    patrols: tuple[Patrol, ...]
    left_out: tuple[LeftOutRow, ...]
    """Everything that was left out, from rows of files to schools that could not be planned."""
    date: dt.date | None = None
    """Day of the patrols, if one was given."""
    window: Window | None = None
    """Window of the patrols; None means the settings' minutes from the bell."""
    other_windows: tuple["Plan", ...] = ()
    """The same day's patrols in further windows of the week, see `[week] windows`."""
    unserved: tuple[Unserved, ...] = ()
    """Places to visit, tasked or watched, that no patrol of a school can reach in their hours."""
    posts: tuple[Post, ...] = ()
    """Where adults stand after the bell, in addition to patrols."""
    planner: "Planner | None" = None
    """What was computed once for it, from which further patrols follow; stays in this process."""

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"planner": None}

    @property
    def frame(self) -> gpd.GeoDataFrame:
        """One row a patrol, with its walk as lines; see `patrolplan.frame_patrols` for times."""
        names = ("urn", "school", "number", "kind", "start_minutes", "end_minutes", "walked_metres")
        walks = [[leg.line for leg in one.legs if len(leg.line) > 1] for one in self.patrols]
        return gpd.GeoDataFrame(
            [pick_fields(one, *names) for one in self.patrols],
            geometry=[shapely.MultiLineString(walk) for walk in walks],
            crs=self.area.projection.crs,
        )

    @property
    def parts(self) -> tuple["Plan", ...]:
        """The day's plans, for every window."""
        return (self, *self.other_windows)

    @property
    def window_name(self) -> str:
        """Name of the window of its patrols."""
        return AFTER_SCHOOL if self.window is None else self.window.name

    def _get_drawn(self) -> tuple[gpd.GeoDataFrame, str]:
        return self.frame[~self.frame.is_empty], "school"

    def __repr__(self) -> str:
        counts = format_count(len(self.patrols), "patrol")
        return f"<Plan: {self.area.name}, {counts}, {format_count(len(self.hotspots), 'hotspot')}>"

    @property
    def way_home(self) -> WayHome | None:
        """How much of the way home its patrols meet, on average over pupils; None if unknown."""
        return average_way_home(self.patrols)

    def _repr_html_(self) -> str:
        proven = sum(patrol.proven for patrol in self.patrols)
        facts = {
            "patrols": f"{len(self.patrols)}, {proven} of them proven best",
            "hotspots": len(self.hotspots),
            "day": self.date or "any",
            "left out": "; ".join(map(str, self.left_out)) or "nothing",
        }
        after = 'pp.write_pack(plan, "out"); pp.explore(plan)'
        return render_html_table(f"Plan of {self.area.name}", facts, next_call=after)
