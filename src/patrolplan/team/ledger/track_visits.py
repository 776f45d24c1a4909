"""Visits of a recorded track: what it shows for each place, and what it cannot show.

A track is evidence only for the time it covers. A planned stop that it does not cover and does not
reach stays as it is in the ledger; one that it covers in part gets no fewer minutes than were
typed. A second track of the same day adds its minutes to those of the first. If a track covers a
stop but shows fewer minutes than were typed, the user must decide: `LowerMeasurement`.

Every five seconds an officer is at the median of the points of the two minutes around, which a
burst of outliers between tall buildings hardly moves, and so at the nearest place within 40 m, or
at none. Gaps of up to five minutes are bridged straight. A longer gap whose ends are within 40 m is
a stay: recorders pause when they do not move. Time in other gaps is not counted. A track shows
where an officer was at every second, so it is never written.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.crs import DEGREES
from patrolplan.errors import InputError
from patrolplan.inputs.gpx import Track
from patrolplan.network import StreetNetwork
from patrolplan.team.ledger.delivered import (
    DATE_OPTION,
    HAND_OUT_REMEDY,
    OFFICER_OPTION,
    build_visit,
    describe_patrol_count,
)
from patrolplan.team.ledger.ledger import Ledger
from patrolplan.team.ledger.visits import Span, Visit
from patrolplan.times import format_time, minutes_after_midnight

STEP_SECONDS = 5.0
SMOOTHED_STEPS = 25
"""Steps that an officer's place is the median of: two minutes, of which most are a stay's."""
STAY_STEPS = 36
"""Steps of a stay, three minutes, by which its beginning is found."""
MAX_BRIDGED_SECONDS = 300.0
"""Longest gap that is bridged."""
STAY_METRES = 40.0
"""A longer gap whose ends are within this distance is a stay."""
MAX_STAY_SECONDS = 5400.0
"""As long as a patrol: a longer gap is between two patrols."""

AT_PLACE_METRES = 40.0
"""An officer may be at any place within this many metres: recorders are inexact."""


@dataclass(frozen=True, eq=False)
class TrackMinutes:
    """Where a track spent its time: (t,) steps of `step_minutes` at (t, 2) `step_xy`.

    Minutes in gaps that were bridged, or are stays, are included; `lost_minutes`, in other gaps,
    are not. `spans` are (g, 2) seconds, from when to when the track has data: between them are the
    gaps that do not count.
    """

    step_minutes: NDArray[np.float64]
    step_xy: NDArray[np.float64]
    step_seconds: NDArray[np.float64]
    """When each step begins."""
    bridged_minutes: float
    stay_minutes: float
    lost_minutes: float
    spans: NDArray[np.float64]

    def find_places(
        self, places: NDArray[np.object_], is_planned: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
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

    def find_arrival(self, spent: NDArray[np.float64]) -> float:
        """When a stay of (t,) minutes began, in seconds: the first three minutes spent there."""
        # Walking past takes less; of a shorter visit nearly all of it counts.
        gathered = np.concatenate([[0.0], np.cumsum(spent), np.full(STAY_STEPS, spent.sum())])
        within = gathered[STAY_STEPS : STAY_STEPS + len(spent)] - gathered[: len(spent)]
        return float(self.step_seconds[int(np.argmax(within >= 0.9 * within.max()))])


def measure_track(seconds: NDArray[np.float64], xy: NDArray[np.float64]) -> TrackMinutes:
    """Where a track spent its minutes, which sum to its length without the long gaps."""
    # A track is (k,) rising times in seconds of points `xy`, (k, 2) metres.
    step = np.floor((seconds - seconds[0]) / STEP_SECONDS).astype(np.int64)
    middle = pd.DataFrame(xy).groupby(step).median()
    count = int(step[-1]) + 1
    length = np.full(count, STEP_SECONDS)
    length[-1] = seconds[-1] - seconds[0] - STEP_SECONDS * (count - 1)
    filled = middle.index.to_numpy()
    apart = np.diff(filled)
    places = np.array(middle)
    is_bridged, is_stay, is_lost = np.zeros((3, count), dtype=bool)
    spans = [seconds[0]]
    for row in np.flatnonzero(apart > 2 * np.median(apart)) if len(apart) else ():
        gap = slice(filled[row] + 1, filled[row + 1])
        gap_seconds = apart[row] * STEP_SECONDS
        moved = np.hypot(*(places[row + 1] - places[row]))
        if gap_seconds <= MAX_BRIDGED_SECONDS + STEP_SECONDS:
            is_bridged[gap] = True
        elif gap_seconds <= MAX_STAY_SECONDS and moved <= STAY_METRES:
            is_stay[gap] = True
        else:
            is_lost[gap] = True
            spans += [seconds[step == filled[row]][-1], seconds[step == filled[row + 1]][0]]
    smooth = (
        middle.reindex(np.arange(count))
        .interpolate()
        .rolling(SMOOTHED_STEPS, center=True, min_periods=1)
        .median()
    )
    minutes = length / 60
    return TrackMinutes(
        step_minutes=np.where(is_lost, 0.0, minutes),
        step_xy=smooth.to_numpy(),
        step_seconds=seconds[0] + STEP_SECONDS * np.arange(count),
        bridged_minutes=float(minutes[is_bridged].sum()),
        stay_minutes=float(minutes[is_stay].sum()),
        lost_minutes=float(minutes[is_lost].sum()),
        spans=np.array([*spans, seconds[-1]], dtype=np.float64).reshape(-1, 2),
    )


GPX_OPTION = "--gpx"
MIN_PLACE_MINUTES = 1.0
"""Minimum minutes at a place: less is drift, or passing it."""
MIN_UNPROMISED_MINUTES = 5.0
"""Minimum minutes for a place that was not promised: walking past one takes less."""
MAX_OUTSIDE_METRES = 500.0
"""Points farther than this outside the area's streets belong to another walk."""
TYPED_TOLERANCE_MINUTES = 1.0
"""People type whole minutes: a measurement less than this below a typed figure confirms it."""

Coverage = Literal["whole", "part", "none"]


@dataclass(frozen=True)
class LowerMeasurement:
    """A visit as measured, below the minutes that were typed for it."""

    visit: Visit
    typed_minutes: float


@dataclass(frozen=True, eq=False)
class TrackVisits:
    """What a track shows.

    `visits` can be entered as they are, those in `lower` only if the user decides for the
    measurement. `partial` are places in words of planned stops without typed minutes that it covers
    only in part: at least the minutes measured. `unknown` are those that it does not change.
    `track_minutes` shows where its time was spent, gaps included.
    """

    visits: tuple[Visit, ...]
    lower: tuple[LowerMeasurement, ...]
    partial: tuple[str, ...]
    unknown: tuple[str, ...]
    track_minutes: TrackMinutes


@dataclass(frozen=True, eq=False)
class _DayTrack:
    """A day's track on the streets; `spans` and `span_ends` are where it has data."""

    track_minutes: TrackMinutes
    spans: tuple[Span, ...]
    span_ends: NDArray[np.float64]
    """(2g, 2) metres: where the officer was when each span began and ended."""


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
    # or none near the streets, it overlaps another one that was entered, or the school is not
    # clear.
    spots = ledger.read_hotspots(date, date)
    if spots.empty:
        raise InputError.one(DATE_OPTION, f"no week is handed out for {date}", HAND_OUT_REMEDY)
    stops = ledger.read_promised(date, date)
    stops = stops[stops["officer"] == officer]
    urns = {urn} if urn else set(stops["urn"])
    if len(urns) != 1:
        what = describe_patrol_count(officer, date, urns)
        raise InputError.one(OFFICER_OPTION, what, "name the school with --school")
    stops = stops[stops["urn"].isin(urns)]
    day = _match_day_track(network, track, date)
    planned = dict(list(stops.groupby("id")))
    is_planned = spots["id"].isin(planned).to_numpy()
    shapes = gpd.GeoSeries.from_wkt(spots["shape"], crs=DEGREES).to_crs(network.projection.crs)
    stop_xy = np.column_stack(network.projection.to_metres(spots["longitude"], spots["latitude"]))
    at = day.track_minutes.find_places(np.asarray(shapes.array, dtype=object), is_planned)
    places = spots.assign(officer=officer, date=date, urn=urns.pop())
    measured: list[tuple[Visit, Coverage]] = []
    for row, ((_, place), xy) in enumerate(zip(places.iterrows(), stop_xy, strict=True)):
        part = np.where(at == row, day.track_minutes.step_minutes, 0.0)
        spent = round(float(part.sum()), 1)
        rows = planned.get(place["id"])
        if rows is None and spent < MIN_UNPROMISED_MINUTES:
            continue
        counted = spent if spent >= MIN_PLACE_MINUTES else 0.0
        visit = build_visit(place, counted, None, "gpx", together)
        coverage: Coverage = "whole" if rows is None else _find_coverage(day, rows, xy, counted)
        arrive = format_time(day.track_minutes.find_arrival(part) / 60) if counted else None
        windows = set() if rows is None else set(rows["window"])
        window = windows.pop() if len(windows) == 1 else ""
        visit = replace(visit, tracks=day.spans, arrive=arrive, window=window)
        measured.append((visit, coverage))
    return _compare_with_ledger(ledger, measured, day.track_minutes)


def _find_coverage(
    day: _DayTrack, stops: pd.DataFrame, xy: NDArray[np.float64], minutes: float
) -> Coverage:
    """Whether a track covers a planned stop (at `xy`): its time, and not only part of the stay."""
    # A track that begins or ends at the stop itself may have begun late or ended early there.
    begin = 60 * stops["arrive"].map(minutes_after_midnight)
    covered = all(
        any(first <= start and start + 60 * length <= last for first, last in day.spans)
        for start, length in zip(begin, stops["minutes"], strict=True)
    )
    if not minutes:
        return "whole" if covered else "none"
    cut_off = (np.hypot(*(day.span_ends - xy).T) <= AT_PLACE_METRES).any()
    return "whole" if covered and not cut_off else "part"


def _compare_with_ledger(
    ledger: Ledger, measured: Sequence[tuple[Visit, Coverage]], track_minutes: TrackMinutes
) -> TrackVisits:
    """Sort what was measured by what the ledger has of it."""
    recorded = ledger.find_recorded([visit for visit, _ in measured])
    visits: list[Visit] = []
    lower: list[LowerMeasurement] = []
    partial: list[str] = []
    unknown: list[str] = []
    for (visit, coverage), row in zip(measured, recorded, strict=True):
        before = None if row is None else row.visit
        if coverage == "none":
            unknown.append(visit.place)
        elif before is None:
            visits.append(visit)
            partial += [visit.place] if coverage == "part" else []
        elif before.tracks:
            visits.append(_add_up(visit, before))
        elif visit.minutes >= before.minutes:
            visits.append(visit)
        elif coverage == "part":
            unknown.append(visit.place)
        elif visit.minutes <= before.minutes - TYPED_TOLERANCE_MINUTES:
            lower.append(LowerMeasurement(visit, before.minutes))
    return TrackVisits(tuple(visits), tuple(lower), tuple(partial), tuple(unknown), track_minutes)


def _add_up(visit: Visit, before: Visit) -> Visit:
    """A measured visit with the minutes of tracks that were entered before."""
    # A track that covers all of them replaces them; one that they cover adds nothing.
    if _cover(visit.tracks, before.tracks):
        return visit
    if _cover(before.tracks, visit.tracks):
        return replace(visit, minutes=before.minutes, tracks=before.tracks)
    for begin, end in visit.tracks:
        for first, last in before.tracks:
            if begin < last and first < end:
                clock = f"{format_time(first / 60)} to {format_time(last / 60)}"
                what = f"the track partly overlaps one already entered ({clock})"
                remedy = "give both files in one command: --gpx ONE --gpx OTHER"
                raise InputError.one(GPX_OPTION, what, remedy)
    tracks = tuple(sorted((*before.tracks, *visit.tracks)))
    minutes = round(before.minutes + visit.minutes, 1)
    arrive = min((one.arrive for one in (before, visit) if one.arrive), default=None)
    return replace(visit, minutes=minutes, tracks=tracks, arrive=arrive)


def _cover(outer: Sequence[Span], inner: Sequence[Span]) -> bool:
    """Whether every one of these spans is within one of the others."""
    return all(any(first <= begin and end <= last for first, last in outer) for begin, end in inner)


def _match_day_track(network: StreetNetwork, track: Track, date: dt.date) -> _DayTrack:
    day = track.select_day(date)
    if len(day.seconds) < 2:  # noqa: PLR2004 - two points make a track
        days = ", ".join(f"{day}" for day in sorted(set(track.days))[:5])
        what = f"the track has no points on {date} (it has some on {days})"
        raise InputError.one(DATE_OPTION, what, "name the day of the track")
    xy = np.column_stack(network.projection.to_metres(day.longitude, day.latitude))
    lowest, highest = network.node_xy.min(axis=0), network.node_xy.max(axis=0)
    inside = ((xy > lowest - MAX_OUTSIDE_METRES) & (xy < highest + MAX_OUTSIDE_METRES)).all(axis=1)
    if not inside.any():
        where = f"{day.longitude[0]:.4f}, {day.latitude[0]:.4f}"
        what = f"the track is nowhere near the area's streets (it starts at {where})"
        raise InputError.one(GPX_OPTION, what, "check which area and which track it is")
    # Since local midnight, and rising also in a night in which clocks are changed.
    seconds, xy = (day.seconds - day.seconds[0] + day.clock_seconds[0])[inside], xy[inside]
    measured = measure_track(seconds, xy)
    spans = tuple((int(begin), int(end)) for begin, end in measured.spans)
    ends = np.searchsorted(seconds, measured.spans.ravel())
    return _DayTrack(measured, spans, xy[ends])
