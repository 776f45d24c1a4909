"""Risk in time: how the risk of every piece of street changes from minute to minute.

The clock moves it, the pupils who are there in that minute, and the time of day that their reports
are about. With the harm h of category j on piece e, the clock's factor c and the exposure x to the
category's power q, a minute's risk is

    crime weight x sum over j of (s_j h_ej c_ej x_e^q_j) + reports    (over the sum of the window)

where s_j keeps a category's harm over area and window as it is without pupils. Pieces times minutes
are never stored: a city would need gigabytes, and the table would be a map of where pupils walk at
which minute. What does not change within a half-hour is held for each half-hour and power.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patrolplan.arrays import round_significant
from patrolplan.inputs.way_home import HALF_HOUR_MINUTES
from patrolplan.pupils.flows import NotStored
from patrolplan.pupils.pupils import Pupils
from patrolplan.risk.clock import Clock
from patrolplan.risk.day_kinds import HALF_HOURS, DayKind
from patrolplan.risk.report_voice import ReportVoice, TimeBand, find_band

# Where more pupils are, more of them can be harmed, but not in proportion: crowds also watch. Crime
# grows with a power of the pupils present (`[way_home] exposure`). That of violence and anti-social
# behaviour, 0.36, is measured in Chicago (City of Chicago, "Crimes - 2001 to Present", 2012 to
# 2018, violence in streets near high schools; `benchmarks/after_school.py`): 0.44 (95 % interval
# 0.33 to 0.55) on the northern half, on which this program was developed, and 0.31 (0.23 to 0.39)
# on the other, which was held out; pooled by inverse variance 0.36 (0.29 to 0.42). At the same
# hours without school, and in the evening, it is 0. None is shown for any other category.
FLOOR = 0.05
"""Share of the mean presence that streets without modelled pupils have: there may be some."""


@dataclass(frozen=True, eq=False)
class PupilExposure:
    """Pupils present on each piece of street, relative to the mean over area and window."""

    pupils: Pupils
    # (p,) what a pupil adds on each piece: more on a short one, and where few are on the whole.
    per_pupil: NDArray[np.float64]

    def sum_powers(
        self, powers: Collection[float], minutes: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> dict[float, NDArray[np.float64]]:
        """(p,) weighted sum over some minutes, not many, of the exposure to each power."""
        # The mean of a power is not the power of the mean: a street that is full for five minutes
        # has less risk than one with as many pupils spread over an hour. So each minute is raised.
        first = int(minutes[0])
        counts = self.pupils.count_each(first, int(minutes[-1]) + 1)[:, minutes - first]
        busy = np.flatnonzero(counts.any(axis=1))  # on half of a city's streets nobody is
        relative = FLOOR + counts[busy] * self.per_pupil[busy, None]
        sums = {power: np.full(len(counts), FLOOR**power * weights.sum()) for power in powers}
        for power, total in sums.items():
            total[busy] = relative**power @ weights
        return sums


def build_exposure(
    pupils: Pupils,
    metres: NDArray[np.float64],
    minutes: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> PupilExposure | None:
    """Exposure relative to its mean over all streets and a window; None where no pupil is out."""
    first = int(minutes[0])
    counts = pupils.count_all(first, int(minutes[-1]) + 1)
    mean = float((counts[minutes - first] * weights).sum())
    if mean <= 0:
        return None
    # Pupils a metre over their mean: what counts is how densely a street is walked, not how long it
    # is; and its risk is compared with other streets of the area, so no pupil adds harm to the sum.
    per_metre = mean / metres.sum()
    return PupilExposure(pupils, (1 - FLOOR) / (metres * per_metre))


def get_powers(categories: Sequence[str], exposure: Mapping[str, float]) -> NDArray[np.float64]:
    """(j,) power of the pupils present that each category grows with; 0 where none is set."""
    return np.array([exposure.get(name, 0.0) for name in categories], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class TimeFactors:
    """What moves risk from minute to minute."""

    powers: NDArray[np.float64]  # (j,) see `patrolplan.risk.in_time.get_powers`
    clock: Clock  # When crime happens
    day: DayKind | None  # Kind of day; None: all days of the week together
    # Where pupils are; None where none is out in the window, or where that does not count.
    exposure: PupilExposure | None
    voice: ReportVoice  # Pupils' reports

    @property
    def used_powers(self) -> NDArray[np.float64]:
        """(j,) the powers, all 0 without exposure."""
        return self.powers if self.exposure is not None else np.zeros_like(self.powers)

    def group(self, minutes: range | NDArray[np.int64]) -> list[list[int]]:
        """Minutes of one half-hour and band each, in runs."""
        runs = groupby(map(int, minutes), lambda at: (find_half_hour(at), find_band(at)))
        return [list(run) for _, run in runs]


class RiskInTime(NotStored):
    """The joined risk of every piece of street in each minute, on the scale of `Risk.joined`.

    Its mean over the windows of the schools is `Risk.joined`. It knows where pupils are, so it
    cannot be pickled, unless it is static, the same in every minute.
    """

    def __init__(
        self,
        harm: NDArray[np.float64],
        scale: NDArray[np.float64],
        factors: TimeFactors,
        window: tuple[NDArray[np.int64], NDArray[np.float64]],
    ) -> None:
        self._harm, self._scale, self._factors, self._window = harm, scale, factors, window
        self.total = 1.0  # what the joined risk is divided by, see `join_over_window`
        self._static: NDArray[np.float64] | None = None
        self._by_half_hour: dict[int, list[tuple[float, NDArray[np.float64]]]] = {}
        self._by_band: dict[TimeBand | None, tuple[float, NDArray[np.float64]]] = {}

    @classmethod
    def from_static(cls, joined: NDArray[np.float64]) -> "RiskInTime":
        """A risk that is the same (p,) in every minute."""
        static = cls.__new__(cls)
        static._static = joined  # noqa: SLF001 - its own
        return static

    def __reduce_ex__(self, protocol: object) -> Any:  # noqa: ANN401 - as pickle has it
        if self._static is None:
            super().__reduce_ex__(protocol)
        return RiskInTime.from_static, (self._static,)

    @property
    def exposure(self) -> PupilExposure | None:
        """The exposure to pupils; None where that does not count."""
        return None if self._static is not None else self._factors.exposure

    @property
    def is_static(self) -> bool:
        """Whether the risk is the same in every minute."""
        return self._static is not None

    def remove_exposure(self) -> "RiskInTime":
        """The risk of each minute as it would be if pupils' presence did not count."""
        if self.exposure is None:
            return self
        factors = replace(self._factors, exposure=None)
        return join_over_window(self._harm, factors, *self._window).in_time

    def group_minutes(self, first: int, end: int) -> list[tuple[int, int]]:
        """Runs of whole minutes with one risk each: the first of a run, and how many it has."""
        if self._static is not None:
            return [(first, end - first)] if end > first else []
        if self._factors.exposure is not None:
            return [(minute, 1) for minute in range(first, end)]
        return [(run[0], len(run)) for run in self._factors.group(range(first, end))]

    def compute_rate(self, minute: int) -> NDArray[np.float64]:
        """(p,) joined risk in a whole minute after midnight."""
        if self._static is not None:
            return self._static.copy()
        crime_weight, reports = self.weigh_reports(find_band(minute))
        relative: NDArray[np.float64] | float = 1.0
        if (exposure := self._factors.exposure) is not None:
            relative = FLOOR + exposure.pupils.count_at(minute) * exposure.per_pupil
        crime = np.zeros(len(self._harm))
        for power, amounts in self.hold_half_hour(find_half_hour(minute)):
            crime += amounts if power == 0 else amounts * relative**power
        return (crime_weight * crime + reports) / self.total

    def hold_half_hour(self, half_hour: int) -> list[tuple[float, NDArray[np.float64]]]:
        """(p,) scaled harm in a half-hour without exposure, of the categories of each power."""
        if half_hour not in self._by_half_hour:
            factor = self._factors.clock.compute_factor(half_hour, self._factors.day)
            harm, powers = self._harm * factor, self._factors.used_powers
            self._by_half_hour[half_hour] = [
                (power, harm[:, powers == power] @ self._scale[powers == power])
                for power in np.unique(powers).tolist()
            ]
        return self._by_half_hour[half_hour]

    def weigh_reports(self, band: TimeBand | None) -> tuple[float, NDArray[np.float64]]:
        """The weight of crime in a band, and the (p,) risk by reports, which has the rest."""
        if band not in self._by_band:
            # Where nothing is recorded at all, reports are the whole risk, however few they are.
            spread, share = self._factors.voice.spread(band), 0.0
            if spread.any():
                has_crime = self._harm.any()
                share = self._factors.voice.compute_share(band) if has_crime else 1.0
                spread = spread * (share / spread.sum())
            self._by_band[band] = 1.0 - share, spread
        return self._by_band[band]


def find_half_hour(minute: int) -> int:
    """Which half-hour of the day a minute after midnight is in, 0 to 47."""
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
    """Join expected harm (p, j) and reports over a window, (m,) minutes and weights."""
    exposure, powers = factors.exposure, factors.used_powers
    weight_of = dict(zip(minutes.tolist(), weights.tolist(), strict=True))
    runs = factors.group(minutes)
    bands = tuple(dict.fromkeys(find_band(run[0]) for run in runs))
    # Pupils move harm between streets and minutes and add none: a category's harm over area and
    # window is taken before and after its factors, and their ratio is its scale. Without it, the
    # categories that grow with pupils would gain on all others, which nothing was measured for.
    before, after, held = np.zeros(harm.shape[1]), np.zeros(harm.shape[1]), []
    for run in runs:
        own = np.array([weight_of[minute] for minute in run])
        sums = {0.0: np.full(len(harm), own.sum())}
        if exposure is not None:
            sums |= exposure.sum_powers(set(powers.tolist()) - {0.0}, np.array(run), own)
        # Only exposure changes within a run; its powers are summed over the run's minutes once.
        here = harm * factors.clock.compute_factor(find_half_hour(run[0]), factors.day)
        before += own.sum() * here.sum(axis=0)
        after += [sums[power] @ here[:, column] for column, power in enumerate(powers.tolist())]
        held.append((run[0], sums, here.sum(axis=1) * own.sum()))
    norm = float(before.sum()) or 1.0
    scale = np.divide(before, after, out=np.ones_like(before), where=after > 0) / norm
    in_time = RiskInTime(harm, scale, factors, (minutes, weights))
    plain, crime, reports = (np.zeros(len(harm)) for _ in range(3))
    for minute, sums, without in held:
        crime_weight, spread = in_time.weigh_reports(find_band(minute))
        for power, amounts in in_time.hold_half_hour(find_half_hour(minute)):
            crime += crime_weight * amounts * sums[power]
        plain += crime_weight * without / norm
        reports += sums[0.0] * spread
    # Bands differ in the weight of the voices and in how much crime they have, so the sum over the
    # window is near 1, not 1.
    in_time.total = float((crime + reports).sum()) or 1.0
    without_exposure = _normalise(plain + reports)
    joined = without_exposure if exposure is None else _normalise(crime + reports)
    if exposure is None and factors.clock.source == "flat" and len(bands) == 1:
        in_time = RiskInTime.from_static(joined)
    both = float((plain + reports).sum())
    return WindowRisk(
        crime=_normalise(plain),
        reports=_normalise(reports),
        joined=joined,
        without_exposure=without_exposure,
        crime_weight=float(plain.sum()) / both if both > 0 else 0.0,
        intensity=float(before.sum() / harm.sum()) if harm.any() else 1.0,
        in_time=in_time,
        bands=bands,
    )


def _normalise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares that sum to 1, or all zero."""
    total = values.sum()
    return round_significant(values / total) if total > 0 else np.zeros_like(values)
