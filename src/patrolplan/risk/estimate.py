"""Incidents and groups of reports -> `Risk`."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.risk.choice import MIN_EVENTS_TO_CHOOSE, MIN_ORIGINS_TO_CHOOSE, ModelChoice
from patrolplan.risk.history import History, build_history
from patrolplan.risk.models import PRIOR_COUNT, RiskModel, build_models, fit_or_reuse
from patrolplan.risk.rolling_origin import (
    ALL_CATEGORIES,
    AUTO,
    MARGIN_COVERAGE,
    MIN_HISTORY_MONTHS,
    Trials,
    combine_by_category,
    run_trials,
)
from patrolplan.risk.scores import COVERAGES, round_significant
from patrolplan.risk.surface import Risk
from patrolplan.risk.time_of_day import MONTHS_ONLY_NOTE, estimate_timing
from patrolplan.risk.weights import get_harm_days

COMPARISON_MONTHS = 12
"""Last months that the models are compared on when a plan is made."""

COMPARED_MODELS = (PRIOR_COUNT, "decayed count", "shrunk count", "poisson", "combination")
"""Models that are compared when a plan is made; the full back-test compares all."""

RISK_DIGITS = 9
"""Risk is given to so many significant digits, so that equal runs write equal files."""


@dataclass(frozen=True, eq=False)
class _Prediction:
    """Expected incidents a piece and category (p, j), and where they come from."""

    expected: NDArray[np.float64]
    model: str
    margin: float | None = None
    notes: tuple[str, ...] = ()
    choices: tuple[ModelChoice, ...] = ()


def estimate_risk(area: StudyArea, *, comparison_months: int = COMPARISON_MONTHS) -> Risk:
    """Expected harm on every piece of street.

    Recorded crime of the categories that count goes through the model that `[risk] model` names,
    or, for "auto", in each category through the one that was best on months that it had not seen.
    Expected incidents are weighed by harm and, where clock times are known, by the share of the
    category that falls into the patrol window. Reports enter by group. Each voice sums to one; they
    are joined at `[risk] crime_weight`.

    Parameters
    ----------
    area
        The study area.
    looked_at_months
        Last months that the models are compared on.
    """
    settings = area.settings
    history = build_history(area)
    harm = get_harm_days(history.targets, settings.risk.harm)
    told = _predict_incidents(history, harm, area, comparison_months)
    timing = estimate_timing(area, history.targets)
    weights = harm if timing is None else harm * timing.by_category
    crime = _normalise((told.expected * weights).sum(axis=1))
    reports = _normalise(_spread_reports(area))
    crime_weight = settings.risk.crime_weight if reports.any() else 1.0
    crime_weight = crime_weight if crime.any() else 0.0
    return Risk(
        crime=crime,
        reports=reports,
        joined=_normalise(crime_weight * crime + (1 - crime_weight) * reports),
        model=told.model,
        margin=told.margin,
        months=(history.months[0], history.months[-1]),
        times_known=area.times_known,
        snapped=area.snapped,
        notes=(
            *area.notes,
            *describe_guard(area),
            *told.notes,
            MONTHS_ONLY_NOTE if timing is None else str(timing),
        ),
        choices=told.choices,
        timing=timing,
    )


def _predict_incidents(
    history: History, harm: NDArray[np.float64], area: StudyArea, comparison_months: int
) -> _Prediction:
    """What the named model, or the chosen ones, expect."""
    settings = area.settings
    models = build_models(settings.risk.half_life_months, settings.seed)
    name = settings.risk.model
    if name == AUTO:
        origins = list(history.months[MIN_HISTORY_MONTHS:][-comparison_months:])
        fewest = settings.privacy.min_crime_count
        return _predict_by_choice(history, models, harm, origins, settings.seed, fewest)
    model = fit_or_reuse(models[name], history)
    said = (f"Risk model '{name}', as the settings say.", *model.notes_)
    return _Prediction(model.predict(), name, notes=said)


def _predict_by_choice(
    history: History,
    models: dict[str, RiskModel],
    harm: NDArray[np.float64],
    origins: list[pd.Timestamp],
    seed: int,
    fewest: int,
) -> _Prediction:
    """In each category, the model that was best on these months."""
    events = sum(map(history.get_month_totals, origins), np.zeros(len(history.categories)))[
        : len(harm)
    ]
    if len(origins) < MIN_ORIGINS_TO_CHOOSE or events.sum() < MIN_EVENTS_TO_CHOOSE:
        expected = fit_or_reuse(models[PRIOR_COUNT], history).predict()
        choices = tuple(
            ModelChoice(name, PRIOR_COUNT, None, int(seen), len(origins), fewest)
            for name, seen in zip(history.targets, events, strict=True)
        )
        return _Prediction(expected, PRIOR_COUNT, None, tuple(map(str, choices)), choices)
    compared = {name: models[name] for name in COMPARED_MODELS}
    trials = run_trials(history, compared, origins, harm, seed=seed)
    if trials.is_worse:
        expected = fit_or_reuse(models[PRIOR_COUNT], history).predict()
        why = (
            f"The models chosen by category together caught less of all crime weighed by harm than "
            f"{PRIOR_COUNT} in the last {len(origins)} months: {PRIOR_COUNT} taken throughout."
        )
        return _Prediction(expected, PRIOR_COUNT, 0.0, (why,))
    chosen = (trials.choose_for(column) for column in range(len(history.targets)))
    choices = tuple(replace(choice, min_crime_count=fewest) for choice in chosen)
    rates = combine_by_category([fit_or_reuse(models[choice.model], history) for choice in choices])
    expected = history.units.catchments.spread(rates)
    names = tuple(dict.fromkeys(choice.model for choice in choices))
    margin = _compute_margin(trials)
    said = [str(choice) for choice in choices]
    if margin is not None:
        said.append(
            f"On {ALL_CATEGORIES} crime weighed by harm, the models taken month by month "
            "differed from "
            f"{PRIOR_COUNT} by {margin:+.2f} PAI at {MARGIN_COVERAGE:.0%} of the street length."
        )
    return _Prediction(expected, " and ".join(names), margin, tuple(said), choices)


def _compute_margin(trials: Trials) -> float | None:
    """Difference of PAI to prior counts on all crime, on months after which a choice was made."""
    told = [
        row
        for row, choices in enumerate(trials.choices)
        if any(choice.gain is not None for choice in choices)
    ]
    total = trials.totals[told, -1].sum()
    if not told or total == 0:
        return None
    at = COVERAGES.index(MARGIN_COVERAGE)
    auto, usual = trials.models.index(AUTO), trials.models.index(PRIOR_COUNT)
    more = trials.hits[auto][told, -1, at].sum() - trials.hits[usual][told, -1, at].sum()
    return round(float(more / total / MARGIN_COVERAGE), 3)


def _normalise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    total = values.sum()
    return round_significant(values / total, RISK_DIGITS) if total > 0 else np.zeros_like(values)


def _spread_reports(area: StudyArea) -> NDArray[np.float64]:
    """Reports of each group, spread evenly along the streets of its square within the area."""
    metres = area.network.piece_metres
    group = area.reports.group_of_piece
    held = group >= 0
    length = np.bincount(group[held], weights=metres[held], minlength=len(area.reports))
    risk = np.zeros(len(metres))
    risk[held] = (area.reports.counts * area.reports.share_inside / length)[group[held]] * metres[
        held
    ]
    return risk


def describe_guard(area: StudyArea) -> tuple[str, ...]:
    """Why crime that patrols discover is counted; nothing where the guard is on."""
    crimes = area.settings.crimes
    if not crimes.include_discovered:
        return ()
    return (f"Categories that patrols discover are counted: {crimes.reason}",)
