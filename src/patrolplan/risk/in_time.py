"""Risk in time: how the risk of every piece of street changes from minute to minute.

Three things move it: the hour by which recorded crime of a category and a kind of place happens
(`patrolplan.risk.clock`), the pupils who are there in that minute (`patrolplan.risk.exposure`), and
the time of day that pupils' reports are about (`patrolplan.risk.report_voice`).

Pieces times minutes are never stored: a city would need gigabytes, and the table would be a map of
where pupils walk at which minute. What does not change within a half-hour is held for each
half-hour and power of exposure, and the rest is computed for each minute when needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from patrolplan.pupils.flows import refuse_to_store
from patrolplan.risk.exposure import PupilExposure, raise_to_power
from patrolplan.risk.report_voice import ReportVoice, TimeBand, find_band
from patrolplan.risk.scores import round_significant

if TYPE_CHECKING:
    from patrolplan.risk.clock import Clock
    from patrolplan.risk.day_kinds import DayKind

RISK_DIGITS = 9
"""Risk is rounded to this many significant digits, so that equal runs write equal files."""

HALF_HOUR_MINUTES = 30
HALF_HOURS = 24 * 60 // HALF_HOUR_MINUTES


@dataclass(frozen=True, eq=False)
class BandVoice:
    """What pupils' reports add in one band of the day, and what is left to recorded crime."""

    crime_weight: float
    spread: NDArray[np.float64]  # (p,) reports that count on each piece

    @cached_property
    def reports(self) -> NDArray[np.float64]:
        """(p,) risk by reports, which sums to 1 - `crime_weight`."""
        total = self.spread.sum()
        return self.spread * ((1.0 - self.crime_weight) / total) if total > 0 else self.spread


class ReportsInTime:
    """The pupils' voice of every minute.

    `by_band`: Whether reports count only in the band of the day that they are about. `has_crime`:
    Whether anything is recorded; if not, reports have the whole risk.
    """

    def __init__(self, voice: ReportVoice, *, by_band: bool, has_crime: bool) -> None:
        self._voice = voice
        self._by_band = by_band
        self._has_crime = has_crime
        self._known: dict[TimeBand | None, BandVoice] = {}

    def find_band(self, minute: int) -> TimeBand | None:
        """The band of a minute after midnight; None where reports of all bands count together."""
        return find_band(minute % (24 * 60)) if self._by_band else None

    def get(self, band: TimeBand | None) -> BandVoice:
        """The voice of a band."""
        if band not in self._known:
            spread = self._voice.spread(band)
            share = 0.0
            if spread.any():
                share = float(self._voice.compute_share(band)) if self._has_crime else 1.0
            self._known[band] = BandVoice(1.0 - share, spread)
        return self._known[band]


@dataclass(frozen=True, eq=False)
class TimeFactors:
    """What moves risk from minute to minute."""

    # (j,) power of the pupils present that each category grows with, see
    # `patrolplan.risk.exposure.get_powers`.
    powers: NDArray[np.float64]
    clock: "Clock"  # When crime happens
    day: "DayKind | None"  # Kind of day; None: all days of the week together
    # Where pupils are; None where none is out in the window, or where that does not count.
    exposure: PupilExposure | None
    voice: ReportVoice  # Pupils' reports
    by_band: bool = True  # Whether reports count only in the band of the day that they are about

    @property
    def used_powers(self) -> NDArray[np.float64]:
        """(j,) the powers, all 0 without exposure."""
        return self.powers if self.exposure is not None else np.zeros_like(self.powers)


@dataclass(frozen=True, eq=False)
class JoinedHarm:
    """What recorded crime was joined from over a window."""

    harm: NDArray[np.float64]  # (p, j) expected harm of each category, over all hours and days
    scale: NDArray[np.float64]  # (j,) what each category is multiplied by, see `join_over_window`
    total: float  # What the joined risk is divided by
    # `minutes`, `weights`: (m,) the window.
    minutes: NDArray[np.int64]
    weights: NDArray[np.float64]


class RiskInTime:
    """The joined risk of every piece of street in each minute, on the scale of `Risk.joined`.

    Its mean over the windows of the schools is `Risk.joined`, up to the digits that it is given to.
    A static risk is the same in every minute.

    It knows where pupils are, so it cannot be pickled, unless it is static: what worker processes
    need of it (`patrolplan.patrols.timed_risk`) is computed before work is handed to them.
    """

    def __init__(self, joined: "JoinedHarm", factors: TimeFactors, reports: ReportsInTime) -> None:
        self._harm = joined.harm
        self._scale = joined.scale
        self._total = joined.total
        self._window = (joined.minutes, joined.weights)
        self._factors = factors
        self._reports = reports
        self._static: NDArray[np.float64] | None = None
        self._by_half_hour: dict[int, list[tuple[float, NDArray[np.float64]]]] = {}

    @classmethod
    def from_static(cls, joined: NDArray[np.float64]) -> "RiskInTime":
        """A risk that is the same (p,) in every minute."""
        static = cls.__new__(cls)
        static._static = joined  # noqa: SLF001 - its own
        return static

    def __reduce__(self) -> tuple[Any, ...]:
        if self._static is None:
            refuse_to_store()
        return RiskInTime.from_static, (self._static,)

    @property
    def pupils(self) -> PupilExposure | None:
        """Where pupils are; None where that does not count."""
        return None if self._static is not None else self._factors.exposure

    @property
    def is_static(self) -> bool:
        """Whether the risk is the same in every minute."""
        return self._static is not None

    @property
    def factors(self) -> TimeFactors | None:
        """What moves it; None where it is the same in every minute."""
        return None if self._static is not None else self._factors

    def rejoin(self, factors: TimeFactors) -> "WindowRisk":
        """The same expected harm over the same window, moved by other factors.

        Raises `ValueError` when it is static: what would move it is not known.
        """
        if self._static is not None:
            message = "a static risk cannot be moved by other factors"
            raise ValueError(message)
        return join_over_window(self._harm, factors, *self._window)

    def remove_exposure(self) -> "RiskInTime":
        """The risk of each minute as it would be if pupils' presence did not count."""
        if self.pupils is None:
            return self
        return self.rejoin(replace(self._factors, exposure=None)).in_time

    def group_minutes(self, first: int, end: int) -> list[tuple[int, int]]:
        """Runs of whole minutes with one risk each: the first of a run, and how many it has."""
        minutes = range(first, end)
        if self._static is not None:
            return [(first, end - first)] if end > first else []
        if self._factors.exposure is not None:
            return [(minute, 1) for minute in minutes]
        runs = groupby(
            minutes, lambda minute: (find_half_hour(minute), self._reports.find_band(minute))
        )
        grouped = [list(run) for _, run in runs]
        return [(run[0], len(run)) for run in grouped]

    def compute_rate(self, minute: int) -> NDArray[np.float64]:
        """(p,) joined risk in a whole minute after midnight."""
        return self._compute(minute, slice(None))

    def average(self, start: float, end: float) -> NDArray[np.float64]:
        """(p,) mean of the joined risk between two times in minutes after midnight."""
        if self._static is not None:
            return self._static.copy()
        minutes = np.arange(int(start), max(int(np.ceil(end)), int(start) + 1))
        held = np.minimum(minutes + 1, end) - np.maximum(minutes, start)
        held = held if held.sum() > 0 else np.ones_like(held)
        total = np.zeros(len(self._harm))
        for minute, share in zip(minutes, held / held.sum(), strict=True):
            total += self.compute_rate(int(minute)) * share
        return total

    def _compute(self, minute: int, pieces: NDArray[np.int64] | slice) -> NDArray[np.float64]:
        """The joined risk of some pieces in a minute."""
        if self._static is not None:
            return self._static[pieces].copy()
        exposure, relative = self._factors.exposure, np.empty(0)
        if exposure is not None:
            relative = exposure.compute_relative(minute)[pieces]
        crime = np.zeros(len(self._harm))[pieces]
        for power, amounts in self._get_half_hour(find_half_hour(minute)):
            here = amounts[pieces]
            crime += here if power == 0 else here * raise_to_power(relative, power)
        voice = self._reports.get(self._reports.find_band(minute))
        return np.asarray((voice.crime_weight * crime + voice.reports[pieces]) / self._total)

    def _get_half_hour(self, half_hour: int) -> list[tuple[float, NDArray[np.float64]]]:
        """(p,) harm in a half-hour without exposure, of the categories of each power."""
        if half_hour not in self._by_half_hour:
            harm = self._harm * self._scale
            harm *= self._factors.clock.compute_factor(half_hour, self._factors.day)
            powers = self._factors.used_powers
            self._by_half_hour[half_hour] = [
                (float(power), harm[:, powers == power].sum(axis=1)) for power in np.unique(powers)
            ]
        return self._by_half_hour[half_hour]


def find_half_hour(minute: int) -> int:
    """Which half-hour of the day a minute after midnight is in, 0 to 47.

    Examples
    --------
    >>> find_half_hour(15 * 60 + 20), find_half_hour(24 * 60 + 10)
    (30, 0)
    """
    return minute // HALF_HOUR_MINUTES % HALF_HOURS


@dataclass(frozen=True, eq=False)
class WindowRisk:
    """The risk of a window: means over the minutes that schools' windows hold."""

    crime: NDArray[np.float64]
    """(p,) share of recorded crime, without exposure; sums to 1, or is all zero."""
    reports: NDArray[np.float64]  # (p,) share of pupils' reports; sums to 1, or is all zero
    joined: NDArray[np.float64]  # (p,) both voices, with exposure; sums to 1
    without_exposure: NDArray[np.float64]  # (p,) both voices, without exposure; sums to 1
    crime_weight: float  # share of recorded crime in the joined risk without exposure
    intensity: float  # harm of recorded crime in the window, as a multiple of that of the mean hour
    in_time: RiskInTime
    bands: tuple[TimeBand | None, ...]
    """The bands of the day that the window meets; None: reports of all bands count."""


def join_over_window(
    harm: NDArray[np.float64],
    factors: TimeFactors,
    minutes: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> WindowRisk:
    """Join recorded crime and reports over a window, with and without exposure.

    In minute t the joined risk of piece e is

        c sum_k h_ek f_ek(b, d) g_e(t)^a_k s_k / Z + (1 - c) r_e

    with h the expected harm of category k, f its clock in the half-hour b of t on a day of kind d,
    g the exposure, a the category's power, r the reports of the minute's band (they sum to 1) and c
    the weight of recorded crime in that band. Z makes recorded crime sum to 1 over area and window.
    The scale s_k gives each category the harm over area and window that it has without exposure:
    exposure says where and when its harm falls, not how much of it there is.

    The window is gone through once. Minutes that share half-hour and band differ in exposure
    alone, so their powers of exposure are summed first, and meet the (p, j) amounts only once.

    `harm`: (p, j) expected harm of each category, over all hours and days. `minutes`, `weights`:
    (m,) the window, see `patrolplan.area.patrol_window.weigh_minutes`.
    """
    clock, exposure, powers = factors.clock, factors.exposure, factors.used_powers
    reports_in_time = ReportsInTime(
        factors.voice, by_band=factors.by_band, has_crime=bool(harm.any())
    )
    bands = list(dict.fromkeys(reports_in_time.find_band(int(minute)) for minute in minutes))
    if exposure is None and clock.source == "flat" and len(bands) == 1:
        return _join_static(harm, reports_in_time, bands[0])
    pieces = len(harm)
    before, after = np.zeros(harm.shape[1]), np.zeros(harm.shape[1])
    plain, exposed, reports = np.zeros(pieces), np.zeros(harm.shape), np.zeros(pieces)
    here, met = np.empty(harm.shape), np.empty(harm.shape)  # large: written again for each cell
    cells = zip(minutes.tolist(), weights.tolist(), strict=True)
    for (half_hour, band), cell in groupby(
        cells, lambda one: (find_half_hour(one[0]), reports_in_time.find_band(one[0]))
    ):
        held = list(cell)
        weight = sum(share for _, share in held)
        np.multiply(harm, clock.compute_factor(half_hour, factors.day), out=here)
        sums = _sum_powers(exposure, powers, held, pieces)
        for column, power in enumerate(powers.tolist()):
            np.multiply(here[:, column], sums[power], out=met[:, column])
        before += weight * here.sum(axis=0)
        after += met.sum(axis=0)
        own = reports_in_time.get(band)
        plain += own.crime_weight * weight * here.sum(axis=1)
        met *= own.crime_weight
        exposed += met
        reports += weight * own.reports
    scale = np.divide(before, after, out=np.ones_like(before), where=after > 0)
    norm = float(before.sum())
    norm = norm if norm > 0 else 1.0
    plain /= norm
    exposed *= scale / norm
    crime = exposed.sum(axis=1)
    without = _normalise(plain + reports)
    total = float((crime + reports).sum())
    inputs = JoinedHarm(harm, scale / norm, total or 1.0, minutes, weights)
    in_time = RiskInTime(inputs, factors, reports_in_time)
    weight_of_both = float((plain + reports).sum())
    return WindowRisk(
        crime=_normalise(plain),
        reports=_normalise(reports),
        joined=without if exposure is None else _normalise(crime + reports),
        without_exposure=without,
        crime_weight=float(plain.sum()) / weight_of_both if weight_of_both > 0 else 0.0,
        intensity=float(before.sum() / harm.sum()) if harm.any() else 1.0,
        in_time=in_time,
        bands=tuple(bands),
    )


def _sum_powers(
    exposure: PupilExposure | None,
    powers: NDArray[np.float64],
    minutes: Sequence[tuple[int, float]],
    pieces: int,
) -> dict[float, NDArray[np.float64]]:
    """(p,) weighted sum over some minutes of the exposure to each power."""
    at, weights = np.array([at for at, _ in minutes]), np.array([share for _, share in minutes])
    sums = {0.0: np.full(pieces, weights.sum())}
    if exposure is not None:
        sums |= exposure.sum_powers(np.unique(powers[powers > 0]).tolist(), at, weights)
    return sums


def _join_static(
    harm: NDArray[np.float64], reports_in_time: ReportsInTime, band: TimeBand | None
) -> WindowRisk:
    """The risk if nothing changes from minute to minute."""
    voice = reports_in_time.get(band)
    crime, reports = _normalise(harm.sum(axis=1)), _normalise(voice.spread)
    crime_weight = voice.crime_weight if crime.any() else 0.0
    joined = _normalise(crime_weight * crime + (1 - crime_weight) * reports)
    in_time = RiskInTime.from_static(joined)
    return WindowRisk(crime, reports, joined, joined, crime_weight, 1.0, in_time, (band,))


def _normalise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares that sum to 1, or all zero."""
    total = values.sum()
    return round_significant(values / total, RISK_DIGITS) if total > 0 else np.zeros_like(values)
