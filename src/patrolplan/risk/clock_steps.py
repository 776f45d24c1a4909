"""One step of the learned clock: how far groups of incidents follow their own times.

See `patrolplan.risk.learned_clock` for all steps.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import log

import numpy as np
from numpy.typing import NDArray

from patrolplan.risk.day_kinds import HALF_HOURS, DayClasses

Floats = NDArray[np.float64]

FOLDS = 10  # number of folds that weeks are assigned to in turn; each is predicted from the others

STRENGTHS = np.geomspace(100_000.0, 1.0, 26)
"""Candidate numbers of incidents that the profile above counts as; the largest wins a tie."""

WIDTHS = (0.0, 1.0, 2.0, 4.0)
"""Candidate standard deviations, in half-hours, of the spread of an incident."""

DAY_WEIGHTS = (0.0, 0.3, 1.0)  # candidate weights of an incident on other kinds of day

RATIO_SHARES = (0.0, 0.5, 1.0)
"""Candidate shares of the declared profile's ratio that a step starts from."""

BALANCE_STEPS = 50
BALANCE_TOLERANCE = 1e-7
"""The scaling of `build_spread` ends when no number changes by more, or after this many steps."""

MIN_GAIN = 3.0
"""Gain in log likelihood below which a step is left out: one for each number that it chooses
(Akaike 1974, IEEE Trans. Autom. Control 19: 716-723)."""


@lru_cache(maxsize=16)
def build_hour_matrix(width: float) -> Floats:
    """(48, 48) how much an incident in one half-hour counts in the others, around midnight too."""
    if not width:
        return np.eye(HALF_HOURS)
    apart = np.abs(np.subtract.outer(np.arange(HALF_HOURS), np.arange(HALF_HOURS)))
    apart = np.minimum(apart, HALF_HOURS - apart)
    return np.asarray(np.exp(-0.5 * (apart / width) ** 2) * (apart <= 3 * width))


def build_spread(profile: Floats, days: DayClasses, width: float, day_weight: float) -> Floats:
    """(i, b) where an incident of each cell is spread to, in proportion to a profile (b,).

    Rows are the b cells and, after them, the half-hours of weekdays of unknown kind; each sums
    to 1. Incidents distributed like the profile keep that distribution when spread: what a narrow
    peak or a rare kind of day gives to its neighbours, it gets back. To achieve this, the symmetric
    weights of pairs of cells are scaled, by one number a cell, until balanced (Sinkhorn 1964, Ann.
    Math. Stat. 35: 876-879). An incident on a weekday of unknown kind is one of each kind, as
    likely as the profile says for its half-hour.
    """
    day, hour = days.build_day_matrix(day_weight), build_hour_matrix(width)
    by_day = profile.reshape(-1, HALF_HOURS)
    scale = np.ones_like(by_day)
    for _ in range(BALANCE_STEPS):
        new = np.sqrt(scale / (day @ (by_day * scale) @ hour))
        change, scale = np.abs(new / scale - 1).max(), new
        if change < BALANCE_TOLERANCE:
            break
    weight = by_day * scale
    spread = day[:, None, :, None] * hour[None, :, None, :] * weight
    spread /= (day @ weight @ hour)[:, :, None, None]
    among = by_day[days.weekdays] / by_day[days.weekdays].sum(axis=0)
    unknown = np.einsum("dh,dhek->hek", among, spread[days.weekdays])
    cells = len(profile)
    return np.concatenate([spread.reshape(cells, cells), unknown.reshape(HALF_HOURS, cells)])


@dataclass(frozen=True)
class Choice:
    """The numbers of a step that were chosen by likelihood."""

    strength: float = float(STRENGTHS[0])  # How many incidents the profile above counts as
    # `width`, `day_weight`: How far an incident is spread, over half-hours and other kinds of
    # day.
    width: float = 0.0
    day_weight: float = 0.0
    ratio_share: float = 0.0  # How much of the declared profile's ratio the step starts from
    # Whether incidents are spread evenly, and not in proportion to the profile above.
    is_even: bool = False
    radius_metres: float = 0.0  # How far around a place incidents count
    # How much better an incident's time is predicted than by the step above alone.
    bits: float = 0.0


def fit_step(
    counts: Floats, above: Floats, ratio: Floats | None, days: DayClasses
) -> tuple[Floats, Choice]:
    """(g, b) profile of each group of a step, and how far it follows its own incidents.

    `counts`: (f, g, i) incidents of each fold, group and cell; the last 48 cells are weekdays of
    unknown kind. `above`: (g, b) profile of the step above of each group; sums to 1. `ratio`: (g,
    b) ratio of the declared profile that the step may start from; None for none.
    """
    total = counts.sum(axis=0)
    seen, own = total - counts, counts[:, :, : above.shape[1]]
    others = seen.sum(axis=2)[..., None]
    reference = float((own * np.log(above)).sum())
    best, least = Choice(), reference + MIN_GAIN
    grid = product(
        (False, True),
        RATIO_SHARES if ratio is not None else RATIO_SHARES[:1],
        WIDTHS,
        DAY_WEIGHTS if len(days.shares) > 1 else DAY_WEIGHTS[:1],
    )
    for is_even, share, width, day_weight in grid:
        base = _blend_ratio(above, ratio, share)
        spread = _spread_groups(base, days, Choice(0, width, day_weight, is_even=is_even))
        spread_seen = np.einsum("fgi,gib->fgb", seen, spread, optimize=True)
        for strength in STRENGTHS:
            profile = (spread_seen + strength * base) / (others + strength)
            score = float((own * np.log(profile)).sum())
            if score > least:
                bits = (score - reference) / max(float(own.sum()), 1.0) / log(2)
                best = Choice(float(strength), width, day_weight, share, is_even, bits=bits)
                least = score
    if not best.bits:
        return above, best
    base = _blend_ratio(above, ratio, best.ratio_share)
    spread_all = np.einsum("gi,gib->gb", total, _spread_groups(base, days, best), optimize=True)
    number = total.sum(axis=1)[:, None]
    return (spread_all + best.strength * base) / (number + best.strength), best


def _spread_groups(base: Floats, days: DayClasses, choice: Choice) -> Floats:
    """(g, i, b) where an incident of each group and cell is spread to."""
    if choice.is_even:
        one = build_spread(days.cell_shares, days, choice.width, choice.day_weight)
        return np.broadcast_to(one, (len(base), *one.shape))
    return np.stack([build_spread(row, days, choice.width, choice.day_weight) for row in base])


def _blend_ratio(above: Floats, ratio: Floats | None, share: float) -> Floats:
    """(g, b) the profile above, times as much of a ratio."""
    if ratio is None:
        return above
    tilted = above * ratio
    tilted /= tilted.sum(axis=1, keepdims=True)
    return np.asarray((1 - share) * above + share * tilted)


@dataclass(frozen=True, eq=False)
class Times:
    """The incidents with a time: place, category, cell and fold of each, and the classes of day."""

    place: NDArray[np.int64]
    category: NDArray[np.int64]
    cell: NDArray[np.int64]
    fold: NDArray[np.int64]
    days: DayClasses

    @property
    def cells(self) -> int:
        """How many cells there are, those of weekdays of unknown kind among them."""
        return (self.days.unknown + 1) * HALF_HOURS

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """(n,) whether the kind of day is known."""
        return self.cell < self.days.unknown * HALF_HOURS

    def count(self, group: NDArray[np.int64], groups: int) -> Floats:
        """(f, g, i) incidents of each fold, group and cell."""
        shape = (FOLDS, groups, self.cells)
        index = np.ravel_multi_index((self.fold, group, self.cell), shape)
        return np.bincount(index, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
