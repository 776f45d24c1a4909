"""Children's data is safe by construction: reports leave here as groups, or not at all.

Nothing else in patrolplan takes reports one by one. A group holds at least the threshold of
reports; its count is rounded down to a multiple of the threshold, so that two versions of the
data do not tell a small difference; of its reasons only those stand that at least the threshold
of reports gave.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from numpy.typing import NDArray

from patrolplan.tables import LeftOut

MERGE_METRES = 400.0
"""Small groups are merged with the nearest one up to this far away."""

FACTORS = ("time_band", "place_factor", "behaviour_factor")


@dataclass(frozen=True, eq=False)
class ReportGroups:
    """Pupils' reports in groups on catchments, none smaller than the threshold.

    Parameters
    ----------
    threshold
        Smallest group.
    group_of_catchment
        (c,) group of each catchment, -1 where there is none.
    counts
        (g,) reports in each group, rounded down to a multiple of the threshold.
    reasons
        (g,) the factors that at least the threshold of the group's reports gave, most often
        given first.
    """

    threshold: int
    group_of_catchment: NDArray[np.int64]
    counts: NDArray[np.int64]
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
    def none(cls, catchments: int, threshold: int) -> "ReportGroups":
        """No reports, for an area without a reports file."""
        nowhere = np.full(catchments, -1, dtype=np.int64)
        return cls(threshold, nowhere, np.empty(0, dtype=np.int64), ())


def group_reports(
    reports: pd.DataFrame,
    catchment: ArrayLike,
    catchment_xy: ArrayLike,
    left_out: LeftOut,
    *,
    threshold: int,
) -> ReportGroups:
    """Group reports by catchment; merge small groups with their nearest, leave out the rest.

    Parameters
    ----------
    reports
        Rows of `patrolplan.inputs.reports.read_reports`.
    catchment
        (r,) catchment of each report.
    catchment_xy
        (c, 2) metres, the middle of each catchment.
    left_out
        Is told how many reports no group could take.
    threshold
        Smallest group.
    """
    of_report = np.asarray(catchment, dtype=np.int64)
    xy = np.asarray(catchment_xy, dtype=np.float64).reshape(-1, 2)
    counts = np.bincount(of_report, minlength=len(xy))
    merged = _merge(counts, xy, threshold)
    lost = int(counts[merged < 0].sum())
    left_out.add("reports", "in a group under the threshold", lost, shown_from=threshold)
    group_of_report = merged[of_report]
    kept = group_of_report >= 0
    size = np.bincount(group_of_report[kept], minlength=int(merged.max(initial=-1)) + 1)
    return ReportGroups(
        threshold=threshold,
        group_of_catchment=merged,
        counts=size // threshold * threshold,
        reasons=_reasons(reports[kept], group_of_report[kept], len(size), threshold),
    )


def _merge(counts: NDArray[np.int64], xy: NDArray[np.float64], threshold: int) -> NDArray[np.int64]:
    """Group of each catchment: smallest groups first join the nearest within reach."""
    group = np.where(counts > 0, np.arange(len(counts)), -1)
    stuck: set[int] = set()
    while True:
        holds = np.bincount(group[group >= 0], weights=counts[group >= 0], minlength=len(counts))
        small = np.flatnonzero((holds > 0) & (holds < threshold))
        small = small[~np.isin(small, list(stuck))]
        if not len(small):
            break
        smallest = small[np.argmin(holds[small])]
        others = np.flatnonzero((group >= 0) & (group != smallest))
        members = np.flatnonzero(group == smallest)
        apart = np.hypot(
            xy[others, 0][:, None] - xy[members, 0], xy[others, 1][:, None] - xy[members, 1]
        ).min(axis=1)
        if not len(others) or apart.min() > MERGE_METRES:
            stuck.add(int(smallest))
            continue
        into = group[others[np.argmin(apart)]]
        group[members] = into
        stuck.discard(int(into))
    for alone in stuck:
        group[group == alone] = -1
    names = np.unique(group[group >= 0])
    return np.where(group >= 0, np.searchsorted(names, group), -1)


def _reasons(
    reports: pd.DataFrame, group: NDArray[np.int64], groups: int, threshold: int
) -> tuple[tuple[str, ...], ...]:
    """Factors that at least the threshold of a group gave; ties by name."""
    given = pd.concat(
        [pd.DataFrame({"group": group, "factor": reports[factor].to_numpy()}) for factor in FACTORS]
    )
    counted = given[given["factor"] != "none"].value_counts(["group", "factor"]).reset_index()
    counted = counted[counted["count"] >= threshold]
    counted = counted.assign(band=counted["count"] // threshold)
    counted = counted.sort_values(["group", "band", "factor"], ascending=[True, False, True])
    told = counted.groupby("group")["factor"].agg(tuple)
    return tuple(told.get(number, ()) for number in range(groups))
