"""Visits, which of them are the same one, and which place each belongs to.

Each plan names its hotspots from scratch: H3 of one month need not be H3 of the next, while the
streets stay the same. So a visit is never matched to a place by a hotspot's name.

*The same visit* is one of the same day, school, window, place and people. The place of a hotspot
is its stop; a place that is no hotspot, such as one tasked by intelligence, is known by its id, and
so is a hotspot that the force designates: its id stays while its streets and stops may change.
Where a week was handed out again and a visit's stop is no longer one of its stops, the visit
belongs to the hotspot on whose stretch it was. Officers who patrol together make one visit, which
any of them enters and corrects.

*The same place* over weeks: a dose belongs to the hotspot that has the stop where it was given, for
one may stand in view of a stretch, on another; else to that whose stretch is nearest, if within
50 m; otherwise its place is no longer a hotspot.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from patrolplan.crs import Projection
from patrolplan.patrols.plan import StopKind
from patrolplan.tables import Reason

MAX_VISIT_MINUTES = 720.0
"""Maximum minutes in one place on one day: more are a typing error."""

SAME_PLACE_METRES = 50.0
"""A stop within this many metres of a stretch is on it: half a short street."""

SAME_STOP_METRES = 1.0
"""Stops within this distance are the same, since degrees are rounded."""

PLACE_DECIMALS = 6
"""Decimals of the degrees of a stop: a tenth of a metre, as files hold it."""

Source = Literal["keyboard", "csv", "gpx"]
Outcome = Literal["new", "same", "corrected"]
Span = tuple[int, int]
"""From when to when a track was recorded, in seconds since midnight."""


@dataclass(frozen=True)
class Visit:
    """Minutes of presence at a place on a day; 0 where it was not visited."""

    officer: str
    date: dt.date
    urn: str
    hotspot: str
    """In the week handed out, or the id of another place."""
    place: str
    longitude: float
    latitude: float
    minutes: float
    """That the place had a presence, however many officers came together."""
    engagements: int | None
    """People spoken to; None where not recorded, or to leave it as it was."""
    source: Source
    kind: StopKind = "hotspot"
    together: tuple[str, ...] | None = None
    """Officers who came with this one; None to leave them as they were, at first none."""
    tracks: tuple[Span, ...] = ()
    """When the tracks were recorded that the minutes come from."""
    window: str = ""
    """Empty where that is not known."""
    people: int | None = None
    """How many came, named or not; None to leave it as it was, at first those named."""
    arrive: str | None = None
    """HH:MM; None where not recorded, or to leave it as it was."""
    reason: Reason | None = None
    """Why it was not made or was cut short."""

    @property
    def names(self) -> frozenset[str]:
        """The officers who came, as far as they are named."""
        return frozenset((self.officer, *(self.together or ())))

    @property
    def place_key(self) -> str:
        """What identifies the place in the week handed out, see `compute_place_key`."""
        return compute_place_key(self.hotspot, self.longitude, self.latitude, self.kind)


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
    values["tracks"] = parse_spans(row["tracks"])
    return Visit(**values)


def parse_spans(text: str) -> tuple[Span, ...]:
    """Spans of time of their text in the ledger.

    Examples
    --------
    >>> parse_spans("55200-57000 57600-59400")
    ((55200, 57000), (57600, 59400))
    """
    ends = (span.split("-") for span in text.split())
    return tuple((int(begin), int(end)) for begin, end in ends)


def compute_place_key(hotspot: str, longitude: float, latitude: float, kind: StopKind) -> str:
    """What identifies a place whatever the number of its hotspot: its stop, or a tasked place's id.

    Examples
    --------
    >>> compute_place_key("H3", 0.8711801, 51.530068, "hotspot")
    'stop 0.871180 51.530068'
    >>> compute_place_key("T-01", 0.8711801, 51.530068, "tasked")
    'tasked T-01'
    """
    if kind != "hotspot":
        return f"{kind} {hotspot}"
    return f"stop {longitude:.{PLACE_DECIMALS}f} {latitude:.{PLACE_DECIMALS}f}"


def list_place_keys(table: pd.DataFrame) -> list[str]:
    """The key of each row's place, of `hotspot, longitude, latitude, kind`."""
    columns = (table[name] for name in ("hotspot", "longitude", "latitude", "kind"))
    return [compute_place_key(*place) for place in zip(*columns, strict=True)]


def revise_visit(visit: Visit, before: RecordedVisit | None, number: int) -> VisitEntry:
    """The outcome of a visit, given what the ledger has; a new one gets a number.

    Who came, when, and how many were spoken to stay as they were where the visit does not say. The
    visit stays that of the officer it was first entered for, as long as that officer came.
    """
    if before is None:
        return VisitEntry(_complete_visit(visit, visit.people), "new", number, 1)
    old = before.visit
    names = old.names if visit.together is None else visit.names
    officer = old.officer if old.officer in names else visit.officer
    engagements = old.engagements if visit.engagements is None else visit.engagements
    is_same_stay = visit.minutes == old.minutes
    revised = replace(
        visit,
        officer=officer,
        together=tuple(sorted(names - {officer})),
        engagements=engagements,
        window=visit.window or old.window,
        arrive=visit.arrive or old.arrive,
        reason=visit.reason or (old.reason if is_same_stay else None),
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


def find_same_visits(
    visit: Visit, recorded: Sequence[RecordedVisit], hotspots: pd.DataFrame, projection: Projection
) -> list[RecordedVisit]:
    """The recorded visits that are the same as this one: several where officers are joined.

    `recorded` are those of its day and school, `hotspots` the places of the week valid for the day,
    see `Ledger.read_hotspots`. One of several officers comes first, then that of the visit's own
    officer; of the others only those with minutes.
    """
    peers = [
        row
        for row in recorded
        if row.visit.names & visit.names
        and ("" in {row.visit.window, visit.window} or row.visit.window == visit.window)
    ]
    same = [row for row in peers if row.visit.place_key == visit.place_key]
    if not same and peers and visit.kind == "hotspot":
        same = _find_moved_visits(visit, peers, hotspots, projection)[:1]
    same.sort(
        key=lambda row: (-len(row.visit.names), row.visit.officer != visit.officer, row.number)
    )
    return same[:1] + [row for row in same[1:] if row.visit.minutes > 0]


def _find_moved_visits(
    visit: Visit, recorded: Sequence[RecordedVisit], hotspots: pd.DataFrame, projection: Projection
) -> list[RecordedVisit]:
    """Visits on the stretch of a visit's hotspot whose own stop is no longer one of the week.

    The nearest comes first.
    """
    spots = hotspots[hotspots["kind"] == "hotspot"]
    keys = list_place_keys(spots)
    moved = [
        row for row in recorded if row.visit.kind == "hotspot" and row.visit.place_key not in keys
    ]
    if not moved or visit.place_key not in keys:
        return []
    xy = _project_visits([row.visit for row in moved], projection)
    nearest = match_stretches(xy, project_to_metres(spots["stretch"], projection))
    on_stretch = np.flatnonzero(nearest == keys.index(visit.place_key))
    apart = np.hypot(*(xy[on_stretch] - _project_visits([visit], projection)).T)
    return [moved[row] for row in on_stretch[np.argsort(apart, kind="stable")]]


def _project_visits(visits: Sequence[Visit], projection: Projection) -> NDArray[np.float64]:
    """(k, 2) metres of visits' stops."""
    table = pd.DataFrame([(visit.longitude, visit.latitude) for visit in visits])
    return project_stops(table.set_axis(["longitude", "latitude"], axis=1), projection)


def match_stretches(
    xy: ArrayLike, stretches: ArrayLike, stops_xy: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Which stretch each of (k, 2) stops in metres is on, or is for.

    `stretches` are (m,) shapely lines or points, `stops_xy` (m, 2) where one stands at each, if
    known. Gives (k,) rows of the stretch that has this stop, else of the nearest within
    `SAME_PLACE_METRES`, else -1.

    Examples
    --------
    >>> street = shapely.LineString([(0, 0), (200, 0)])
    >>> match_stretches([[120, 30], [120, 80]], [street]).tolist()
    [0, -1]
    """
    points = shapely.points(np.asarray(xy, dtype=np.float64).reshape(-1, 2))
    rows = np.full(len(points), -1, dtype=np.int64)
    shapes = np.asarray(stretches, dtype=object)
    if len(shapes) and len(points):
        matched, nearest = shapely.STRtree(shapes).query_nearest(
            points, max_distance=SAME_PLACE_METRES, all_matches=False
        )
        rows[matched] = nearest
    own = shapely.points(np.reshape(() if stops_xy is None else stops_xy, (-1, 2)))
    if len(own) and len(points):
        matched, nearest = shapely.STRtree(own).query_nearest(points, max_distance=SAME_STOP_METRES)
        order = np.lexsort((-nearest, matched))  # of stretches that share a stop, the first
        rows[matched[order]] = nearest[order]
    return rows


def match_places(
    visits: pd.DataFrame,
    xy: NDArray[np.float64],
    places: pd.DataFrame,
    stretches: NDArray[np.object_],
    stops_xy: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Which of (m,) places each of (k,) visits at (k, 2) `xy` is at: its row, or -1.

    Both have `hotspot, kind`. A designated place is found by its id, others as `match_stretches`
    says, by their (m,) `stretches` and (m, 2) `stops_xy`.
    """
    rows = np.full(len(visits), -1, dtype=np.int64)
    own = np.flatnonzero(places["kind"] != "designated")
    others = np.flatnonzero(visits["kind"] != "designated")
    found = match_stretches(xy[others], stretches[own], stops_xy[own])
    rows[others] = np.append(own, -1)[found]
    ids = {name: row for row, name in enumerate(places["hotspot"]) if row not in set(own.tolist())}
    for row in np.setdiff1d(np.arange(len(visits)), others):
        rows[row] = ids.get(visits["hotspot"].iloc[row], -1)
    return rows


def project_to_metres(stretches: ArrayLike, projection: Projection) -> NDArray[np.object_]:
    """(m,) stretches in the area's metres, of their WKT in degrees."""
    shapes = shapely.from_wkt(np.asarray(stretches, dtype=object))
    return np.asarray(
        shapely.transform(shapes, lambda xy: np.column_stack(projection.to_metres(*xy.T))),
        dtype=object,
    )


def project_stops(table: pd.DataFrame, projection: Projection) -> NDArray[np.float64]:
    """(k, 2) metres of a table's `longitude` and `latitude`."""
    return np.column_stack(projection.to_metres(table["longitude"], table["latitude"]))
