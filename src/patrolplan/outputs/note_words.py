"""What a `patrolplan.notes.Note` says, in a sentence; the same on every paper, page and screen."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from patrolplan.area.school_gates import describe_gate, describe_urns
from patrolplan.notes import Note, NoteKind
from patrolplan.team.bases import MODE_WORDS, OTHER_MODE
from patrolplan.team.week import format_day
from patrolplan.text import capitalise, format_count, format_percent, list_first, pluralise

MAX_NAMED_FILES = 3
"""Up to this many files are named; of more only the number is given."""

MAX_NAMED_SPANS = 3
"""Up to this many spans of months are named."""

SIMPLE_COUNT = "a simple count of the previous 12 months"
"""What readers know the prior count as: every model is measured against it."""

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


def describe_note(note: Note) -> str:
    """What a note says, in a sentence.

    Examples
    --------
    >>> from patrolplan.notes import Note
    >>> describe_note(Note("bell_times_assumed", {"count": 1, "schools": 4, "time": "15:15"}))
    '1 of 4 schools has no bell time: 15:15 is used.'
    """
    words = SENTENCES[note.kind]
    return words.format(**note.values) if isinstance(words, str) else words(note.values)


def describe_notes(notes: Iterable[Note]) -> list[str]:
    """What notes say, each once, in their order."""
    return list(dict.fromkeys(map(describe_note, notes)))


def _say_mixed_precision(values: Mapping[str, Any]) -> str:
    exact = values["exact"]
    return (
        f"Of {format_count(values['crimes'], 'crime')}, {exact:,} "
        f"{pluralise(exact, 'has', 'have')} an exact place, from files with dates "
        f"({_name_files(values['exact_files'])}); the others come from files with months only, "
        f"whose places are map points that stand for a few streets "
        f"({_name_files(values['snapped_files'])}). An exact place within "
        f"{values['within_metres']:.0f} m of a map point also counts with that point's streets."
    )


def _name_files(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= MAX_NAMED_FILES else f"{len(names)} files"


def _say_times_known(end: str) -> Callable[[Mapping[str, Any]], str]:
    """How many crimes have a time of day, with what that means at the end."""

    def say(values: Mapping[str, Any]) -> str:
        only_dates = values["only_dates"]
        give = pluralise(only_dates, "gives", "give")
        dates = f" ({only_dates:,} {give} only a date, or 00:00 instead of a time)"
        known = f"{values['known']:,}" if values["known"] else "none"
        return (
            f"The time of day is known for {known} of {format_count(values['crimes'], 'crime')} "
            f"that count{dates if only_dates else ''}: {end}."
        )

    return say


def _say_category_absent(values: Mapping[str, Any]) -> str:
    count, similar = values["group_of"], values["similar"]
    one = "incident" if count == 1 else f"group of {count} incidents"
    hint = f"; the data has '{similar}'" if similar else ""
    return f"No {one} of the category '{values['category']}' in the area{hint}."


def _say_category_unknown(where: str) -> Callable[[Mapping[str, Any]], str]:
    """A setting for a category that is not in the data."""

    def say(values: Mapping[str, Any]) -> str:
        what = f"{where} '{values['category']}' is not a category in the data"
        return f"{what}; did you mean '{values['similar']}'?" if values["similar"] else f"{what}."

    return say


def _say_months_missing(values: Mapping[str, Any]) -> str:
    whose = f" of {values['force']}" if values["force"] else ""
    what = f"{values['missing']} of {format_count(values['months'], 'month')}{whose}"
    return (
        f"Missing from the files: {what} ({_name_spans(values['spans'])}). They count "
        "as unknown, not as months without crime: rates are per month held."
    )


def _say_part_missing(values: Mapping[str, Any]) -> str:
    return (
        f"In a part of the area ({values['share']:.0%} of its map points) hardly any crime stands "
        f"in the files of {_name_spans(values['spans'])}: there these months count as unknown."
    )


def _name_spans(spans: list[str]) -> str:
    more = f" and {len(spans) - MAX_NAMED_SPANS} more" if len(spans) > MAX_NAMED_SPANS else ""
    return f"{', '.join(spans[:MAX_NAMED_SPANS])}{more}"


def _say_gate_far(values: Mapping[str, Any]) -> str:
    school = f"URN {values['urn']} ({values['school']})"
    where = describe_gate(values["given"], values["file"], values["row"], values["metres"])
    return f"The gate of {school} is used as given, {where}: check the row."


def _say_assumed_in_area(what: str, default: str) -> Callable[[Mapping[str, Any]], str]:
    """How many schools lack something, and what is used instead."""

    def say(values: Mapping[str, Any]) -> str:
        count, schools = values["count"], format_count(values["schools"], "school")
        have = f"{count:,} of {schools} {pluralise(count, 'has', 'have')} no {what}"
        return f"{have}: {default.format(**values)} is used."

    return say


def _say_tasked_ineffective(effect: str) -> Callable[[Mapping[str, Any]], str]:
    def say(values: Mapping[str, Any]) -> str:
        named = describe_urns(values["urns"], values["similar"])
        what = f"Tasked place {values['place']} is for URN {named}"
        return f"{what}, which no school has: it {effect}. Correct [sources] tasked_places."

    return say


def _say_of_schools(what: str) -> Callable[[Mapping[str, Any]], str]:
    """What was assumed for some schools, with the first of their URNs."""

    def say(values: Mapping[str, Any]) -> str:
        count, schools = len(values["urns"]), format_count(values["schools"], "school")
        have = pluralise(count, "has", "have")
        return f"{count:,} of {schools} {have} {what} (URN {list_first(values['urns'])})."

    return say


def _say_homes(known: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda values: (
        f"Where pupils live is estimated from {known}; their number falls to a third over "
        f"{values['primary_metres']:,.0f} m for primary and {values['secondary_metres']:,.0f} m "
        "for secondary pupils who walk."
    )


MODE_SOURCES = {
    "london": "the shares assumed for London",
    "england": "the shares of England (National Travel Survey 2024)",
}
"""Where a preset of the mode shares comes from."""


def _format_basis(values: Mapping[str, Any]) -> str:
    """The crimes and months that models were compared on; small numbers are not shown."""
    few = values["incidents"] < values["shown_from"]
    number = f"fewer than {values['shown_from']}" if few else f"{values['incidents']:,}"
    return f"{number} crimes in {format_count(values['months'], 'month')}"


def _format_weights(values: Mapping[str, Any]) -> str:
    """The models and their weights, the largest first."""
    pairs = sorted(
        zip(values["weights"], values["models"], strict=False), key=lambda pair: -pair[0]
    )
    return ", ".join(f"{model} {format_percent(weight)}" for weight, model in pairs)


def _say_stack_tested(values: Mapping[str, Any]) -> str:
    interval = f"{values['gain_low']:+.2f} to {values['gain_high']:+.2f}"
    return (
        f"{values['category']}: a weighted mean of models is used ({_format_weights(values)}). In "
        f"past months it predicted where crime came better than {SIMPLE_COUNT}, smoothed, by "
        f"{values['gain']:+.2f} bits a crime (95 % interval {interval}; {_format_basis(values)})."
    )


def _say_model_margin(values: Mapping[str, Any]) -> str:
    points = 100 * values["pai"] * values["coverage"]
    than = "more" if points >= 0 else "less"
    return (
        f"In past months, the {format_percent(values['coverage'])} of street length with the "
        f"highest risk had {abs(points):.1f} percentage points {than} of all crime, weighted by "
        f"harm, than with {SIMPLE_COUNT} (difference in PAI {values['pai']:+.2f})."
    )


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
    """A band of the day, with a space before it; nothing for all bands."""
    return f" {TIME_WORDS.get(band, band)}" if band else ""


def _say_clock_declared(values: Mapping[str, Any]) -> str:
    by_mean = values["by_mean"]
    others = f" {', '.join(by_mean)}: the mean of all crime is used." if by_mean else ""
    return (
        f"When crime happens is assumed to be as in {values['data']}: a stand-in, as no UK force "
        f"publishes hours.{others}"
    )


def _say_at_gate_instead(reason: str) -> Callable[[Mapping[str, Any]], str]:
    """Why a patrol is at the gate although the settings say the base."""
    return lambda values: f"{reason}: {' and '.join(values['does'])} at the gate."


def _say_colleague_base(values: Mapping[str, Any]) -> str:
    return (
        f"{capitalise(' and '.join(values['does']))} at the base of {values['owner']}, "
        f"{values['metres']:.0f} m from that of {values['officer']}."
    )


def _say_tasked_missed(values: Mapping[str, Any]) -> str:
    days = ", ".join(map(_format_day, values["dates"]))
    return f"Nobody goes to the tasked place {values['place']}, {values['street']} on {days}."


def _say_mode_not_planned(values: Mapping[str, Any]) -> str:
    *first, last = values["officers"] or [""]
    goes, patrols = ("go", "patrol") if first else ("goes", "patrols")
    who = f"{', '.join(first)} and {last}" if first else last
    way = values["way"] if values["way"] in MODE_WORDS else "walk"
    mode, other = MODE_WORDS[way], MODE_WORDS[OTHER_MODE[way]]
    return (
        f"{who} {goes} {mode} to the gate and between schools, and {patrols} {other}. "
        f"To plan their patrols {mode}, set way_by_officer in [week]."
    )


def format_span(hours: object) -> str:
    """HH:MM-HH:MM in words.

    Examples
    --------
    >>> format_span("15:20-15:45")
    '15:20 to 15:45'
    """
    return str(hours).replace("-", " to ")


def _format_day(date: str) -> str:
    return format_day(dt.date.fromisoformat(date))


SENTENCES: Mapping[NoteKind, str | Callable[[Mapping[str, Any]], str]] = {
    "reports_grouped": (
        "Pupils' reports are counted in {square_metres:.0f} m squares. A square counts only if it "
        "has {threshold} reports or more; counts are rounded down to multiples of {threshold}."
    ),
    "small_report_groups": (
        "The smallest group that counts is {threshold}, under {safe_threshold}: it could identify "
        "a person. Reason: {reason}."
    ),
    "crime_grouped": (
        "Recorded crime is counted in {square_metres:.0f} m squares. A category counts in a square "
        "only if it has {threshold} incidents or more there, all months together; they are spread "
        "over all streets of the square."
    ),
    "mixed_precision": _say_mixed_precision,
    "some_times_known": _say_times_known("when harm happens is estimated from those alone"),
    "few_times_known": _say_times_known("too few to estimate when harm happens"),
    "category_absent": _say_category_absent,
    "harm_unknown": _say_category_unknown("[risk.harm]"),
    "exposure_unknown": _say_category_unknown("[way_home] exposure:"),
    "months_missing": _say_months_missing,
    "part_missing": _say_part_missing,
    "points_replaced": (
        "The map points of recorded crime were replaced in {month}: earlier crimes are carried "
        "over to the streets that the old and the new points share."
    ),
    "gate_far": _say_gate_far,
    "bell_times_assumed": _say_assumed_in_area("bell time", "{time}"),
    "gates_assumed": _say_assumed_in_area("gate", "the nearest walkable street"),
    "urns_unknown": lambda values: (
        f"[sources] {values['source']}: no school has the URN "
        f"{describe_urns(values['urns'], values['similar'])}; these rows have no effect. "
        "Correct them."
    ),
    "tasked_place_ineffective": _say_tasked_ineffective("has no effect"),
    "tasked_place_partly_ineffective": _say_tasked_ineffective("has no effect there"),
    "school_sites": "URN {urn} has several sites in the schools' table: {sites}.",
    "urns_assigned": lambda values: (
        f"{format_count(len(values['schools']), 'school')} without a URN "
        f"{pluralise(len(values['schools']), 'has', 'have')} one made of name and place, to use in "
        f"other tables: {list_first(values['schools'])}."
    ),
    "school_figures_refused": (
        "URN {urn} ({school}): no school has such a figure, so it counts as not known: {figures}. "
        "Correct it."
    ),
    "no_origins": "No origins given ([sources] origins): where pupils live is assumed.",
    "no_stops": (
        "Walkers only: no stops given, neither in [sources] stops nor in the streets file, so "
        "pupils who ride are not on the streets."
    ),
    "no_places": (
        "No pubs or bars given, neither in [sources] places nor in the streets file: all streets "
        "count as being without."
    ),
    "origin_areas_unknown": lambda values: (
        f"[sources] origins: no polygon of [sources] areas has the name "
        f"{list_first(values['areas'])}; these rows have no effect. Correct them."
    ),
    "clock_categories_unknown": lambda values: (
        "[sources] clock: no crime has the category "
        f"{describe_urns(values['categories'], values['similar'])}; these rows have no effect. "
        "Correct them."
    ),
    "tasked_place_outside": (
        "Tasked place {place} lies {metres:,.0f} m outside the area: it has no effect where no "
        "street is near."
    ),
    "category_respelled": "The category '{written}' ({rows} rows) is counted as '{known}'.",
    "categories_unknown": "Categories that are not known, and weigh little: {categories}.",
    "officers_without_hours": lambda values: (
        f"{list_first(values['officers'])} {pluralise(len(values['officers']), 'has', 'have')} "
        "no hours on any day, so no patrols."
    ),
    "check_accepted": "Accepted in the settings ({reason}): {message}.",
    "rolls_by_capacity": _say_of_schools("no number of pupils: 90 % of the capacity is used"),
    "rolls_assumed": _say_of_schools(
        "neither a number of pupils nor a capacity: a round figure by phase is used"
    ),
    "stages_assumed": _say_of_schools(
        "neither ages nor a phase that says them: half primary, half secondary pupils are assumed"
    ),
    "modes_assumed": lambda values: (
        "How pupils travel is not known: "
        f"{MODE_SOURCES.get(values['modes'], values['modes'])} are used."
    ),
    "homes_from_origins": _say_of_schools("counts of their own of where pupils live"),
    "homes_from_areas": _say_homes("the residents of small areas"),
    "homes_from_streets": _say_homes("the length of street of each kind, no residents given"),
    "homes_beyond_streets": lambda values: (
        f"Up to {format_percent(values['share'])} of the pupils who walk live beyond the streets "
        f"given (URN {list_first(values['urns'])}): they are followed to the edge of the streets."
    ),
    "no_stops_near": lambda values: (
        f"Walkers only: no bus stop or station within {values['reach_metres']:,.0f} m of URN "
        f"{list_first(values['urns'])}."
    ),
    "leaving_assumed": lambda values: (
        f"When pupils leave is assumed: {format_percent(1 - values['late_share'])} around "
        f"{values['mean_minutes']:g} minutes after the bell, the others around "
        f"{values['late_minutes']:g} minutes after it."
    ),
    "arrival_assumed": (
        "When school opens is not known: pupils are assumed to arrive in the {minutes} minutes "
        "before {time}."
    ),
    "discovered_counted": "Offences that patrols discover count too: {reason}.",
    "model_set": "The risk model is '{model}', as the settings say.",
    "kernel_width": (
        "{category}: each crime is spread around its place, over {metres:.0f} m "
        "({distance} kernel); this width fits the data best."
    ),
    "stack_untested": lambda values: (
        f"{values['category']}: a weighted mean of models is used ({_format_weights(values)}); "
        f"there is too little crime to tell how good it is ({_format_basis(values)})."
    ),
    "stack_tested": _say_stack_tested,
    "model_margin": _say_model_margin,
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
    "bell_time_assumed": "Finish time not known: {time} assumed.",
    "gate_assumed": "Gate not known: nearest walkable street assumed.",
    "starts_after_pupils": "Starts after pupils have left, so no time is spent at the gate.",
    "ends_before_pupils": "Ends before pupils leave, so no time is spent at the gate.",
    "ends_as_pupils_leave": "Ends as pupils leave, so no time is spent at the gate.",
    "window_before_bell": "The window opens before the bell: the patrol starts as pupils leave.",
    "nothing_worth_walk": lambda values: (
        f"Stay at the gate: nothing within {values['metres']:,.0f} m is worth the walk. No street "
        f"has as many as {values['min_incidents']:g} recorded crimes a year, or a group of reports."
    ),
    "no_stop_in_time": (
        "Stay at the gate: no stop that is worth the walk can be made in this window."
    ),
    "no_officer_for_base": _say_at_gate_instead("No officer is assigned to this school"),
    "base_off_street": _say_at_gate_instead("No walkable street is near the officer's base"),
    "base_too_far": _say_at_gate_instead("The base is too far away for this window"),
    "walking_extract": (
        "The streets file seems to be an extract for walking: roads and tracks for bicycles may "
        "be missing."
    ),
    "no_one_way_streets": "The streets file marks no one-way streets: look out for them.",
    "tasked_place_unvisited": "Tasked place {place} {why}.",
    "tasked_place_beyond": "Tasked place {place} is beyond this school's streets.",
    "tasked_place_near_barred": (
        "Tasked place {place} cannot be visited: barred place {barred} is too near."
    ),
    "tasked_place_unfit": "Tasked place {place} does not fit into the window.",
    "tasked_hours_unmet": lambda values: (
        f"Tasked place {values['place']}: its hours {format_span(values['hours'])} cannot be met: "
        f"the earliest arrival is {values['earliest']}."
    ),
    "tasked_hours_short": lambda values: (
        f"Tasked place {values['place']}: its hours {format_span(values['hours'])} are shorter "
        f"than a stop of {values['minutes']:g} minutes, which begins at {values['begins']}."
    ),
    "barred_place_passed": "Gate or base cannot be reached without passing barred place {place}.",
    "no_date": "No date given: check that tasked places still apply.",
    "stops_reordered": "Stops are ordered so that each is visited near its worst time of day.",
    "approach_for_colleague": "The way from the base to the gate is planned for {owner} alone.",
    "colleague_base": _say_colleague_base,
    "no_term_dates": "There are no term dates: every weekday counts as a school day.",
    "officer_lent": lambda values: (
        f"{values['officer']} is lent to URN {values['urn']} on {_format_day(values['date'])}: "
        "locked by hand."
    ),
    "doses_not_counted": lambda values: (
        f"Doses at places that no route visits are not counted: {', '.join(values['places'])}."
    ),
    "over_daily_maximum": lambda values: (
        f"{values['hotspot']} gets {values['minutes']:.0f} minutes on "
        f"{_format_day(values['date'])}, more than the maximum of {values['maximum']:g}: "
        f"{'; '.join(values['visitors'])}."
    ),
    "maximum_before_minimum": (
        "URN {urn} gets {patrols} of at least {minimum} patrols: the maximum of {maximum:g} "
        "minutes a hotspot a day comes before that minimum."
    ),
    "tasked_place_missed": _say_tasked_missed,
    "patrol_at_colleague_base": lambda values: (
        f"{values['officer']} at URN {values['urn']}: the patrol {' and '.join(values['does'])} "
        f"at the base of {values['owner']}."
    ),
    "mode_not_planned": _say_mode_not_planned,
    "officer_away": lambda values: (
        f"{values['officer']} is absent on {_format_day(values['date'])}."
    ),
    "data_changed": (
        "Data or settings have changed since this week was planned ({then}, now {now}): patrols "
        "handed out keep their stops and times."
    ),
    "no_longer_planned": lambda values: (
        f"No longer in the plan, but still in this week: {'; '.join(values['patrols'])}"
        f"{'; and {} more'.format(values['more']) if values['more'] else ''}."
    ),
    "as_written": "{text}",
}
"""What each kind of note says: a sentence with the names of its values, or what builds it."""
