"""Sentences for notes on the risk: the model, pupils' presence, reports, hours."""

from collections.abc import Callable, Mapping
from typing import Any

from patrolplan.notes import NoteKind
from patrolplan.text import format_count, format_percent, pluralise

DAY_WORDS = {
    "school_day": "on a school day",
    "other_weekday": "on a weekday without school",
    "weekend": "at the weekend",
    "holiday": "in the holidays",
}
"""Kinds of day, see `patrolplan.risk.clock`."""
TIME_WORDS = {
    "before_school": "before school",
    "lunch": "at lunch",
    "after_school": "after school",
    "evening": "in the evening",
}
"""Bands of the day that pupils' reports give."""


def _say_window_harm(values: Mapping[str, Any]) -> str:
    day = DAY_WORDS.get(values["day"], "on all days of the week together")
    return (
        f"The risk is that of {values['start']} to {values['end']}, {day}: recorded harm is "
        f"{values['intensity']:.1f} times that of the average hour of the week."
    )


def _say_exposure(values: Mapping[str, Any]) -> str:
    powers = zip(values["categories"], values["powers"], strict=False)
    named = ", ".join(f"{category} ({power:g})" for category, power in powers)
    return (
        "Where pupils are counts: risk grows with a power of the pupils who are there without an "
        f"adult, for {named}. About {values['pupils']:,} pupils of "
        f"{format_count(values['schools'], 'school')} are modelled on their way home on foot; "
        "nobody is tracked."
    )


def _say_reports_weight(values: Mapping[str, Any]) -> str:
    all_groups, when = format_count(values["all_groups"], "group"), _say_when(values["band"])
    share, most = (format_percent(values[name]) for name in ("share", "most_share"))
    return (
        f"{values['groups']} of {all_groups} of pupils' reports "
        f"{pluralise(values['groups'], 'counts', 'count')}{when}: together they have {share} of "
        f"the risk; many more reports would have up to {most}."
    )


def _say_reports_silent(values: Mapping[str, Any]) -> str:
    when = _say_when(values["band"])
    return f"Pupils' reports do not count{when}: no group of them names that time of day."


def _say_when(band: str) -> str:
    """A band of the day, with a space before it; empty for all bands."""
    return f" {TIME_WORDS.get(band, band)}" if band else ""


def _say_clock_declared(values: Mapping[str, Any]) -> str:
    by_mean = values["by_mean"]
    others = f" {', '.join(by_mean)}: the mean of all crime is used." if by_mean else ""
    return (
        f"When crime happens is assumed to be as in {values['data']}: a stand-in, as no UK force "
        f"publishes hours.{others}"
    )


RISK_SENTENCES: Mapping[NoteKind, str | Callable[[Mapping[str, Any]], str]] = {
    "discovered_counted": "Offences that patrols discover count too: {reason}.",
    "model_set": "The risk model is '{model}', as the settings say.",
    "model_chosen": "The risk model is '{model}', chosen by the analyst in place of the settings'.",
    "model_own": (
        "The risk model is the analyst's own ('{model}'), not one of those that patrolplan tests "
        "itself: ask for its back-test."
    ),
    "months_only": "Only the month of each crime is known, not its weekday or time of day.",
    "window_harm": _say_window_harm,
    "exposure": _say_exposure,
    "exposure_off": "Where pupils are does not count: [way_home] exposure is off.",
    "no_pupils_out": (
        "No pupils are on their way home then ({start} to {end}): where they are does not count."
    ),
    "other_window": (
        "The hotspots are those of another window than this patrol's: estimate the risk for it."
    ),
    "reports_weight": _say_reports_weight,
    "reports_silent": _say_reports_silent,
    "reports_fade": lambda values: (
        f"Pupils' reports fade: one of {format_count(round(values['half_life_months']), 'month')} "
        "ago counts half."
    ),
    "report_terms_unknown": (
        "In no school term does a square have enough of pupils' reports to say when they were "
        "made: all count as new."
    ),
    "clock_flat": "Crime counts as spread evenly over the day and the week, as the settings say.",
    "clock_declared": _say_clock_declared,
    "clock_own_table": lambda values: (
        f"[sources] clock says when {', '.join(values['categories'])} happens."
    ),
    "clock_learned": (
        "When crime happens is learned from the {times:,} crimes whose time of day is known."
    ),
    "clock_few_times": lambda values: (
        f"The time of day is known for fewer than {values['times']} crimes of "
        f"{', '.join(values['categories'])}: when they happen is estimated mostly from all crime."
    ),
    "clock_no_term_dates": (
        "Without term dates, crime on school days cannot be separated from crime in holidays: only "
        "weekdays and weekends differ."
    ),
    "clock_no_places": (
        "No pubs, bars or nightclubs are given: streets near them count as having the same hours "
        "as other streets."
    ),
}
"""As `patrolplan.outputs.note_words.SENTENCES`."""
