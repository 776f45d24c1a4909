"""Risk by minute for planning schools: of stretches, of gates and within reach.

Where pupils are in each minute stays in the process that estimated it. Worker processes that plan
schools get only these sums: of whole stretches, of the streets visible from a gate, and of all
streets within reach of a school.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window
from patrolplan.patrols.solver.solve import GateStay, TimedPrizes
from patrolplan.patrols.surroundings import PatrolHours, Surroundings, build_surroundings
from patrolplan.risk.in_time import RiskInTime
from patrolplan.risk.surface import Risk


@dataclass(frozen=True, eq=False)
class TimedRisk:
    """The risk of stretches and gates in each whole minute, and the risk within reach of schools.

    Parameters
    ----------
    first_minute
        Minute after midnight of the first column.
    stretch_rates
        (h, T) risk of each hotspot's stretch.
    gate_rates
        (s, T) risk of the streets visible from each school's gate; 0 if pupils do not count.
    reach
        (s,) risk within reach of each school, the mean over its window; NaN if not needed.
    """

    first_minute: int
    stretch_rates: NDArray[np.float64]
    gate_rates: NDArray[np.float64]
    reach: NDArray[np.float64]

    @classmethod
    def from_risk(
        cls,
        area: StudyArea,
        risk: Risk,
        hotspots: gpd.GeoDataFrame,
        window: Window,
        *,
        rows: Sequence[int] | None = None,
    ) -> Self | None:
        """The risk for patrols in a window; None if it is the same at all times.

        `rows` are those of the schools to plan, by default all.
        """
        timed = risk.in_time
        if timed is None or timed.is_static or not len(area.schools):
            return None
        rows = list(range(len(area.schools)) if rows is None else rows)
        around = [build_surroundings(area, row, window) for row in rows]
        hours = [one.hours for one in around]
        first = int(min(one.start_minutes for one in hours))
        end = int(np.ceil(max(one.latest_end_minutes for one in hours)))
        stretches = [np.array(pieces, dtype=np.int64) for pieces in hotspots["pieces"]]
        seen = [find_seen_pieces(area, one) for one in around]
        within = [find_within_reach(area, one) for one in around]
        sums = sum_by_minute(timed, [*stretches, *seen, *within], first, max(first + 1, end))
        of_stretches, of_gates, of_reach = np.split(
            sums, [len(stretches), len(stretches) + len(rows)]
        )
        gate_rates = np.zeros((len(area.schools), sums.shape[1]))
        if timed.pupils is not None:
            gate_rates[rows] = of_gates
        reach = np.full(len(area.schools), np.nan)
        reach[rows] = [
            average_rates(by_minute, one.start_minutes - first, one.latest_end_minutes - first)
            for by_minute, one in zip(of_reach, hours, strict=True)
        ]
        return cls(first, of_stretches, gate_rates, reach)

    def scale_prizes(
        self,
        row: int,
        hotspot_rows: NDArray[np.int64],
        dwell_minutes: NDArray[np.float64],
        positions: int,
    ) -> TimedPrizes:
        """Prizes of a school's candidates, as rows 1, 2... of `positions`.

        `hotspot_rows` are -1 for candidates without a stretch. A dwell is worth the mean risk of
        its stretch while it lasts, as a share of the risk within the school's reach.
        """
        rates = np.zeros((positions, self.stretch_rates.shape[1]))
        found = np.flatnonzero(hotspot_rows >= 0)
        rates[1 + found] = self.stretch_rates[hotspot_rows[found]] / dwell_minutes[found, None]
        return TimedPrizes(self.first_minute, self._accumulate(rates, row))

    def build_gate_stay(self, row: int, dwell_minutes: float, hours: PatrolHours) -> GateStay:
        """The presence at a school's gate, with a stop's worth per minute.

        As at any stop, time after the dwell adds nothing: otherwise the whole patrol would stay at
        a gate on a busy street, although the effect of presence at one place diminishes.
        """
        rates = self.gate_rates[row : row + 1].copy()
        most = max(dwell_minutes, hours.gate_minutes)
        rates[:, max(0, int(np.ceil(hours.start_minutes + most)) - self.first_minute) :] = 0.0
        rates /= dwell_minutes
        return GateStay(hours.gate_minutes, self._accumulate(rates, row)[0])

    def compute_mean_rates(
        self, hotspot_rows: NDArray[np.int64], hours: PatrolHours
    ) -> NDArray[np.float64]:
        """(k,) mean risk of stretches from the end of the presence at the gate to the end."""
        final = self.stretch_rates.shape[1] - 1
        begin = min(max(0, int(hours.gate_until_minutes) - self.first_minute), final)
        end = max(begin + 1, int(np.ceil(hours.latest_end_minutes)) - self.first_minute)
        return np.asarray(self.stretch_rates[hotspot_rows, begin:end].mean(axis=1))

    def _accumulate(self, rates: NDArray[np.float64], row: int) -> NDArray[np.float64]:
        """(n, T + 1) cumulative worth up to each minute at (n, T) rates."""
        reach = float(self.reach[row])
        gathered = np.zeros((len(rates), rates.shape[1] + 1))
        if reach > 0:
            np.cumsum(rates / reach, axis=1, out=gathered[:, 1:])
        return gathered


def sum_by_minute(
    timed: RiskInTime, stretches: Sequence[NDArray[np.int64]], first: int, end: int
) -> NDArray[np.float64]:
    """(n, T) risk of n sets of pieces in each whole minute; each piece is computed once."""
    pieces = np.concatenate([*stretches, np.empty(0, dtype=np.int64)])
    ends = np.cumsum([0, *map(len, stretches)])
    sums, members = np.zeros((len(stretches), max(0, end - first))), None
    for minute, count in timed.group_minutes(first, end):
        rate = timed.compute_rate(minute)
        if members is None:
            shape = (len(stretches), len(rate))
            members = sparse.csr_array((np.ones(len(pieces)), pieces, ends), shape=shape)
        sums[:, minute - first : minute - first + count] = (members @ rate)[:, None]
    return sums


def average_rates(rates: NDArray[np.float64], start: float, end: float) -> float:
    """Mean of (T,) rates of whole minutes between two times."""
    gathered = np.concatenate([[0.0], np.cumsum(rates)])
    low, high = np.interp([start, end], np.arange(len(gathered)), gathered)
    return float((high - low) / (end - start))


def find_within_reach(area: StudyArea, around: Surroundings) -> NDArray[np.int64]:
    """Patrolled pieces within the radius of a school's gate."""
    near = around.pieces[around.gate_metres <= area.settings.patrol.radius_metres]
    return near[near < len(area.network.piece_metres)]


def find_seen_pieces(area: StudyArea, around: Surroundings) -> NDArray[np.int64]:
    """Patrolled pieces that an officer at a school's gate can see, the nearest first.

    They are within sight by walking distance from the gate (streets behind houses are not visible),
    up to the maximum length of a stop's stretch: otherwise a gate where many streets meet would be
    worth more per minute than any stop.
    """
    metres = area.network.piece_metres
    near = np.flatnonzero(
        (around.gate_metres <= area.settings.way_home.sight_metres) & (around.pieces < len(metres))
    )
    seen = around.pieces[near[np.argsort(around.gate_metres[near], kind="stable")]]
    fits = np.cumsum(metres[seen]) <= area.settings.hotspots.max_length_metres
    return seen[fits] if fits.any() else seen[:1]
