"""Which months are in the data, for every force and so for every catchment.

Forces drop out of open data for months: that is unknown, not zero. Where two forces meet, or one
polices stations, a catchment belongs to both in proportion to what each records in a month.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from patrolplan.arrays import Bools, Floats, Ints, count_pairs
from patrolplan.inputs.timestamps import list_spans
from patrolplan.notes import Note
from patrolplan.text import format_count, list_first

LOW_SHARE = 0.1  # Of a typical month; below, it is missing: crime never falls so far, files are cut
MIN_TYPICAL_IN_FILES = 5.0
MIN_TYPICAL_IN_AREA = 20.0  # Forces with fewer, in files or area, may record none by chance
MIN_OWN_INCIDENTS = 10  # With fewer, a catchment belongs to the forces of those around it
AROUND = 10  # Number of nearest catchments that are around one, the catchment itself included
NEIGHBOURHOOD = 30  # Number of nearest catchments among which missing parts are sought
MIN_TYPICAL_NEARBY = 40.0  # Fewer may be hardly any by chance: neighbourhoods are many
MIN_HELD_SHARE = 0.5  # A month is held in a catchment where at least this share of its crime is


@dataclass(frozen=True)
class MissingMonth:
    """A month of a force that is not held; `force` is empty where files name none."""

    force: str
    month: pd.Timestamp


@dataclass(frozen=True, eq=False)
class Exposure:
    """Months held of each force, and whose crime is recorded in each catchment.

    `months`: (t,) first days of all months from the first to the last of the area's crime.
    `forces`: (f,) names. `incidents`: (t, f) incidents in the area. `held`: (t, f) whether the
    month is held. `shares`: (c, f) share of each catchment's crime that each force records; sums to
    1. `missing_part`: (t, c) whether a month is missing in a part of the area although its force is
    held; None where it is nowhere.
    """

    months: pd.DatetimeIndex
    forces: tuple[str, ...]
    incidents: Ints
    held: Bools
    shares: Floats
    missing_part: Bools | None = None

    @classmethod
    def complete(cls) -> "Exposure":
        """The exposure of an area without missing months."""
        nothing = np.zeros((0, 0))
        return cls(pd.DatetimeIndex([]), (), nothing.astype(np.int64), nothing > 0, nothing)

    @property
    def missing(self) -> tuple[MissingMonth, ...]:
        """The months that are not held, by force and then by month."""
        return tuple(
            MissingMonth(force, month)
            for force, held in zip(self.forces, self.held.T, strict=True)
            for month in self.months[~held]
        )

    @cached_property
    def _by_month(self) -> Floats:
        """(t, c) share of each month's crime that is held; exactly 1 where all of it is."""
        held = np.clip(1.0 - (~self.held).astype(np.float64) @ self.shares.T, 0.0, 1.0)
        return held if self.missing_part is None else np.where(self.missing_part, 0.0, held)

    def find_shares(self, months: pd.DatetimeIndex) -> Floats | None:
        """(m, c) share of each month's crime that is held in each catchment; None: all of it."""
        # Months outside those of the area's crime are not known to be missing.
        row = self.months.get_indexer(months)
        found = row[row >= 0]
        part = self.missing_part
        if self.held[found].all() and (part is None or not part[found].any()):
            return None
        return np.where((row >= 0)[:, None], self._by_month[row], 1.0)


def build_exposure(
    incidents: pd.DataFrame, inside: Bools, catchment: Ints, catchment_xy: Floats
) -> Exposure:
    """Find the months that are held, and to which forces each catchment belongs."""
    # `inside`, `catchment`: (i,), the latter not read outside; `catchment_xy`: (c, 2) metres.
    forces = sorted(map(str, incidents["force"].array[inside].unique()))
    month = incidents["month"].array[inside]
    months = pd.date_range(month.min(), month.max(), freq="MS", unit="ns")
    of_category = pd.Index(forces).get_indexer(incidents["force"].cat.categories)
    force_row = np.append(of_category, -1)[incidents["force"].cat.codes]  # -1: none in the area
    month_row = months.get_indexer(pd.DatetimeIndex(incidents["month"]))
    counted = (force_row >= 0) & (month_row >= 0)
    shape = (len(months), len(forces))
    in_files = count_pairs(month_row[counted], force_row[counted], shape)
    in_area = count_pairs(month_row[inside], force_row[inside], shape)
    every = np.ones(shape, dtype=bool)
    held = ~_find_empty(in_files, every, MIN_TYPICAL_IN_FILES)
    held &= ~_find_empty(in_area, every, MIN_TYPICAL_IN_AREA)
    recorded = count_pairs(catchment[inside], force_row[inside], (len(catchment_xy), len(forces)))
    shares = _estimate_shares(recorded / np.maximum(held.sum(axis=0), 1), recorded, catchment_xy)
    exposure = Exposure(months, tuple(forces), in_area, held, shares)
    size = (len(months), len(catchment_xy))
    by_catchment = count_pairs(month_row[inside], catchment[inside], size)
    part = find_missing_parts(by_catchment, exposure.find_shares(months), catchment_xy)
    return replace(exposure, missing_part=part) if part.any() else exposure


def find_missing_parts(counts: Ints, held: Floats | None, xy: Floats) -> Bools:
    """(t, c) months that are missing in a part of the area although their force is held."""
    # A month is in doubt where a whole neighbourhood, with enough crime in a typical month,
    # recorded hardly any. The catchments of the neighbourhood and those next to them are then in
    # doubt: each is missing if in all its months in doubt it recorded hardly any of what it records
    # in others. `held` are (t, c) shares of each month that the forces hold; None where they hold
    # all.
    is_held = np.ones(counts.shape, dtype=bool) if held is None else held >= MIN_HELD_SHARE
    near = _find_nearest(xy, xy, NEIGHBOURHOOD)
    nearby = np.asarray(sum(counts[:, number] for number in near.T))
    empty = _find_empty(nearby, is_held, MIN_TYPICAL_NEARBY)
    if not empty.any():
        return empty
    in_doubt = np.zeros(counts.shape, dtype=bool)
    for column in near.T:
        in_doubt |= empty[:, column]
    in_doubt &= is_held
    clear = is_held & ~in_doubt
    rate = (counts * clear).sum(axis=0) / np.maximum(clear.sum(axis=0), 1)
    expected = rate * in_doubt.sum(axis=0)
    recorded = (counts * in_doubt).sum(axis=0)
    own = (expected >= MIN_TYPICAL_IN_FILES) & (recorded < LOW_SHARE * expected)
    too_few = expected < MIN_TYPICAL_IN_FILES
    return np.asarray(np.where(own, in_doubt, empty & too_few & (counts == 0)))


def _find_nearest(points: Floats, places: Floats, count: int) -> Ints:
    """(k, n) the points nearest each place, up to a number."""
    from scipy.spatial import cKDTree  # noqa: PLC0415 - heavy, and of risk and this alone

    count = min(count, len(points))
    _, nearest = cKDTree(points).query(places, k=count)
    return np.asarray(nearest, dtype=np.int64).reshape(len(places), count)


def _find_empty(counts: Ints, held: Bools, min_typical: float) -> Bools:
    """(t, n) held months with hardly any of what a typical one has, where that is enough to say."""
    some = held & (counts >= np.maximum(1.0, LOW_SHARE * counts.max(axis=0, initial=0)))
    # Of pandas it takes sixty times as long: a sixth of loading an area.
    median: Any = np.ma.median
    typical = median(np.ma.array(counts, mask=~some), axis=0).filled(0.0)
    return np.asarray(held & (counts < LOW_SHARE * typical) & (typical >= min_typical))


def _estimate_shares(rates: Floats, recorded: Ints, xy: Floats) -> Floats:
    """(c, f) share of each catchment's crime that each force records in a held month."""
    # A catchment with few incidents says too little: its shares are those of the catchments around
    # it, and if these have none either, those of the nearest with any.
    if rates.shape[1] == 1:
        return np.ones(rates.shape)
    few = np.flatnonzero(recorded.sum(axis=1) < MIN_OWN_INCIDENTS)
    amounts = rates.copy()
    amounts[few] = rates[_find_nearest(xy, xy[few], AROUND)].sum(axis=1)
    some = np.flatnonzero(amounts.any(axis=1))
    nothing = np.flatnonzero(~amounts.any(axis=1))
    amounts[nothing] = amounts[some[_find_nearest(xy[some], xy[nothing], 1)[:, 0]]]
    return np.asarray(amounts / amounts.sum(axis=1, keepdims=True))


def note_missing_months(exposure: Exposure) -> list[Note]:
    """A note for each force with missing months, and one where part of the area lacks some."""
    notes = []
    for force, spans in list_missing_spans(exposure).items():
        missing = sum(one.force == force for one in exposure.missing)
        months = format_count(len(exposure.months), "month")
        whose, named = f" of {force}" if force else "", list_first(spans)
        text = (
            f"Missing from the files: {missing} of {months}{whose} ({named}). They count as "
            "unknown, not as months without crime: rates are per month held."
        )
        fix = f"`patrolplan fetch`, or add the files{whose} of {named}"
        notes.append(Note("months_missing", text, fix=fix))
    if exposure.missing_part is not None:
        rows = np.flatnonzero(exposure.missing_part.any(axis=1))
        named = list_first(list_spans(exposure.months[rows]))
        share = exposure.missing_part.any(axis=0).mean()
        text = (
            f"In a part of the area ({share:.0%} of its map points) hardly any crime stands in the "
            f"files of {named}: there these months count as unknown."
        )
        notes.append(Note("part_missing", text))
    return notes


def list_missing_spans(exposure: Exposure) -> dict[str, list[str]]:
    """The spans of months that are not held, by force."""
    return {
        force: list_spans(exposure.months[~held])
        for force, held in zip(exposure.forces, exposure.held.T, strict=True)
        if not held.all()
    }
