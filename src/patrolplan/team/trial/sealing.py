"""Before a trial starts: its hotspots, what it can show, and the seal; or a refusal that says why.

Everything is computed from the area's own months before the start: the expected incidents of each
hotspot, with most weight on the latest months; how far such expectations were from the counts; and
so the power. A trial that would probably find nothing even if patrols had the hoped effect is
refused, with what would suffice: it would cost as much as a good one, and finding nothing would be
taken as proof.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.area import StudyArea
from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.network.graph import compute_piece_distances
from patrolplan.patrols.beats import join_beats
from patrolplan.team.secret import Secret
from patrolplan.team.trial.counts import (
    MIN_DATED_SHARE,
    TrialStreets,
    compute_dated_share,
    count_incidents,
    find_held,
    find_streets,
)
from patrolplan.team.trial.design import Bools, Floats, Randomise, list_blocks, match_hotspots
from patrolplan.team.trial.power import (
    Layout,
    Power,
    assess_power,
    compute_month_weights,
    estimate_dispersion,
)
from patrolplan.team.trial.trial_file import (
    DECIMALS,
    CountedBy,
    Seal,
    Trial,
    TrialHotspot,
    count_months,
)
from patrolplan.team.week import find_open_days
from patrolplan.text import format_percent

HISTORY_MONTHS = 24
"""Number of latest months that expectations are computed from."""
MIN_HISTORY_MONTHS = 6
DEFAULT_WEEKS, DEFAULT_MONTHS = 12, 6
"""Default length of a trial, by days and by months."""
MAX_HOTSPOTS: dict[Randomise, int] = {"days": 10, "weeks": 10, "pairs": 30}
"""Default maximum of hotspots in a trial: with more, a week would have too many without patrols."""
MIN_SETS = 2
POWER_SEED = 20_180_711
"""Seed of the simulations of power: the same for all, so that printed results can be reproduced."""
WEEKDAYS = 5


@dataclass(frozen=True, eq=False)
class _History:
    """Incidents in the area's months at all hotspots that could be in a trial."""

    expected: Floats
    """(h,) incidents a day or a month."""
    by_month: Floats
    """(h, m) incidents in each month."""
    data_until: dt.date
    counted_by: CountedBy


def propose_trial(area: StudyArea, start: dt.date) -> Trial:
    """A trial from a day on, of the default length, drawn as the data allow."""
    categories = area.settings.crimes.risk_categories
    if compute_dated_share(area, categories) >= MIN_DATED_SHARE:
        monday = start - dt.timedelta(days=start.weekday())
        end = monday + dt.timedelta(days=7 * DEFAULT_WEEKS - 3)
        return Trial(start=start, end=end, randomise="days")
    first = pd.Timestamp(start) + pd.offsets.MonthBegin(0)
    last = first + pd.offsets.MonthEnd(DEFAULT_MONTHS)
    return Trial(start=first.date(), end=last.date(), randomise="pairs")


def seal_trial(
    path: Path, trial: Trial, area: StudyArea, hotspots: gpd.GeoDataFrame, secret: Secret
) -> tuple[Trial, Power]:
    """Fix a trial's hotspots, days and power, and commit to the key that draws it.

    Parameters
    ----------
    path
        Of its file, for messages.
    trial
        The lead's decisions.
    area, hotspots
        Only hotspots that a patrol can reach may be in the trial; hotspots that are walked together
        are one.
    secret
        The team's.

    Returns
    -------
    tuple
        The sealed trial, and what it can show.

    Raises
    ------
    InputError
        When it cannot start: its dates or data do not allow it, or it has too few days or
        hotspots; the message says how many would do.
    """
    categories = trial.categories or area.settings.crimes.risk_categories
    counted_by: CountedBy = "months"
    if compute_dated_share(area, categories) >= MIN_DATED_SHARE:
        counted_by = "days"
    days = _list_days(path, trial, area, counted_by)
    beats = _find_reachable(area, join_beats(area, hotspots))
    streets = find_streets(area, beats["pieces"].tolist())
    history = _study_history(path, area, streets, categories, counted_by)
    if history.data_until >= trial.start:
        what = f"start {trial.start} is not after the crimes, which reach to {history.data_until}"
        raise InputError.one(path, what, "start on a day of which no crime is known yet", "start")
    lines = beats.geometry.to_numpy()
    sets = match_hotspots(
        history.expected,
        shapely.distance(lines[:, None], lines[None]),
        size=sum(trial.ratio),
        min_metres=trial.apart_metres,
        max_hotspots=trial.max_hotspots or MAX_HOTSPOTS[trial.randomise],
    )
    if len(sets) < MIN_SETS:
        what = (
            f"only {len(sets)} sets of {sum(trial.ratio)} hotspots with crime are within reach and "
            f"{trial.apart_metres:g} m apart"
        )
        raise InputError.one(path, what, f"a trial needs at least {MIN_SETS}: find more hotspots")
    layout = build_layout(trial, history.expected, sets, days, counted_by)
    together = count_months(trial.start, trial.end) if trial.randomise == "pairs" else 1
    rows = np.ravel(sets)
    half_life = area.settings.risk.half_life_months
    dispersion = round(estimate_dispersion(history.by_month[rows], together, half_life), 4)
    power = assess_power(
        replace(layout, dispersion=dispersion), trial.effect, trial.power, seed=POWER_SEED
    )
    if not power.is_enough:
        raise InputError.one(path, *_explain_power(trial, power, counted_by))
    seal = Seal(
        commitment="0" * 32,
        data_until=history.data_until,
        counted_by=counted_by,
        categories=tuple(categories),
        history_months=history.by_month.shape[1],
        dispersion=dispersion,
        found_power=power.power,
        detectable_effect=power.detectable,
        days=days,
        hotspots=tuple(
            _build_hotspot(beats, row, number, float(history.expected[row]), area.projection)
            for number, members in enumerate(sets, 1)
            for row in members
        ),
    )
    unsigned = trial.model_copy(update={"sealed": seal})
    key = unsigned.make_key(secret, area.name)
    signed = seal.model_copy(update={"commitment": key.commitment})
    return trial.model_copy(update={"sealed": signed}), power


def build_layout(
    trial: Trial,
    expected: Floats,
    sets: Sequence[Sequence[int]],
    days: Sequence[dt.date],
    counted_by: CountedBy,
) -> Layout:
    """Expected incidents of a trial for (s,) sets of rows, by block, without overdispersion.

    Parameters
    ----------
    expected
        (h,) incidents a day, or a month.
    """
    each = expected[np.array(sets)]
    if counted_by == "months":
        periods = count_months(trial.start, trial.end)
        whole = each[:, :, None] * periods
        return Layout(whole, np.zeros(1, dtype=np.int64), 0.0, periods, trial.ratio)
    blocks = list_blocks(trial.randomise, days)
    lengths = np.array([len(block.days) for block in blocks], dtype=np.float64)
    month = [count_months(trial.start, block.days[0]) - 1 for block in blocks]
    _, factor = np.unique(month, return_inverse=True)
    periods = len(days) if trial.randomise == "pairs" else len(blocks)
    return Layout(each[:, :, None] * lengths, factor.astype(np.int64), 0.0, periods, trial.ratio)


def _list_days(
    path: Path, trial: Trial, area: StudyArea, counted_by: CountedBy
) -> tuple[dt.date, ...]:
    """The school days of a trial, on which any school is open."""
    if counted_by == "months":
        if trial.randomise != "pairs":
            what = (
                f"randomise '{trial.randomise}' needs the day of each crime; only months are known"
            )
            remedy = 'write "pairs", or name crimes with a column occurred_at'
            raise InputError.one(path, what, remedy, "randomise")
        if trial.start.day != 1 or (trial.end + dt.timedelta(days=1)).day != 1:
            what = f"{trial.start} to {trial.end} are no whole months, and only months are known"
            raise InputError.one(path, what, "start on the first and end on the last of a month")
    span = [day.date() for day in pd.date_range(trial.start, trial.end) if day.weekday() < WEEKDAYS]
    is_open = find_open_days(area.term_dates, list(area.schools["urn"]), span)
    some_open = np.asarray(is_open.any(axis=0)).tolist()
    days = tuple(day for day, some in zip(span, some_open, strict=True) if some)
    if not days:
        what = f"there is no school day from {trial.start} to {trial.end}"
        raise InputError.one(path, what, "choose dates in term, or correct term_dates")
    return days


def _find_reachable(area: StudyArea, beats: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Beats within the radius of a school's gate."""
    radius = area.settings.patrol.radius_metres
    is_near = np.zeros(len(area.network), dtype=bool)
    for row in range(len(area.schools)):
        gate = area.gates.take([row])
        is_near |= compute_piece_distances(area.network, gate, limit_metres=radius) <= radius
    near = [bool(is_near[list(pieces)].any()) for pieces in beats["pieces"]]
    return beats[np.array(near, dtype=bool)].reset_index(drop=True)


def _study_history(
    path: Path,
    area: StudyArea,
    streets: TrialStreets,
    categories: Sequence[str],
    counted_by: CountedBy,
) -> _History:
    """Incidents at the hotspots in the latest months with data."""
    last = area.incidents["month"].max()
    months = pd.date_range(end=last, periods=HISTORY_MONTHS, freq="MS")
    months = months[_find_held(area, streets, months)]
    if len(months) < MIN_HISTORY_MONTHS:
        what = f"crime around the hotspots is held for {len(months)} of the last 24 months"
        remedy = f"expectations need at least {MIN_HISTORY_MONTHS}: fetch more months"
        raise InputError.one(path, what, remedy)
    if counted_by == "months":
        counts = count_incidents(area, streets, months, categories=categories, by="months")
        by_month = streets.own @ counts
        lengths = np.ones(len(months))
    else:
        days = pd.DatetimeIndex(np.concatenate([_list_weekdays(month) for month in months]))
        counts = streets.own @ count_incidents(
            area, streets, days, categories=categories, by="days"
        )
        column = months.get_indexer(days.to_period("M").to_timestamp())
        by_month = np.zeros((len(counts), len(months)))
        np.add.at(by_month.T, column, counts.T)
        lengths = np.bincount(column, minlength=len(months)).astype(np.float64)
    weights = compute_month_weights(len(months), area.settings.risk.half_life_months)
    expected = by_month @ weights / (lengths @ weights)
    until = (last + pd.offsets.MonthEnd(0)).date()
    return _History(np.round(expected, 6), by_month, until, counted_by)


def _find_held(area: StudyArea, streets: TrialStreets, months: pd.DatetimeIndex) -> Bools:
    touched = TrialStreets(streets.catchments[streets.own.any(axis=0)], streets.own, streets.around)
    return find_held(area, touched, months)


def _list_weekdays(month: pd.Timestamp) -> pd.DatetimeIndex:
    days = pd.date_range(month, month + pd.offsets.MonthEnd(0))
    return days[days.day_of_week < WEEKDAYS]


def _explain_power(trial: Trial, power: Power, counted_by: CountedBy) -> tuple[str, str]:
    """Why a trial is refused, and what would suffice."""
    unit = {"days": "school days", "weeks": "weeks", "pairs": counted_by}[trial.randomise]
    sets = "pairs" if sum(trial.ratio) == 2 else "sets"  # noqa: PLR2004 - two are a pair
    what = (
        f"the trial would find an effect of {format_percent(trial.effect)} in "
        f"{format_percent(power.power)} of cases, and {format_percent(trial.power)} are wanted"
    )
    ways = []
    if power.needed_periods is not None:
        ways.append(f"about {power.needed_periods} {unit}")
    if power.needed_sets is not None:
        ways.append(f"about {power.needed_sets} {sets} of such hotspots")
    if power.detectable is not None:
        ways.append(f"an effect of {format_percent(power.detectable)}")
    if not ways:
        return what, "no length or number of such hotspots would do: crime here is too rare"
    return what, f"it would take {', or '.join(ways)}"


def _build_hotspot(
    beats: gpd.GeoDataFrame, row: int, number: int, expected: float, projection: Projection
) -> TrialHotspot:
    lines = shapely.get_parts(beats.geometry.iloc[row])
    degrees = [
        np.round(np.column_stack(projection.to_degrees(*shapely.get_coordinates(line).T)), DECIMALS)
        for line in lines
    ]
    return TrialHotspot(
        hotspot=str(beats["hotspot"].iloc[row]),
        place=str(beats["place"].iloc[row]),
        set=number,
        expected=expected,
        lines=tuple(tuple((float(x), float(y)) for x, y in line) for line in degrees),
    )
