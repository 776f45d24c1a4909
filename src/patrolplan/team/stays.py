"""Who stands where, from when to when: every stay of a week, which papers, lists and files read.

A stay lasts from arriving until leaving, with the minutes waited there. Of the gate it is the
presence at the bell, every return, and the end. Who stands in sight of a hotspot is there, too.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from patrolplan.patrols.plan import Stop, StopKind
from patrolplan.times import format_time

if TYPE_CHECKING:
    from patrolplan.team.week import Duty

StayKind = Literal["gate", "hotspot", "corner", "designated"]

KINDS: dict[StopKind, StayKind] = {
    "gate": "gate",
    "hotspot": "hotspot",
    "corner": "corner",
    "designated": "designated",
    "tasked": "corner",
}
"""What the place of a stop is; whether it is tasked is told apart."""


@dataclass(frozen=True, eq=False)
class Stay:
    """The time that the people of a patrol spend at one place."""

    duty: "Duty"
    from_minutes: float
    to_minutes: float
    number: int = 0  # of the stop on its card; 0 is the gate before the stops, and after them

    @property
    def stop(self) -> Stop | None:
        """The stop; None for the gate before the stops, and after them."""
        return self.duty.patrol.stops[self.number - 1] if self.number else None

    @property
    def date(self) -> dt.date:
        """Its day."""
        return self.duty.date

    @property
    def officers(self) -> tuple[str, ...]:
        """Who is there: the officer, and who walks along."""
        return self.duty.people

    @property
    def place_id(self) -> str:
        """The ID of the place."""
        return self.duty.patrol.gate_id if self.stop is None else self.stop.id

    @property
    def kind(self) -> StayKind:
        """What the place is."""
        return "gate" if self.stop is None else KINDS[self.stop.kind]

    @property
    def tasked(self) -> str | None:
        """Name of the tasked place where they stand; None if there is none."""
        return None if self.stop is None else self.stop.tasked

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


def list_stays(duties: Iterable["Duty"]) -> Iterator[Stay]:
    """The stays of some patrols, each patrol's in the order of time."""
    for duty in duties:
        for standing in duty.patrol.standings:
            yield Stay(duty, *standing)


def group_stays(stays: Iterable[Stay]) -> dict[str, list[Stay]]:
    """The stays at each place by its name, in the order of day and time."""
    groups: dict[str, list[Stay]] = {}
    for stay in sorted(stays, key=lambda stay: (stay.date, stay.from_minutes)):
        for name in stay.names:
            groups.setdefault(name, []).append(stay)
    return groups


def sum_minutes(stays: Iterable[Stay]) -> dict[tuple[str, dt.date], float]:
    """Minutes of presence at each place on each day, by name."""
    minutes: dict[tuple[str, dt.date], float] = {}
    for stay in stays:
        for name in stay.names:
            at = name, stay.date
            minutes[at] = minutes.get(at, 0.0) + stay.minutes
    return minutes


def build_stay_rows(stays: Iterable[Stay]) -> list[dict[str, Any]]:
    """The stays for `week.json`, by officer, day and time."""
    rows: list[dict[str, Any]] = [
        {
            "officer": stay.duty.officer,
            "date": f"{stay.date}",
            "window": stay.duty.window,
            "urn": stay.duty.urn,
            "place": stay.place_id,
            "from": format_time(stay.from_minutes),
            "to": format_time(stay.to_minutes),
            "tasked": stay.tasked,
            "kind": stay.kind,
        }
        for stay in stays
    ]
    return sorted(rows, key=lambda row: (row["date"], row["officer"], row["from"]))


def build_place_rows(stays: Iterable[Stay]) -> list[dict[str, Any]]:
    """Their summary by place: its ID, the day, from when to when, and who is there."""
    rows: list[dict[str, Any]] = [
        {
            "id": stay.place_id,
            "date": f"{stay.date}",
            "from": format_time(stay.from_minutes),
            "to": format_time(stay.to_minutes),
            "officers": [*stay.officers],
        }
        for stay in stays
    ]
    return sorted(rows, key=lambda row: (row["date"], row["from"], row["id"], row["officers"]))
