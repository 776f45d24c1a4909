"""Visits, and which of them are the same one.

A place is known by its ID, the same next month, while hotspots may get other names: see
`patrolplan.area.square_names.name_places`. A hotspot that the force designates has the force's own:
presence anywhere in it counts.

*The same visit* is one of the same day, school, window, place and people. Officers who patrol
together make one visit, which any of them enters and corrects.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from patrolplan.patrols.plan import StopKind
from patrolplan.tables import Reason

MAX_VISIT_MINUTES = 720.0  # maximum minutes in one place on one day: more are a typing error

Source = Literal["keyboard", "csv", "gpx"]
Outcome = Literal["new", "same", "corrected"]
Span = tuple[int, int]  # from when to when a track was recorded, in seconds since midnight


@dataclass(frozen=True)
class Visit:
    """Minutes of presence at a place on a day; 0 where it was not visited."""

    officer: str
    date: dt.date
    urn: str
    id: str  # of the place, the same next month
    hotspot: str  # name of the place in the week handed out
    place: str
    longitude: float
    latitude: float
    minutes: float  # that the place had a presence, however many officers came together
    engagements: int | None  # people spoken to; None where not recorded, or to leave it as it was
    source: Source
    kind: StopKind = "hotspot"
    together: tuple[str, ...] | None = None
    """Officers who came with this one; None to leave them as they were, at first none."""
    tracks: tuple[Span, ...] = ()  # when the tracks were recorded that the minutes come from
    window: str = ""  # empty where that is not known
    people: int | None = None
    """How many came, named or not; None to leave it as it was, at first those named."""
    arrive: str | None = None  # HH:MM; None where not recorded, or to leave it as it was
    reason: Reason | None = None  # why it was not made or was cut short

    @property
    def names(self) -> frozenset[str]:
        """The officers who came, as far as they are named."""
        return frozenset((self.officer, *(self.together or ())))


@dataclass(frozen=True)
class RecordedVisit:
    """A visit as the ledger has it: its number, and its latest revision."""

    number: int
    revision: int
    visit: Visit


@dataclass(frozen=True)
class VisitEntry:
    """The outcome of a visit; `minutes_before` is None where it was new."""

    visit: Visit
    outcome: Outcome
    number: int
    revision: int
    minutes_before: float | None = None


def build_visit_row(visit: Visit) -> dict[str, Any]:
    """A visit as a row of the ledger's table."""
    together = ";".join(visit.together or ())
    tracks = " ".join(f"{begin}-{end}" for begin, end in visit.tracks)
    return {**vars(visit), "together": together, "tracks": tracks}


def parse_visit_row(row: Mapping[Any, Any]) -> Visit:
    """A visit of a row of the ledger's table; the inverse of `build_visit_row`."""
    values = {field.name: row[field.name] for field in fields(Visit)}
    values["together"] = tuple(name for name in row["together"].split(";") if name)
    ends = (span.split("-") for span in row["tracks"].split())
    values["tracks"] = tuple((int(begin), int(end)) for begin, end in ends)
    return Visit(**values)


def revise_visit(visit: Visit, before: RecordedVisit | None, number: int) -> VisitEntry:
    """The outcome of a visit, given what the ledger has; a new one gets a number."""
    # Who came, when, and how many were spoken to stay as they were where the visit does not say.
    # The visit stays that of the officer it was first entered for, as long as that officer came.
    if before is None:
        return VisitEntry(_complete_visit(visit, visit.people), "new", number, 1)
    old = before.visit
    names = old.names if visit.together is None else visit.names
    officer = old.officer if old.officer in names else visit.officer
    engagements = old.engagements if visit.engagements is None else visit.engagements
    kept_reason = old.reason if visit.minutes == old.minutes else None
    revised = replace(
        visit,
        officer=officer,
        together=tuple(sorted(names - {officer})),
        engagements=engagements,
        window=visit.window or old.window,
        arrive=visit.arrive or old.arrive,
        reason=visit.reason or kept_reason,
    )
    people = old.people if visit.people is None and visit.together is None else visit.people
    revised = _complete_visit(revised, people)
    facts = [
        (row.minutes, row.engagements, row.names, row.people, row.arrive, row.reason)
        for row in (_complete_visit(old, old.people), revised)
    ]
    if facts[0] == facts[1] and visit.tracks in {(), old.tracks}:
        return VisitEntry(revised, "same", before.number, before.revision, old.minutes)
    return VisitEntry(revised, "corrected", before.number, before.revision + 1, old.minutes)


def _complete_visit(visit: Visit, people: int | None) -> Visit:
    """A visit as it is entered: at least the people named, and an arrival only if it was made."""
    return replace(
        visit,
        together=visit.together or (),
        people=max(people or 1, len(visit.names)),
        arrive=visit.arrive if visit.minutes > 0 else None,
    )


def empty_visit(visit: Visit, source: Source) -> Visit:
    """A visit that became part of another one and no longer counts."""
    spoken = None if visit.engagements is None else 0
    nobody: dict[str, Any] = {"minutes": 0.0, "together": (), "people": 1, "arrive": None}
    return replace(visit, **nobody, reason=None, engagements=spoken, tracks=(), source=source)


def find_same_visits(visit: Visit, recorded: Sequence[RecordedVisit]) -> list[RecordedVisit]:
    """The recorded visits that are the same as this one: several where officers are joined."""
    # `recorded` are those of its day and school. One of several officers comes first, then that of
    # the visit's own officer; of the others only those with minutes.
    windows = {"", visit.window} if visit.window else {row.visit.window for row in recorded}
    here = [one for one in recorded if one.visit.id == visit.id and one.visit.window in windows]
    same = [row for row in here if row.visit.names & visit.names]
    same.sort(
        key=lambda row: (-len(row.visit.names), row.visit.officer != visit.officer, row.number)
    )
    return same[:1] + [row for row in same[1:] if row.visit.minutes > 0]
