"""Rolling origin inside a window of the day: whether risk by the clock finds crime then.

A ranking of streets by the crime of all hours may be right for the day and wrong for the hour after
the bell. Where clock times are known this can be tested: of the hold-out months only the incidents
inside the window count, on school days. The pooled stack and prior counts are scored, both over all
hours and multiplied by the clock that was learned from the months before.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, weigh_minutes
from patrolplan.errors import InputError
from patrolplan.risk.clock import build_clock
from patrolplan.risk.day_kinds import SCHOOL_DAY, UNKNOWN_WEEKDAY, find_day_kinds
from patrolplan.risk.history import History
from patrolplan.risk.models import PRIOR_COUNT, RiskModel, fit_or_reuse
from patrolplan.risk.rolling_origin import AUTO, Trials, combine_models, select_components
from patrolplan.risk.scorer import OriginScore, Scorer, score_rates
from patrolplan.risk.scores import COVERAGES, append_harm
from patrolplan.risk.stack import score_shares

MINUTES_A_DAY = 24 * 60

AUTO_ALL_HOURS = "auto, all hours"
PRIOR_BY_CLOCK = "prior count by clock"

WINDOW_MODELS = (PRIOR_COUNT, PRIOR_BY_CLOCK, AUTO_ALL_HOURS, AUTO)
"""Models that are scored; prior counts are those of all hours, as everywhere."""


def run_window_trials(
    area: StudyArea,
    history: History,
    models: Mapping[str, RiskModel],
    trials: Trials,
    harm: NDArray[np.float64],
    window: Window,
    *,
    seed: int,
) -> Trials:
    """Score the incidents inside a window, on school days, at the origins of other trials.

    `area`, `history`: The incidents, and their counts by month and place. `models`: By name; those
    that the stack consists of, prior counts, and any that the user gave: these are scored times the
    clock. `trials`: Of all hours: the origins, and the weights of the stack at each of them.
    `harm`: (j,) weight of each target. `window`: From a time of day, or from each school's bell.
    Raises `InputError` when no incident is inside the window.
    """
    bells = window.list_bells(area.schools)
    minutes, weights = weigh_minutes(window, bells)
    counts = count_inside(area, history, minutes)
    days = count_school_days(area, history.months)
    components = list(select_components(models).values())
    own = {name: model for name, model in models.items() if not model.is_reusable}
    scorer = Scorer(history, harm, seed)
    shape = (len(trials.origins), len(history.targets) + 1)
    packed, best_hits, smoothed, totals, events = [], [], [], [], []
    for stack, month in zip(trials.stacks, trials.origins, strict=False):
        row = int(history.months.searchsorted(month))
        cut, streets = history.cut_before(month), scorer.find_origin_streets(row)
        before = counts[max(0, row - 12) : row].sum(axis=0)
        amounts = append_harm(np.stack([counts[row], before]).astype(np.float64), harm)
        prior = fit_or_reuse(models[PRIOR_COUNT], cut).get_unit_rates()
        stacked = combine_models(components, stack, cut)
        clock = _compute_place_factor(area, history, minutes, weights, month)
        share = days[row] / month.days_in_month * window.minutes / MINUTES_A_DAY
        rates = [prior, prior * clock, stacked, stacked * clock]
        rates += [fit_or_reuse(model, cut).get_unit_rates() * clock for model in own.values()]
        basis = (amounts, streets, row, share)
        packed.append([score_rates(scorer, each, *basis) for each in rates])
        best_hits.append(scorer.score(amounts[0, :, :-1], amounts[:1], streets)[0])
        held = streets.gather(amounts[0, :, :-1])
        gathered = streets.gather(prior), streets.units.metres
        bits = score_shares(stack.smooth(*gathered), held)
        smoothed.append(np.append(bits, bits.sum()))
        inside = held.sum(axis=0)
        earlier = streets.gather(amounts[1, :, :-1]).sum(axis=0)
        totals.append(append_harm(np.stack([inside, earlier]), harm))
        events.append(np.append(inside, inside.sum()))
    score = OriginScore.unpack(np.array(packed).swapaxes(0, 1))
    both = np.array(totals).reshape(shape[0], 2, shape[1])
    return Trials(
        models=(*WINDOW_MODELS, *own),
        categories=trials.categories,
        origins=trials.origins,
        hits=score.hits[0],
        earlier_hits=score.hits[1],
        best_hits=np.array(best_hits).reshape(*shape, len(COVERAGES)),
        totals=both[:, 0],
        earlier_totals=both[:, 1],
        events=np.rint(events).astype(np.int64).reshape(shape),
        bits=score.bits,
        smoothed_bits=np.array(smoothed).reshape(shape),
        observed=score.observed,
        expected=score.expected,
        stacks=trials.stacks,
        min_crime_count=trials.min_crime_count,
    )


def check_times_known(area: StudyArea) -> None:
    """Raise `InputError` where only the months or days of crimes are known."""
    if not area.times_known or not area.incidents["timed"].any():
        where = "[sources] crimes"
        what = "the times of day are not known, which a back-test inside a window needs"
        remedy = "give crimes with occurred_at, or leave --window out"
        raise InputError.one(where, what, remedy)


def count_inside(
    area: StudyArea, history: History, minutes: NDArray[np.int64]
) -> NDArray[np.int32]:
    """(t, c, j) incidents at these minutes of school days, by month, place and target.

    Minutes beyond midnight, from 1440, belong to the day before. Incidents without a time of day
    are left out.
    """
    incidents = area.incidents
    timed = incidents["timed"].to_numpy() & incidents["category"].isin(history.targets).to_numpy()
    at = pd.DatetimeIndex(incidents.loc[timed, "occurred_at"])
    minute = np.asarray(at.hour * 60 + at.minute)
    late = minute + MINUTES_A_DAY <= minutes[-1]
    day = at.normalize() - pd.to_timedelta(late.astype(np.int64), unit="D")
    inside = np.isin(minute + MINUTES_A_DAY * late, minutes) & _is_school_day(area, day)
    if not inside.any():
        where, what = "--window", "no crime with a known time lies inside it on a school day"
        remedy = "choose another window, or give the dates of terms in [sources] term_dates"
        raise InputError.one(where, what, remedy)
    month = history.months.get_indexer(day[inside].to_period("M").to_timestamp())
    category = pd.Index(history.targets).get_indexer(incidents.loc[timed, "category"].astype(str))
    place = area.incident_catchment[timed]
    has_month = month >= 0
    counts = np.zeros((len(history), len(history.units), len(history.targets)), dtype=np.int32)
    np.add.at(counts, (month[has_month], place[inside][has_month], category[inside][has_month]), 1)
    return counts


def count_school_days(area: StudyArea, months: pd.DatetimeIndex) -> NDArray[np.float64]:
    """(t,) school days in each month."""
    days = pd.date_range(months[0], months[-1] + pd.offsets.MonthEnd(), freq="D")
    of_month = months.get_indexer(days.to_period("M").to_timestamp())
    counts = np.bincount(of_month, _is_school_day(area, days), minlength=len(months))
    return np.asarray(counts, dtype=np.float64)


def _is_school_day(area: StudyArea, days: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Which days are school days; without term dates, all weekdays."""
    kinds = find_day_kinds(area.term_dates, days)
    terms_known = len(area.term_dates) and (area.term_dates["kind"] == "term").any()
    return np.asarray(kinds == (SCHOOL_DAY if terms_known else UNKNOWN_WEEKDAY))


def _compute_place_factor(
    area: StudyArea,
    history: History,
    minutes: NDArray[np.int64],
    weights: NDArray[np.float64],
    month: pd.Timestamp,
) -> NDArray[np.float64]:
    """(c, j) the clock's mean factor in the window on school days, learned before a month."""
    clock = build_clock(area, history, before=month)
    factor = clock.average_factor(minutes, weights, "school_day")
    catchments = history.units.catchments
    weighted = factor * catchments.piece_share[:, None]
    places = len(catchments)
    return np.column_stack(
        [np.bincount(catchments.piece_catchment, column, minlength=places) for column in weighted.T]
    )
