"""Eras of snap points: crimes of old and new months on the same streets.

The set of points that data.police.uk moves crimes to was replaced in 2022-07. One set of catchments
from the points of both eras would halve them, and no old crime would count where new crime does. So
each era has catchments of its own. Those of the newest era are the area's, and crimes of earlier
eras are carried over to them: by the street that both catchments share, and more to a point nearby,
as crime is densest around its point.
"""

import numpy as np
import pandas as pd

from patrolplan.arrays import Ints
from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import Catchments

KNOWN_STARTS = pd.DatetimeIndex(["2022-07-01"])  # From when data.police.uk used other points
REPLACED_SHARE = 0.5  # Of a month's crime on new points, and of the month before on vanished ones
MIN_JUMP = 0.3
"""That share exceeds the neighbouring month's by at least this much: in a small area, and in the
first months, many points are seen for the first time without being new."""

MIN_INCIDENTS = 50  # Minimum in a month to detect an unknown era
NEAR_METRES = 100.0
"""An old point's crime falls off with the distance to a new point like a bell curve of this width,
within the streets that the two share."""

GOLDEN = (5**0.5 - 1) / 2  # The fractional parts of its multiples are spread evenly


def find_era_starts(months: pd.Series, place: Ints) -> pd.DatetimeIndex:
    """First month of each era of snap points, from (i,) months and numbers of snap points."""
    present = pd.DatetimeIndex(np.sort(months.unique()))
    row = present.get_indexer(pd.DatetimeIndex(months))
    places = place.max(initial=-1) + 1
    firsts, lasts = np.full(places, len(present)), np.zeros(places, dtype=np.int64)
    np.minimum.at(firsts, place, row)
    np.maximum.at(lasts, place, row)
    first, last = firsts[place], lasts[place]
    count = np.bincount(row, minlength=len(present))
    is_new = np.bincount(row[row == first], minlength=len(present)) / count
    is_gone = np.bincount(row[row == last], minlength=len(present)) / count
    starts = [0]
    for now in range(1, len(present)):
        many = min(count[now - 1], count[now]) >= MIN_INCIDENTS
        replaced = is_new[now] >= REPLACED_SHARE and is_gone[now - 1] >= REPLACED_SHARE
        if ((present[now - 1] < KNOWN_STARTS) & (present[now] >= KNOWN_STARTS)).any():
            found = replaced or not many
        else:
            # All points of the first month are new, and all of the last are gone: no jump can be
            # seen.
            came = now == 1 or is_new[now] - is_new[now - 1] >= MIN_JUMP
            went = now == len(present) - 1 or is_gone[now - 1] - is_gone[now] >= MIN_JUMP
            found = many and replaced and came and went and len(present) > 2  # noqa: PLR2004
        starts += [now] if found else []
    return present[starts]


def carry_over(
    network: StreetNetwork,
    old: Catchments,
    new: Catchments,
    catchment: Ints,
    category: Ints,
    months: pd.Series,
) -> Ints:
    """(i,) catchment of the newest era for each incident of an earlier one."""
    # Each incident goes to one of the catchments that share streets with its own, so that counts
    # stay whole numbers. In every run of months, the incidents of a catchment and category are
    # divided as evenly as whole numbers allow, by multiples of `GOLDEN`.
    both = old.piece_catchment * len(new) + new.piece_catchment
    pairs, pair = np.unique(both, return_inverse=True)
    from_old, to_new = np.divmod(pairs, len(new))
    metres = np.bincount(pair.reshape(-1), weights=network.piece_metres)
    apart = np.hypot(*(old.xy[from_old] - new.xy[to_new]).T) / NEAR_METRES
    nearest = np.minimum.reduceat(apart, np.unique(from_old, return_index=True)[1])
    weight = metres * np.exp((nearest[from_old] ** 2 - apart**2) / 2)
    share = weight / np.bincount(from_old, weights=weight)[from_old]
    before = np.cumsum(share)
    first = np.searchsorted(from_old, np.arange(len(old)))
    limits = before - (before - share)[first][from_old] + from_old  # each ends at its number + 1
    used = np.flatnonzero(catchment >= 0)
    own, group = catchment[used], catchment[used] * (category.max(initial=0) + 1) + category[used]
    order = np.lexsort((months.to_numpy()[used], group))
    turn = np.empty(len(used))
    turn[order] = np.arange(len(used)) - np.searchsorted(group[order], group[order])
    chosen = np.searchsorted(limits, own + ((turn + group / np.pi + 0.5) * GOLDEN) % 1.0)
    last = np.append(first[1:], len(pairs)) - 1
    result = np.full(len(catchment), -1)
    result[used] = to_new[np.clip(chosen, first[own], last[own])]
    return result
