"""Who is where when: every stay of a week, the one source of all papers, lists and files.

A stay lasts from arriving at a place until leaving it, with the minutes waited there for the next
one. Of the gate it is the presence at the bell, every return, and the minutes left at the end.
Who stands in sight of a hotspot is there as well: it has its dose, and whoever asks who comes to
it is told so.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from patrolplan.area.square_names import name_places
from patrolplan.patrols.plan import Stop
from patrolplan.team.week import Duty, Week
from patrolplan.times import format_time


@dataclass(frozen=True, eq=False)
class Stay:
    """The time that the people of a patrol spend at one place."""

    duty: Duty
    from_minutes: float
    to_minutes: float
    stop: Stop | None
    """None for the presence at the gate before the stops, and after them."""

    @property
    def date(self) -> dt.date:
        """Its day."""
        return self.duty.date

    @property
    def officers(self) -> tuple[str, ...]:
        """Who is there: the officer, and who walks along."""
        return self.duty.people

    @property
    def names(self) -> tuple[str, ...]:
        """The places that are visited by it."""
        return () if self.stop is None else list_visited(self.stop)

    @property
    def minutes(self) -> float:
        """How long it lasts."""
        return self.to_minutes - self.from_minutes


def list_visited(stop: Stop) -> tuple[str, ...]:
    """The places that a stop visits, by name: its own, and hotspots in view; a gate is none."""
    return stop.sees if stop.kind == "gate" else stop.covered


def list_stays(duties: Iterable[Duty]) -> Iterator[Stay]:
    """The stays of some patrols, each patrol's in the order of time."""
    for duty in duties:
        patrol = duty.patrol
        if patrol.has_presence:
            yield Stay(duty, duty.start_minutes, patrol.gate_until_minutes, None)
        for stop in patrol.stops:
            yield Stay(duty, stop.arrive_minutes, stop.leave_minutes, stop)
        if patrol.stops and duty.end_minutes > patrol.back_minutes:
            yield Stay(duty, patrol.back_minutes, duty.end_minutes, None)


def group_stays(duties: Iterable[Duty]) -> dict[str, list[Stay]]:
    """The stays at each place by its name, in the order of day and time."""
    groups: dict[str, list[Stay]] = {}
    for stay in sorted(list_stays(duties), key=lambda stay: (stay.date, stay.from_minutes)):
        for name in stay.names:
            groups.setdefault(name, []).append(stay)
    return groups


def build_place_rows(week: Week) -> list[dict[str, Any]]:
    """Who is where when, for `week.json`: the ID of each place, the day, from when to when."""
    crs = week.plan.area.projection.crs
    stays = list(list_stays(week.duties))
    gates = name_places([stay.duty.patrol.point for stay in stays], crs) if stays else []
    rows = [
        {
            "id": gate if stay.stop is None else stay.stop.id,
            "date": f"{stay.date}",
            "from": format_time(stay.from_minutes),
            "to": format_time(stay.to_minutes),
            "officers": list(stay.officers),
        }
        for stay, gate in zip(stays, gates, strict=True)
    ]
    return sorted(rows, key=lambda row: (row["date"], row["from"], row["id"], row["officers"]))
