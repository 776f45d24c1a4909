"""Visits of a recorded track: what it shows for each place, and what it cannot show.

A track is evidence only for the time it covers. A planned stop that it does not cover and does not
reach stays as it is in the ledger, and typed minutes are never lowered.

Every five seconds an officer is at the median of the points of the two minutes around, which a
burst of outliers between tall buildings hardly moves, and so at the nearest place within 40 m, or
at none. Gaps of up to five minutes are bridged straight, as are longer ones whose ends are within
40 m, since recorders pause when they do not move. Time in other gaps is not counted. A track shows
where an officer was at every second, so it is never written.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.arrays import Bools, Floats, Ints, Objects
from patrolplan.crs import DEGREES
from patrolplan.errors import InputError
from patrolplan.inputs.gpx import Track
from patrolplan.network import StreetNetwork
from patrolplan.team.ledger import delivered
from patrolplan.team.ledger.ledger import Ledger
from patrolplan.team.ledger.visits import RecordedVisit, Span, Visit
from patrolplan.times import format_time, minutes_after_midnight

STEP_SECONDS = 5.0
SMOOTHED_STEPS = 25
"""Steps that an officer's place is the median of: two minutes, of which most are a stay's."""
STAY_STEPS = 36  # steps of a stay, three minutes, by which its beginning is found
MAX_BRIDGED_SECONDS = 300.0  # longest gap that is bridged wherever it ends
MAX_STAY_SECONDS = 5400.0
"""Longest gap that is bridged where it ends near its beginning: as long as a patrol."""

AT_PLACE_METRES = 40.0
"""An officer may be at any place within this many metres: recorders are inexact."""
MIN_PLACE_MINUTES = 1.0  # minimum minutes at a place: less is drift, or passing it
MIN_UNPROMISED_MINUTES = 5.0
"""Minimum minutes for a place that was not promised: walking past one takes less."""
MAX_OUTSIDE_METRES = 500.0
"""Points farther than this outside the area's streets belong to another walk."""
TYPED_TOLERANCE_MINUTES = 1.0
"""People type whole minutes: a measurement less than this below a typed figure confirms it."""

GPX_OPTION = "--gpx"


@dataclass(frozen=True, eq=False)
class TrackMinutes:
    """Where a track spent its time: (t,) steps of `step_minutes` at (t, 2) `step_xy`."""

    step_minutes: Floats
    step_xy: Floats
    step_seconds: Floats  # when each step begins
    spans: Floats  # (g, 2) seconds: between them are the gaps that do not count

    @property
    def lost_minutes(self) -> float:
        """Minutes in the gaps that do not count."""
        return float((self.spans[1:, 0] - self.spans[:-1, 1]).sum() / 60)

    def find_places(self, places: Objects, is_planned: Bools) -> Ints:
        """(t,) the row of the place that each step is at, or -1."""
        # `places` are (m,) shapely points or polygons in metres; one that was planned goes before
        # any other.
        rows = np.full(len(self.step_xy), -1, dtype=np.int64)
        for some in (np.flatnonzero(~is_planned), np.flatnonzero(is_planned)):
            matched, nearest = shapely.STRtree(places[some]).query_nearest(
                shapely.points(self.step_xy), max_distance=AT_PLACE_METRES, all_matches=False
            )
            rows[matched] = some[nearest]
        return rows

    def find_arrival(self, spent: Floats) -> float:
        """When a stay of (t,) minutes began, in seconds: the first three minutes spent there."""
        # Walking past takes less; of a shorter visit nearly all of it counts.
        gathered = np.concatenate([[0.0], np.cumsum(spent), np.full(STAY_STEPS, spent.sum())])
        within = gathered[STAY_STEPS : STAY_STEPS + len(spent)] - gathered[: len(spent)]
        return float(self.step_seconds[int(np.argmax(within >= 0.9 * within.max()))])


def measure_track(seconds: Floats, xy: Floats) -> TrackMinutes:
    """Where a track spent its minutes, which sum to its length without the gaps that are lost."""
    # A track is (k,) rising times in seconds of points `xy`, (k, 2) metres.
    step = np.floor((seconds - seconds[0]) / STEP_SECONDS).astype(np.int64)
    middle = pd.DataFrame(xy).groupby(step).median()
    count = int(step[-1]) + 1
    minutes = np.full(count, STEP_SECONDS / 60)
    minutes[-1] = (seconds[-1] - seconds[0] - STEP_SECONDS * (count - 1)) / 60
    filled = middle.index.to_numpy()
    apart = np.diff(filled) * STEP_SECONDS
    moved = np.hypot(*np.diff(middle.to_numpy(), axis=0).T)
    longest = np.where(moved <= AT_PLACE_METRES, MAX_STAY_SECONDS, MAX_BRIDGED_SECONDS)
    spans = [seconds[0]]
    for row in np.flatnonzero(apart > longest + STEP_SECONDS).tolist():
        minutes[filled[row] + 1 : filled[row + 1]] = 0.0
        spans += [seconds[step == filled[row]][-1], seconds[step == filled[row + 1]][0]]
    even = middle.reindex(np.arange(count)).interpolate()
    smooth = even.rolling(SMOOTHED_STEPS, center=True, min_periods=1).median()
    return TrackMinutes(
        step_minutes=minutes,
        step_xy=smooth.to_numpy(),
        step_seconds=seconds[0] + STEP_SECONDS * np.arange(count),
        spans=np.array([*spans, seconds[-1]], dtype=np.float64).reshape(-1, 2),
    )


@dataclass(frozen=True, eq=False)
class TrackVisits:
    """What a track shows: visits to enter, and in words what it cannot show."""

    visits: tuple[Visit, ...]
    notes: tuple[str, ...]


def build_track_visits(
    ledger: Ledger,
    network: StreetNetwork,
    track: Track,
    officer: str,
    date: dt.date,
    *,
    urn: str | None = None,
    together: tuple[str, ...] | None = None,
) -> TrackVisits:
    """Minutes of a track at each place of the week: those planned, and others stayed at."""
    # `urn` is the school where the officer has no patrol, or several, that day; `together` came as
    # well. Raises InputError when no week is handed out for the day, the track has no point on it
    # or none near the streets, another one of the day was entered, or the school is not clear.
    spots = ledger.read_hotspots(date, date)
    if spots.empty:
        what = f"no week is handed out for {date}"
        raise InputError.one(delivered.DATE_OPTION, what, delivered.HAND_OUT_REMEDY)
    stops = ledger.read_promised(date, date)
    stops = stops[stops["officer"] == officer]
    urns = {urn} if urn else set(stops["urn"])
    if len(urns) != 1:
        what = delivered.describe_patrol_count(officer, date, urns)
        raise InputError.one(delivered.OFFICER_OPTION, what, "name the school with --school")
    stops = stops[stops["urn"].isin(urns)]
    measured = _measure_day(network, track, date)
    tracks = tuple((int(begin), int(end)) for begin, end in measured.spans)
    planned = dict(list(stops.groupby("id")))
    shapes = gpd.GeoSeries.from_wkt(spots["shape"], crs=DEGREES).to_crs(network.projection.crs)
    is_planned = spots["id"].isin(planned).to_numpy()
    at = measured.find_places(np.asarray(shapes.array, dtype=object), is_planned)
    places = spots.assign(officer=officer, date=date, urn=urns.pop())
    visits: list[Visit] = []
    gaps = "minutes of the track are missing, in gaps too long to fill in."
    notes = [f"{measured.lost_minutes:.1f} {gaps}" if measured.lost_minutes else ""]
    for row, (_, place) in enumerate(places.iterrows()):
        spent = np.where(at == row, measured.step_minutes, 0.0)
        minutes, own = round(float(spent.sum()), 1), planned.get(place["id"])
        is_whole = own is None or _cover(tracks, _list_spans(own))
        if minutes < (MIN_UNPROMISED_MINUTES if own is None else MIN_PLACE_MINUTES):
            if own is None:
                continue
            if not is_whole:
                what = "the track does not cover the whole stay, so it stays as it was"
                notes.append(f"{place['place']}: {what}.")
                continue
            minutes = 0.0
        windows = set() if own is None else set(own["window"])
        given: dict[str, Any] = {"minutes": minutes, "engagements": None, "together": together}
        given["tracks"] = tracks
        given["arrive"] = format_time(measured.find_arrival(spent) / 60) if minutes else None
        given["window"] = windows.pop() if len(windows) == 1 else ""
        visit = delivered.build_visit(place, "gpx", **given)
        is_entered, note = _compare(visit, ledger.find_recorded(visit), is_whole=is_whole)
        visits += [visit] if is_entered else []
        notes.append(note)
    return TrackVisits(tuple(visits), tuple(filter(None, notes)))


def _compare(visit: Visit, before: RecordedVisit | None, *, is_whole: bool) -> tuple[bool, str]:
    """Whether a visit is entered, given what the ledger has, and what is to be said of it."""
    typed = 0.0 if before is None or before.visit.tracks else before.visit.minutes
    if before is not None and not _cover(visit.tracks, before.visit.tracks):
        what = f"another track of {visit.date} is entered already"
        remedy = "give all files of the day in one command: --gpx ONE --gpx OTHER"
        raise InputError.one(GPX_OPTION, what, remedy)
    if visit.minutes >= typed:
        return True, "" if is_whole else f"{visit.place}: the track covers only a part of the stay."
    if visit.minutes > typed - TYPED_TOLERANCE_MINUTES:  # confirms what was typed
        return False, ""
    more = f"{typed:g} minutes were typed, the track gives {visit.minutes:g}"
    return False, f"{visit.place}: {more}; type it again to correct it."


def _list_spans(stops: pd.DataFrame) -> list[Span]:
    """From when to when some stops were planned, in seconds since midnight."""
    begin = 60 * stops["arrive"].map(minutes_after_midnight)
    ends = zip(begin, begin + 60 * stops["minutes"], strict=True)
    return [(round(first), round(last)) for first, last in ends]


def _cover(outer: Sequence[Span], inner: Sequence[Span]) -> bool:
    """Whether every one of these spans is within one of the others."""
    return all(any(first <= begin and end <= last for first, last in outer) for begin, end in inner)


def _measure_day(network: StreetNetwork, track: Track, date: dt.date) -> TrackMinutes:
    """Where a track spent a day, in seconds since local midnight."""
    day = track.select_day(date)
    if len(day.seconds) < 2:  # noqa: PLR2004 - two points make a track
        days = ", ".join(f"{day}" for day in sorted(set(track.days))[:5])
        what = f"the track has no points on {date} (it has some on {days})"
        raise InputError.one(delivered.DATE_OPTION, what, "name the day of the track")
    xy = np.column_stack(network.projection.to_metres(day.longitude, day.latitude))
    lowest, highest = network.node_xy.min(axis=0), network.node_xy.max(axis=0)
    inside = ((xy > lowest - MAX_OUTSIDE_METRES) & (xy < highest + MAX_OUTSIDE_METRES)).all(axis=1)
    if not inside.any():
        where = f"{day.longitude[0]:.4f}, {day.latitude[0]:.4f}"
        what = f"the track is nowhere near the area's streets (it starts at {where})"
        raise InputError.one(GPX_OPTION, what, "check which area and which track it is")
    # Rising also in a night in which clocks are changed.
    seconds = day.seconds - day.seconds[0] + day.clock_seconds[0]
    return measure_track(seconds[inside], xy[inside])
