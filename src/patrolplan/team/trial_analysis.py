"""What a trial shows: intention to treat by re-randomisation.

Every hotspot and day counts as it was drawn, no matter who went there: otherwise days on which it
was easy to go would be compared. Let Z be what was drawn, y the incidents of a hotspot in a block
and m those expected before the start. Without an effect the same incidents would have happened
under any draw, so

    T = sum of (Z - 1/2) (y - l m),    l = sum of y / sum of m,

is computed for what was drawn and for other draws of the same pairs; the p-value is the share of
these in which T is at least as far from zero, the drawn one counted. If the effect were a factor f,
those with patrols would have had y / f without them, and T of these is tested in the same way: all
f that are not rejected at 5 % make the 95 % interval, see `docs/methods/trial.md`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.network.shapes import find_pieces_of_shapes
from patrolplan.team.trial import Bools, Floats, Trial, count_incidents, is_dated

LEVEL = 0.05
DRAWS = 999
FACTORS = np.geomspace(0.01, 100.0, 4001)
"""Factors on incidents that are tested for the interval, 0.2 % apart."""
ROUNDING = 1e-9
"""Values of T that differ by less are equal."""


@dataclass(frozen=True)
class Effect:
    """The effect of having patrols drawn: a factor on incidents, 0.8 is a fifth fewer."""

    factor: float
    """NaN where no incident came without patrols."""
    low: float
    high: float
    """Its 95 % interval; 0 or infinite where nothing bounds it."""
    p_value: float
    incidents_with: float
    """Where patrols were drawn; fractions where a map point represents several streets."""
    incidents_without: float


def analyse_trial(path: Path, trial: Trial, area: StudyArea) -> Effect:
    """Compare incidents by what was drawn."""
    last = (area.incidents["month"].max() + pd.offsets.MonthEnd(0)).date()
    if last < trial.end:
        what = f"the trial ends on {trial.end}, and the crimes reach to {last}"
        raise InputError.one(path, what, "come back with all its months")
    by_days = is_dated(area)
    if not by_days and trial.randomise != "pairs":
        what = "the trial is counted by days, and the crimes name only their months"
        raise InputError.one(path, what, "name crimes with a column occurred_at")
    times = pd.DatetimeIndex(trial.days)
    if not by_days:
        times = pd.date_range(trial.start, trial.end, freq="MS")
    pieces = find_pieces_of_shapes(area.network, trial.build_stretches(area.projection))
    counts = count_incidents(area, [part.tolist() for part in pieces], times, by_days=by_days)
    # Days that are drawn together count as one; months of pairs do so as well.
    first_days = {trial.find_block(day): day for day in reversed(trial.days)}
    blocks = list(first_days)
    own_block = [blocks.index(trial.find_block(time.date())) for time in times]
    is_of = np.eye(len(blocks))[own_block]
    expected = np.array([[hotspot.expected] for hotspot in trial.hotspots]) * is_of.sum(axis=0)
    drawn = np.column_stack([trial.draw(first_days[block]) for block in blocks])
    return estimate_effect(counts @ is_of, expected, drawn, seed=trial.seed or 0)


def estimate_effect(counts: Floats, expected: Floats, drawn: Bools, *, seed: int) -> Effect:
    """The effect of (h, b) patrols `drawn`, of incidents `counts`, on those `expected` before."""
    # Rows 2k and 2k + 1 are a pair, one of which has patrols in each block (column); `expected` may
    # have any scale. T is the sum of a part over f and a part without it, so that two sums a draw
    # give T of all factors.
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 2, (DRAWS, len(counts) // 2, counts.shape[1]))
    others = np.stack([first, 1 - first], axis=2).reshape(DRAWS, *counts.shape)
    signs = np.concatenate([drawn[None], others]) - 0.5
    parts = np.stack([counts * drawn, counts * ~drawn])
    sizes = parts.sum(axis=(1, 2))
    away = parts - sizes[:, None, None] * expected / expected.sum()
    sums = np.tensordot(signs, away, axes=([1, 2], [1, 2]))

    def compute_p(factors: Floats) -> Floats:
        far = np.abs(sums[:, :1] / factors + sums[:, 1:])
        return np.asarray((far >= far[0] - ROUNDING).mean(axis=0))

    came, without = sizes.tolist()
    rates = came / expected[drawn].sum(), without / expected[~drawn].sum()
    kept = FACTORS[compute_p(FACTORS) >= LEVEL]
    low, high = (kept[0], kept[-1]) if len(kept) else FACTORS[[0, 0]]
    return Effect(
        factor=rates[0] / rates[1] if without else np.nan,
        low=0.0 if low == FACTORS[0] else float(low),
        high=np.inf if high == FACTORS[-1] else float(high),
        p_value=float(compute_p(np.ones(1))[0]),
        incidents_with=came,
        incidents_without=without,
    )
