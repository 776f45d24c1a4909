"""Incidents of a trial's hotspots, and of the streets around each, by day or month.

A crime that is known only by a map point is spread over the streets that share the point, as
everywhere: a hotspot has the fraction of it on its own streets.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from patrolplan.area import StudyArea
from patrolplan.team.impact import (
    BUFFER_METRES,
    MIN_HELD_SHARE,
    build_masks,
    compute_catchment_shares,
)
from patrolplan.team.ledger.map_matching import find_pieces
from patrolplan.team.trial.design import Bools, Floats, Ints
from patrolplan.team.trial.trial_file import CountedBy

MIN_DATED_SHARE = 0.95
"""Minimum share of incidents with a known day for a trial to be counted by days."""


@dataclass(frozen=True, eq=False)
class TrialStreets:
    """Shares of catchments in a trial's hotspots; only catchments that count are included."""

    catchments: Ints
    """(c,) numbers in the area."""
    own: Floats
    """(h, c) share of each catchment's street in each hotspot."""
    around: Floats
    """(h, c) the same for the streets around each hotspot, see `find_streets`."""


def find_streets(
    area: StudyArea, pieces: Sequence[Sequence[int]], *, buffer_metres: float = BUFFER_METRES
) -> TrialStreets:
    """The catchments of hotspots and of the streets around them.

    A street is around the nearest hotspot of the trial, up to `buffer_metres` in a straight line,
    unless it is part of a hotspot itself.
    """
    stretches = build_masks(area, [list(part) for part in pieces])
    middle = area.network.piece_middle
    metres = np.array([cKDTree(middle[one > 0]).query(middle)[0] for one in stretches])
    is_near = (metres <= buffer_metres) & ~stretches.any(axis=0)
    surroundings = is_near & (metres.argmin(axis=0) == np.arange(len(metres))[:, None])
    own = compute_catchment_shares(area, stretches)
    around = compute_catchment_shares(area, surroundings.astype(np.float64))
    counted = np.flatnonzero((own + around).any(axis=0))
    return TrialStreets(counted, own[:, counted], around[:, counted])


def find_trial_pieces(area: StudyArea, stretches: Sequence[shapely.Geometry]) -> list[list[int]]:
    """Pieces of street of each stretch in metres."""
    found = find_pieces(area.network, np.array(stretches, dtype=object))
    return [part.tolist() for part in found]


def count_incidents(
    area: StudyArea,
    streets: TrialStreets,
    times: pd.DatetimeIndex,
    *,
    categories: Sequence[str],
    by: CountedBy,
) -> Floats:
    """(c, t) incidents of the trial's catchments on days, or in months by their first days."""
    incidents = area.incidents
    number = np.full(len(area.catchments) + 1, -1)
    number[streets.catchments] = np.arange(len(streets.catchments))
    row = number[area.incident_catchment]
    when = incidents["month"] if by == "months" else incidents["occurred_at"].dt.normalize()
    column = times.get_indexer(pd.DatetimeIndex(when))
    counted = (row >= 0) & (column >= 0) & incidents["category"].isin(list(categories)).to_numpy()
    counts = np.zeros((len(streets.catchments), len(times)))
    np.add.at(counts, (row[counted], column[counted]), 1.0)
    return counts


def find_held(area: StudyArea, streets: TrialStreets, months: pd.DatetimeIndex) -> Bools:
    """(m,) months with data for every hotspot and the streets around it."""
    last = area.incidents["month"].max()
    inside = (months >= area.incidents["month"].min()) & (months <= last)
    shares = area.exposure.find_shares(months)
    if shares is None:
        return np.asarray(inside)
    return np.asarray(inside & (shares[:, streets.catchments].min(axis=1) >= MIN_HELD_SHARE))


def compute_dated_share(area: StudyArea, categories: Sequence[str]) -> float:
    """Share of the incidents of these categories whose day is known."""
    counted = area.incidents["category"].isin(list(categories))
    if not counted.any():
        return 0.0
    return float(area.incidents.loc[counted, "occurred_at"].notna().mean())
