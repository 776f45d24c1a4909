"""A trial's results, only when it is over and its crimes are known."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.team.secret import Secret, TrialKey
from patrolplan.team.trial.analysis import (
    Displacement,
    Effect,
    Outcome,
    compute_displacement,
    estimate_effect,
)
from patrolplan.team.trial.counts import (
    MIN_DATED_SHARE,
    TrialStreets,
    compute_dated_share,
    count_incidents,
    find_held,
    find_streets,
    find_trial_pieces,
)
from patrolplan.team.trial.delivery import Delivery
from patrolplan.team.trial.design import Bools, Floats, draw_blocks, list_references
from patrolplan.team.trial.trial_file import Trial, check_commitment

WEEKS_BACK = 52
"""The published measure compares each day with the same weekday a year before."""
SEEDS = 2**64


@dataclass(frozen=True, eq=False)
class TrialResult:
    """What a trial shows."""

    trial: Trial
    key: str
    """The opened key, with which anyone can draw the trial again."""
    effect: Effect
    displacement: Displacement | None
    """None where the data lacks the crimes of the year before."""
    dropped_months: tuple[str, ...]
    """Months (YYYY-MM) that are missing from the data and not counted."""
    periods: int
    """Days, or months, that count."""
    delivery: Delivery | None = None
    """Patrols there in the ledger; None without a ledger."""


@dataclass(frozen=True, eq=False)
class _Periods:
    """The days or months of a trial that count."""

    times: pd.DatetimeIndex
    block: tuple[int, ...]
    """(t,) number of the block of each."""
    before: pd.DatetimeIndex
    """(t,) the same weekday, or month, a year before."""
    dropped: tuple[str, ...]


def draw_by_day(trial: Trial, key: TrialKey) -> dict[dt.date, Bools]:
    """(h,) which hotspots have patrols drawn, by day of the trial."""
    treated = draw_blocks(key, trial.blocks, sets=trial.sets, ratio=trial.ratio)
    return {
        day: treated[:, :, number].ravel()
        for number, block in enumerate(trial.blocks)
        for day in block.days
    }


def analyse_trial(
    path: Path, trial: Trial, area: StudyArea, secret: Secret, delivery: Delivery | None = None
) -> TrialResult:
    """Open a trial's key, and compare incidents by what was drawn.

    Parameters
    ----------
    path
        Of the trial's file, for messages.
    trial
        As it was sealed.
    area
        With the crimes of the trial's time.
    secret
        The team's, as it was when the trial was sealed.
    delivery
        Patrols there in the ledger.

    Raises
    ------
    InputError
        When the data does not cover the whole trial, or the file or the secret is a different one.
    """
    key = trial.make_key(secret, area.name)
    check_commitment(path, trial, key)
    check_is_over(path, trial, area)
    seal = trial.seal
    stretches = [hotspot.build_stretch(area.projection) for hotspot in seal.hotspots]
    streets = find_streets(area, find_trial_pieces(area, stretches))
    periods = _list_periods(path, trial, area, streets)
    counts = count_incidents(
        area, streets, periods.times, categories=seal.categories, by=seal.counted_by
    )
    treated = draw_blocks(key, trial.blocks, sets=trial.sets, ratio=trial.ratio)
    effect = _estimate(trial, key, streets, periods, counts, treated)
    displacement = None
    if find_held(area, streets, _start_months(periods.before)).all():
        before = count_incidents(
            area, streets, periods.before, categories=seal.categories, by=seal.counted_by
        )
        drawn = treated.reshape(-1, treated.shape[2])[:, list(periods.block)]
        displacement = compute_displacement(streets.own, streets.around, drawn, before, counts)
    return TrialResult(
        trial=trial,
        key=key.open(),
        effect=effect,
        displacement=displacement,
        dropped_months=periods.dropped,
        periods=len(periods.times),
        delivery=delivery,
    )


def check_is_over(path: Path, trial: Trial, area: StudyArea) -> None:
    """Raise where the crimes of the whole trial are not known yet: then none are shown.

    Raises
    ------
    InputError
        With the month up to which crimes are needed.
    """
    last = (area.incidents["month"].max() + pd.offsets.MonthEnd(0)).date()
    if last < trial.end:
        what = f"the trial ends on {trial.end}, and the crimes reach to {last}"
        remedy = "its key stays sealed until then: come back with all its months"
        raise InputError.one(path, what, remedy)
    counted_by_days = trial.seal.counted_by == "days"
    if counted_by_days and compute_dated_share(area, trial.seal.categories) < MIN_DATED_SHARE:
        what = "the trial is counted by days, and the crimes name only their months"
        raise InputError.one(path, what, "name crimes with a column occurred_at")


def _estimate(
    trial: Trial,
    key: TrialKey,
    streets: TrialStreets,
    periods: _Periods,
    counts: Floats,
    treated: Bools,
) -> Effect:
    """The effect of what was drawn, over the blocks that count."""
    used, number = np.unique(periods.block, return_inverse=True)
    shape = (trial.sets, sum(trial.ratio))
    each = np.array([hotspot.expected for hotspot in trial.seal.hotspots]).reshape(shape)
    lengths = np.bincount(number, minlength=len(used)).astype(np.float64)
    own = (streets.own @ counts).reshape(*shape, -1)
    is_of = number[:, None] == np.arange(len(used))
    came = own @ is_of.astype(np.float64)
    outcome = Outcome(came, each[:, :, None] * lengths, treated[:, :, used])
    seed = key.derive("analysis").draw(SEEDS)
    references = list_references(trial.sets, len(used), trial.ratio, seed=seed)
    return estimate_effect(outcome, references)


def _list_periods(path: Path, trial: Trial, area: StudyArea, streets: TrialStreets) -> _Periods:
    """The trial's days, or months, without those that are missing from the data."""
    blocks = trial.blocks
    if trial.seal.counted_by == "months":
        times = pd.date_range(trial.start, trial.end, freq="MS")
        block = [0] * len(times)
        before = times - pd.DateOffset(years=1)
    else:
        times = pd.DatetimeIndex([day for one in blocks for day in one.days])
        block = [number for number, one in enumerate(blocks) for _ in one.days]
        before = times - pd.Timedelta(weeks=WEEKS_BACK)
    months = _start_months(times)
    held = find_held(area, streets, months)
    if not held.any():
        what = "every month of the trial is missing from the data"
        raise InputError.one(path, what, "fetch the months and come back")
    dropped = tuple(dict.fromkeys(months[~held].strftime("%Y-%m")))
    counted = [number for number, is_held in zip(block, held, strict=True) if is_held]
    return _Periods(times[held], tuple(counted), before[held], dropped)


def _start_months(times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return times.to_period("M").to_timestamp()
