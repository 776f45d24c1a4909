"""Estimate `Risk` from recorded crime and pupils' reports."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.notes import Note
from patrolplan.risk.backtest import describe_stack
from patrolplan.risk.history import History, build_history, get_harm_days, note_guard
from patrolplan.risk.models import PRIOR_COUNT, STACKED, ModelChoice, build_models, fit_or_reuse
from patrolplan.risk.rolling_origin import (
    AUTO,
    MARGIN_COVERAGE,
    MIN_HISTORY_MONTHS,
    combine_models,
    run_trials,
    select_components,
)
from patrolplan.risk.scores import round_significant
from patrolplan.risk.surface import Risk
from patrolplan.risk.time_of_day import estimate_timing

COMPARISON_MONTHS = 12
"""Last months that the models are compared on when a plan is made."""

RISK_DIGITS = 9
"""Risk is given to so many significant digits, so that equal runs write equal files."""


@dataclass(frozen=True, eq=False)
class _Prediction:
    """Expected incidents by piece and category (p, j), and how they were predicted."""

    expected: NDArray[np.float64]
    model: str
    margin: float | None
    notes: Sequence[Note]
    choices: tuple[ModelChoice, ...] = ()


def estimate_risk(area: StudyArea, *, comparison_months: int = COMPARISON_MONTHS) -> Risk:
    """Expected harm on every piece of street.

    Recorded crime of the categories that count goes through the model that `[risk] model` names,
    or, for "auto", through the pooled stack of models, weighted by how well each one would have
    predicted the last months.
    Expected incidents are weighted by harm and, where times of day are known, by the share of the
    category that falls into the patrol window. Reports enter by group. Each voice sums to one; they
    are joined at `[risk] crime_weight`.

    Parameters
    ----------
    area
        The study area.
    comparison_months
        How many of the last months the models are compared on.
    """
    settings = area.settings
    history = build_history(area)
    harm = get_harm_days(history.targets, settings.risk.harm)
    predicted = _predict_incidents(history, harm, area, comparison_months)
    timing = estimate_timing(area, history.targets)
    weights = harm if timing is None else harm * timing.by_category
    crime = _normalise((predicted.expected * weights).sum(axis=1))
    reports = _normalise(_spread_reports(area))
    crime_weight = settings.risk.crime_weight if reports.any() else 1.0
    crime_weight = crime_weight if crime.any() else 0.0
    return Risk(
        crime=crime,
        reports=reports,
        joined=_normalise(crime_weight * crime + (1 - crime_weight) * reports),
        model=predicted.model,
        margin=predicted.margin,
        months=(history.months[0], history.months[-1]),
        times_known=area.times_known,
        snapped=area.snapped,
        notes=(
            *area.notes,
            *note_guard(settings),
            *predicted.notes,
            *([Note("months_only")] if timing is None else timing.notes),
        ),
        choices=predicted.choices,
        timing=timing,
    )


def _predict_incidents(
    history: History, harm: NDArray[np.float64], area: StudyArea, comparison_months: int
) -> _Prediction:
    """What the model that the settings name expects, or the pooled stack of models."""
    settings = area.settings
    models = build_models(settings.risk.half_life_months, settings.seed)
    if settings.risk.model != AUTO:
        model = fit_or_reuse(models[settings.risk.model], history)
        note = Note("model_set", {"model": settings.risk.model})
        return _Prediction(model.predict(), settings.risk.model, None, [note, *model.notes_])
    held = history.months.isin(history.held_months)
    held[:MIN_HISTORY_MONTHS] = False
    origins = list(history.months[np.flatnonzero(held)[-comparison_months:]])
    components = select_components(models)
    trials = run_trials(
        history,
        {PRIOR_COUNT: models[PRIOR_COUNT]},
        origins,
        harm,
        seed=settings.seed,
        min_crime_count=settings.privacy.min_crime_count,
        components=components,
    )
    choices = describe_stack(trials, settings.seed)
    notes, margin = [choice.note for choice in choices], trials.compute_margin()
    if margin is not None:
        notes.append(Note("model_margin", {"pai": margin, "coverage": MARGIN_COVERAGE}))
    rates = combine_models(list(components.values()), trials.stacks[-1], history)
    expected = history.units.catchments.spread(rates)
    return _Prediction(expected, STACKED, margin, notes, choices)


def _normalise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares that sum to 1, or all zero."""
    total = values.sum()
    return round_significant(values / total, RISK_DIGITS) if total > 0 else np.zeros_like(values)


def _spread_reports(area: StudyArea) -> NDArray[np.float64]:
    """(p,) reports of each group, spread evenly along the streets of its square in the area."""
    metres, groups = area.network.piece_metres, area.reports
    group = groups.group_of_piece
    held = group >= 0
    length = np.bincount(group[held], weights=metres[held], minlength=len(groups))
    per_metre = groups.counts * groups.share_inside / length
    risk = np.zeros(len(metres))
    risk[held] = per_metre[group[held]] * metres[held]
    return risk
