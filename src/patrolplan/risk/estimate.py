"""Incidents and groups of reports -> `Risk`."""

import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.risk.surface import Risk
from patrolplan.risk.weights import harm_days
from patrolplan.risk.weights import recency

SMOOTHING = 0.25
"""Share of a piece's risk that comes from the pieces next to it."""


def estimate_risk(area: StudyArea) -> Risk:
    """Expected harm on every piece of street.

    Recorded crime of the categories that count is weighed by harm and recency, spread over its
    catchments and smoothed along the network. Reports enter by group. Each voice sums to one;
    they are joined at `[risk] crime_weight`.
    """
    settings = area.settings
    incidents = area.incidents
    counted = incidents["category"].isin(settings.crimes.counted).to_numpy()
    months = incidents["month"]
    last = months.max()
    age = (last.year - months.dt.year) * 12 + last.month - months.dt.month
    categories = incidents["category"].cat.categories
    harm = harm_days(categories, settings.risk.harm)[incidents["category"].cat.codes]
    weight = harm * recency(age, settings.risk.half_life_months) * counted
    by_catchment = np.bincount(area.incident_catchment, weight, minlength=len(area.catchments))
    crime = _shares(_smoothed(area, area.catchments.spread(by_catchment)))
    reports = _shares(_report_risk(area))
    crime_weight = settings.risk.crime_weight if reports.any() else 1.0
    crime_weight = crime_weight if crime.any() else 0.0
    return Risk(
        crime=crime,
        reports=reports,
        joined=_shares(crime_weight * crime + (1 - crime_weight) * reports),
        model="prior count",
        margin=None,
        months=(months.min(), last),
        times_known=area.times_known,
        snapped=area.snapped,
        notes=_notes(area),
    )


def _shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    total = values.sum()
    return values / total if total > 0 else np.zeros_like(values)


def _smoothed(area: StudyArea, risk: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mix each piece's risk per metre with that of the pieces next to it."""
    metres = area.network.piece_metres
    near = area.network.neighbours.astype(np.float64)
    around = near @ metres
    density = risk / metres
    mixed = np.where(around > 0, (near @ risk) / np.where(around > 0, around, 1.0), density)
    return np.asarray(((1 - SMOOTHING) * density + SMOOTHING * mixed) * metres)


def _report_risk(area: StudyArea) -> NDArray[np.float64]:
    """Reports of each group, spread evenly along the street of its catchments."""
    metres = area.network.piece_metres
    group = area.reports.group_of_catchment[area.catchments.of_piece]
    held = group >= 0
    length = np.bincount(group[held], weights=metres[held], minlength=len(area.reports))
    risk = np.zeros(len(metres))
    risk[held] = (area.reports.counts / length)[group[held]] * metres[held]
    return risk


def _notes(area: StudyArea) -> tuple[str, ...]:
    crimes = area.settings.crimes
    notes = list(area.notes)
    if crimes.include_discovered:
        notes.append(f"Categories that patrols discover are counted: {crimes.reason}")
    return tuple(notes)
