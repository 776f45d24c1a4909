"""Did it work? Doses delivered against incidents: the weighted displacement difference.

With T the dosed hotspots, C the comparison, D and E the streets around each, 0 before and 1 after,

    WDD = (T1 - T0) - (C1 - C0) T0 / C0 + (D1 - D0) - (E1 - E0) D0 / E0

is what came, T1 + D1, less what was to be expected, T0 C1 / C0 + D0 E1 / E0. The interval is that
of the ratio of the two, on the log scale by the delta method with counts assumed to be Poisson.
Sources, why it is scaled, and how it was tested: `docs/methods/impact.md`. It replaces no
experiment: hotspots are patrolled because they were bad, and better months follow bad ones.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy

from patrolplan.area import StudyArea
from patrolplan.arrays import Bools, Floats, Ints
from patrolplan.doors import Month, read_month
from patrolplan.errors import InputError
from patrolplan.hotspots.clusters import compute_catchment_shares
from patrolplan.hotspots.given import find_pieces

BUFFER_METRES = 150.0  # how far from a hotspot crime may have moved to, in a straight line
MIN_EVENTS = 20
"""Minimum of incidents in the dosed hotspots, before and after together, for a result; the
comparison must be as certain as this many incidents before would make it."""
MIN_COUNT = 0.5  # a group without incidents counts as half of one on the log scale
MIN_HELD_SHARE = 0.9
"""Minimum share of the data held in every hotspot's catchments for a month to count."""
HALF_WIDTH_95 = 1.959964

GROUPS = ("dosed", "comparison", "around dosed", "around comparison")
DOSED_ROWS, COMPARISON_ROWS = [0, 2], [1, 3]
"""Rows of the dosed hotspots and of the comparison, each with the streets around."""

CAUTIONS = (
    "This was not an experiment: bad places are chosen, and better months follow bad ones.",
    "Recorded crime is what was reported; presence can make people report more.",
    "Each dosed hotspot is compared with the undosed one whose count before was nearest.",
    "An interval that holds zero shows neither that it worked nor that it did not.",
)
NONE_AS_BAD = (
    "The comparison hotspots had less than half as much before: none as bad was without a dose, "
    "and the better months that follow bad ones can look like an effect."
)
SPREAD = (
    "Crimes are spread over the streets of a map point or square: an effect on one street is "
    "thinned out over its neighbours."
)
MONTHS_ONLY = "Only months are known, so crime at all hours is counted, also when nobody patrolled."


@dataclass(frozen=True, eq=False)
class Impact:
    """Incidents where doses were delivered, and where they were not, before and after."""

    counts: pd.DataFrame
    """One row each of `GROUPS`, columns `before`, `after` (incidents; parts of one where crimes are
    spread over a catchment), `expected` (before, in lengths of after)."""
    months: tuple[int, int]  # before and after, without those that are missing from the data
    wdd: float
    low: float
    high: float
    """Weighted displacement difference to a comparison of the same size, incidents in the months
    after, with its 95 % interval; below zero means fewer. NaN where the comparison, or the streets
    around it, had no incident before."""
    too_few: str  # where there are too few incidents for a result; empty where there are enough
    cautions: tuple[str, ...]  # what a reader must know, in plain sentences

    def __str__(self) -> str:
        return "\n".join([self.summary, *(f"- {caution}" for caution in self.cautions)])

    @property
    def summary(self) -> str:
        """The result in a sentence or two, a line each."""
        if self.too_few:
            return f"Too few incidents to tell: {self.too_few}."
        less = "fewer" if self.wdd < 0 else "more"
        verdict = "more than chance" if self.high < 0 or self.low > 0 else "within chance"
        elsewhere = f"than elsewhere in {self.months[1]} months, streets around included"
        return (
            f"{abs(self.wdd):.1f} incidents {less} {elsewhere}\n"
            f"(95 % interval {self.low:+.1f} to {self.high:+.1f}): {verdict}."
        )


def estimate_impact(
    area: StudyArea,
    hotspots: gpd.GeoDataFrame,
    delivered: pd.DataFrame,
    *,
    before: tuple[Month, Month],
    after: tuple[Month, Month],
) -> Impact:
    """Compare incidents in dosed hotspots with those in the others, before and after.

    Parameters
    ----------
    area
        The incidents.
    hotspots
        All hotspots; the comparison is chosen from those without a dose.
    delivered
        Doses: columns `hotspot`, `date`, `minutes`. Those outside `after` do not count.
    before, after
        First and last month, "YYYY-MM", both inside.

    Returns
    -------
    Impact
        Counts, differences with their intervals, and cautions.

    Raises
    ------
    InputError
        When a month is not in the data, the spans overlap, or no hotspot, or every one, was dosed.

    Examples
    --------
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> hotspots = pp.find_hotspots(area, pp.estimate_risk(area))
    >>> doses = pd.DataFrame({"hotspot": ["H1"], "date": ["2026-07-01"], "minutes": [15.0]})
    >>> spans = {"before": ("2026-04", "2026-06"), "after": ("2026-07", "2026-09")}
    >>> pp.estimate_impact(area, hotspots, doses, **spans).months
    (3, 3)
    """
    spans = [_parse_months(area, "before", *before), _parse_months(area, "after", *after)]
    if spans[0][-1] >= spans[1][0]:
        what = f"before ends in {before[1]}, after begins in {after[0]}"
        raise _build_error(what, "end 'before' before 'after' begins")
    month = pd.to_datetime(delivered["date"]).dt.to_period("M").dt.start_time
    doses = delivered[month.isin(spans[1]) & (delivered["minutes"] > 0)]
    dosed = hotspots["hotspot"].isin(set(doses["hotspot"])).to_numpy()
    stretches = find_pieces(area, hotspots)
    own_parts = compute_catchment_shares(area.catchments, stretches)
    # A month that is missing in one place counts in none: all are compared over the same months.
    held = [_find_held(area, span, np.unique(own_parts.indices)) for span in spans]
    missing = [month for span, is_held in zip(spans, held, strict=True) for month in span[~is_held]]
    spans = [span[is_held] for span, is_held in zip(spans, held, strict=True)]
    month = area.incidents["month"]
    column = np.select([month.isin(span) for span in spans], [0, 1], -1)
    events = count_incidents(area, column, 2)
    pairs = _pair_hotspots(own_parts @ events[:, 0], dosed)
    groups = _group_streets(area, stretches, [np.flatnonzero(dosed), pairs])
    parts = compute_catchment_shares(area.catchments, groups).toarray()
    counts = parts @ events
    table = pd.DataFrame(counts, pd.Index(GROUPS, name="streets"), ["before", "after"])
    table["expected"] = table["before"] * len(spans[1]) / len(spans[0])
    gone = ", ".join(f"{month:%Y-%m}" for month in missing)
    more = {
        NONE_AS_BAD: table["before"]["comparison"] < table["before"]["dosed"] / 2,
        f"Missing from the data, and counted neither before nor after: {gone}.": bool(missing),
        SPREAD: area.snapped or area.settings.privacy.threshold_for_crime,
        MONTHS_ONLY: not area.times_known,
    }
    cautions = (*CAUTIONS, *(text for text, is_so in more.items() if is_so))
    lengths, difference = (len(spans[0]), len(spans[1])), _compute_difference(parts, events)
    return Impact(table, lengths, *difference, _explain_too_few(parts, events), cautions)


def _explain_too_few(parts: Floats, events: Floats) -> str:
    """Where there are too few incidents to say anything."""
    # Many small parts of incidents say more than a few whole ones: a sum of parts w has the
    # relative variance (sum of w²) / (sum of w)². Hotspots and the streets around them count by
    # their share of what is compared.
    before, squares = parts @ events[:, 0], parts**2 @ events[:, 0]
    if (parts @ events)[0].sum() < MIN_EVENTS:
        return f"fewer than {MIN_EVENTS} in the dosed hotspots, before and after together"
    variance = np.divide(squares, before**2, out=np.full(len(GROUPS), np.inf), where=before > 0)
    share = before[DOSED_ROWS] / max(before[DOSED_ROWS].sum(), MIN_COUNT)
    some = share > 0
    if (share**2)[some] @ variance[COMPARISON_ROWS][some] > 1 / MIN_EVENTS:
        return "the comparison hotspots, and the streets around them, had hardly any before"
    return ""


def _compute_difference(parts: Floats, events: Floats) -> tuple[float, float, float]:
    """The weighted displacement difference and its 95 % interval."""
    # From (4, c) parts of each catchment's street in each of `GROUPS`, and (c, 2) incidents before
    # and after. An incident that counts in two groups counts in both at once: the variance of a sum
    # in which each of n incidents counts by w, n being Poisson, is the sum of w².
    before, after = (parts @ events).T
    any_before = before[DOSED_ROWS] > 0
    if (any_before & (before[COMPARISON_ROWS] == 0)).any():
        return np.nan, np.nan, np.nan
    size, change = (
        np.divide(count, before[COMPARISON_ROWS], out=np.zeros(len(count)), where=any_before)
        for count in (before[DOSED_ROWS], after[COMPARISON_ROWS])
    )
    came, expected = after[DOSED_ROWS].sum(), before[DOSED_ROWS] @ change
    some_came, some_expected = max(came, MIN_COUNT), max(expected, MIN_COUNT)
    # By how much the logarithm of the ratio changes with one more incident in each catchment.
    dosed, compared = parts[DOSED_ROWS], parts[COMPARISON_ROWS]
    by_after = dosed.sum(axis=0) / some_came - size @ compared / some_expected
    by_before = change @ (size[:, None] * compared - dosed) / some_expected
    error = np.sqrt(by_after**2 @ events[:, 1] + by_before**2 @ events[:, 0])
    away = np.log(some_came / some_expected)
    sides = away + HALF_WIDTH_95 * error * np.array([-1.0, 1.0])
    low, high = some_expected * np.expm1(sides)
    return float(came - expected), float(low), float(high)


def _parse_months(area: StudyArea, name: str, first: Month, last: Month) -> pd.DatetimeIndex:
    """The months of a span that is in the data."""
    months = area.incidents["month"]
    span = pd.date_range(read_month(first, name), read_month(last, name), freq="MS")
    if not len(span) or span[0] < months.min() or span[-1] > months.max():
        what = f"{first} to {last} is not within the data"
        remedy = f"choose months from {months.min():%Y-%m} to {months.max():%Y-%m}"
        raise _build_error(what, remedy, name)
    return span


def _find_held(area: StudyArea, span: pd.DatetimeIndex, touched: Ints) -> Bools:
    """Which months of a span are held in all of some catchments."""
    exposure = area.exposure.find_shares(span)
    if exposure is None:
        return np.ones(len(span), dtype=bool)
    held = np.asarray(exposure[:, touched].min(axis=1, initial=1.0) >= MIN_HELD_SHARE)
    if not held.any():
        what = f"{span[0]:%Y-%m} to {span[-1]:%Y-%m} is missing from the data"
        raise _build_error(what, "choose months that are held")
    return held


def _pair_hotspots(before: Floats, dosed: Bools) -> Ints:
    """Rows of the undosed hotspots whose counts before are nearest those of the dosed ones."""
    # The pairs minimise the total difference; if fewer are undosed than dosed, all are paired.
    if not dosed.any() or dosed.all():
        which = "every hotspot" if dosed.any() else "no hotspot"
        what = f"{which} had a dose in the months after"
        raise _build_error(what, "some hotspots must have had one, and some none", "delivered")
    others = np.flatnonzero(~dosed)
    apart = np.abs(before[dosed][:, None] - before[others])
    return np.asarray(others[scipy.optimize.linear_sum_assignment(apart)[1]])


def _group_streets(area: StudyArea, stretches: list[Ints], chosen: list[Ints]) -> list[Ints]:
    """The pieces of each of `GROUPS`, of the rows that were dosed and compared; none is in two."""
    middle = area.network.piece_middle
    cores = [np.unique(np.concatenate([stretches[row] for row in rows])) for rows in chosen]
    # Metres from each piece's middle to the nearest middle in each core.
    dosed, compared = (scipy.spatial.cKDTree(middle[core]).query(middle)[0] for core in cores)
    free = np.setdiff1d(np.arange(len(middle)), np.concatenate(stretches))
    near = free[np.minimum(dosed, compared)[free] <= BUFFER_METRES]
    is_dosed = (dosed <= compared)[near]
    return [*cores, near[is_dosed], near[~is_dosed]]


def count_incidents(area: StudyArea, column: Ints, columns: int) -> Floats:
    """(c, t) incidents by catchment and by the column of each incident, -1 for none."""
    names = area.settings.crimes.risk_categories
    catchment, is_of = area.incident_catchment, area.incidents["category"].isin(list(names))
    rows = np.flatnonzero((catchment >= 0) & (column >= 0) & is_of.to_numpy())
    counts = np.zeros((len(area.catchments), columns))
    np.add.at(counts, (catchment[rows], column[rows]), 1.0)
    return counts


def _build_error(what: str, remedy: str, place: str = "") -> InputError:
    return InputError.one("impact", what, remedy, place)
