"""Minutes on each piece of street from a recorded track; the track itself is stored nowhere.

Every five seconds an officer is at the median of the points of the two minutes around, which a
burst of outliers between tall buildings hardly moves, and so on the nearest street within 40 m, or
off the streets. Gaps of up to five minutes are bridged straight. A longer gap whose ends are within
40 m is a stay: recorders pause when they do not move. Time in other gaps is not counted.

A track shows where an officer was at every second, so it is never written.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from patrolplan.crs import Projection
from patrolplan.network import StreetNetwork

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

ON_STRETCH_METRES = 1.0
"""A piece of street whose middle is within this distance of a stretch is part of it: degrees are
rounded."""

POINT_RADIUS_METRES = 40.0
"""An officer may be on any street within this many metres: recorders are inexact."""


@dataclass(frozen=True, eq=False)
class TrackMinutes:
    """Where a track spent its time: (t,) steps of `step_minutes` on `step_pieces` (-1 for none).

    Minutes in gaps that were bridged, or are stays, are included; `lost_minutes`, in other gaps,
    are not. `spans` are (g, 2) seconds, from when to when the track has data: between them are the
    gaps that do not count.
    """

    step_minutes: NDArray[np.float64]
    step_pieces: NDArray[np.int64]
    step_seconds: NDArray[np.float64]
    """When each step begins."""
    bridged_minutes: float
    stay_minutes: float
    lost_minutes: float
    spans: NDArray[np.float64]

    @property
    def off_street_minutes(self) -> float:
        """Minutes on no street."""
        return float(self.step_minutes[self.step_pieces < 0].sum())

    def sum_minutes(self, pieces: NDArray[np.int64]) -> float:
        """Minutes on some pieces of street."""
        return float(self.step_minutes[np.isin(self.step_pieces, pieces)].sum())

    def find_arrival(self, pieces: NDArray[np.int64]) -> float:
        """When a stay on some pieces began, in seconds: the first three minutes spent there.

        Walking past takes less; of a shorter visit nearly all of it counts.
        """
        spent = np.where(np.isin(self.step_pieces, pieces), self.step_minutes, 0.0)
        gathered = np.concatenate([[0.0], np.cumsum(spent), np.full(STAY_STEPS, spent.sum())])
        within = gathered[STAY_STEPS : STAY_STEPS + len(spent)] - gathered[: len(spent)]
        return float(self.step_seconds[int(np.argmax(within >= 0.9 * within.max()))])


def match_track(
    network: StreetNetwork, seconds: NDArray[np.float64], xy: NDArray[np.float64]
) -> TrackMinutes:
    """Minutes that a track spent on each piece of street.

    A track is (k,) rising times in seconds of points `xy`, (k, 2) metres. The minutes sum to its
    length without the long gaps.
    """
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
    pieces = np.full(count, -1, dtype=np.int64)
    tree = shapely.STRtree(network.piece_lines)
    matched, nearest = tree.query_nearest(
        shapely.points(smooth.to_numpy()), max_distance=POINT_RADIUS_METRES, all_matches=False
    )
    pieces[matched] = nearest
    minutes = length / 60
    return TrackMinutes(
        step_minutes=np.where(is_lost, 0.0, minutes),
        step_pieces=pieces,
        step_seconds=seconds[0] + STEP_SECONDS * np.arange(count),
        bridged_minutes=float(minutes[is_bridged].sum()),
        stay_minutes=float(minutes[is_stay].sum()),
        lost_minutes=float(minutes[is_lost].sum()),
        spans=np.array([*spans, seconds[-1]], dtype=np.float64).reshape(-1, 2),
    )


def find_pieces(network: StreetNetwork, stretches: NDArray[np.object_]) -> list[NDArray[np.int64]]:
    """Pieces of street that make up each stretch; around points, those nearby.

    Stretches are (m,) shapely lines or points in metres; the numbers of pieces are rising.
    """
    is_point = shapely.get_dimensions(stretches) == 0
    tree = shapely.STRtree(shapely.points(network.piece_middle))
    reach = np.where(is_point, POINT_RADIUS_METRES, ON_STRETCH_METRES)
    stretch, piece = tree.query(stretches, predicate="dwithin", distance=reach)
    return [np.sort(piece[stretch == row]) for row in range(len(stretches))]


def project_to_metres(stretches: ArrayLike, projection: Projection) -> NDArray[np.object_]:
    """(m,) stretches in the area's metres, of their WKT in degrees."""
    shapes = shapely.from_wkt(np.asarray(stretches, dtype=object))
    return np.asarray(
        shapely.transform(shapes, lambda xy: np.column_stack(projection.to_metres(*xy.T))),
        dtype=object,
    )


def share_pieces(
    network: StreetNetwork, places: NDArray[np.object_], is_planned: NDArray[np.bool_]
) -> list[NDArray[np.int64]]:
    """Pieces of street that count for each place: its stretch, and where one stands to watch it.

    `places` are (m,) shapely shapes in metres, with points where one stands; `is_planned` is where
    the officer was to stop. No piece counts for two places: it goes to the planned stop that it is
    at, or the nearest of several; otherwise to the planned stretch that it is part of, and then to
    the stops and stretches that were not planned.
    """
    parts, row = shapely.get_parts(places, return_index=True)
    found = find_pieces(network, parts)
    part = np.repeat(np.arange(len(parts)), [len(pieces) for pieces in found])
    piece, place = np.concatenate(found), row[part]
    away = shapely.distance(shapely.points(network.piece_middle[piece]), parts[part])
    is_stretch = shapely.get_dimensions(parts)[part] > 0
    order = np.lexsort((place, away, is_stretch, ~is_planned[place], piece))
    pieces, first = np.unique(piece[order], return_index=True)
    taken_by = place[order][first]
    return [pieces[taken_by == number] for number in range(len(places))]
