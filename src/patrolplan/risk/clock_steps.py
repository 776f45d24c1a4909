"""One step of the learned clock: how far groups of incidents follow their own times.

See `patrolplan.risk.learned_clock` for what it is a step of.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from patrolplan.risk.day_kinds import HALF_HOURS, DayClasses

Floats = NDArray[np.float64]

FOLDS = 10
"""Weeks are dealt out into so many folds; each is predicted from the others."""

STRENGTHS = np.geomspace(100_000.0, 1.0, 26)
"""How many incidents the profile above may count as; of equals the largest is chosen."""

WIDTHS = (0.0, 1.0, 2.0, 4.0)
"""Standard deviations in half-hours that an incident may be spread with."""

DAY_WEIGHTS = (0.0, 0.3, 1.0)
"""How much an incident may count on other kinds of day."""

RATIO_SHARES = (0.0, 0.5, 1.0)
"""How far a step may follow the declared profile's ratio."""


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
    to 1.
    """
    near = np.kron(days.build_day_matrix(day_weight), build_hour_matrix(width)) * profile
    return np.asarray(near / near.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Choice:
    """The numbers of a step that were chosen by likelihood.

    `bits` is how much better an incident's time is predicted than by the step above alone.
    """

    strength: float
    width: float
    day_weight: float
    ratio_share: float = 0.0
    radius_metres: float = 0.0
    bits: float = 0.0


def fit_step(
    counts: Floats, above: Floats, ratio: Floats | None, days: DayClasses
) -> tuple[Floats, Choice]:
    """(g, b) profile of each group of a step, and how far it follows its own incidents.

    Parameters
    ----------
    counts
        (f, g, i) incidents of each fold, group and cell; the last 48 cells are weekdays of unknown
        kind.
    above
        (g, b) profile of the step above of each group; sums to 1.
    ratio
        (g, b) ratio of the declared profile that the step may start from; None for none.
    days
        The classes of day.
    """
    cells = above.shape[1]
    total = counts.sum(axis=0)
    seen, own = total - counts, counts[:, :, :cells]
    others = seen.sum(axis=2)[..., None]
    reference = float((own * np.log(above)).sum())
    best: tuple[float, Choice, Floats] | None = None
    for share in RATIO_SHARES if ratio is not None else (0.0,):
        base = above if ratio is None else _blend_ratio(above, ratio, share)
        for width in WIDTHS:
            for day_weight in DAY_WEIGHTS if len(days.shares) > 1 else (0.0,):
                spread = np.stack([build_spread(row, days, width, day_weight) for row in base])
                spread_seen = np.einsum("fgi,gib->fgb", seen, spread, optimize=True)
                for strength in STRENGTHS:
                    profile = (spread_seen + strength * base) / (others + strength)
                    score = float((own * np.log(profile)).sum())
                    if best is None or score > best[0]:
                        bits = (score - reference) / max(own.sum(), 1.0) / np.log(2)
                        choice = Choice(float(strength), width, day_weight, share, bits=bits)
                        spread_all = np.einsum("gi,gib->gb", total, spread, optimize=True)
                        number = total.sum(axis=1)[:, None]
                        result = (spread_all + strength * base) / (number + strength)
                        best = score, choice, result
    assert best is not None  # noqa: S101 - the grid is not empty
    return best[2], best[1]


def _blend_ratio(above: Floats, ratio: Floats, share: float) -> Floats:
    """(g, b) the profile above, times as much of a ratio."""
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
