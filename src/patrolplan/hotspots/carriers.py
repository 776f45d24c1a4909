"""Which factor makes a hotspot: recorded crime, pupils' reports, or the way home of many pupils."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window
from patrolplan.arrays import round_significant
from patrolplan.hotspots.clusters import flatten_stretches, sum_by_stretch
from patrolplan.pupils.flows import SchoolPupils
from patrolplan.pupils.pupils import NOON_MINUTES
from patrolplan.risk.surface import Risk

Carrier = Literal["recorded", "feared", "way"]
"""Recorded crime, pupils' reports, or pupils on their way home."""

WAY_FACTOR = 2.0
"""If pupils' presence multiplies the risk of recorded crime by this, the way home is the factor."""

MIN_STRETCH_METRES = 200.0
"""Minimum length of a stretch for showing pupils' shares: shorter ones would show their way."""

MIN_SPAN_MINUTES = 10  # minimum time for which their numbers are shown
SHARE_STEP = 0.05  # shares of pupils are rounded to steps of this
MIN_SHARE = 0.1  # a smaller share of a school's pupils is no reason to be on a stretch

BUSIEST_SHARE = 0.6
"""The time shown is the shortest in which this share of the window's pupils pass."""


def find_carriers(risk: Risk, stretches: list[NDArray[np.int64]]) -> NDArray[np.object_]:
    """(h,) the factor that each stretch has most of its joined risk from.

    "feared" where reports are more of it than crime; else "way" where crime counts at least
    `WAY_FACTOR` times as much as if pupils' presence did not count.
    """
    joined, feared = (sum_by_stretch(one, stretches) for one in (risk.joined, risk.reports_part))
    plain = risk.crime_weight * sum_by_stretch(risk.crime, stretches)
    recorded = joined - feared
    is_way = (recorded >= WAY_FACTOR * plain) & (recorded > 0)
    by_crime = np.where(is_way, "way", "recorded")
    return np.where(feared > recorded, "feared", by_crime).astype(object)


def compute_shown_worth(risk: Risk, hotspots: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """(h,) worth of hotspots, rounded so that it may be written next to the shares of the voices.

    What presence adds to a stretch follows from these. So worth is in steps of `SHARE_STEP` of
    itself, and that of short stretches is the risk as it would be if presence did not count.
    """
    worth: NDArray[np.float64] = hotspots["worth"].to_numpy()
    if np.array_equal(risk.joined, risk.without_exposure):
        return worth
    crime, reports = (hotspots[name].to_numpy() for name in ("crime_share", "reports_share"))
    plain = risk.crime_weight * crime + (1 - risk.crime_weight) * reports
    is_long = hotspots["length_metres"].to_numpy() >= MIN_STRETCH_METRES
    return np.where(is_long, round_to_steps(worth, SHARE_STEP), plain)


def round_to_steps(values: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Positive values rounded to powers of 1 + step, given to three digits; zero stays zero."""
    held = np.where(values > 0, values, 1.0)
    powers = (1 + step) ** np.round(np.log(held) / np.log1p(step))
    return np.where(values > 0, round_significant(powers, 3), 0.0)


@dataclass(frozen=True)
class WayPast:
    """Pupils of one school who pass a stretch on their way, as it may be shown."""

    urn: str  # The school
    # Of those who go on foot, home or to a stop: who walk along the stretch in the window, on
    # average over its length, in steps of `SHARE_STEP`.
    share: float
    start: int  # when most of them pass, in minutes after midnight
    end: int
    to_school: bool  # whether it is the way to school


def find_ways_past(
    area: StudyArea, risk: Risk, stretches: Sequence[NDArray[np.int64]]
) -> list[WayPast | None]:
    """(h,) the school most of whose pupils pass each stretch in the window; None: not shown."""
    exposure = None if risk.in_time is None else risk.in_time.exposure
    window, metres = risk.window, area.network.piece_metres
    if exposure is None or window is None or window.minutes < MIN_SPAN_MINUTES or not stretches:
        return [None] * len(stretches)
    length = sum_by_stretch(metres, stretches)
    schools = [_SchoolPast(school, window) for school in exposure.pupils.schools]
    pieces, size = flatten_stretches(stretches)
    stretch_of_piece = np.repeat(np.arange(len(size)), size)
    most, busiest = np.zeros(len(size)), np.zeros(len(size), dtype=np.int64)
    for number, school in enumerate(schools):
        # A city has thousands of stretches; a school's pupils pass only a few of them.
        walked = school.spread_walked(area)[pieces]
        on = np.flatnonzero(walked > 0)
        passing = np.bincount(stretch_of_piece[on], walked[on], minlength=len(size)) / length
        more = passing > most
        most[more], busiest[more] = passing[more], number
    return [
        schools[busiest[row]].describe(stretch, float(most[row]))
        if length[row] >= MIN_STRETCH_METRES
        else None
        for row, stretch in enumerate(stretches)
    ]


class _SchoolPast:
    """Pupils of one school who pass in a window."""

    def __init__(self, school: SchoolPupils, window: Window) -> None:
        timetable = school.timetable
        self.school = school
        self.start = window.compute_start(timetable.opening_minutes, timetable.bell_minutes)
        self.end = self.start + window.minutes
        self.to_school = (self.start + self.end) / 2 < NOON_MINUTES

    def spread_walked(self, area: StudyArea) -> NDArray[np.float64]:
        """(p,) pupil-metres that are walked on each piece in the window."""
        metres = area.network.piece_metres
        walked = np.zeros(len(metres))
        pieces = self.school.pieces[self.school.pieces < len(metres)]
        passing = self.school.count_passing(pieces, [self.start, self.end])[:, 0]
        walked[pieces] = passing * metres[pieces]
        return walked

    def describe(self, stretch: NDArray[np.int64], pupils: float) -> WayPast | None:
        """What may be shown of the pupils on a stretch."""
        share = round(pupils / max(self.school.on_streets, 1e-12) / SHARE_STEP) * SHARE_STEP
        if share < MIN_SHARE - SHARE_STEP / 2:
            return None
        minutes = np.arange(int(self.start), int(np.ceil(self.end)) + 1)
        passing = self.school.count_passing(stretch, minutes).sum(axis=0)
        first, last = _find_busiest(np.concatenate([[0.0], np.cumsum(passing)]))
        return WayPast(
            urn=self.school.urn,
            share=round(min(share, 1.0), 2),
            start=int(minutes[first]),
            end=int(minutes[last]),
            to_school=self.to_school,
        )


def _find_busiest(passed: NDArray[np.float64]) -> tuple[int, int]:
    """First and last row of the shortest time, at least ten minutes, with `BUSIEST_SHARE`."""
    wanted = passed[:-1] + BUSIEST_SHARE * (passed[-1] - passed[0])
    last = np.searchsorted(passed, wanted - 1e-9 * passed[-1])
    last = np.maximum(last, np.arange(len(wanted)) + MIN_SPAN_MINUTES)
    length = np.where(last < len(passed), last - np.arange(len(wanted)), len(passed))
    first = int(np.argmin(length))
    return first, int(last[first])
