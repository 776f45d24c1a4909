"""Where a recorded track spent its time; the track itself is stored nowhere.

Every five seconds an officer is at the median of the points of the two minutes around, which a
burst of outliers between tall buildings hardly moves, and so at the nearest place within 40 m, or
at none. Gaps of up to five minutes are bridged straight. A longer gap whose ends are within 40 m is
a stay: recorders pause when they do not move. Time in other gaps is not counted.

A track shows where an officer was at every second, so it is never written.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

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
