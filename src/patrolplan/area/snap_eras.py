"""Eras of snap points: crimes of old and new months on the same streets.

The set of points that data.police.uk moves crimes to was replaced in 2022-07. One set of catchments
from the points of both eras would halve them, and no old crime would count where new crime does. So
each era has catchments of its own. Those of the newest era are the area's, and crimes of earlier
eras are carried over to them: by the street that both catchments share, and more to a point nearby,
as crime is densest around its point.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.arrays import Floats, Ints
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


class _MonthlyCrime(NamedTuple):
    """How many crimes each of (m,) months has, and what share of them points replaced."""

    crimes: Ints  # (m,)
    new_share: Floats  # (m,) of them, on points that no earlier month has
    gone_share: Floats  # (m,) of them, on points that no later month has


def find_era_starts(months: pd.Series, place: Ints) -> pd.DatetimeIndex:
    """First month of each era of snap points, from (i,) months and numbers of snap points."""
    present = pd.DatetimeIndex(np.sort(months.unique()))
    monthly = _count_by_month(present.get_indexer(pd.DatetimeIndex(months)), place, len(present))
    starts = [0]
    for month in range(1, len(present)):
        is_known = ((present[month - 1] < KNOWN_STARTS) & (present[month] >= KNOWN_STARTS)).any()
        is_replaced = (
            monthly.new_share[month] >= REPLACED_SHARE
            and monthly.gone_share[month - 1] >= REPLACED_SHARE
        )
        has_many = min(monthly.crimes[month - 1], monthly.crimes[month]) >= MIN_INCIDENTS
        # Of few crimes the shares say nothing: then only a date that is known begins an era.
        begins = is_replaced if has_many else is_known
        if begins and (is_known or _has_jump(monthly, month)):
            starts.append(month)
    return present[starts]


def _count_by_month(month: Ints, place: Ints, months: int) -> _MonthlyCrime:
    """Count (i,) crimes by number of month, and those on points that are new or gone."""
    places = place.max(initial=-1) + 1
    first = np.full(places, months)
    last = np.zeros(places, dtype=np.int64)
    np.minimum.at(first, place, month)
    np.maximum.at(last, place, month)
    count = np.bincount(month, minlength=months)
    new = np.bincount(month[month == first[place]], minlength=months)
    gone = np.bincount(month[month == last[place]], minlength=months)
    return _MonthlyCrime(count, new / count, gone / count)


def _has_jump(monthly: _MonthlyCrime, month: int) -> bool:
    """Whether more points were replaced between two months than between their neighbours."""
    months = len(monthly.crimes)
    if months <= 2:  # noqa: PLR2004 - a neighbour is needed to compare with
        return False
    # All points of the first month are new, and all of the last are gone: no jump can be seen.
    came = month == 1 or monthly.new_share[month] - monthly.new_share[month - 1] >= MIN_JUMP
    went = (
        month == months - 1 or monthly.gone_share[month - 1] - monthly.gone_share[month] >= MIN_JUMP
    )
    return bool(came and went)


class _SharedStreet(NamedTuple):
    """Pairs of an old and a new catchment that share street, ordered by the old one."""

    from_old: Ints  # (k,) catchment of the earlier era; each has at least one pair
    to_new: Ints  # (k,) catchment of the newest era
    share: Floats  # (k,) of the old catchment's crime that the new one gets

    def choose_new(self, in_old: Ints, point: Floats) -> Ints:
        """(n,) new catchment at a point from 0 to 1 of the shares of each old catchment."""
        # The shares of old catchment c are laid end to end from c to c + 1 on one line, so that a
        # single search finds the pair of every point.
        first = np.searchsorted(self.from_old, np.arange(self.from_old[-1] + 1))
        last = np.append(first[1:], len(self.from_old)) - 1
        ends = np.cumsum(self.share)
        begins = ends - self.share
        line = ends - begins[first][self.from_old] + self.from_old
        chosen = np.searchsorted(line, in_old + point)
        # By rounding, a catchment's last share may end a little before the next number.
        return self.to_new[np.clip(chosen, first[in_old], last[in_old])]


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
    # stay whole numbers.
    placed = np.flatnonzero(catchment >= 0)
    in_old = catchment[placed]
    group = in_old * (category.max(initial=0) + 1) + category[placed]
    turn = _count_turns(group, months.to_numpy()[placed])
    # In every run of months, the incidents of a catchment and category are divided as evenly as
    # whole numbers allow: multiples of `GOLDEN` visit each share in proportion to its length.
    # Groups begin at different points, or the first crime of each would go to the same share.
    point = ((turn + group / np.pi + 0.5) * GOLDEN) % 1.0
    result = np.full(len(catchment), -1)
    result[placed] = _share_street(network, old, new).choose_new(in_old, point)
    return result


def _share_street(network: StreetNetwork, old: Catchments, new: Catchments) -> _SharedStreet:
    """How the crime of each old catchment is divided between the new ones that share its street."""
    pair_of_piece = old.piece_catchment * len(new) + new.piece_catchment
    pairs, pair = np.unique(pair_of_piece, return_inverse=True)
    from_old, to_new = np.divmod(pairs, len(new))
    metres = np.bincount(pair.reshape(-1), weights=network.piece_metres)
    # A new point gets the street that it shares, weighed by how near it is to the old point. It is
    # compared with the nearest such point: far from all of them every weight would underflow.
    apart = np.hypot(*(old.xy[from_old] - new.xy[to_new]).T) / NEAR_METRES
    nearest = np.minimum.reduceat(apart, np.unique(from_old, return_index=True)[1])
    weight = metres * np.exp((nearest[from_old] ** 2 - apart**2) / 2)
    return _SharedStreet(from_old, to_new, weight / np.bincount(from_old, weights=weight)[from_old])


def _count_turns(group: Ints, month: NDArray[np.datetime64]) -> Floats:
    """(n,) how many crimes of its group come before each, in the order of months."""
    order = np.lexsort((month, group))
    turn = np.empty(len(group))
    turn[order] = np.arange(len(group)) - np.searchsorted(group[order], group[order])
    return turn
