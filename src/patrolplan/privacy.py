"""Children's data is safe by construction: reports leave this module as groups, or not at all.

Nothing else in patrolplan handles single reports. The squares of a fixed grid alone decide which
reports are grouped: not the reports, nor crime, streets, schools, limits or settings. So a change
of any of them cannot move a report from one group to another, and two outputs cannot be subtracted
to find what lies between two groups.

**What holds.** Let n(s) be the reports in square s, and n(s, f) those of them that gave the factor
f. Whatever patrolplan writes or prints, at thresholds of `ROUNDING_STEP` or more, for any choice of
schools, windows, weeks, limits, crime and streets, depends on the reports through these alone:

- n(s) and n(s, f), rounded down to multiples of `ROUNDING_STEP`;
- how many rows were refused, for each reason, and how many lie in squares under the threshold or
  without a street, rounded down to multiples of `ROUNDING_STEP`, and for a refusal whether there
  was one.

Two sets of reports that agree in these give the same bytes. That covers the hash of the inputs too:
for reports it is a hash of the groups, not of the file (a short file could be guessed from its
hash). A report is spread over all streets of its square, so no street shows that a report lies on
it. Nothing shows whether a square under the threshold holds any.

**What does not hold.** This is not differential privacy: no noise is added. Anyone with outputs of
two versions of the data sees when a square passes a multiple of `ROUNDING_STEP`; if they know from
elsewhere that a single report came in between, they know its square, and how many it held before.
Anyone who can run patrolplan on the reports can read the reports. A threshold under
`ROUNDING_STEP` is the user's own choice, is announced, and reveals more.

**Recorded crime**, where the settings apply the threshold to it, is grouped by the same squares: a
category counts in a square with at least the threshold of incidents, in all months together, or not
at all, and is spread over all of the square's streets. That guarantees less than for reports: the
numbers are not rounded, so two outputs can be subtracted, and risk weighs months, so a group may
owe its weight to a few recent incidents.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.arrays import find_unique_points
from patrolplan.atomic import hash_content
from patrolplan.notes import Note, NoteValue
from patrolplan.tables import LeftOut, LeftOutRow

SQUARE_METRES = 250.0
"""Side of the grid's squares, which start at the origin of the CRS. Not a setting: counts on
squares of two sizes could be subtracted."""

ROUNDING_STEP = 5
"""Counts are rounded down to multiples of this, so that a small difference between two versions of
the data does not show. Larger thresholds use the same steps: others would cut between them."""

FACTORS = ("time_band", "place_factor", "behaviour_factor")


@dataclass(frozen=True, eq=False)
class ReportGroups:
    """Pupils' reports in groups on squares of a grid, none smaller than the threshold.

    Parameters
    ----------
    threshold
        Smallest group.
    group_of_piece
        (p,) group whose square holds the middle of each piece of street, -1 where there is none.
    counts
        (g,) reports in each group, see `suppress_and_round`.
    share_inside
        (g,) share of the square that lies within the area, above 0 and at most 1. The count is of
        the whole square, so that the limits of the area cannot cut a group.
    reasons
        (g,) the factors that at least the threshold of the group's reports gave, most often
        given first.
    """

    threshold: int
    group_of_piece: NDArray[np.int64]
    counts: NDArray[np.int64]
    share_inside: NDArray[np.float64]
    reasons: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        if len(self.counts) and int(self.counts.min()) < self.threshold:
            message = f"a group of reports is smaller than the threshold of {self.threshold}"
            raise ValueError(message)
        if np.any(self.counts % self.threshold):
            message = f"counts must be multiples of the threshold of {self.threshold}"
            raise ValueError(message)

    def __len__(self) -> int:
        return len(self.counts)

    @classmethod
    def empty(cls, pieces: int, threshold: int) -> "ReportGroups":
        """No reports, for an area without a reports file."""
        nowhere = np.full(pieces, -1, dtype=np.int64)
        return cls(threshold, nowhere, np.empty(0, dtype=np.int64), np.empty(0), ())

    @property
    def max_counts(self) -> NDArray[np.int64]:
        """(g,) the most reports that each group may hold, given its count."""
        step = _step(self.threshold)
        return self.counts + self.threshold - 1 + (step - 1 if self.threshold % step else 0)

    @property
    def digest(self) -> str:
        """SHA-256 of what the groups reveal: equal for reports that no output can tell apart."""
        arrays = (self.group_of_piece, self.counts)
        content = (np.ascontiguousarray(array, dtype="<i8").tobytes() for array in arrays)
        return hash_content(repr((self.threshold, self.reasons)), *content)


def group_reports(
    reports: pd.DataFrame,
    piece_xy: ArrayLike,
    limits: BaseGeometry,
    left_out: LeftOut,
    *,
    threshold: int,
) -> ReportGroups:
    """Group reports by square; squares under the threshold are left out.

    Parameters
    ----------
    reports
        Rows of `patrolplan.inputs.reports.read_reports`, read within `extend_to_squares(limits)`.
    piece_xy
        (p, 2) metres, the middle of each piece of street.
    limits
        Polygon of the area in metres.
    left_out
        Records how many reports are in no group.
    threshold
        Smallest group.
    """
    squares, of_piece = assign_squares(piece_xy)
    of_report = _match_squares(squares, _find_square(reports[["x", "y"]].to_numpy()))
    has_street = of_report >= 0
    held = np.bincount(of_report[has_street], minlength=len(squares))
    counts = suppress_and_round(held, threshold)
    # Recorded for a count of 0 as well: otherwise a row would show that there is a report.
    record_left_out(left_out, "no walkable street near", int((~has_street).sum()), threshold)
    few = int(held[counts == 0].sum())
    record_left_out(left_out, "in a group under the threshold", few, threshold)
    shown = np.flatnonzero(counts > 0)
    group = np.full(len(squares), -1, dtype=np.int64)
    group[shown] = np.arange(len(shown))
    return ReportGroups(
        threshold=threshold,
        group_of_piece=group[of_piece],
        counts=counts[shown],
        share_inside=_compute_share_inside(squares[shown], limits),
        reasons=_find_reasons(
            reports[has_street], group[of_report[has_street]], len(shown), threshold
        ),
    )


def suppress_and_round(count: ArrayLike, threshold: int) -> NDArray[np.int64]:
    """Counts as they may be shown: rounded down in steps, and 0 under the threshold.

    Examples
    --------
    >>> suppress_and_round([4, 5, 9, 12], 5)
    array([ 0,  5,  5, 10])

    At a threshold of 7 a count of 7 to 9 is not shown: with cuts at 7 as well as at 5 and 10, two
    outputs would narrow it down.

    >>> suppress_and_round([7, 9, 10, 14, 15], 7)
    array([ 0,  0,  7,  7, 14])
    """
    counts = np.asarray(count, dtype=np.int64)
    step = _step(threshold)
    return np.asarray(counts // step * step // threshold * threshold)


def record_left_out(left_out: LeftOut, reason: str, count: int, threshold: int) -> None:
    """Record reports left out with a count as it may be shown; 0 reads "fewer than"."""
    shown = int(suppress_and_round(count, threshold))
    left_out.extend([LeftOutRow("reports", reason, shown, shown_from=threshold)])


def assign_squares(xy: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Squares of the grid that hold some places, given as (k, 2) metres.

    Returns
    -------
    tuple
        (s, 2) column and row of each square, and (k,) the square of each place.

    Examples
    --------
    >>> assign_squares([[10, 10], [260, 10], [20, 20]])[1]
    array([0, 1, 0])
    """
    corners, square = find_unique_points(_find_square(xy).astype(np.float64))
    return corners.astype(np.int64), square


def meets_threshold(
    place: NDArray[np.int64], kind: NDArray[np.int64], threshold: int
) -> NDArray[np.bool_]:
    """(i,) whether at least the threshold of rows have the same place and kind as each row.

    Examples
    --------
    >>> meets_threshold(np.array([0, 0, 0, 1]), np.array([7, 7, 8, 7]), 2)
    array([ True,  True, False, False])
    """
    kinds = int(kind.max(initial=0)) + 1
    alike = place * kinds + kind
    return np.asarray(np.bincount(alike, minlength=1)[alike] >= threshold)


def extend_to_squares(limits: BaseGeometry) -> BaseGeometry:
    """The limits of an area, widened so that they cut no square that reaches into it.

    Examples
    --------
    >>> extend_to_squares(shapely.box(100, 100, 300, 200)).bounds
    (0.0, 0.0, 500.0, 250.0)
    """
    west, south, east, north = np.asarray(limits.bounds) / SQUARE_METRES
    low = np.floor([west, south]) * SQUARE_METRES
    high = (np.floor([east, north]) + 1) * SQUARE_METRES
    return shapely.box(*low, *high)


def note_report_grouping(threshold: int) -> list[Note]:
    """Notes for the reader of any output: how reports were counted."""
    notes = [Note("reports_grouped", {"square_metres": SQUARE_METRES, "threshold": threshold})]
    if threshold < ROUNDING_STEP:
        values: dict[str, NoteValue] = {"threshold": threshold, "safe_threshold": ROUNDING_STEP}
        notes.append(Note("small_report_groups", values))
    return notes


def note_crime_grouping(threshold: int) -> Note:
    """A note for the reader of any output: how recorded crime was grouped."""
    return Note("crime_grouped", {"square_metres": SQUARE_METRES, "threshold": threshold})


def _step(threshold: int) -> int:
    return min(ROUNDING_STEP, threshold)


def _find_square(xy: ArrayLike) -> NDArray[np.int64]:
    """(k, 2) column and row of the square that holds each place."""
    places = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    return np.floor(places / SQUARE_METRES).astype(np.int64)


def _match_squares(squares: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """(k,) row of `squares` that equals each wanted one, -1 where none does."""
    index, keys = (pd.MultiIndex.from_arrays(list(rows.T)) for rows in (squares, wanted))
    return np.asarray(index.get_indexer(keys), dtype=np.int64)


def _compute_share_inside(squares: NDArray[np.int64], limits: BaseGeometry) -> NDArray[np.float64]:
    """(g,) share of each square that lies within the limits."""
    low, high = squares * SQUARE_METRES, (squares + 1) * SQUARE_METRES
    boxes = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
    shapely.prepare(limits)
    share = shapely.area(shapely.intersection(boxes, limits)) / SQUARE_METRES**2
    return np.asarray(np.clip(share, 0, 1))


def _find_reasons(
    reports: pd.DataFrame, group: NDArray[np.int64], groups: int, threshold: int
) -> tuple[tuple[str, ...], ...]:
    """Factors that at least the threshold of a group gave; ties by name."""
    given = pd.concat(
        [pd.DataFrame({"group": group, "factor": reports[factor].to_numpy()}) for factor in FACTORS]
    )
    given = given[(given["group"] >= 0) & (given["factor"] != "none")]
    counted = given.value_counts(["group", "factor"]).reset_index()
    counted = counted.assign(shown=suppress_and_round(counted["count"], threshold))
    counted = counted[counted["shown"] > 0]
    counted = counted.sort_values(["group", "shown", "factor"], ascending=[True, False, True])
    by_group = counted.groupby("group")["factor"].agg(tuple)
    return tuple(by_group.get(number, ()) for number in range(groups))
