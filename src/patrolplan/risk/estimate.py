"""Estimate `Risk` from recorded crime and pupils' reports."""

import datetime as dt
from collections.abc import Sequence

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, read_window, weigh_minutes
from patrolplan.area.study_area import refuse_other_area
from patrolplan.audit_guard import refuse_audit_columns
from patrolplan.doors import Day, read_day
from patrolplan.errors import InputError
from patrolplan.notes import Note
from patrolplan.pupils.model import model_pupils
from patrolplan.pupils.pupils import Pupils
from patrolplan.risk.clock import build_clock
from patrolplan.risk.day_kinds import DayKind, find_day_kind
from patrolplan.risk.history import History, build_history, get_harm_days, note_guard
from patrolplan.risk.in_time import (
    PupilExposure,
    TimeFactors,
    build_exposure,
    get_powers,
    join_over_window,
)
from patrolplan.risk.models import AUTO, MODELS, SHRUNK
from patrolplan.risk.own_model import Estimator, spread_surface, wrap_estimator
from patrolplan.risk.report_voice import build_report_voice
from patrolplan.risk.surface import ExpectedIncidents, Risk, get_history, get_pupils
from patrolplan.settings import Settings
from patrolplan.text import format_count
from patrolplan.times import format_time

DAYS_A_MONTH, MINUTES_A_DAY = 365.25 / 12, 24 * 60

DAY_WORDS: dict[DayKind | None, str] = {
    None: "on all days of the week together",
    "school_day": "on a school day",
    "other_weekday": "on a weekday without school",
    "weekend": "at the weekend",
    "holiday": "in the holidays",
}
MONTHS_ONLY = "Only the month of each crime is known, not its weekday or time of day."

DAY_FROM_MINUTES, DAY_TO_MINUTES = 6 * 60, 19 * 60
"""A window without a date that begins between these times is on a school day."""


def estimate_risk(
    area: StudyArea,
    pupils: Pupils | None = None,
    *,
    window: Window | str | None = None,
    date: Day | None = None,
    model: str | Estimator | gpd.GeoDataFrame | None = None,
) -> Risk:
    """Expected harm on every piece of street in a patrol window.

    Recorded crime of the categories that count goes through the model that `[risk] model` names,
    for "auto" the shrunk count.
    Expected incidents are weighted by harm, by the hour at which crime of the category happens at
    such a place, and by the pupils who are there. Reports enter by group, in the band of the day
    that they are about. Each voice sums to one; see `patrolplan.risk.in_time` for how they join.

    Parameters
    ----------
    area
        The study area.
    pupils
        See `model_pupils`; modelled where they are left out. The risk keeps them.
    window
        A window, its name in the settings, or the time of day at which it begins, "HH:MM"; by
        default the settings' minutes from each school's own bell.
    date
        Day of the patrols: its kind (school day, other weekday, weekend, holiday) follows from the
        term dates. Without it a window that begins between 06:00 and 19:00 is on a school day, and
        any other on all days of the week together.
    model
        Name of a model, in place of the one that the settings name; or a model of your own, an
        estimator of scikit-learn's conventions, see `patrolplan.backtest_risk`; or your own risk
        surface, polygons with a column `rate` (risk a metre of street in any unit; 0 elsewhere).

    Raises
    ------
    InputError
        When there is no model of that name, or when one of your own lacks a method, cannot be
        cloned, or predicts what cannot be; when the pupils are those of another area; or when
        columns for audit are offered.

    Examples
    --------
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> risk = pp.estimate_risk(area, window=pp.Window(90, start_minutes=450))
    >>> risk.day
    'school_day'
    """
    refuse_audit_columns("estimate_risk", area, model, getattr(area, "__dict__", {}))
    window = read_window(area.settings.patrol, window)
    date = None if date is None else read_day(date)
    if pupils is None:
        pupils = model_pupils(area)
    refuse_other_area(area.pupils_basis, pupils.made_from, "pupils", "model them for this area")
    return estimate_from_history(area, pupils, build_history(area), window, date, model)


def estimate_in_window(
    area: StudyArea, risk: Risk, window: Window, date: dt.date | None = None
) -> Risk:
    """The risk of another window, from the counts and pupils of a risk that is known."""
    return estimate_from_history(area, get_pupils(risk), get_history(area, risk), window, date)


def estimate_from_history(
    area: StudyArea,
    pupils: Pupils,
    history: History,
    window: Window,
    date: dt.date | None = None,
    model: str | Estimator | gpd.GeoDataFrame | None = None,
) -> Risk:
    """The risk by counts of crime that are known already, as of another window."""
    settings = area.settings
    harm = get_harm_days(history.targets, settings.risk.harm)
    expected, name, model_notes = _predict_incidents(history, model, settings)
    bells = window.list_bells(area.schools)
    minutes, weights = weigh_minutes(window, bells)
    day = find_day(area, window, bells, date)
    span = f"{format_time(minutes[0])} to {format_time(minutes[-1] + 1)}"
    clock = build_clock(area, history)
    exposure, exposure_notes = _model_exposure(
        area, pupils, history.targets, day, minutes, weights, span
    )
    voice = build_report_voice(area, history.months[-1])
    powers = get_powers(history.targets, settings.way_home.exposure)
    factors = TimeFactors(powers, clock, day, exposure, voice)
    joined = join_over_window(expected * harm, factors, minutes, weights)
    text = (
        f"The risk is that of {span}, {DAY_WORDS[day]}: recorded harm is {joined.intensity:.1f} "
        "times that of the average hour of the week."
    )
    days = window.minutes / MINUTES_A_DAY

    def count() -> NDArray[np.float64]:
        return np.asarray(
            expected * clock.average_factor(minutes, weights, day) * (days / DAYS_A_MONTH)
        )

    return Risk(
        crime=joined.crime,
        reports=joined.reports,
        joined=joined.joined,
        model=name,
        months=(history.months[0], history.months[-1]),
        times_known=area.times_known,
        snapped=area.snapped,
        notes=(
            *area.notes,
            *note_guard(settings),
            *model_notes,
            *([] if area.times_known else [Note("months_only", MONTHS_ONLY)]),
            *clock.notes,
            *([] if clock.source == "flat" else [Note("window_harm", text)]),
            *exposure_notes,
            *voice.notes,
            *(note for band in joined.bands for note in voice.list_notes(band)),
        ),
        window=window,
        day=day,
        without_exposure=joined.without_exposure,
        crime_weight=joined.crime_weight,
        in_time=joined.in_time,
        incidents=ExpectedIncidents(area.network, history, count),
        made_from=area.basis,
        pupils=pupils,
    )


def find_day(
    area: StudyArea, window: Window, bells: Sequence[float], date: dt.date | None
) -> DayKind | None:
    """Which kind of day a window is on; None: all days of the week together."""
    if date is not None:
        return find_day_kind(area.term_dates, date)
    # Without a date a patrol by day is on a school day, as nearly all are; at other times nothing
    # says which day it is on.
    start = window.start_minutes
    if start is None:
        start = float(np.median(bells)) - window.before_minutes
    return "school_day" if DAY_FROM_MINUTES <= start < DAY_TO_MINUTES else None


def _model_exposure(  # noqa: PLR0917 - of one caller
    area: StudyArea,
    pupils: Pupils,
    targets: Sequence[str],
    day: DayKind | None,
    minutes: NDArray[np.int64],
    weights: NDArray[np.float64],
    span: str,
) -> tuple[PupilExposure | None, list[Note]]:
    """Where pupils are in a window, and what was assumed; None where that does not count."""
    settings = area.settings.way_home
    counted = {name: power for name in targets if (power := settings.exposure.get(name, 0.0)) > 0}
    if not counted:
        text = "Where pupils are does not count: [way_home] exposure is off."
        return None, [Note("exposure_off", text)]
    text = f"No pupils are on their way home then ({span}): where they are does not count."
    # A window for any day, such as one at night, is taken as on a school day.
    if day not in {"school_day", None}:
        return None, [Note("no_pupils_out", text)]
    exposure = build_exposure(pupils, area.network.piece_metres, minutes, weights)
    if exposure is None:
        return None, [Note("no_pupils_out", text)]
    on_streets = round(sum(school.on_streets for school in pupils.schools))
    schools = format_count(len(pupils.schools), "school")
    named = ", ".join(f"{name} ({power:g})" for name, power in counted.items())
    text = (
        "Where pupils are counts: risk grows with a power of the pupils who are there without an "
        f"adult, for {named}. About {on_streets:,} pupils of {schools} are modelled on their way "
        "home on foot; nobody is tracked."
    )
    return exposure, [Note("exposure", text), *pupils.notes]


def _predict_incidents(
    history: History, given: str | Estimator | gpd.GeoDataFrame | None, settings: Settings
) -> tuple[NDArray[np.float64], str, list[Note]]:
    """(p, j) incidents that the chosen model expects, its name, and notes on the choice."""
    name = settings.risk.model if given is None else given
    if isinstance(name, gpd.GeoDataFrame):
        text = "The risk surface is the analyst's own, not one of those that patrolplan tests."
        return spread_surface(history, name), "surface", [Note("model_own", text)]
    if not isinstance(name, str):
        # A model of the user's own is called by the name of its class.
        own = type(name).__name__
        rates = wrap_estimator(own, name, settings.seed)(history)
        text = (
            f"The risk model is the analyst's own ('{own}'), not one of those that patrolplan "
            "tests itself: ask for its back-test."
        )
        return history.units.catchments.spread(rates), own, [Note("model_own", text)]
    if name not in {AUTO, *MODELS}:
        where, what = "model", f"'{name}' is not the name of a model"
        raise InputError.one(where, what, f"choose from: {', '.join((AUTO, *MODELS))}")
    notes = []
    if name != AUTO:
        why = "chosen by the analyst in place of the settings'"
        why = "as the settings say" if given is None else why
        notes = [Note("model_set", f"The risk model is '{name}', {why}.")]
    name = SHRUNK if name == AUTO else name
    return history.units.catchments.spread(MODELS[name](history)), name, notes
