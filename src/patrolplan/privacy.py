"""Children's data is safe by construction: reports enter as one table of counts, or not at all.

The only entry point is `patrolplan.inputs.reports.read_reports`. It reads the complete files,
before any setting applies except their paths and the names of their columns, passes on no row, and
returns a `ReportTable`; a table in memory is treated like a file. The squares are those of one
fixed grid (`patrolplan.crs.find_squares`).

**What holds.** At thresholds of `ROUNDING_STEP` or more the table has only, each rounded down to
multiples of `ROUNDING_STEP` and 0 below it: reports by square, and in each square by factor (time
bands included) and by school term, never both; reports of all small squares together; refused rows
by reason, which depends on the files alone; reports by year, so that years and terms together show
no more than the squares do. All that patrolplan computes, writes, caches or prints about reports,
errors included, is a function of this table and of data other than reports. So two sets of reports
with equal tables give the same bytes under any settings, and outputs under many settings,
subtracted from each other, give no more than the table. A group is spread over all streets of its
square; the hash of the inputs covers the groups, not the files; a file that cannot be read stops
patrolplan before there are counts, and no error shows a value.

**What does not hold.** This is not differential privacy: no noise is added. Outputs of two versions
of the files show when a square, factor or term passes a multiple of `ROUNDING_STEP`: who knows that
a single report came in between knows its square. A square of 15 reports whose four time bands all
show 0 has 3 or 4 in each; of 20 reports that are known to be of five terms, none of them shown,
each term has 4. Anyone who can write files, or name other columns, can find out what they contain.
A threshold below `ROUNDING_STEP` reveals more: it needs a written reason, printed on the outputs.

**Surveys** (`patrolplan.inputs.survey_counts`) and **where pupils live**
(`patrolplan.inputs.origins`) are counted in the same way, always in steps of `ROUNDING_STEP`;
origins are sent to no worker and stored in no cache. **Recorded crime** under the threshold is
grouped by the same squares, but not rounded, and the limits of the area decide what is counted:
that guarantees less. The page on data protection in the documentation says what each of them leaves
open.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.atomic import hash_content
from patrolplan.crs import SQUARE_METRES, find_squares, locate_in_squares
from patrolplan.errors import InputError
from patrolplan.notes import Note
from patrolplan.settings import SAFE_THRESHOLD, Settings
from patrolplan.tables import LeftOutRow
from patrolplan.times import SchoolTerm

ROUNDING_STEP = SAFE_THRESHOLD
"""Counts are rounded down to multiples of this, so that a small difference between two versions of
the data is hidden. Larger thresholds use the same steps, since others would have different
limits."""

FACTORS = {
    "time_band": ("before_school", "lunch", "after_school", "evening"),
    "place_factor": (
        *("poor_lighting", "isolated", "overgrown", "litter_or_damage", "blocked_pavement"),
    ),
    "behaviour_factor": (
        *("groups_loitering", "followed", "verbal_abuse", "robbery_or_threat", "drug_use"),
        "traffic",
    ),
}
"""The values that are counted, by their column in the reports."""

FACTOR_NAMES = tuple(name for names in FACTORS.values() for name in names)
"""Columns of every table of counts by factor."""


@dataclass(frozen=True, eq=False)
class ReportTable:
    """All known data of pupils' reports by square, in multiples of `step`, none below it."""

    step: int
    squares: NDArray[np.int64]  # (s, 3) with counts, rows of `crs.find_squares` in order
    counts: NDArray[np.int64]  # (s,) reports in each square
    factor_counts: NDArray[np.int64]  # (s, f) those with each of `FACTOR_NAMES`
    in_small_squares: int  # in squares with fewer than the step, all together
    refused: dict[str, int]  # refused rows, by reason; 0 means fewer than the step
    by_year: dict[int, int] = field(default_factory=dict)  # of all files, no year below the step
    by_term: dict[SchoolTerm, NDArray[np.int64]] = field(default_factory=dict)
    """(s,) reports in each square by school term, without terms below the step in every square."""

    def __post_init__(self) -> None:
        single = [self.in_small_squares, *self.refused.values(), *self.by_year.values()]
        several = (self.counts, self.factor_counts, *self.by_term.values())
        for counts in (*several, np.array(single, dtype=np.int64)):
            if np.any(counts % self.step):
                message = f"counts of reports must be multiples of {self.step}"
                raise ValueError(message)
        if len(self.counts) and int(self.counts.min()) < self.step:
            message = f"a square with fewer than {self.step} reports"
            raise ValueError(message)
        if sum(self.by_year.values()) > self.counts.sum() + self.in_small_squares:
            message = f"more reports by year than by square, both in steps of {self.step}"
            raise ValueError(message)
        _check_terms(self.counts, self.by_term)
        for year in {term.year for term in self.by_term}:
            in_terms = sum(n.sum() for term, n in self.by_term.items() if term.year == year)
            if in_terms > self.by_year.get(year, 0):
                message = f"more reports by term than by year, both in steps of {self.step}"
                raise ValueError(message)

    def __len__(self) -> int:
        return len(self.counts)


@dataclass(frozen=True, eq=False)
class ReportGroups:
    """Pupils' reports in groups on the squares of an area, none smaller than the threshold."""

    threshold: int
    group_of_piece: NDArray[np.int64]  # (p,) whose square holds each piece's middle, or -1
    counts: NDArray[np.int64]  # (g,) reports in each group, see `suppress_and_round`
    share_inside: NDArray[np.float64]
    """(g,) share of the square that lies within the area, above 0 and at most 1. The count is of
    the whole square, so that the limits of the area cannot cut a group."""
    factor_counts: NDArray[np.int64]  # (g, f) those that gave each of `FACTOR_NAMES`
    by_term: dict[SchoolTerm, NDArray[np.int64]] = field(default_factory=dict)
    """(g,) reports of each group by the school term that they were made in. Terms under the
    threshold are 0, so the terms of a group may add up to less than its count."""
    all_by_term: dict[SchoolTerm, int] = field(default_factory=dict)  # of all files' squares
    squares: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), dtype=np.int64))
    """(g, 3) the square of each group; empty where only counts are given."""

    def __post_init__(self) -> None:
        if len(self.counts) and int(self.counts.min()) < self.threshold:
            message = f"a group of reports is smaller than the threshold of {self.threshold}"
            raise ValueError(message)
        total = np.array(list(self.all_by_term.values()), dtype=np.int64)
        for counts in (self.counts, self.factor_counts, *self.by_term.values(), total):
            if np.any(counts % self.threshold):
                message = f"counts must be multiples of the threshold of {self.threshold}"
                raise ValueError(message)
        _check_terms(self.counts, self.by_term)

    def __len__(self) -> int:
        return len(self.counts)

    @classmethod
    def empty(cls, pieces: int, threshold: int) -> "ReportGroups":
        """No reports, for an area without a reports file."""
        nowhere = np.full(pieces, -1, dtype=np.int64)
        none = np.empty(0, dtype=np.int64)
        by_factor = np.empty((0, len(FACTOR_NAMES)), dtype=np.int64)
        return cls(threshold, nowhere, none, np.empty(0), by_factor)

    @cached_property
    def reasons(self) -> tuple[tuple[str, ...], ...]:
        """(g,) factors that at least the threshold of a group gave, most first, then by name."""
        order = np.argsort(FACTOR_NAMES)
        by_name = self.factor_counts[:, order]
        ranks = np.argsort(-by_name, axis=1, kind="stable")
        return tuple(
            tuple(FACTOR_NAMES[order[k]] for k in rank if counts[k])
            for rank, counts in zip(ranks, by_name, strict=True)
        )

    @property
    def max_counts(self) -> NDArray[np.int64]:
        """(g,) the most reports that each group may hold, given its count."""
        step = get_rounding_step(self.threshold)
        return self.counts + self.threshold - 1 + (step - 1 if self.threshold % step else 0)

    @property
    def digest(self) -> str:
        """SHA-256 of what the groups reveal: equal for reports that no output can tell apart."""
        arrays = (self.group_of_piece, self.counts, self.factor_counts, *self.by_term.values())
        content = (np.ascontiguousarray(array, dtype="<i8").tobytes() for array in arrays)
        terms = [[tuple(term) for term in self.by_term], sorted(self.all_by_term.items())]
        return hash_content(repr((self.threshold, FACTOR_NAMES, terms)), *content)


def group_reports(
    table: ReportTable, piece_xy: ArrayLike, limits: BaseGeometry, *, crs: str, threshold: int
) -> tuple[ReportGroups, list[LeftOutRow]]:
    """The groups of an area: squares with a piece of street, by (p, 2) middles in metres."""
    both = (table.squares, find_squares(piece_xy, crs))
    index, keys = (pd.MultiIndex.from_arrays(list(rows.T)) for rows in both)
    of_piece = index.get_indexer(keys)  # row of the square, -1 where none has the piece
    has_street = np.isin(np.arange(len(table)), of_piece)
    share_inside = _compute_share_inside(table.squares, limits, crs)
    is_inside = has_street | (share_inside > 0)
    counts = suppress_and_round(table.counts, threshold)
    used = has_street & (counts > 0)
    group = np.append(np.where(used, np.cumsum(used) - 1, -1), -1)  # the last one: no square
    terms = {term: suppress_and_round(n, threshold) for term, n in sorted(table.by_term.items())}
    groups = ReportGroups(
        threshold=threshold,
        group_of_piece=group[of_piece],
        counts=counts[used],
        share_inside=share_inside[used],
        factor_counts=suppress_and_round(table.factor_counts[used], threshold),
        by_term={term: counts[used] for term, counts in terms.items() if counts[used].any()},
        all_by_term={term: int(counts.sum()) for term, counts in terms.items() if counts.any()},
        squares=table.squares[used],
    )
    unused = {"outside the area": ~is_inside, "no walkable street near": is_inside & ~has_street}
    left_out = {
        **table.refused,
        **{why: int(table.counts[which].sum()) for why, which in unused.items() if which.any()},
        # Also where it is 0: without the row one would know that there is no such report.
        "in a group under the threshold": table.in_small_squares
        + int(table.counts[has_street & ~used].sum()),
    }
    return groups, [
        LeftOutRow("reports", why, int(suppress_and_round(count, threshold)), threshold)
        for why, count in left_out.items()
    ]


def _check_terms(counts: NDArray[np.int64], by_term: dict[SchoolTerm, NDArray[np.int64]]) -> None:
    """Refuse terms that add up to more reports than there are: they would show the rounding."""
    if by_term and np.any(sum(by_term.values()) > counts):
        message = "more reports by term than by square"
        raise ValueError(message)


def get_rounding_step(threshold: int) -> int:
    """Steps that counts go in at a threshold.

    >>> [get_rounding_step(threshold) for threshold in (3, 5, 12)]
    [3, 5, 5]
    """
    return min(ROUNDING_STEP, threshold)


def suppress_and_round(count: ArrayLike, threshold: int) -> NDArray[np.int64]:
    """Counts as they may be shown: rounded down in steps, and 0 under the threshold.

    >>> suppress_and_round([4, 5, 9, 12], 5)
    array([ 0,  5,  5, 10])

    At a threshold of 7 a count of 7 to 9 is not shown: with cuts at 7 as well as at 5 and 10, two
    outputs would narrow it down.

    >>> suppress_and_round([7, 9, 10, 14, 15], 7)
    array([ 0,  0,  7,  7, 14])
    """
    counts = np.asarray(count, dtype=np.int64)
    step = get_rounding_step(threshold)
    return np.asarray(counts // step * step // threshold * threshold)


def meets_threshold(
    place: NDArray[np.int64], kind: NDArray[np.int64], threshold: int
) -> NDArray[np.bool_]:
    """(i,) whether at least the threshold of rows have the same place and kind as each row.

    >>> meets_threshold(np.array([0, 0, 0, 1]), np.array([7, 7, 8, 7]), 2)
    array([ True,  True, False, False])
    """
    alike = place * (int(kind.max(initial=0)) + 1) + kind
    return np.asarray(np.bincount(alike, minlength=1)[alike] >= threshold)


def fix_threshold(files: Iterable[Path], threshold: int) -> None:
    """Write a threshold below the safe one beside reports at its first use, and refuse others."""
    # Thresholds of 2, 3 and 4 one after another would give the counts of most squares exactly.
    for path in files if threshold < SAFE_THRESHOLD else ():
        held, where = path.with_name(f".{path.name}.threshold"), "[privacy] threshold"
        try:
            with held.open("x", encoding="utf-8") as stream:
                stream.write(f"{threshold}\n")
        except FileExistsError:
            if held.read_text(encoding="utf-8").strip() != f"{threshold}":
                what = f"{threshold} is not the one that {path.name} was first counted with"
                remedy = f"write that of {held.name}, or {SAFE_THRESHOLD}"
                raise InputError.one(where, what, remedy) from None
        except OSError as error:
            what = f"{held} cannot be written ({error.strerror}), which fixes it for these reports"
            raise InputError.one(
                where, what, f"let it be written, or use {SAFE_THRESHOLD}"
            ) from None


def note_report_grouping(settings: Settings) -> tuple[Note, ...]:
    """Notes for the reader of any output: how reports were counted."""
    threshold = settings.privacy.threshold
    text = (
        f"Pupils' reports are counted in {SQUARE_METRES:.0f} m squares. A square counts only if it "
        f"has {threshold} reports or more; counts are rounded down to multiples of {threshold}."
    )
    return (Note("reports_grouped", text), *note_low_threshold(settings))


def note_low_threshold(settings: Settings) -> tuple[Note, ...]:
    """Why groups under the safe threshold count; empty where there are no such groups."""
    threshold, reason = settings.privacy.threshold, settings.privacy.reason.strip().rstrip(".")
    is_applied = settings.sources.reports or settings.privacy.threshold_for_crime
    if threshold >= SAFE_THRESHOLD or not is_applied:
        return ()
    text = (
        f"The smallest group that counts is {threshold}, under {SAFE_THRESHOLD}: it could identify "
        f"a person. Reason: {reason}."
    )
    return (Note("small_report_groups", text),)


def note_crime_grouping(threshold: int) -> Note:
    """A note for the reader of any output: how recorded crime was grouped."""
    text = (
        f"Recorded crime is counted in {SQUARE_METRES:.0f} m squares. A category counts in a "
        f"square only if it has {threshold} incidents or more there, all months together; they are "
        "spread over all streets of the square."
    )
    return Note("crime_grouped", text)


def _compute_share_inside(
    squares: NDArray[np.int64], limits: BaseGeometry, crs: str
) -> NDArray[np.float64]:
    """(s,) share of each square that lies within the limits; 0 where the CRS does not reach."""
    shares = ((0, 0), (1, 0), (1, 1), (0, 1))
    rings = np.stack([locate_in_squares(squares, across, up, crs) for across, up in shares], axis=1)
    is_reached = np.isfinite(rings).all(axis=(1, 2))
    outlines = shapely.polygons(rings[is_reached])
    shapely.prepare(limits)
    inside = np.zeros(len(squares))
    inside[is_reached] = shapely.area(shapely.intersection(outlines, limits))
    inside[is_reached] /= shapely.area(outlines)
    return np.clip(inside, 0, 1)
