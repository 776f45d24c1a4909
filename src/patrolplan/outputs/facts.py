"""What papers and pages say of a patrol's stops, unescaped and uncut, and their marking."""

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.area.square_names import format_grid_reference
from patrolplan.hotspots.reasons import list_reasons
from patrolplan.outputs import wording
from patrolplan.outputs.reason_words import (
    Detail,
    ReasonLine,
    describe_want_of_reasons,
    tell_busiest_way,
    tell_reasons,
)
from patrolplan.patrols.plan import Patrol, Stop
from patrolplan.patrols.stop_reasons import StopReasons, is_feared
from patrolplan.times import format_time

NOT_FEARED, REPORTED, CARRIED = 0, 1, 2  # The last: due more to reports than to crime


@dataclass(frozen=True)
class StopFacts:
    """A stop in words; `why`, `tasking` and `feared` are for officers alone."""

    number: int
    arrive: str
    leave: str  # HH:MM
    minutes: int
    place: str  # The street and the landmark, and whether the patrol was there before
    grid: str  # Grid reference; empty outside the British National Grid
    tasking: str  # What intelligence requests, without a full stop; empty if nothing
    tasked_distance: str
    earlier: int | None  # Number of an earlier stop at the same place
    feared: bool  # Whether a group of pupils reports that they feel unsafe there
    stop: Stop = field(repr=False)
    reasons: StopReasons = field(repr=False)

    def list_why(self, detail: Detail = "whole") -> list[ReasonLine]:
        """Why to stand there other than a tasking, the most important first."""
        if self.earlier is not None:
            return [ReasonLine(f"As at stop {self.earlier}")]
        lines = tell_reasons(self.reasons.reasons, detail, self.reasons.told)
        if self.reasons.busiest is not None:
            at = int(bool(lines) and lines[0].is_voice)
            lines.insert(at, tell_busiest_way(self.reasons.busiest, detail))
        if not (lines or self.tasking):
            return [ReasonLine(describe_want_of_reasons(self.stop))]
        return lines

    def list_sentences(self, detail: Detail = "whole") -> list[str]:
        """Why to stand there, a sentence each: what is tasked comes first."""
        tasked = [f"Tasked: {self.tasking}."] if self.tasking else []
        return tasked + [f"{line.text}{line.end}" for line in self.list_why(detail)]


def list_stop_facts(patrol: Patrol, crs: str) -> list[StopFacts]:
    """The facts of each of a patrol's stops, for an area in this CRS."""
    stops = zip(patrol.stops, patrol.stop_reasons, strict=True)
    return [
        StopFacts(
            number,
            arrive=format_time(stop.arrive_minutes),
            leave=format_time(stop.leave_minutes),
            minutes=round(stop.leave_minutes - stop.arrive_minutes),
            place=wording.describe_place(stop) + (", again" if reasons.earlier else ""),
            grid=format_grid_reference(stop.x, stop.y, crs=crs),
            tasking="" if stop.tasking is None else wording.describe_tasking(stop.tasking),
            tasked_distance=wording.describe_tasked_distance(stop),
            earlier=reasons.earlier,
            feared=reasons.is_feared,
            stop=stop,
            reasons=reasons,
        )
        for number, (stop, reasons) in enumerate(stops, start=1)
    ]


@dataclass(frozen=True)
class SchoolStop:
    """A stop as a school may know it: it holds no reason, fear or tasking."""

    hotspot: str
    place: str
    point: tuple[float, float]
    seen: tuple[str, ...]  # The place itself, and the hotspots in view


def list_school_stops(patrol: Patrol, hotspots: gpd.GeoDataFrame) -> list[SchoolStop]:
    """A patrol's stops for its school: no gate, no place or point that is only tasked."""
    own = hotspots.set_index("hotspot")
    stops = []
    for stop in patrol.stops:
        if stop.kind in {"tasked", "gate"}:
            continue
        place, point = wording.describe_place(stop), stop.point
        if stop.is_sent:  # one moved there; the school is told the hotspot's own place
            row = own.loc[stop.hotspot]
            place, point = row["place"], (float(row["stop_x"]), float(row["stop_y"]))
        stops.append(SchoolStop(stop.hotspot, place, point, stop.covered))
    return stops


def classify_fear(hotspots: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """(h,) `NOT_FEARED`, `REPORTED` or `CARRIED` for each hotspot."""
    reported = np.array([is_feared(reasons) for reasons in list_reasons(hotspots)], dtype=bool)
    return np.where(hotspots["mainly_reports"], CARRIED, np.where(reported, REPORTED, NOT_FEARED))
